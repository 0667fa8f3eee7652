import { MISSING } from '../matching/index.ts';
import type { Column, Table } from './fields.ts';
import { type NameSketches, surelyDifferent } from './name-sketches.ts';
import { PairCache } from './pair-cache.ts';

/** Entries of a cache of compared pairs: two to the power of this many. */
export const CACHE_BITS = 16;
const ALWAYS_FIRST: Exact = () => 0;

export type Compare = (a: number, b: number) => number;

/** One column with its comparator; levels of equal values need no call. */
export class ComparedColumn {
  /** Place in the table's rows; -1 where the table has no such column. */
  readonly place: number;
  readonly #exact: Exact;
  readonly #cache: PairCache | undefined;
  readonly #sketches: NameSketches | undefined;
  readonly #differentLevel: number;
  readonly #compare: Compare;

  constructor(
    table: Table,
    column: Column | undefined,
    { compare, exact = ALWAYS_FIRST, remembered = false, different }: Comparator,
  ) {
    this.place = column === undefined ? -1 : table.columns.indexOf(column);
    this.#compare = compare;
    this.#exact = exact;
    this.#sketches = different?.sketches;
    this.#differentLevel = different?.level ?? 0;
    this.#cache = remembered && column !== undefined ? new PairCache(CACHE_BITS) : undefined;
  }

  level(left: number, right: number): number {
    if (left === 0 || right === 0) return MISSING;
    if (left === right) return this.#exact(left);
    const sketches = this.#sketches;
    if (sketches !== undefined && surelyDifferent(sketches, left, sketches, right, true)) return this.#differentLevel;
    const low = left < right ? left : right;
    const high = left < right ? right : left;
    return this.#cache === undefined ? this.#compare(low, high) : this.#cache.level(low, high, this.#compare);
  }
}

type Exact = (id: number) => number;
export interface Comparator {
  readonly compare: Compare;
  /** Level of a value with itself; the first where it is not given. */
  readonly exact?: Exact;
  /** Pairs of values come again and again: names, places. */
  readonly remembered?: boolean;
  /** What turns away names that differ for sure, and the level that means. */
  readonly different?: { readonly sketches: NameSketches | undefined; readonly level: number };
}
