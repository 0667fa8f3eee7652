import { LEVELS, MISSING } from '../matching/index.ts';
import { type Column, columnOf, type FieldColumn, identifierColumns, type Table } from './fields.ts';
import { createPairLevels, FIELD_COUNT, isShared, type PairLevels } from './pair-levels.ts';
import type { Parameters } from './parameters.ts';
import { isPersonal } from './starting-point.ts';
import { CHANGE_MAX, type Changes } from './shares.ts';

/** Scores pairs of a table by trained parameters. One instance per thread; nothing is allocated per pair. */
export interface PairScorer {
  readonly pairLevels: PairLevels;
  /** log2 of the odds that both are one person, against strangers and people of one household. */
  weight(a: number, b: number): number;
  /** The same, or -Infinity as soon as it must be less than `least`: most pairs are settled by names and birth dates. */
  weightFrom(a: number, b: number, least: number): number;
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
  readonly #levels: Int8Array;
  /** By field × 16 + level. */
  readonly #matchRatios: Float64Array;
  readonly #householdRatios: Float64Array;
  readonly #own: Part;
  readonly #shared: Part;
  readonly #line: Part;
  readonly #bestAfterOwn: Best;
  readonly #bestAfterShared: Best;
  // Sums of the pair at hand; written before they are read.
  #match = 0;
  #household = 0;
  readonly #rows: Uint32Array;
  readonly #rowWidth: number;
  /** Place of each adjusted field in the rows. */
  readonly #places: readonly number[];
  readonly #changes: readonly Float32Array[];
  /** Which fields have a term frequency. */
  readonly #adjusted: readonly number[];
  /** Whether a household shares the field. */
  readonly #households: readonly boolean[];
  /** Names, whose weaker agreements depend on how common they are, too. */
  readonly #named: readonly boolean[];
  readonly #prior: number;
  readonly #householdPrior: number;

  constructor(
    table: Table,
    { parameters, changes, pairLevels }: { parameters: Parameters; changes: Changes; pairLevels: PairLevels },
  ) {
    this.pairLevels = pairLevels;
    this.#levels = this.pairLevels.levels;
    this.#matchRatios = ratios(parameters.match, parameters.stranger);
    this.#householdRatios = ratios(parameters.household, parameters.stranger);
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
    this.#households = adjusted.map((field) => !isPersonal(field));
    const present = columns.flatMap((column, field) => (column === undefined ? [] : [field]));
    this.#own = partOf(present, adjusted, (field) => !isShared(field));
    this.#shared = partOf(present, adjusted, (field) => isShared(field) && field !== LEVELS.LINE);
    this.#line = partOf(present, adjusted, (field) => field === LEVELS.LINE);
    const counts = parameters.match.map((chances) => chances.length);
    const bestOf = (parts: readonly Part[]): Best => ({
      match: best(parts, counts, (at) => (this.#matchRatios[at] as number) + CHANGE_MAX),
      lead: best(parts, counts, (at) => (this.#matchRatios[at] as number) - (this.#householdRatios[at] as number)),
    });
    this.#bestAfterOwn = bestOf([this.#shared, this.#line]);
    this.#bestAfterShared = bestOf([this.#line]);
    this.#prior = Math.log2(parameters.matchShare);
    this.#householdPrior = Math.log2(Math.max(parameters.householdShare, 1e-300));
  }

  weight(a: number, b: number): number {
    return this.weightFrom(a, b, Number.NEGATIVE_INFINITY);
  }

  weightFrom(a: number, b: number, least: number): number {
    this.pairLevels.compareOwn(a, b);
    this.#match = this.#prior;
    this.#household = this.#householdPrior;
    this.#add(this.#own, a, b);
    if (this.#mustFail(this.#bestAfterOwn, least)) return Number.NEGATIVE_INFINITY;
    this.pairLevels.compareShared(a, b);
    this.#add(this.#shared, a, b);
    if (this.#mustFail(this.#bestAfterShared, least)) return Number.NEGATIVE_INFINITY;
    this.pairLevels.compareLine(a, b);
    this.#add(this.#line, a, b);
    const household = this.#household;
    // Strangers are the unit: odds = match / (1 + household).
    return household < -12 ? this.#match : this.#match - Math.log(1 + Math.exp(household * LN2)) / LN2;
  }

  /** Even if every field that is not compared yet agrees as well as it can, against strangers and against the household. */
  #mustFail({ match, lead }: Best, least: number): boolean {
    return this.#match + match < least || this.#match - this.#household + lead < least;
  }

  #add({ fields, adjusted }: Part, a: number, b: number): void {
    const levels = this.#levels;
    let match = this.#match;
    let household = this.#household;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] as number;
      const level = levels[field] as number;
      if (level === MISSING) continue;
      match += this.#matchRatios[field * 16 + level] as number;
      household += this.#householdRatios[field * 16 + level] as number;
    }
    for (let at = 0; at < adjusted.length; at++) {
      const i = adjusted[at] as number;
      const field = this.#adjusted[i] as number;
      const level = levels[field] as number;
      if (level < 0) continue;
      if (level === LEVELS.SWAPPED && field === LEVELS.GIVEN) match += this.#swappedChange(a, b);
      const change = this.#changeOf(i, level, a, b);
      match += change;
      if (this.#households[i] === true) household += change;
    }
    this.#match = match;
    this.#household = household;
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

/** The most that fields can add: to the weight, and to its lead over the household's. */
interface Best {
  readonly match: number;
  readonly lead: number;
}

/** Fields with a column, and which of them (by number among the adjusted) have a term frequency. */
interface Part {
  readonly fields: readonly number[];
  readonly adjusted: readonly number[];
}

function partOf(present: readonly number[], adjusted: readonly number[], belongs: (field: number) => boolean): Part {
  return {
    fields: present.filter(belongs),
    adjusted: [...adjusted.keys()].filter((i) => belongs(adjusted[i] as number)),
  };
}

/** The sum over fields of the best level; a field that is missing adds nothing. */
function best(parts: readonly Part[], counts: readonly number[], value: (at: number) => number): number {
  let sum = 0;
  for (const field of parts.flatMap(({ fields }) => fields)) {
    let most = 0;
    for (let level = 0; level < (counts[field] ?? 0); level++) most = Math.max(most, value(field * 16 + level));
    sum += most;
  }
  return sum;
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
