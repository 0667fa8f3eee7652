import { LEVELS, MISSING } from '../matching/index.ts';
import { type Column, columnOf, type FieldColumn, identifierColumns, type Table } from './fields.ts';
import { createPairLevels, FIELD_COUNT, type PairLevels } from './pair-levels.ts';
import type { Parameters } from './parameters.ts';
import { isPersonal } from './starting-point.ts';
import type { Changes } from './shares.ts';

/** Scores pairs of a table by trained parameters. One instance per thread; nothing is allocated per pair. */
export interface PairScorer {
  readonly pairLevels: PairLevels;
  /** log2 of the odds that both are one person, against strangers and people of one household. */
  weight(a: number, b: number): number;
}

const LN2 = Math.LN2;
/** One value alone never decides: the weight of a level stays within this. */
const WEIGHT_MAX = 21;
/** One disagreement never rules a pair out by itself: every field is written wrongly now and then. */
const WEIGHT_MIN = -9;

/** `pairLevels`: of the same table, where there are some already; they have prepared values that need not be prepared again. */
export function createPairScorer(
  table: Table,
  { parameters, changes }: { readonly parameters: Parameters; readonly changes: Changes },
  pairLevels: PairLevels = createPairLevels(table),
): PairScorer {
  return new Scorer(table, { parameters, changes, pairLevels });
}

class Scorer implements PairScorer {
  readonly pairLevels: PairLevels;
  readonly #width: number;
  readonly #levels: Int8Array;
  /** By field × 16 + level. */
  readonly #match: Float64Array;
  readonly #household: Float64Array;
  readonly #rows: Uint32Array;
  readonly #rowWidth: number;
  /** Place of each adjusted field in the rows. */
  readonly #places: readonly number[];
  readonly #changes: readonly Float32Array[];
  /** Which fields have a term frequency. */
  readonly #adjusted: readonly number[];
  readonly #shared: readonly boolean[];
  /** Names, whose weaker agreements depend on how common they are, too. */
  readonly #named: readonly boolean[];
  readonly #prior: number;
  readonly #householdPrior: number;

  constructor(
    table: Table,
    { parameters, changes, pairLevels }: { parameters: Parameters; changes: Changes; pairLevels: PairLevels },
  ) {
    this.pairLevels = pairLevels;
    this.#width = this.pairLevels.width;
    this.#levels = this.pairLevels.levels;
    this.#match = ratios(parameters.match, parameters.stranger);
    this.#household = ratios(parameters.household, parameters.stranger);
    const columns = columnsByField(table);
    const adjusted = changes.flatMap((change, field) =>
      change === undefined || columns[field] === undefined ? [] : [field],
    );
    this.#adjusted = adjusted;
    this.#rows = table.rows;
    this.#rowWidth = table.columns.length;
    this.#places = adjusted.map((field) => table.columns.findIndex((column) => column === columns[field]));
    this.#changes = adjusted.map((field) => changes[field] ?? new Float32Array(0));
    this.#named = adjusted.map((field) => NAMES.has(field));
    this.#shared = adjusted.map((field) => !isPersonal(field));
    this.#prior = Math.log2(parameters.matchShare);
    this.#householdPrior = Math.log2(Math.max(parameters.householdShare, 1e-300));
  }

  weight(a: number, b: number): number {
    this.pairLevels.compare(a, b);
    const levels = this.#levels;
    let match = 0;
    let household = 0;
    for (let field = 0; field < this.#width; field++) {
      const level = levels[field] as number;
      if (level === MISSING) continue;
      match += this.#match[field * 16 + level] as number;
      household += this.#household[field * 16 + level] as number;
    }
    for (let i = 0; i < this.#adjusted.length; i++) {
      const field = this.#adjusted[i] as number;
      const level = levels[field] as number;
      if (level === LEVELS.SWAPPED && field === LEVELS.GIVEN) match += this.#swappedChange(a, b);
      if (level < 0) continue;
      const change = this.#changeOf(i, level, a, b);
      match += change;
      if (this.#shared[i] === true) household += change;
    }
    match += this.#prior;
    household += this.#householdPrior;
    // Strangers are the unit: odds = match / (1 + household).
    return household < -12 ? match : match - Math.log(1 + Math.exp(household * LN2)) / LN2;
  }

  /** Exchanged names are as common as the two names of whichever record has them in their places. */
  #swappedChange(a: number, b: number): number {
    let left = 0;
    let right = 0;
    for (let i = 0; i < this.#adjusted.length; i++) {
      if ((this.#adjusted[i] as number) > LEVELS.FAMILY) break;
      left += this.#change(i, a);
      right += this.#change(i, b);
    }
    return left < right ? left : right;
  }

  #changeOf(i: number, level: number, a: number, b: number): number {
    const place = this.#places[i] as number;
    const left = this.#rows[a * this.#rowWidth + place] as number;
    const right = this.#rows[b * this.#rowWidth + place] as number;
    const changes = this.#changes[i] as Float32Array;
    if (left === right) return changes[left] as number;
    if (level > CHANGED_LEVEL_MAX || this.#named[i] !== true) return 0;
    const change = Math.min(changes[left] as number, changes[right] as number);
    // Weaker agreement is only ever weakened: a rare name one letter off may be another rare name.
    return change < 0 ? change / 2 : 0;
  }

  #change(i: number, record: number): number {
    const id = this.#rows[record * this.#rowWidth + (this.#places[i] as number)] as number;
    return (this.#changes[i] as Float32Array)[id] as number;
  }
}

const NAMES: ReadonlySet<number> = new Set([LEVELS.GIVEN, LEVELS.FAMILY, LEVELS.MOTHER]);

/** Levels beyond this (initials, swapped, different) keep their weight whatever the values are. */
const CHANGED_LEVEL_MAX = LEVELS.SIMILAR;

function ratios(of: readonly Float64Array[], strangers: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(of.length * 16);
  for (const [field, chances] of of.entries()) {
    for (const [level, chance] of chances.entries()) {
      const ratio = Math.log2(chance / ((strangers[field] as Float64Array)[level] as number));
      out[field * 16 + level] = Math.max(WEIGHT_MIN, Math.min(WEIGHT_MAX, ratio));
    }
  }
  return out;
}

const KEYS: readonly (FieldColumn | undefined)[] = [
  'given',
  'family',
  'birthDate',
  'gender',
  'phone',
  'email',
  'line',
  'postalCode',
  'city',
  'state',
  'mother',
];

function columnsByField(table: Table): readonly (Column | undefined)[] {
  const fields = KEYS.map((key) => (key === undefined ? undefined : columnOf(table, key)));
  return [...fields.slice(0, FIELD_COUNT), ...identifierColumns(table)];
}
