import { compileModel, parseModel } from '../matching/index.ts';
import type { FileReading } from '../load/reading.ts';
import type { MapDocument } from '../load/wire.ts';
import { type BlockingRule, keysOf } from './blocking-rules.ts';
import { type Blocks, blocksOf, forEachRun } from './blocks.ts';
import { type BlockSet, forEachCandidate, forEachNeighbour } from './candidates.ts';
import type { Column, Table } from './fields.ts';
import { type NameSketches, sketchesOf } from './name-sketches.ts';
import { type Checks, createPairLevels, type PairLevels, type Sketches } from './pair-levels.ts';
import { createPairScorer, type PairScorer } from './pair-scorer.ts';
import type { Parameters } from './parameters.ts';
import type { Patterns } from './patterns.ts';
import { planOf } from './plan.ts';
import { sortByKey } from './radix-sort.ts';
import { type ReadResult, readColumns } from './read-columns.ts';
import { drawCandidates, drawStrangers } from './sample.ts';
import type { FileSource } from './file-source.ts';
import type { Changes } from './shares.ts';
import { type Aspect, type Aspects, aspectsOfColumn } from './value-hashes.ts';

/** What a file needs to be read by a thread: everything but functions, which each thread makes again. */
export interface ReadOrder {
  readonly path: FileSource;
  readonly reading: FileReading;
  readonly map: MapDocument;
  readonly header: readonly string[];
  readonly truth?: string | undefined;
  /** FHIR date. */
  readonly today: string;
  /** The model document, for its placeholders. */
  readonly model: unknown;
}

/** Tasks that somebody free performs. */
export interface Tasks {
  readonly read: { readonly order: ReadOrder; readonly plans: readonly number[] };
  readonly aspects: { readonly column: Column };
  readonly sketches: { readonly column: Column };
  readonly estimate: { readonly rule: BlockingRule };
  readonly blocks: { readonly rule: BlockingRule };
  readonly sample: { readonly of: 'candidates' | 'strangers'; readonly seed: number };
  readonly score: { readonly rule: number; readonly portion: number; readonly least: number };
}
export interface Results {
  readonly read: ReadResult;
  readonly aspects: readonly (readonly [name: string, aspect: Aspect])[];
  readonly sketches: readonly [key: string, sketches: NameSketches];
  readonly estimate: number;
  readonly blocks: Blocks;
  readonly sample: Patterns;
  readonly score: ScoredPairs;
}
export type TaskKind = keyof Tasks;

/** What everybody has; each part is given once and stays. */
export interface Shared {
  readonly table?: Table;
  /** How check digits are reckoned, by key of the column. */
  readonly checks?: Checks;
  readonly aspects?: Aspects;
  readonly sketches?: Sketches;
  readonly blocks?: BlockSet;
  readonly trained?: { readonly parameters: Parameters; readonly changes: Changes };
}

/** Scored pairs, in the order in which blocking has them. */
export interface ScoredPairs {
  /** Pairs compared. */
  readonly compared: number;
  /** The records of the pairs whose weight reached the least asked for. */
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly weights: Float32Array;
}

/** The portion that stands for a rule's over-full blocks. */
export const OVERFULL_PORTION = -1;
/** Estimates look at one record in eight; the square of that is the share of pairs seen. */
const ESTIMATE_STEP = 8;

/** Somebody who performs tasks: a thread, or the caller's own. */
export class Hand {
  #shared: Shared = {};
  #pairLevels: PairLevels | undefined;
  #scorer: PairScorer | undefined;

  share(more: Shared): void {
    this.#shared = { ...this.#shared, ...more };
    if (more.trained !== undefined) this.#scorer = undefined;
    if (more.table !== undefined) this.#pairLevels = undefined;
  }

  perform<Kind extends TaskKind>(kind: Kind, task: Tasks[Kind]): Results[Kind] {
    const perform: { readonly [K in TaskKind]: (task: Tasks[K]) => Results[K] } = {
      read: ({ order, plans }) => read(order, plans),
      aspects: ({ column }) => aspectsOfColumn(column),
      sketches: ({ column }) => [column.key, sketchesOf(column)],
      estimate: ({ rule }) => this.#estimate(rule),
      blocks: ({ rule }) => blocksOf(rule, keysOf(rule, this.#has('aspects'), this.#has('table').size)),
      sample: ({ of, seed }) => this.#sample(of, seed),
      score: (portion) => this.#score(portion),
    };
    return perform[kind](task);
  }

  #has<Part extends keyof Shared>(part: Part): NonNullable<Shared[Part]> {
    const value = this.#shared[part];
    if (value === undefined) throw new Error(`nobody shared the ${part}`);
    return value;
  }

  #estimate(rule: BlockingRule): number {
    const keys = keysOf(rule, this.#has('aspects'), this.#has('table').size, ESTIMATE_STEP);
    let pairs = 0;
    forEachRun(sortByKey(keys), (from, to) => {
      pairs += ((to - from) * (to - from - 1)) / 2;
    });
    return pairs * ESTIMATE_STEP * ESTIMATE_STEP;
  }

  /** One for all tasks: what it has prepared stays. */
  #levels(): PairLevels {
    this.#pairLevels ??= createPairLevels(this.#has('table'), this.#shared.sketches, this.#shared.checks);
    return this.#pairLevels;
  }

  #sample(of: 'candidates' | 'strangers', seed: number): Patterns {
    const table = this.#has('table');
    const levels = this.#levels();
    const blocks = this.#has('blocks');
    return of === 'candidates' ? drawCandidates(blocks, levels, seed) : drawStrangers(table.size, blocks, levels, seed);
  }

  #score({ rule, portion, least }: Tasks['score']): ScoredPairs {
    const table = this.#has('table');
    const blocks = this.#has('blocks');
    this.#scorer ??= createPairScorer(table, this.#has('trained'), this.#levels());
    const found = new PairCollector(this.#scorer, least);
    const onPair = (a: number, b: number): void => found.take(a, b);
    const one = blocks.list[rule] as Blocks;
    if (portion === OVERFULL_PORTION) forEachNeighbour(one, likenessOf(table), onPair);
    else forEachCandidate(blocks, rule, { from: one.cuts[portion] ?? 0, to: one.cuts[portion + 1] ?? 0 }, onPair);
    return found.pairs();
  }
}

function read(order: ReadOrder, plans: readonly number[]): ReadResult {
  const model = compileModel(parseModel(order.model));
  const all = planOf({ ...order, model });
  const own = all.filter((_plan, at) => plans.includes(at));
  return readColumns(order.path, order.reading, own, order.header.length);
}

/** A number that is close for records with like names and dates: who shares a full block is put in its order. */
function likenessOf(table: Table): (record: number) => number {
  const ids = ['given', 'family', 'birthDate'].map((key) => table.columns.find((column) => column.key === key)?.ids);
  return (record) => {
    let like = 0;
    for (const column of ids) like = like * 131_071 + (column?.[record] ?? 0);
    return like;
  };
}

class PairCollector {
  readonly #scorer: PairScorer;
  readonly #least: number;
  #compared = 0;
  #count = 0;
  #first = new Uint32Array(1 << 12);
  #second = new Uint32Array(1 << 12);
  #weights = new Float32Array(1 << 12);

  constructor(scorer: PairScorer, least: number) {
    this.#scorer = scorer;
    this.#least = least;
  }

  take(a: number, b: number): void {
    this.#compared++;
    const weight = this.#scorer.weightFrom(a, b, this.#least);
    if (weight < this.#least) return;
    if (this.#count === this.#first.length) this.#grow();
    this.#first[this.#count] = a;
    this.#second[this.#count] = b;
    this.#weights[this.#count++] = weight;
  }

  pairs(): ScoredPairs {
    return {
      compared: this.#compared,
      first: this.#first.slice(0, this.#count),
      second: this.#second.slice(0, this.#count),
      weights: this.#weights.slice(0, this.#count),
    };
  }

  #grow(): void {
    const length = this.#first.length * 2;
    const first = new Uint32Array(length);
    const second = new Uint32Array(length);
    const weights = new Float32Array(length);
    first.set(this.#first);
    second.set(this.#second);
    weights.set(this.#weights);
    this.#first = first;
    this.#second = second;
    this.#weights = weights;
  }
}
