import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { people, randomNumbers, typingError } from '../../../bench/people.ts';
import { model, recordOf } from '../../../test/support/matching.ts';
import {
  blockingKeys,
  compileModel,
  countedFrequencies,
  DEFAULT_MODEL,
  parseModel,
  prepare,
  ruleOfKey,
  score,
} from './index.ts';
import type { MatchRecord } from './model.ts';

const keysOf = (parts: Partial<MatchRecord>) => blockingKeys(model, prepare(model, recordOf(parts)));
const meet = (a: Partial<MatchRecord>, b: Partial<MatchRecord>) => {
  const there = new Set(keysOf(b));
  return keysOf(a).some((key) => there.has(key));
};

const ANNA: Partial<MatchRecord> = {
  given: ['Anna'],
  family: ['Okello'],
  birthDate: '1980-05-23',
  phones: ['0712300633'],
  identifiers: [{ system: 'urn:ug:nin', value: 'CM12345678' }],
  address: { line: ['12 Market Road'], city: 'Kampala' },
};

describe('records that must meet', () => {
  test.each<[string, Partial<MatchRecord>]>([
    ['other identifier and telephone', { ...ANNA, identifiers: [], phones: [] }],
    ['family name changed', { ...ANNA, identifiers: [], phones: [], family: ['Mugisha'] }],
    ['given name changed', { ...ANNA, identifiers: [], phones: [], given: ['Mercy'] }],
    ['names exchanged', { ...ANNA, identifiers: [], phones: [], given: ['Okello'], family: ['Anna'] }],
    ['day and month exchanged', { ...ANNA, birthDate: '1980-05-03', identifiers: [], phones: [] }],
    ['birth date wrong', { ...ANNA, birthDate: '1980-11-02', identifiers: [], phones: [] }],
    ['birth year wrong', { ...ANNA, birthDate: '1908-05-23', identifiers: [], phones: [] }],
    ['birth date missing, nothing but a rare name', { given: ['Mercy'], family: ['Okelloquist'] }],
    [
      'both names written wrongly, same address',
      { ...ANNA, given: ['Anma'], family: ['Okullo'], birthDate: '1951-02-02', identifiers: [], phones: [] },
    ],
    ['nothing but the telephone', { phones: ['+256 712 300633'] }],
  ])('%s', (why, other) => {
    if (why.includes('rare name'))
      return expect(meet({ ...ANNA, given: ['Mercy'], family: ['Okelloquist'] }, other)).toBe(true);
    const from = why.startsWith('day and month')
      ? { ...ANNA, birthDate: '1980-03-05', identifiers: [], phones: [] }
      : ANNA;
    return expect(meet(from, other)).toBe(true);
  });

  test('one typing error in any two fields of a full record', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = randomNumbers(seed);
        const wrong: Partial<MatchRecord> = {
          ...ANNA,
          given: [typingError(random, 'Anna')],
          family: [typingError(random, 'Okello')],
        };
        expect(meet(ANNA, wrong)).toBe(true);
      }),
    );
  });
});

describe('missing values make no key', () => {
  test('an empty record has none', () => expect(keysOf({})).toEqual([]));

  test('placeholders have none', () => {
    expect(
      keysOf({
        given: ['Baby Boy'],
        family: ['Unknown'],
        birthDate: '1900-01-01',
        phones: ['0000000000'],
        identifiers: [{ system: 'urn:us-ssn', value: '999-99-9999' }],
        emails: ['none@none.com'],
      }),
    ).toEqual([]);
  });

  test('a surname alone, a birth date alone and a city alone have none', () => {
    for (const parts of [
      { family: ['Okello'] },
      { birthDate: '1980-05-23' },
      { address: { line: [], city: 'Kampala' } },
    ]) {
      expect(keysOf(parts)).toEqual([]);
    }
  });

  test('a common name alone has none: its block would hold thousands', () => {
    expect(keysOf({ given: ['Mohamed'], family: ['Ali'] })).toEqual([]);
    expect(keysOf({ given: ['Anna'], family: ['Okelloquist'] })).toEqual(['rn|anna+okelloquist']);
  });

  test('the number of keys is bounded whatever somebody sends', () => {
    const many = Array.from({ length: 100 }, (_, index) => `Name${String.fromCharCode(97 + (index % 26))}${index} B`);
    const keys = keysOf({ ...ANNA, given: many, family: many, phones: many.map((_, i) => `07123${10_000 + i * 37}`) });
    expect(keys.length).toBeLessThanOrEqual(DEFAULT_MODEL.blocking.keysMax);
  });
});

test('blocks stay small among people with real-name skew', () => {
  const blocks = new Map<string, number>();
  let keys = 0;
  let records = 0;
  for (const person of people({ seed: 7, count: 20_000, duplicates: 0.3 })) {
    records++;
    const found = keysOf({
      given: [person.given],
      family: [person.family],
      ...(person.birthDate !== '' && { birthDate: person.birthDate }),
      phones: [person.phone],
      identifiers: [{ system: 'urn:example:national-id', value: person.nationalId }],
      address: { line: [person.line], city: person.city, postalCode: person.postalCode },
    });
    keys += found.length;
    for (const key of found) blocks.set(key, (blocks.get(key) ?? 0) + 1);
  }
  const largest = [...blocks].reduce((worst, block) => (block[1] > worst[1] ? block : worst));
  expect(largest[1], ruleOfKey(largest[0])).toBeLessThan(60);
  expect(keys / records).toBeLessThan(16);
});

describe('the model document', () => {
  test('parses to itself', () => expect(parseModel(JSON.parse(JSON.stringify(DEFAULT_MODEL)))).toEqual(DEFAULT_MODEL));

  test.each<[string, (document: Record<string, object>) => unknown]>([
    ['an unknown key', (document) => ({ ...document, surprise: 1 })],
    ['another format', (document) => ({ ...document, format: 'x' })],
    [
      'thresholds the wrong way round',
      (document) => ({ ...document, thresholds: { match: 0.5, review: 0.6, probable: 0.7 } }),
    ],
    [
      'chances above one',
      (document) => ({
        ...document,
        fields: {
          ...document['fields'],
          gender: { levels: { same: { m: 0.9, u: 0.5 }, different: { m: 0.2, u: 0.5 } } },
        },
      }),
    ],
    [
      'a missing level',
      (document) => ({
        ...document,
        fields: { ...document['fields'], gender: { levels: { same: { m: 0.9, u: 0.5 } } } },
      }),
    ],
    [
      'an unknown blocking part',
      (document) => ({ ...document, blocking: { keysMax: 5, rules: [{ name: 'a', parts: ['everything'] }] } }),
    ],
  ])('refuses %s', (_why, change) => {
    expect(() => parseModel(change(JSON.parse(JSON.stringify(DEFAULT_MODEL))))).toThrow();
  });

  test('frequencies given replace the table: a name that half of the people have says little', () => {
    const counts = {
      given: new Map([
        ['anna', 1],
        ['eve', 1],
      ]),
      family: new Map([['okello', 2]]),
    };
    const counted = compileModel(DEFAULT_MODEL, { frequencies: countedFrequencies(counts) });
    const [plain, own] = [model, counted].map((compiled) =>
      score(compiled, prepare(compiled, recordOf(ANNA)), prepare(compiled, recordOf(ANNA))),
    );
    expect(own?.weight).toBeLessThan((plain?.weight ?? 0) - 8);
  });

  test('a larger population makes the same agreement weigh less', () => {
    const national = compileModel(DEFAULT_MODEL, { population: 50_000_000 });
    expect(national.priorWeight).toBeLessThan(model.priorWeight - 8);
  });
});
