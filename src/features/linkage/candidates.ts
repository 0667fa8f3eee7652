import type { Blocks } from './blocks.ts';
import { WINDOW } from './choose-rules.ts';
import { sharedNumbers } from './fields.ts';

/**
 * The pairs to be compared, each once although several rules may bring the same two records together: a pair belongs to the first
 * rule that has it. Over-full blocks are walked with a window and may repeat a pair.
 */
export interface BlockSet {
  readonly list: readonly Blocks[];
  /** The rules' keys, record by record: whether an earlier rule has a pair touches one line of memory per record. */
  readonly keys: Uint32Array;
}

export function blockSet(list: readonly Blocks[], size: number): BlockSet {
  const width = list.length;
  const keys = sharedNumbers(size * width);
  for (const [rule, { keys: own }] of list.entries()) {
    for (let record = 0; record < size; record++) keys[record * width + rule] = own[record] as number;
  }
  return { list, keys };
}

export type OnPair = (a: number, b: number) => void;

// Scratch for the keys that a block's records have under earlier rules.
let earlier = new Uint32Array(1 << 14);

/** Pairs of the blocks numbered `from` to before `to` of rule `index` that no earlier rule has. */
export function forEachCandidate(
  set: BlockSet,
  index: number,
  range: { readonly from: number; readonly to: number },
  onPair: OnPair,
): void {
  const { order, starts } = set.list[index] as Blocks;
  for (let block = range.from; block < range.to; block++) {
    const from = starts[block] as number;
    const to = starts[block + 1] as number;
    if (to - from === 2) {
      const a = order[from] as number;
      const b = order[from + 1] as number;
      if (!sharesEarlierKey(set, index, a, b)) onPair(a, b);
      continue;
    }
    gather(set, index, order, from, to);
    for (let i = from; i < to; i++) {
      const a = order[i] as number;
      for (let j = i + 1; j < to; j++) {
        if (!gatheredShare(index, i - from, j - from)) onPair(a, order[j] as number);
      }
    }
  }
}

/** Some rule before `index` brings the two records together. */
export function sharesEarlierKey({ keys, list }: BlockSet, index: number, a: number, b: number): boolean {
  const left = a * list.length;
  const right = b * list.length;
  for (let rule = 0; rule < index; rule++) {
    const key = keys[left + rule];
    if (key !== 0 && key === keys[right + rule]) return true;
  }
  return false;
}

function gather({ keys, list }: BlockSet, index: number, order: Uint32Array, from: number, to: number): void {
  const needed = (to - from) * index;
  if (needed > earlier.length) earlier = new Uint32Array(needed * 2);
  for (let at = from; at < to; at++) {
    const row = (order[at] as number) * list.length;
    const base = (at - from) * index;
    for (let rule = 0; rule < index; rule++) earlier[base + rule] = keys[row + rule] as number;
  }
}

function gatheredShare(index: number, i: number, j: number): boolean {
  const baseI = i * index;
  const baseJ = j * index;
  for (let rule = 0; rule < index; rule++) {
    const key = earlier[baseI + rule];
    if (key !== 0 && key === earlier[baseJ + rule]) return true;
  }
  return false;
}

/** Neighbours in the over-full blocks of a rule, in an order that puts like records side by side. May repeat pairs of other rules. */
export function forEachNeighbour(blocks: Blocks, likeness: (record: number) => number, onPair: OnPair): void {
  for (const { records } of blocks.overfull) {
    const sorted = Array.from(records, (record) => ({ record, like: likeness(record) }));
    sorted.sort((a, b) => a.like - b.like || a.record - b.record);
    for (let i = 0; i < sorted.length; i++) {
      for (let j = i + 1; j < sorted.length && j <= i + WINDOW; j++) {
        const a = sorted[i]?.record ?? 0;
        const b = sorted[j]?.record ?? 0;
        if (a < b) onPair(a, b);
        else onPair(b, a);
      }
    }
  }
}
