import type { Blocks } from './blocks.ts';
import { type BlockSet, forEachCandidate, sharesEarlierKey } from './candidates.ts';
import { EVERYBODY } from './choose-rules.ts';
import type { PairLevels } from './pair-levels.ts';
import { PatternCounter, type Patterns } from './patterns.ts';
import { seededRandom } from './seeded-random.ts';
import { mixed } from './value-hashes.ts';

/** Pairs looked at for training: candidates, and random pairs for what strangers are like. */
const CANDIDATES_MAX = 250_000;
const RANDOM_MAX = 250_000;

/** Candidates for training; the same for the same rules and seed. */
export function drawCandidates(blocks: BlockSet, pairLevels: PairLevels, seed: number): Patterns {
  const total = blocks.list.reduce((sum, { pairs }) => sum + pairs, 0);
  const step = Math.max(1, Math.ceil(total / CANDIDATES_MAX));
  const counter = new PatternCounter(pairLevels.width);
  for (const [index, { starts }] of blocks.list.entries()) {
    const all = { from: 0, to: starts.length - 1 };
    const take = (a: number, b: number): void => {
      if (step > 1 && mixed(Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ seed) % step !== 0) return;
      if (step > 1 && sharesEarlierKey(blocks, index, a, b)) return;
      pairLevels.compare(a, b);
      counter.add(pairLevels.levels, step);
    };
    // Where only few are taken, which rule has a pair first is cheaper to ask for those few.
    if (step === 1) forEachCandidate(blocks, index, all, take);
    else forEachCandidate({ list: [blocks.list[index] as Blocks], keys: blocks.keys }, 0, all, take);
  }
  return counter.patterns();
}

/** Random pairs that no rule brings together. */
export function drawStrangers(size: number, blocks: BlockSet, pairLevels: PairLevels, seed: number): Patterns {
  const counter = new PatternCounter(pairLevels.width);
  const compared = blocks.list.some(({ rule }) => rule.name === EVERYBODY);
  if (compared || size < 2) return counter.patterns();
  const allPairs = (size * (size - 1)) / 2;
  const random = seededRandom(seed);
  const wanted = Math.min(RANDOM_MAX, allPairs);
  for (let drawn = 0; drawn < wanted; drawn++) {
    const a = Math.floor(random() * size);
    const b = Math.floor(random() * size);
    if (a === b || sharesEarlierKey(blocks, blocks.list.length, a, b)) continue;
    pairLevels.compare(a, b);
    counter.add(pairLevels.levels, allPairs / wanted);
  }
  return counter.patterns();
}
