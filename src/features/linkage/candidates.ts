import type { Blocks } from './blocks.ts';
import { WINDOW } from './choose-rules.ts';

/**
 * The pairs to be compared, each once although several rules may bring the same two records together: a pair belongs to the first
 * rule that has it. Over-full blocks are walked with a window and may repeat a pair.
 */
export type OnPair = (a: number, b: number) => void;

// Scratch for the keys that a block's records have under earlier rules.
let earlier = new Uint32Array(1 << 14);

/** Pairs of the blocks numbered `from` to before `to` of rule `index` that no earlier rule has. */
export function forEachCandidate(
  list: readonly Blocks[],
  index: number,
  range: { readonly from: number; readonly to: number },
  onPair: OnPair,
): void {
  const { order, starts } = list[index] as Blocks;
  for (let block = range.from; block < range.to; block++) {
    const from = starts[block] as number;
    const to = starts[block + 1] as number;
    if (to - from === 2) {
      const a = order[from] as number;
      const b = order[from + 1] as number;
      if (!sharesEarlierKey(list, index, a, b)) onPair(a, b);
      continue;
    }
    gather(list, index, order, from, to);
    for (let i = from; i < to; i++) {
      const a = order[i] as number;
      for (let j = i + 1; j < to; j++) {
        if (!gatheredShare(index, i - from, j - from)) onPair(a, order[j] as number);
      }
    }
  }
}

/** Some rule before `index` brings the two records together. */
export function sharesEarlierKey(list: readonly Blocks[], index: number, a: number, b: number): boolean {
  for (let rule = 0; rule < index; rule++) {
    const { keys } = list[rule] as Blocks;
    const key = keys[a];
    if (key !== 0 && key === keys[b]) return true;
  }
  return false;
}

function gather(list: readonly Blocks[], index: number, order: Uint32Array, from: number, to: number): void {
  const needed = (to - from) * index;
  if (needed > earlier.length) earlier = new Uint32Array(needed * 2);
  for (let at = from; at < to; at++) {
    const record = order[at] as number;
    const base = (at - from) * index;
    for (let rule = 0; rule < index; rule++) {
      earlier[base + rule] = (list[rule] as Blocks).keys[record] as number;
    }
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
