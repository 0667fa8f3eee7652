import { expect, test } from 'vitest';
import { blockingReport, pairsBroughtTogether } from './blocking-report.ts';
import type { RuleCost } from './choose-rules.ts';

const cost = (rule: string, used = true): RuleCost => ({
  rule,
  used,
  pairs: 3,
  largestBlock: 2,
  overfullBlocks: 0,
  pairsNotCompared: 0,
  overfull: [],
});
// Records 0..5; equal keys meet, 0 is none.
const phone = { rule: { name: 'phone', parts: ['phone'] }, keys: Uint32Array.of(7, 7, 0, 9, 9, 0) };
const date = { rule: { name: 'date', parts: ['date'] }, keys: Uint32Array.of(4, 4, 5, 5, 0, 0) };

test('every rule says what it finds, what it alone finds and what it misses', () => {
  const report = blockingReport({
    size: 6,
    compared: 4,
    costs: [cost('phone'), cost('date'), cost('name', false)],
    blocks: [phone, date],
    // Both rules; the telephone alone; the date alone; neither, which only neighbours in a full block can be.
    a: Uint32Array.of(0, 3, 2, 0),
    b: Uint32Array.of(1, 4, 3, 5),
  });
  expect(report).toMatchObject({ pairsCompared: 4, pairsPossible: 15, links: 4 });
  expect(
    report.rules.map(({ rule, used, links, linksAlone, linksMissed }) => [rule, used, links, linksAlone, linksMissed]),
  ).toEqual([
    ['phone', true, 2, 1, 2],
    ['date', true, 2, 1, 2],
    ['name', false, 0, 0, 0],
  ]);
});

test('pairs of one person that no rule brings together are counted as such', () => {
  expect(pairsBroughtTogether([phone, date], Uint32Array.of(0, 1, 5))).toBe(1);
  expect(pairsBroughtTogether([phone], Uint32Array.of(2, 5))).toBe(0);
});
