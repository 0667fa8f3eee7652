import type { SimulationReport } from '../../../features/models/wire.ts';

type Histogram = SimulationReport['histogram'];

export interface Effect {
  /** Pairs now apart that would reach the link threshold, and pairs that would be asked. */
  readonly linked: number;
  readonly asked: number;
  /** Pairs of one person now that would fall under the review threshold. */
  readonly lost: number;
  /** Of all pairs looked at: those left alone. */
  readonly alone: number;
}

/** log2 odds of a score. */
export const oddsOf = (score: number): number => Math.log2(score / (1 - score));
export const scoreOf = (odds: number): number => 1 / (1 + 2 ** -odds);

/** What two thresholds would do with the pairs of a histogram. A bin counts by its middle. */
export function effectOf(
  histogram: Histogram,
  thresholds: { readonly match: number; readonly review: number },
): Effect {
  const { from, step, together, apart } = histogram;
  const [match, review] = [oddsOf(thresholds.match), oddsOf(thresholds.review)];
  const effect = { linked: 0, asked: 0, lost: 0, alone: 0 };
  for (const [at, count] of apart.entries()) {
    const middle = from + (at + 0.5) * step;
    if (middle >= match) effect.linked += count;
    else if (middle >= review) effect.asked += count;
    else effect.alone += count;
  }
  for (const [at, count] of together.entries()) if (from + (at + 0.5) * step < review) effect.lost += count;
  return effect;
}
