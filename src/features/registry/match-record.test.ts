import type { Patient } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { matchRecordOf } from './match-record.ts';

const kept = (text: string) => ({
  _birthDate: {
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/originalText', valueString: text }],
  },
});
const patientOf = (parts: object): Patient => ({ resourceType: 'Patient', ...parts });

describe('the birth date that matching sees', () => {
  test('text that was kept in its place reaches matching as text', () => {
    const record = matchRecordOf(patientOf(kept('not known, about 40')));
    expect(record.birthDateText).toBe('not known, about 40');
    expect(record).not.toHaveProperty('birthDate');
  });

  test('beside the part of it that was taken as a date, the date counts', () => {
    const record = matchRecordOf(patientOf({ birthDate: '1980', ...kept('1980-13-40') }));
    expect(record.birthDate).toBe('1980');
    expect(record).not.toHaveProperty('birthDateText');
  });

  test('a patient without either has neither', () => {
    expect(Object.keys(matchRecordOf(patientOf({})))).not.toContain('birthDateText');
  });
});
