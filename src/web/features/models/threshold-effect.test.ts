import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectOf, oddsOf, scoreOf } from './threshold-effect.ts';

const histogram = (apart: number[], together: number[]) => ({ from: -4, to: 4, step: 1, apart, together });

describe('the effect of thresholds', () => {
  it('counts pairs by the middle of their bin', () => {
    const found = effectOf(histogram([8, 7, 6, 5, 4, 3, 2, 1], [1, 0, 0, 0, 0, 0, 0, 9]), {
      match: scoreOf(2),
      review: scoreOf(-1),
    });
    expect(found).toEqual({ linked: 3, asked: 5 + 4 + 3, alone: 21, lost: 1 });
  });

  it('loses no pair, whatever the thresholds', () => {
    const counts = fc.array(fc.nat(1000), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(
        counts,
        counts,
        fc.double({ min: -4, max: 4, noNaN: true }),
        fc.double({ min: 0, max: 4, noNaN: true }),
        (apart, together, low, more) => {
          const found = effectOf(histogram(apart, together), { review: scoreOf(low), match: scoreOf(low + more) });
          expect(found.linked + found.asked + found.alone).toBe(apart.reduce((sum, one) => sum + one, 0));
        },
      ),
    );
  });

  it('odds and score are each other’s inverse', () => {
    for (const score of [0.01, 0.3, 0.5, 0.99]) expect(scoreOf(oddsOf(score))).toBeCloseTo(score, 10);
  });
});
