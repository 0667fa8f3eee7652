import type { Patient } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResourceId } from '../../kernel/ids.ts';
import { computeGolden, type Member } from './survivorship.ts';

const member = (name: string, lastUpdatedMs: number, patient: Omit<Patient, 'resourceType'>): Member => ({
  sourceId: name as ResourceId,
  lastUpdatedMs,
  patient: { resourceType: 'Patient', ...patient },
});
const golden = (...members: Member[]) => computeGolden(members).patient;

describe('which value survives', () => {
  it.each([
    [
      'the majority',
      [
        ['1980-02-01', 1],
        ['1980-02-01', 2],
        ['1980-02-10', 3],
      ],
      '1980-02-01',
    ],
    [
      'the newest of equals',
      [
        ['1980-02-01', 1],
        ['1980-02-10', 3],
      ],
      '1980-02-10',
    ],
    [
      'the full date before the year',
      [
        ['1980-02-01', 1],
        ['1980', 9],
        ['1980', 8],
      ],
      '1980-02-01',
    ],
  ] as const)('birth date: %s', (_name, values, expected) => {
    const members = values.map(([birthDate, at], index) => member(`s${index}`, at, { birthDate }));
    expect(golden(...members).birthDate).toBe(expected);
  });

  it('takes a known sex before "unknown", and a death before silence', () => {
    const result = golden(
      member('a', 1, { gender: 'female', deceasedDateTime: '2024-05-01' }),
      member('b', 2, { gender: 'unknown', deceasedBoolean: false }),
      member('c', 3, { gender: 'unknown' }),
    );
    expect(result.gender).toBe('female');
    expect(result.deceasedDateTime).toBe('2024-05-01');
    expect(result.deceasedBoolean).toBeUndefined();
  });

  it('unites identifiers by system and value, names without regard to case, telephones without their spaces', () => {
    const result = golden(
      member('a', 1, {
        identifier: [{ system: 'urn:x', value: '1' }],
        name: [{ given: ['Amina'], family: 'OKELLO' }],
        telecom: [{ system: 'phone', value: '0772 300 633' }],
      }),
      member('b', 2, {
        identifier: [
          { system: 'urn:x', value: '1', use: 'official' },
          { system: 'urn:y', value: '1' },
        ],
        name: [{ given: ['Amina'], family: 'Okello' }, { family: 'Auma' }],
        telecom: [{ system: 'phone', value: '0772300633' }],
      }),
    );
    expect(result.identifier).toHaveLength(2);
    expect(result.name?.map((name) => name.family)).toEqual(['Okello', 'Auma']);
    expect(result.telecom).toHaveLength(1);
  });

  it('says for every value who says so and who says otherwise', () => {
    const { provenance } = computeGolden([
      member('a', 1, { birthDate: '1980-02-01' }),
      member('b', 2, { birthDate: '1980-02-10' }),
    ]);
    expect(provenance.find((one) => one.path === 'birthDate')).toEqual({
      path: 'birthDate',
      value: '1980-02-10',
      rule: 'most-frequent',
      from: ['b'],
      alternatives: [{ value: '1980-02-01', sourceId: 'a' }],
    });
  });

  it('answers the same whatever the order of its sources, and names each of them', () => {
    const one = fc.record({
      birthDate: fc.constantFrom('1980', '1980-02', '1980-02-01', '1981-03-03'),
      gender: fc.constantFrom('male' as const, 'female' as const, 'unknown' as const),
      name: fc.array(fc.record({ family: fc.constantFrom('Okello', 'OKELLO', 'Auma') }), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(one, fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 6 }), (all) => {
        const members = all.map(([patient, at], index) => member(`s${index}`, at, patient));
        const result = computeGolden(members);
        expect(computeGolden(members.toReversed())).toEqual(result);
        expect(result.patient.link).toHaveLength(members.length);
      }),
    );
  });
});
