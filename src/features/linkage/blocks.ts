import type { BlockingRule } from './blocking-rules.ts';
import { sharedNumbers } from './fields.ts';
import { type SortedKeys, sortByKey } from './radix-sort.ts';

/** A rule applied to a table: who meets whom. */
export interface Blocks {
  readonly rule: BlockingRule;
  /** Per record; 0 for none, and for the records of over-full blocks. */
  readonly keys: Uint32Array;
  /** The records that share their key with another, block by block; those of over-full blocks are not in it. */
  readonly order: Uint32Array;
  /** Where each block begins in `order`; behind the last its length. */
  readonly starts: Uint32Array;
  /** Pairs of records with equal keys, over-full blocks left out. */
  readonly pairs: number;
  readonly largest: number;
  readonly overfull: readonly OverfullBlock[];
  /** Numbers of blocks, about PORTION_PAIRS pairs apart: portions of work for threads. Begins with 0, ends with how many there are. */
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
  const sorted = sortByKey(keys);
  const sizes = measured(sorted);
  const order = sharedNumbers(sizes.records);
  const starts = sharedNumbers(sizes.blocks + 1);
  const overfull: OverfullBlock[] = [];
  const cuts = [0];
  let blocks = 0;
  let at = 0;
  let portion = 0;
  forEachRun(sorted, (from, to) => {
    const records = sorted.records.subarray(from, to);
    if (to - from > BLOCK_RECORDS_MAX) {
      overfull.push({ records: records.slice() });
      return;
    }
    order.set(records, at);
    starts[blocks++] = at;
    at += to - from;
    portion += ((to - from) * (to - from - 1)) / 2;
    if (portion < PORTION_PAIRS) return;
    cuts.push(blocks);
    portion = 0;
  });
  starts[blocks] = at;
  if (cuts.at(-1) !== blocks) cuts.push(blocks);
  // Without a key no later rule takes their pairs for compared.
  for (const { records } of overfull) for (const record of records) keys[record] = 0;
  return { rule, keys, order, starts, pairs: sizes.pairs, largest: sizes.largest, overfull, cuts };
}

interface Measured {
  records: number;
  blocks: number;
  pairs: number;
  largest: number;
}

/** How much there is in blocks that are not over-full; the largest of all. */
function measured(sorted: SortedKeys): Measured {
  const sizes = { records: 0, blocks: 0, pairs: 0, largest: 0 };
  forEachRun(sorted, (from, to) => {
    const count = to - from;
    if (count > sizes.largest) sizes.largest = count;
    if (count > BLOCK_RECORDS_MAX) return;
    sizes.records += count;
    sizes.blocks++;
    sizes.pairs += (count * (count - 1)) / 2;
  });
  return sizes;
}

/** Calls back for every run of equal keys of at least two records. */
export function forEachRun({ keys }: SortedKeys, onRun: (from: number, to: number) => void): void {
  const { length } = keys;
  let from = 0;
  while (from < length) {
    const key = keys[from];
    let to = from + 1;
    while (to < length && keys[to] === key) to++;
    if (to - from > 1) onRun(from, to);
    from = to;
  }
}
