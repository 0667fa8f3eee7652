import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { model, recordOf, scorePair } from '../../../test/support/matching.ts';
import { decodeRecord, encodeRecord, explain, prepare, score } from './index.ts';
import type { MatchRecord } from './model.ts';

const ANNA: Partial<MatchRecord> = {
  given: ['Anna'],
  family: ['Okello'],
  birthDate: '1980-05-23',
  gender: 'female',
  phones: ['0712 300633'],
};
const NIN = (value: string) => ({ identifiers: [{ system: 'urn:ug:nin', value }] });

const BOTH = (national: string, local: string) => ({
  identifiers: [
    { system: 'urn:ug:nin', value: national },
    { system: 'urn:ug:art', value: local },
  ],
});

const textIn = (values: readonly string[]) => fc.array(fc.constantFrom(...values), { maxLength: 2 });
const anyRecord: fc.Arbitrary<MatchRecord> = fc.record(
  {
    given: textIn([
      'Anna',
      'Ana Maria',
      'Maria',
      'Baby',
      'unknown',
      'J',
      'Jon',
      'John',
      'x'.repeat(1000),
      '😀',
      'محمد',
      '',
    ]),
    family: textIn([
      'Okello',
      'Okelo',
      'van der Berg',
      'Vanderberg',
      'Anna',
      'Smith Jr',
      'Garcia Lopez',
      'Garcia Perez',
      ' ',
    ]),
    suffix: fc.constantFrom(['Jr'], ['Sr'], ['Jr', 'III']),
    birthDate: fc.constantFrom(
      '1980-05-23',
      '1980-05-03',
      '1980-03-05',
      '1980',
      '1980-01-01',
      '1956-11-02',
      '1900-01-01',
      'garbage',
    ),
    gender: fc.constantFrom('male', 'female', 'other', 'unknown'),
    phones: textIn(['0712300633', '+256712300633', '0712300634', '000']),
    emails: textIn(['anna.okello@example.org', 'anna.okelo@example.org', 'anna.okello@example.com']),
    identifiers: fc.array(
      fc.record({
        system: fc.constantFrom('urn:ug:nin', 'urn:clinic:mrn', 'urn:household'),
        value: fc.constantFrom('CM12345678', 'CM12345679', 'X7', '999999999'),
      }),
      { maxLength: 3 },
    ),
    address: fc.record({
      line: textIn(['12 Market Road', '12 Market Street', 'Plot 4']),
      city: fc.constantFrom('Kampala', 'Kampla', ''),
      postalCode: fc.constantFrom('10001', '10010'),
    }),
    mothersMaidenName: fc.constantFrom('Akello', 'Akelo'),
    multipleBirth: fc.constantFrom(true, false, 2),
  },
  { requiredKeys: ['given', 'family', 'phones', 'emails', 'identifiers'] },
);

describe('properties', () => {
  test('a score is symmetric', () => {
    fc.assert(
      fc.property(anyRecord, anyRecord, (a, b) => {
        expect(scorePair(a, b)).toEqual(scorePair(b, a));
      }),
      { numRuns: 3000 },
    );
  });

  test('the explanation adds up to the weight and says the same as the score', () => {
    fc.assert(
      fc.property(anyRecord, anyRecord, (a, b) => {
        const [left, right] = [prepare(model, a), prepare(model, b)];
        const told = explain(model, left, right);
        const sum = told.fields.reduce((total, field) => total + field.weight, told.priorWeight);
        expect(sum).toBeCloseTo(told.weight, 9);
        const result = score(model, left, right);
        expect([told.score, told.decision, told.grade]).toEqual([result.score, result.decision, result.grade]);
        expect(told.score).toBeGreaterThan(0);
        expect(told.score).toBeLessThan(1);
      }),
      { numRuns: 1000 },
    );
  });

  test('the explanation holds no value of either record', () => {
    const told = JSON.stringify(explain(model, prepare(model, recordOf(ANNA)), prepare(model, recordOf(ANNA))));
    for (const value of ['anna', 'kello', '1980', '300633']) expect(told.toLowerCase()).not.toContain(value);
  });

  test('decoding gives back what was encoded', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        expect(decodeRecord(encodeRecord(record))).toEqual(record);
      }),
    );
  });
});

const explainPair = (a: Partial<MatchRecord>, b: Partial<MatchRecord>) =>
  explain(model, prepare(model, recordOf(a)), prepare(model, recordOf(b)));

describe('decisions', () => {
  test.each<[string, Partial<MatchRecord>, Partial<MatchRecord>, string]>([
    ['equal in everything', ANNA, ANNA, 'match'],
    ['a typing error in the name', ANNA, { ...ANNA, family: ['Okelo'] }, 'match'],
    ['given and family exchanged', ANNA, { ...ANNA, given: ['Okello'], family: ['Anna'] }, 'match'],
    ['the whole name in the family field', { ...ANNA, given: [], family: ['Anna Okello'] }, ANNA, 'match'],
    ['nickname', { ...ANNA, given: ['Elizabeth'] }, { ...ANNA, given: ['Betty'] }, 'match'],
    ['particles and hyphens', { ...ANNA, family: ['van der Berg'] }, { ...ANNA, family: ['Vanderberg'] }, 'match'],
    ['day and month exchanged', { ...ANNA, birthDate: '1980-05-03' }, { ...ANNA, birthDate: '1980-03-05' }, 'match'],
    ['nothing but equal sex', { gender: 'female' }, { gender: 'female' }, 'none'],
    ['two empty records', {}, {}, 'none'],
    [
      'placeholders only',
      { given: ['Unknown'], family: ['Unknown'], birthDate: '1900-01-01' },
      { given: ['Unknown'], family: ['Unknown'], birthDate: '1900-01-01' },
      'none',
    ],
    ['somebody else', ANNA, { given: ['Peter'], family: ['Banda'], birthDate: '1999-12-12', gender: 'male' }, 'none'],
    ['common name, no more', { given: ['Mohamed'], family: ['Ali'] }, { given: ['Mohamed'], family: ['Ali'] }, 'none'],
  ])('%s', (_why, a, b, decision) => {
    expect(scorePair(a, b).decision).toBe(decision);
  });
});

describe('guards', () => {
  const home = { phones: ['0712300633'], address: { line: ['12 Market Road'], city: 'Kampala', postalCode: '10001' } };
  const child = { ...home, family: ['Okello'], birthDate: '2015-03-04', gender: 'male' } as const;

  test.each<[string, Partial<MatchRecord>, Partial<MatchRecord>, string, string]>([
    ['twins', { ...child, given: ['Kato'] }, { ...child, given: ['Wasswa'] }, 'review', 'twins'],
    [
      'twins of like names, known as twins',
      { ...child, given: ['Hassan'], multipleBirth: true },
      { ...child, given: ['Hasan'], multipleBirth: 2 },
      'review',
      'multiple-birth',
    ],
    [
      'brothers',
      { ...child, given: ['Kato'] },
      { ...child, given: ['Peter'], birthDate: '2011-07-23' },
      'none',
      'household',
    ],
    [
      'father and son of one name',
      { ...ANNA, ...home },
      { ...ANNA, ...home, birthDate: '2007-11-02' },
      'review',
      'parent-and-child',
    ],
    ['senior and junior', { ...ANNA, suffix: ['Sr'] }, { ...ANNA, suffix: ['Jr.'] }, 'none', 'senior-and-junior'],
    [
      'senior and junior with one number',
      { ...ANNA, suffix: ['Sr'], ...NIN('CM12345678') },
      { ...ANNA, suffix: ['Jr.'], ...NIN('CM12345678') },
      'none',
      'senior-and-junior',
    ],
    [
      'the second and the third',
      { ...ANNA, suffix: ['II'] },
      { ...ANNA, suffix: ['III'] },
      'review',
      'different-generation',
    ],
    [
      'nobody’s name, one home',
      { ...home, birthDate: '1980-05-23', gender: 'female', emails: [] },
      { ...home, birthDate: '1980-05-23', gender: 'female', emails: [] },
      'review',
      'no-name-agrees',
    ],
    [
      'Jane Doe is nobody’s name',
      { ...home, birthDate: '1980-05-23', given: ['Jane'], family: ['Doe'] },
      { ...home, birthDate: '1980-05-23', given: ['Jane'], family: ['Doe'] },
      'review',
      'no-name-agrees',
    ],
    [
      'a newborn and a sibling not yet named',
      { ...child, given: ['Baby Boy'] },
      { ...child, given: ['Kato'] },
      'review',
      'unnamed-child',
    ],
    [
      'a child registered under its mother’s identifier',
      { ...ANNA, ...NIN('CM12345678') },
      { ...ANNA, ...NIN('CM12345678'), given: ['Peter'], birthDate: '2011-07-30' },
      'review',
      'different-name-and-birth-date',
    ],
    [
      'one identifier, two twins',
      { ...child, given: ['Kato'], ...NIN('CM12345678') },
      { ...child, given: ['Wasswa'], ...NIN('CM12345678') },
      'review',
      'twins',
    ],
    [
      'an identifier and nothing else',
      NIN('CM12345678'),
      { ...NIN('CM12345678'), given: ['Peter'] },
      'review',
      'identifier-alone',
    ],
    [
      'other people with one identifier',
      { ...ANNA, ...NIN('CM12345678') },
      { given: ['Peter'], family: ['Banda'], birthDate: '1999-12-12', ...NIN('CM12345678') },
      'review',
      'identifier-alone',
    ],
    [
      'two national identifiers',
      { ...ANNA, phones: [], ...NIN('CM12345678') },
      { ...ANNA, phones: [], ...NIN('CF98765432') },
      'review',
      'different-identifier',
    ],
    [
      'one institution’s number, a national number one digit off, another flat',
      { ...ANNA, ...home, ...BOTH('CM12345678', 'KLA-778899') },
      {
        ...ANNA,
        ...home,
        address: { ...home.address, line: ['14 Market Road'] },
        ...BOTH('CM12345679', 'KLA-778899'),
      },
      'review',
      'different-identifier',
    ],
    [
      'a national and an institution’s number, and both are others',
      { ...ANNA, ...BOTH('CM12345678', 'KLA-778899') },
      { ...ANNA, ...BOTH('CM12345679', 'KLA-778999') },
      'review',
      'other-numbers',
    ],
  ])('%s', (_why, a, b, decision, contradiction) => {
    const result = scorePair(a, b);
    expect(result.contradictions).toContain(contradiction);
    expect(result.contradicted).toBe(true);
    expect(result.decision).toBe(decision);
  });

  test('an identifier that is unique by nature links although much else is wrong', () => {
    const result = scorePair(
      { ...ANNA, ...NIN('CM12345678') },
      { ...ANNA, ...NIN('cm-12345678'), phones: [], family: ['Mugisha'], birthDate: '1980-06-23' },
    );
    expect(result).toMatchObject({ decision: 'match', rule: 'unique-identifier', contradicted: false });
  });

  test('an identifier shared by a household does not link', () => {
    const shared = { identifiers: [{ system: 'urn:household-number', value: 'H12345' }] };
    expect(scorePair({ ...shared, given: ['Anna'] }, { ...shared, given: ['Peter'] }).decision).toBe('none');
  });

  test('two other identifiers outweigh a birth date written wrongly', () => {
    const two = {
      identifiers: [
        { system: 'urn:ug:nin', value: 'CM12345678' },
        { system: 'urn:ug:art', value: 'KLA-778899' },
      ],
    };
    expect(scorePair({ ...ANNA, ...two }, { ...ANNA, ...two, birthDate: '1957-10-11' }).decision).toBe('match');
  });

  test.each([
    ['two neighbours exchanged', '318190049', '318910049'],
    ['a letter typed into it', '318190049', '31819A0049'],
    ['a letter in a digit’s place', '740165170', '740C16517'],
    ['two digits lost', '318190049', '3190049'],
    ['the last four digits, of which two are zeros', '318190049', '0049'],
  ])('a national number written wrongly stops no link: %s', (_why, one, other) => {
    const result = scorePair({ ...ANNA, ...BOTH(one, 'A-4455') }, { ...ANNA, ...BOTH(other, 'A-4455') });
    expect(result).toMatchObject({ decision: 'match', contradicted: false });
  });

  test('a number with a wrong check digit says less, for and against', () => {
    const cpf = (value: string) => ({ identifiers: [{ system: 'urn:br:cpf', value }] });
    const right = explainPair({ ...ANNA, ...cpf('529.982.247-25') }, { ...ANNA, ...cpf('529.982.247-25') });
    const wrong = explainPair({ ...ANNA, ...cpf('529.982.247-26') }, { ...ANNA, ...cpf('529.982.247-26') });
    const other = explainPair({ ...ANNA, ...cpf('529.982.247-25') }, { ...ANNA, ...cpf('111.222.333-44') });
    expect(right.rule).toBe('unique-identifier');
    expect(wrong.rule).toBeUndefined();
    expect(wrong.weight).toBeLessThan(right.weight);
    expect(other.fields.find(({ field }) => field === 'identifier:urn:br:cpf')?.level).toBe('missing');
    expect(other.contradictions).toEqual([]);
  });
});

describe('the model', () => {
  const levelOf = (a: Partial<MatchRecord>, b: Partial<MatchRecord>, field: string) =>
    explainPair(a, b).fields.find((one) => one.field === field);

  test('dependent fields: a city beside an equal postal code says next to nothing, and names exchanged count as exchanged', () => {
    const home = (city: string, postalCode: string) => ({ address: { line: [], city, postalCode } });
    const alone = levelOf(home('Kampala', ''), home('Kampala', ''), 'address.city');
    const beside = levelOf(home('Kampala', '10001'), home('Kampala', '10001'), 'address.city');
    expect(alone?.level).toBe('exact');
    expect(beside?.level).toBe('implied');
    expect(Math.abs(beside?.weight ?? 9)).toBeLessThan(0.5);
    expect(beside?.weight).toBeLessThan(alone?.weight ?? 0);
  });

  test('several identifiers of one system: one equal is enough, the others do not contradict, and the system counts once', () => {
    const system = 'urn:clinic:mrn';
    const numbers = (...values: string[]) => ({ identifiers: values.map((value) => ({ system, value })) });
    const one = explainPair({ ...ANNA, ...numbers('A-1001') }, { ...ANNA, ...numbers('A-1001') });
    const more = explainPair({ ...ANNA, ...numbers('A-1001', 'B-2222') }, { ...ANNA, ...numbers('C-3333', 'A-1001') });
    expect(more.weight).toBe(one.weight);
    expect(more.rule).toBe('unique-identifier');
    expect(more.contradictions).toEqual([]);
    expect(more.fields.filter(({ field }) => field === `identifier:${system}`)).toHaveLength(1);
  });

  test('term frequency: a rare name says more than a common one, and a common one never less than nothing', () => {
    const weight = (family: string) => levelOf({ family: [family] }, { family: [family] }, 'family')?.weight ?? 0;
    expect(weight('Ssekyanzi')).toBeGreaterThan(weight('Okello'));
    expect(weight('Okello')).toBeGreaterThan(weight('Mohamed'));
    expect(weight('Mohamed')).toBeGreaterThan(0);
  });

  test('missing is neutral: a field that one record lacks changes neither weight nor decision', () => {
    const mail = { emails: ['anna.okello@example.org'] };
    expect(scorePair({ ...ANNA, ...mail }, ANNA)).toEqual(scorePair(ANNA, ANNA));
  });

  test('one scale: whatever decided, the grade and the decision follow from the score', () => {
    fc.assert(
      fc.property(anyRecord, anyRecord, (a, b) => {
        const { score: reached, grade, decision, rule, contradicted } = scorePair(a, b);
        const { match, probable, review } = model.document.thresholds;
        expect(decision).toBe(reached >= match ? 'match' : reached >= review ? 'review' : 'none');
        const graded =
          reached >= match
            ? 'certain'
            : reached >= probable
              ? 'probable'
              : reached >= review
                ? 'possible'
                : 'certainly-not';
        expect(grade).toBe(graded);
        if (rule !== undefined) expect(reached).toBeGreaterThanOrEqual(model.document.rules.uniqueIdentifier.score);
        if (contradicted) expect(decision).not.toBe('match');
      }),
      { numRuns: 1500 },
    );
  });
});
