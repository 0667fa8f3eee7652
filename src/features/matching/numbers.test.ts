import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scorePair } from '../../../test/support/matching.ts';
import { cannotBeAlike, compareName, DIFFERENT, NICKNAME } from './compare-names.ts';
import { letterPairLikeness, letterPairs } from './letter-pairs.ts';
import type { MatchRecord } from './model.ts';
import { prepareName } from './name.ts';

const numbers = (card: string, file: string): Partial<MatchRecord> => ({
  identifiers: [
    { system: 'urn:national-number', value: card },
    { system: 'urn:hospital', value: file },
  ],
});
const ANN: Partial<MatchRecord> = {
  given: ['Anna'],
  family: ['Okello'],
  birthDate: '1980-03-05',
  gender: 'female',
  address: { line: ['12 Church Road Flat 3'], city: 'Gulu', postalCode: '10200' },
};

describe('two numbers each', () => {
  test.each<[string, Partial<MatchRecord>, Partial<MatchRecord>, string]>([
    ['both equal', {}, numbers('540121415', '3020167'), 'match'],
    ['a slip in one: a digit left out', {}, numbers('54012145', '3020167'), 'match'],
    ['the last four digits only', {}, numbers('1415', '3020167'), 'match'],
    ['both others, all else equal: two cards, or two people', {}, numbers('540121465', '3020168'), 'review'],
    [
      'both others and another flat: a neighbour',
      { address: { line: ['12 Church Road Flat 4'], city: 'Gulu', postalCode: '10200' } },
      numbers('540121465', '3020168'),
      'none',
    ],
    ['both others, a few years apart', { birthDate: '1983-03-05' }, numbers('540121465', '3020168'), 'review'],
    ['both others, a generation apart', { birthDate: '1960-03-05' }, numbers('540121465', '3020168'), 'none'],
    ['both others, another birth date', { birthDate: '1983-11-17' }, numbers('540121465', '3020168'), 'none'],
    ['both others, a married woman', { family: ['Mugisha'] }, numbers('540121465', '3020168'), 'review'],
    ['both others, another man', { family: ['Mugisha'], gender: 'male' }, numbers('540121465', '3020168'), 'none'],
    ['both others, no name', { given: ['Unknown'], family: [] }, numbers('540121465', '3020168'), 'review'],
    [
      'both others, a prison, another family name',
      { family: ['Mugisha'], address: { line: ['District Prison, 12 Church Road Flat 3'], city: 'Gulu' } },
      numbers('540121465', '3020168'),
      'none',
    ],
    [
      'everything is a slip of the hand',
      {
        given: ['Anne'],
        family: ['Okelo'],
        birthDate: '1980-03-15',
        address: { line: ['13 Church Road Flat 3'], city: 'Gulu', postalCode: '10200' },
      },
      numbers('540121465', '3020168'),
      'review',
    ],
    ['one file, two other digits of the national number', {}, numbers('540129915', '3020167'), 'review'],
    ['a piece of the national number says nothing', {}, numbers('401', '3020167'), 'match'],
    [
      'twins with a file each',
      { given: ['Peter'] },
      { identifiers: [{ system: 'urn:hospital', value: '3020168' }] },
      'none',
    ],
    [
      'another national number and another name, one file: twins on one file',
      { given: ['Peter'] },
      numbers('540121465', '3020167'),
      'none',
    ],
  ])('%s', (_why, changed, others, decision) => {
    const [a, b] = [
      { ...ANN, ...numbers('540121415', '3020167') },
      { ...ANN, ...changed, ...others },
    ];
    expect(scorePair(a, b).decision).toBe(decision);
    expect(scorePair(b, a)).toEqual(scorePair(a, b));
  });
});

describe('turned away early', () => {
  const word = fc.stringMatching(/^[a-h]{2,12}$/);

  test('only names that comparison would call different, or a nickname', () => {
    fc.assert(
      fc.property(word, word, (left, right) => {
        const a = prepareName([left], () => 0);
        const b = prepareName([right], () => 0);
        if (a === undefined || b === undefined || !cannotBeAlike(a.joined, b.joined)) return;
        expect([DIFFERENT, NICKNAME]).toContain(compareName(a, b));
      }),
      { numRuns: 5000 },
    );
  });

  test('likeness by pairs of letters is symmetric, 1 for itself, and does not mind the order of words', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-e ]{3,20}$/), fc.stringMatching(/^[a-e ]{3,20}$/), (left, right) => {
        const [a, b] = [letterPairs(left), letterPairs(right)];
        expect(letterPairLikeness(a, b, 0.5)).toBe(letterPairLikeness(b, a, 0.5));
        if (a.letters.length > 1) expect(letterPairLikeness(a, a, 0.5)).toBe(1);
      }),
    );
    const [a, b] = [letterPairs('noble close st francis village'), letterPairs('st francis village noble colse')];
    expect(letterPairLikeness(a, b, 0.5)).toBeGreaterThan(0.8);
  });
});
