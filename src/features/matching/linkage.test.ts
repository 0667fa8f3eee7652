import { describe, expect, test } from 'vitest';
import { gradedCases } from '../../../bench/graded-cases.ts';
import { gradeCdc, gradeMade, link } from '../../../bench/linkage.ts';
import { fake1000, febrl, setsArePresent, uganda } from '../../../bench/linkage-sets.ts';

if (!setsArePresent()) {
  console.warn(
    'SKIPPED: the labelled sets (../shared/data/linkage) are not here, so the accuracy of matching is NOT checked.',
  );
}

describe.skipIf(!setsArePresent())('the shipped model on labelled sets', () => {
  test('uganda: automatic links are complete and none is wrong', () => {
    const { linked, clusters } = link(uganda());
    expect(linked.precision).toBe(1);
    expect(linked.recall).toBeGreaterThanOrEqual(0.99);
    expect(clusters.precision).toBe(1);
  });

  test.each([
    ['uganda without its identifiers', () => uganda(false), 0.95, 0.98],
    ['febrl1', () => febrl(1), 0.8, 0.98],
    ['febrl2', () => febrl(2), 0.75, 0.98],
    ['fake_1000', fake1000, 0.35, 0.5],
  ] as const)('%s: nothing linked wrongly, most found', (_name, read, linkedMin, foundMin) => {
    const { linked, linkedOrReviewed } = link(read());
    expect(linked.precision).toBeGreaterThanOrEqual(0.999);
    expect(linked.recall).toBeGreaterThanOrEqual(linkedMin);
    expect(linkedOrReviewed.recall).toBeGreaterThanOrEqual(foundMin);
  });

  test('the graded cases of CDC: at least 95 % in the expected grade', () => {
    const { cases, right } = gradeCdc();
    expect(cases).toBeGreaterThan(400);
    expect(right / cases).toBeGreaterThanOrEqual(0.95);
  });

  test.each([
    ['as they are', true, 1],
    ['with mistakes of writing strewn over them', false, 0.95],
  ])('cases of the same kinds, made of other people, %s', (_how, untouched, least) => {
    const { cases, right } = gradeMade(gradedCases(7, 20, untouched));
    expect(cases).toBeGreaterThan(800);
    expect(right / cases).toBeGreaterThanOrEqual(least);
  });
});
