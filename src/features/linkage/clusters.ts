import type { PairScorer } from './pair-scorer.ts';
import type { ScoredPairs } from './work.ts';

/**
 * From links to people. Links are taken strongest first. Two records alone are put together by their link; a group grows only when all
 * of its records together do not speak against it, so that one bad record that resembles two people cannot chain them: the mean of the
 * weights between the two groups must not be worse than a link of that strength excuses. What is refused is a conflict, for a steward.
 */
export interface Clusters {
  /** Per record: the group, named by one of its records. */
  readonly of: Uint32Array;
  /** Groups of at least two records. */
  readonly groups: readonly (readonly number[])[];
  /** Places in the scored pairs of links that were refused. */
  readonly conflicts: readonly number[];
}

/** One pair counts as no more than this for or against. */
const WEIGHT_MAX = 9;
const MEAN_LEAST = -2;
const EXCUSED_BY_LINK = 0.2;
/** Of larger groups so many pairs are looked at. */
const PAIRS_LOOKED_AT = 400;
/** A group of more records than this is no person's; it does not grow further. */
const GROUP_MAX = 500;

export function clusterPairs(size: number, pairs: ScoredPairs, least: number, scorer: PairScorer): Clusters {
  const of = Uint32Array.from({ length: size }, (_, at) => at);
  const members = new Map<number, number[]>();
  const conflicts: number[] = [];
  for (const at of strongestFirst(pairs, least)) {
    const a = of[pairs.first[at] as number] as number;
    const b = of[pairs.second[at] as number] as number;
    if (a === b) continue;
    const left = members.get(a) ?? [a];
    const right = members.get(b) ?? [b];
    if (!agree(left, right, pairs.weights[at] as number, scorer)) {
      conflicts.push(at);
      continue;
    }
    const [kept, gone, into, from] = left.length >= right.length ? [a, b, left, right] : [b, a, right, left];
    for (const record of from) {
      of[record] = kept;
      into.push(record);
    }
    members.set(kept, into);
    members.delete(gone);
  }
  return { of, groups: [...members.values()], conflicts };
}

function agree(left: readonly number[], right: readonly number[], link: number, scorer: PairScorer): boolean {
  const count = left.length * right.length;
  if (count === 1) return true;
  if (left.length + right.length > GROUP_MAX) return false;
  // Every so-many-th pair, so that all records have a say.
  const step = Math.max(1, Math.floor(count / PAIRS_LOOKED_AT));
  let sum = 0;
  let looked = 0;
  for (let at = 0; at < count; at += step) {
    const a = left[Math.floor(at / right.length)] as number;
    const b = right[at % right.length] as number;
    sum += Math.max(-WEIGHT_MAX, Math.min(WEIGHT_MAX, scorer.weight(a, b)));
    looked++;
  }
  return sum / looked >= MEAN_LEAST - EXCUSED_BY_LINK * Math.min(link, WEIGHT_MAX * 2);
}

/** Places of the pairs with at least this weight, strongest first; of equal ones the earlier. */
function strongestFirst({ weights }: ScoredPairs, least: number): Uint32Array {
  const STEPS = 1 << 16;
  const TOP = 64;
  const step = (weight: number): number =>
    Math.max(0, Math.min(STEPS - 1, Math.floor(((TOP - weight) / (TOP - least)) * (STEPS - 1))));
  const places = new Uint32Array(STEPS + 1);
  for (const weight of weights) {
    if (weight < least) continue;
    const at = step(weight) + 1;
    places[at] = (places[at] as number) + 1;
  }
  for (let at = 1; at <= STEPS; at++) places[at] = (places[at] as number) + (places[at - 1] as number);
  const sorted = new Uint32Array(places[STEPS] as number);
  for (let at = 0; at < weights.length; at++) {
    const weight = weights[at] as number;
    if (weight < least) continue;
    const place = step(weight);
    sorted[places[place] as number] = at;
    places[place] = (places[place] as number) + 1;
  }
  return sorted;
}
