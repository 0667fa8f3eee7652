import { expect, test } from 'vitest';
import { createUnderWay } from './under-way.ts';

test('each network counts what is under way, once however often it ends, and nothing is kept of who has none', () => {
  const underWay = createUnderWay();
  const [first, second] = [underWay.begin(1n), underWay.begin(1n)];
  underWay.begin(2n);
  expect([underWay.count(1n), underWay.count(2n), underWay.count(3n)]).toEqual([2, 1, 0]);
  first.end();
  first.end();
  expect([first.counts(), second.counts(), underWay.count(1n)]).toEqual([false, true, 1]);
  second.end();
  expect(underWay.count(1n)).toBe(0);
});
