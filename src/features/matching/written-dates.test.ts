import { describe, expect, test } from 'vitest';
import { model, recordOf, scorePair } from '../../../test/support/matching.ts';
import { decodeRecord, encodeRecord, explain, prepare } from './index.ts';
import type { MatchRecord } from './model.ts';

const AGELESS: Partial<MatchRecord> = {
  given: ['Anna'],
  family: ['Okello'],
  gender: 'female',
  phones: ['0712 300633'],
  identifiers: [{ system: 'urn:ug:nin', value: 'CM12345678' }],
};
const ANNA: Partial<MatchRecord> = { ...AGELESS, birthDate: '1980-05-23' };
const toldOf = (other: Partial<MatchRecord>) =>
  explain(model, prepare(model, recordOf(ANNA)), prepare(model, recordOf(other)));
const levelOf = (other: Partial<MatchRecord>) => toldOf(other).fields.find(({ field }) => field === 'birthDate')?.level;

describe('what is written in place of a birth date', () => {
  test.each([
    ['a month that is none', { birthDate: '2001-13-40' }],
    ['a thousand years from now', { birthDate: '3000-05-23' }],
    ['an age', { birthDateText: 'not known, about 40' }],
    ['another date, written in another way', { birthDateText: '3.11.1951' }],
  ])('a steward looks where it is made up: %s', (_what, written) => {
    const result = scorePair(ANNA, { ...AGELESS, ...written });
    expect(result).toMatchObject({ decision: 'review', contradictions: ['impossible-birth-date'] });
    expect(scorePair({ ...AGELESS, ...written }, ANNA)).toEqual(result);
  });

  test.each(['1980-0q5-23', '19800-5-23', '180-05-23', '1980-23-0', '1980-0', 'unknown', ''])(
    'slips in a date, and words without a number, stop no link: "%s"',
    (birthDateText) => {
      const result = scorePair(ANNA, { ...AGELESS, birthDateText });
      expect(result).toMatchObject({ decision: 'match', contradicted: false });
    },
  );

  test('a date into which a letter was typed is that date', () => {
    expect(levelOf({ ...AGELESS, birthDateText: '1980-q05-23' })).toBe('exact');
  });

  test('a date that no calendar has, two digits off, counts as missing', () => {
    expect(toldOf({ ...AGELESS, birthDate: '1980-05-33' }).contradictions).toEqual([]);
    expect(levelOf({ ...AGELESS, birthDate: '1980-05-33' })).toBe('placeholder');
  });

  test.each(['9'.repeat(100_000), '😀'.repeat(5000), '١٩٨٠-٠٥-٢٣'])(
    'text of any length and script is no harm',
    (birthDateText) => {
      expect(scorePair(ANNA, { birthDateText }).decision).toBe('none');
    },
  );

  test('the sealed copy keeps it', () => {
    const record = recordOf({ ...AGELESS, birthDateText: 'about 40' });
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
  });
});
