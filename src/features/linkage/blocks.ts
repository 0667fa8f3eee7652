import type { BlockingRule } from './blocking-rules.ts';
import { sortByKey } from './radix-sort.ts';

/** A rule applied to a table: who meets whom. */
export interface Blocks {
  readonly rule: BlockingRule;
  /** Per record; 0 for none, and for the records of over-full blocks. */
  readonly keys: Uint32Array;
  /** Records in the order of their keys; those of over-full blocks are not in it. */
  readonly order: Uint32Array;
  /** Pairs of records with equal keys, over-full blocks left out. */
  readonly pairs: number;
  readonly largest: number;
  readonly overfull: readonly OverfullBlock[];
  /** Places in `order` between blocks, about PORTION_PAIRS pairs apart: portions of work for threads. Begins with 0, ends with its length. */
  readonly cuts: readonly number[];
}

/** A block so large that not every pair of it can be compared: its records are put in order and compared with their neighbours. */
export interface OverfullBlock {
  readonly records: Uint32Array;
}

/** A block of more records than this is over-full: it would be two million comparisons by itself. */
export const BLOCK_RECORDS_MAX = 2_000;

const PORTION_PAIRS = 200_000;

export function blocksOf(rule: BlockingRule, keys: Uint32Array): Blocks {
  const order = sortByKey(keys);
  const overfull = takeOverfull(order, keys);
  let kept = order;
  if (overfull.length > 0) {
    let count = 0;
    for (const record of order) if (keys[record] !== 0) order[count++] = record;
    kept = order.subarray(0, count);
  }
  const cuts = [0];
  let pairs = 0;
  let largest = overfull.reduce((most, { records }) => Math.max(most, records.length), 0);
  let portion = 0;
  forEachBlock(kept, keys, (from, to) => {
    const count = to - from;
    if (count > largest) largest = count;
    pairs += (count * (count - 1)) / 2;
    portion += (count * (count - 1)) / 2;
    if (portion < PORTION_PAIRS) return;
    cuts.push(to);
    portion = 0;
  });
  if (cuts.at(-1) !== kept.length) cuts.push(kept.length);
  return { rule, keys, order: kept, pairs, largest, overfull, cuts };
}

/** Over-full blocks; their records lose their key, so that no later rule takes their pairs for compared. */
function takeOverfull(order: Uint32Array, keys: Uint32Array): OverfullBlock[] {
  const overfull: OverfullBlock[] = [];
  forEachBlock(order, keys, (from, to) => {
    if (to - from > BLOCK_RECORDS_MAX) overfull.push({ records: Uint32Array.from(order.subarray(from, to)) });
  });
  for (const { records } of overfull) for (const record of records) keys[record] = 0;
  return overfull;
}

/** Calls back for every run of equal keys of at least two records. */
export function forEachBlock(order: Uint32Array, keys: Uint32Array, onBlock: (from: number, to: number) => void): void {
  const { length } = order;
  let from = 0;
  while (from < length) {
    const key = keys[order[from] as number];
    let to = from + 1;
    while (to < length && keys[order[to] as number] === key) to++;
    if (to - from > 1) onBlock(from, to);
    from = to;
  }
}
