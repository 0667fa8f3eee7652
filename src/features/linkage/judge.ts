import type { Clusters } from './clusters.ts';
import type { Truth } from './truth.ts';
import type { ScoredPairs } from './work.ts';

/** Share of what was found that is right, share of what is right that was found, and their harmonic mean. */
export interface Accuracy {
  readonly pairs: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export function accuracyOf(right: number, found: number, wanted: number): Accuracy {
  const precision = found === 0 ? 1 : right / found;
  const recall = wanted === 0 ? 1 : right / wanted;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { pairs: found, precision, recall, f1 };
}

/** Pairs that pass `take`, against the truth. */
export function judgePairs(pairs: ScoredPairs, truth: Truth, take: (at: number) => boolean): Accuracy {
  const { person } = truth;
  let found = 0;
  let right = 0;
  for (let at = 0; at < pairs.weights.length; at++) {
    if (!take(at)) continue;
    found++;
    if (person[pairs.first[at] as number] === person[pairs.second[at] as number]) right++;
  }
  return accuracyOf(right, found, truth.pairs);
}

/** The pairs that the groups imply, against the truth. */
export function judgeClusters({ groups }: Clusters, truth: Truth): Accuracy {
  let found = 0;
  let right = 0;
  const counts = new Map<number, number>();
  for (const group of groups) {
    found += (group.length * (group.length - 1)) / 2;
    counts.clear();
    for (const record of group) {
      const person = truth.person[record] as number;
      const before = counts.get(person) ?? 0;
      right += before;
      counts.set(person, before + 1);
    }
  }
  return accuracyOf(right, found, truth.pairs);
}

/** A pair that was judged wrongly: the places of its records. */
export interface WrongPair {
  readonly first: number;
  readonly second: number;
  readonly weight: number;
}

/** The strongest links between different people. */
export function worstLinks(pairs: ScoredPairs, truth: Truth, most: number, take: (at: number) => boolean): WrongPair[] {
  const wrong: WrongPair[] = [];
  for (let at = 0; at < pairs.weights.length; at++) {
    const first = pairs.first[at] as number;
    const second = pairs.second[at] as number;
    if (truth.person[first] === truth.person[second] || !take(at)) continue;
    wrong.push({ first, second, weight: pairs.weights[at] as number });
    if (wrong.length > most * 50) cut(wrong, most, (a, b) => b.weight - a.weight);
  }
  cut(wrong, most, (a, b) => b.weight - a.weight);
  return wrong;
}

/** Of so many true pairs at most the scores are looked up; a file with more is one of very large groups. */
const LOOKED_AT_MAX = 300_000;

/** Records of one person that ended in different groups, those first that look least alike. */
export function worstMisses(
  clusters: Clusters,
  truth: Truth,
  most: number,
  weigh: (a: number, b: number) => number,
): WrongPair[] {
  const wrong: WrongPair[] = [];
  let looked = 0;
  for (const [first, second] of partedPairs(clusters, truth)) {
    if (++looked > LOOKED_AT_MAX) break;
    wrong.push({ first, second, weight: weigh(first, second) });
    if (wrong.length > most * 50) cut(wrong, most, (a, b) => a.weight - b.weight);
  }
  cut(wrong, most, (a, b) => a.weight - b.weight);
  return wrong;
}

function* partedPairs({ of }: Clusters, { person }: Truth): Generator<readonly [number, number]> {
  const order = Uint32Array.from({ length: person.length }, (_, at) => at).sort(
    (a, b) => (person[a] as number) - (person[b] as number) || a - b,
  );
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && person[order[to] as number] === person[order[from] as number]) to++;
    for (let i = from; i < to; i++) {
      for (let j = i + 1; j < to; j++) {
        const a = order[i] as number;
        const b = order[j] as number;
        if (of[a] !== of[b]) yield [a, b];
      }
    }
    from = to;
  }
}

function cut(wrong: WrongPair[], most: number, order: (a: WrongPair, b: WrongPair) => number): void {
  wrong.sort(order);
  wrong.length = Math.min(wrong.length, most);
}
