import { hasBit, hammingDistance } from './bits.ts';
import type { EncodedPair, EncodedRecord, Hardening } from './model.ts';

/**
 * How like two filters must be. Found once over labelled sets of other countries (bench/encodings.ts says how well they do) and
 * the same for every project: whoever compares has no labels.
 */
export const SIMILARITY: Readonly<Record<Hardening, { readonly certain: number; readonly probable: number }>> = {
  balanced: { certain: 0.87, probable: 0.82 },
  'xor-folded': { certain: 0.77, probable: 0.71 },
};

export interface MatchEncodedInput {
  readonly hardening: Hardening;
  /** Bits of each filter. */
  readonly bits: number;
  readonly a: readonly EncodedRecord[];
  readonly b: readonly EncodedRecord[];
  /** Called now and then with the share done, 0–1. */
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
  /** Pairs up to which every one is compared. */
  readonly compareAllMax?: number;
}

export interface MatchEncodedResult {
  /** Each record at most once, the best pairs first. */
  readonly pairs: readonly EncodedPair[];
  readonly compared: number;
  /** Share of the pairs exactly at the `probable` limit that are looked at; 1 when every pair was compared. */
  readonly recallAtLimit: number;
}

/** Up to so many pairs every one is compared; above, those that agree in some random set of bits. */
const COMPARE_ALL_MAX = 400_000_000;
const RECALL_WANTED = 0.95;
const TABLES_MAX = 256;

/** Finds the pairs of `a` and `b` that are probably one person, one to one. Deterministic. */
export function matchEncoded(input: MatchEncodedInput): MatchEncodedResult {
  const { a, b, bits, hardening } = input;
  const words = bits / 32;
  const sides = { a: pack(a, words), b: pack(b, words), words };
  const limits = SIMILARITY[hardening];
  const distanceMax = Math.floor((1 - limits.probable) * bits);
  const found: Candidate[] = [];
  let compared = 0;
  const look = (i: number, j: number): void => {
    compared++;
    const distance = hammingDistance(sides.a, i, sides.b, j, words, distanceMax);
    if (distance <= distanceMax) found.push({ i, j, distance });
  };
  const recallAtLimit =
    a.length * b.length <= (input.compareAllMax ?? COMPARE_ALL_MAX)
      ? compareAll(input, look)
      : compareAlike(input, sides, limits.probable, look);
  const pairs = oneToOne(found, a.length, b.length).map(({ i, j, distance }): EncodedPair => {
    const similarity = 1 - distance / bits;
    return {
      a: (a[i] as EncodedRecord).id,
      b: (b[j] as EncodedRecord).id,
      similarity,
      grade: similarity >= limits.certain ? 'certain' : 'probable',
    };
  });
  return { pairs, compared, recallAtLimit };
}

interface Candidate {
  readonly i: number;
  readonly j: number;
  readonly distance: number;
}

interface Sides {
  readonly a: Uint32Array;
  readonly b: Uint32Array;
  readonly words: number;
}

type Look = (i: number, j: number) => void;

function pack(records: readonly EncodedRecord[], words: number): Uint32Array {
  const packed = new Uint32Array(records.length * words);
  const view = new Uint8Array(packed.buffer);
  for (const [at, { bits }] of records.entries()) view.set(bits, at * words * 4);
  return packed;
}

function compareAll({ a, b, onProgress, signal }: MatchEncodedInput, look: Look): 1 {
  for (let i = 0; i < a.length; i++) {
    if (i % 256 === 0) {
      signal?.throwIfAborted();
      onProgress?.(i / a.length);
    }
    for (let j = 0; j < b.length; j++) look(i, j);
  }
  return 1;
}

/**
 * Locality-sensitive hashing for the Hamming distance (Indyk, Motwani 1998): pairs that agree in all of some 20 random bits are
 * compared, over so many sets of bits that a pair at the limit is missed at most one time in twenty.
 */
function compareAlike(
  { a, b, bits, onProgress, signal }: MatchEncodedInput,
  sides: Sides,
  limit: number,
  look: Look,
): number {
  const sampled = Math.min(30, Math.ceil(Math.log2(Math.max(a.length, b.length)) + 2));
  const agree = limit ** sampled;
  const tables = Math.min(TABLES_MAX, Math.ceil(Math.log(1 - RECALL_WANTED) / Math.log(1 - agree)));
  const random = xorshift(0x9e37_79b9);
  const seen = new Set<number>();
  for (let table = 0; table < tables; table++) {
    signal?.throwIfAborted();
    onProgress?.(table / tables);
    const places = Array.from({ length: sampled }, () => random() % bits);
    const buckets = bucketsOf(sides.b, b.length, sides.words, places);
    for (let i = 0; i < a.length; i++) {
      for (const j of buckets.get(keyOf(sides.a, i, sides.words, places)) ?? []) {
        const pair = i * b.length + j;
        if (seen.has(pair)) continue;
        if (seen.size < SEEN_MAX) seen.add(pair);
        look(i, j);
      }
    }
  }
  return 1 - (1 - agree) ** tables;
}

/** Pairs remembered so as not to compare them twice; beyond, comparing twice costs only time. */
const SEEN_MAX = 8_000_000;

function bucketsOf(
  packed: Uint32Array,
  count: number,
  words: number,
  places: readonly number[],
): Map<number, number[]> {
  const buckets = new Map<number, number[]>();
  for (let at = 0; at < count; at++) {
    const key = keyOf(packed, at, words, places);
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, [at]);
    else bucket.push(at);
  }
  return buckets;
}

function keyOf(packed: Uint32Array, at: number, words: number, places: readonly number[]): number {
  const own = packed.subarray(at * words, (at + 1) * words);
  let key = 0;
  for (const place of places) key = (key << 1) | (hasBit(own, place) ? 1 : 0);
  return key >>> 0;
}

/** Takes the closest pair, then the closest of what is left: nobody is two people. */
function oneToOne(found: readonly Candidate[], aCount: number, bCount: number): Candidate[] {
  const takenA = new Uint8Array(aCount);
  const takenB = new Uint8Array(bCount);
  const seenPairs: Candidate[] = [];
  for (const candidate of [...found].sort((x, y) => x.distance - y.distance || x.i - y.i || x.j - y.j)) {
    if (takenA[candidate.i] === 1 || takenB[candidate.j] === 1) continue;
    takenA[candidate.i] = 1;
    takenB[candidate.j] = 1;
    seenPairs.push(candidate);
  }
  return seenPairs;
}

/** Marsaglia's xorshift32: which bits are sampled need not be unpredictable, only spread and repeatable. */
function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
