import { describe, expect, test } from 'vitest';
import { link } from '../../../bench/linkage.ts';
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
});
