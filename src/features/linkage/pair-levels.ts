import {
  type AddressLine,
  type BirthDate,
  CONTACT_DIFFERENT,
  compareBirthDates,
  compareContacts,
  compareName,
  crossAgreement,
  emailLevel,
  identifierLevel,
  letterPairs,
  LEVELS,
  lineLevel,
  MISSING,
  parseBirthDate,
  phoneLevel,
  placeLevel,
  prepareName,
  type PreparedName,
} from '../matching/index.ts';
import { type Column, columnOf, identifierColumns, type Table, textOf } from './fields.ts';
import { PairCache } from './pair-cache.ts';

/**
 * The levels that two records of a table reach, by the comparators of `matching` and in its order of fields, with identifier systems
 * behind them. Values are prepared when they are first needed, and the levels of two values are remembered.
 */
export interface PairLevels {
  /** How many levels a pair has: the fields of matching, then one per identifier column. */
  readonly width: number;
  readonly levels: Int8Array;
  compare(a: number, b: number): void;
}

export const FIELD_COUNT = 11;
const NO_IDS = new Uint32Array(0);
const CACHE_BITS = 16;

type Compare = (a: number, b: number) => number;

/** One column with its comparator; levels of equal values need no call. */
class ComparedColumn {
  readonly ids: Uint32Array;
  readonly present: boolean;
  readonly #exact: (id: number) => number;
  readonly #cache: PairCache;
  readonly #compare: Compare;

  constructor(column: Column | undefined, compare: Compare, exact: (id: number) => number = () => 0) {
    this.ids = column?.ids ?? NO_IDS;
    this.present = column !== undefined;
    this.#compare = compare;
    this.#exact = exact;
    this.#cache = new PairCache(column === undefined ? 1 : CACHE_BITS);
  }

  level(a: number, b: number): number {
    const left = this.ids[a] as number;
    const right = this.ids[b] as number;
    if (left === 0 || right === 0) return MISSING;
    if (left === right) return this.#exact(left);
    return left < right ? this.#cache.level(left, right, this.#compare) : this.#cache.level(right, left, this.#compare);
  }
}

export function createPairLevels(table: Table): PairLevels {
  return new Comparison(table);
}

class Comparison implements PairLevels {
  readonly width: number;
  readonly levels: Int8Array;
  readonly #given: ComparedColumn;
  readonly #family: ComparedColumn;
  readonly #cross: PairCache;
  readonly #crossing: Compare;
  readonly #birthDate: ComparedColumn;
  readonly #gender: ComparedColumn;
  readonly #phone: ComparedColumn;
  readonly #email: ComparedColumn;
  readonly #line: ComparedColumn;
  readonly #places: readonly [postal: ComparedColumn, city: ComparedColumn, state: ComparedColumn];
  readonly #mother: ComparedColumn;
  readonly #identifiers: readonly ComparedColumn[];

  constructor(table: Table) {
    const given = prepared(columnOf(table, 'given'), nameOf);
    const family = prepared(columnOf(table, 'family'), nameOf);
    const mother = prepared(columnOf(table, 'mother'), nameOf);
    const dates = prepared(columnOf(table, 'birthDate'), dateOf);
    const lines = prepared(columnOf(table, 'line'), lineOf);
    this.#given = new ComparedColumn(columnOf(table, 'given'), (a, b) => compareName(given(a), given(b)));
    this.#family = new ComparedColumn(columnOf(table, 'family'), (a, b) => compareName(family(a), family(b)));
    this.#mother = new ComparedColumn(columnOf(table, 'mother'), (a, b) =>
      motherLevel(compareName(mother(a), mother(b))),
    );
    this.#cross = new PairCache(CACHE_BITS);
    this.#crossing = (a, b) => crossAgreement(given(a), family(b));
    this.#birthDate = new ComparedColumn(
      columnOf(table, 'birthDate'),
      (a, b) => compareBirthDates(dates(a), dates(b)),
      (id) => compareBirthDates(dates(id), dates(id)),
    );
    this.#gender = new ComparedColumn(columnOf(table, 'gender'), () => 1);
    this.#phone = contacts(columnOf(table, 'phone'), phoneLevel);
    this.#email = contacts(columnOf(table, 'email'), emailLevel);
    this.#line = new ComparedColumn(
      columnOf(table, 'line'),
      (a, b) => lineLevel(lines(a), lines(b)),
      (id) => lineLevel(lines(id), lines(id)),
    );
    this.#places = [
      places(columnOf(table, 'postalCode')),
      places(columnOf(table, 'city')),
      places(columnOf(table, 'state')),
    ];
    this.#identifiers = identifierColumns(table).map((column) => contacts(column, identifierLevel));
    this.width = FIELD_COUNT + this.#identifiers.length;
    this.levels = new Int8Array(this.width).fill(MISSING);
  }

  compare(a: number, b: number): void {
    const { levels } = this;
    this.#names(a, b);
    if (this.#birthDate.present) levels[LEVELS.BIRTH_DATE] = this.#birthDate.level(a, b);
    if (this.#gender.present) levels[LEVELS.GENDER] = this.#gender.level(a, b);
    if (this.#phone.present) levels[LEVELS.PHONE] = this.#phone.level(a, b);
    if (this.#email.present) levels[LEVELS.EMAIL] = this.#email.level(a, b);
    if (this.#mother.present) levels[LEVELS.MOTHER] = this.#mother.level(a, b);
    this.#addresses(a, b);
    for (let i = 0; i < this.#identifiers.length; i++) {
      levels[FIELD_COUNT + i] = (this.#identifiers[i] as ComparedColumn).level(a, b);
    }
  }

  /** As `compareNames` of matching: swapped names are looked for only where neither name agrees. */
  #names(a: number, b: number): void {
    const { levels } = this;
    const given = this.#given.present ? this.#given.level(a, b) : MISSING;
    const family = this.#family.present ? this.#family.level(a, b) : MISSING;
    levels[LEVELS.GIVEN] = given;
    levels[LEVELS.FAMILY] = family;
    if (!isWeak(given) || !isWeak(family) || !this.#given.present || !this.#family.present) return;
    const there = this.#crossed(this.#given.ids[a] as number, this.#family.ids[b] as number);
    const back = this.#crossed(this.#given.ids[b] as number, this.#family.ids[a] as number);
    if (there <= 0 && back <= 0) return;
    if (there === 0 || back === 0) {
      // One name stands in the other's place, and what stood there is another.
      if (there === 2 || back === 2) levels[LEVELS.FAMILY] = LEVELS.SWAPPED_CLOSE;
      return;
    }
    if (there !== MISSING && back !== MISSING) {
      const level = there === 2 && back === 2 ? LEVELS.SWAPPED : LEVELS.SWAPPED_CLOSE;
      levels[LEVELS.GIVEN] = level;
      levels[LEVELS.FAMILY] = level;
      return;
    }
    const level = (there === MISSING ? back : there) === 2 ? LEVELS.SWAPPED : LEVELS.SWAPPED_CLOSE;
    levels[given === MISSING && family !== MISSING ? LEVELS.FAMILY : LEVELS.GIVEN] = level;
  }

  #crossed(given: number, family: number): number {
    return given === 0 || family === 0 ? MISSING : this.#cross.level(given, family, this.#crossing);
  }

  /** As `compareAddresses` of matching, but that what is implied by a narrower part that agrees counts as missing: it says nothing. */
  #addresses(a: number, b: number): void {
    const { levels } = this;
    const [postalCode, city, state] = this.#places;
    if (this.#line.present) levels[LEVELS.LINE] = this.#line.level(a, b);
    const postal = postalCode.present ? postalCode.level(a, b) : MISSING;
    levels[LEVELS.POSTAL_CODE] = postal === LEVELS.PLACE_DIFFERENT ? CONTACT_DIFFERENT : postal;
    const town = city.present ? city.level(a, b) : MISSING;
    levels[LEVELS.CITY] = postal === 0 ? MISSING : town;
    if (state.present) levels[LEVELS.STATE] = postal === 0 || town === 0 ? MISSING : state.level(a, b);
  }
}

function isWeak(level: number): boolean {
  return level >= LEVELS.SIMILAR || level === MISSING;
}

function motherLevel(level: number): number {
  if (level === 0) return 0;
  return level === LEVELS.PART || level === LEVELS.CLOSE ? 1 : CONTACT_DIFFERENT;
}

function contacts(column: Column | undefined, compare: (a: string, b: string) => number): ComparedColumn {
  const values = prepared(column, (text) => text.split(' '));
  return new ComparedColumn(column, (a, b) => compareContacts(values(a), values(b), compare));
}

function places(column: Column | undefined): ComparedColumn {
  const values = prepared(column, (text) => text);
  return new ComparedColumn(column, (a, b) => placeLevel(values(a), values(b), false));
}

/** The prepared value of a number, made when first asked for. */
function prepared<Value>(column: Column | undefined, make: (text: string) => Value): (id: number) => Value {
  const made: (Value | undefined)[] = [];
  return (id) => {
    let value = made[id];
    if (value === undefined && column !== undefined) {
      while (made.length <= id) made.push(undefined);
      value = make(textOf(column.texts, id));
      made[id] = value;
    }
    return value as Value;
  };
}

const NO_SHARE = (): number => 0;

export function nameOf(text: string): PreparedName {
  const name = prepareName(text.split(' '), NO_SHARE);
  if (name === undefined) throw new Error('a column holds an empty name');
  return name;
}

export function dateOf(text: string): BirthDate {
  const date = parseBirthDate(text);
  if (date === undefined) throw new Error('a column holds a date that is none');
  return date;
}

/** Reads what `normaliseLine` wrote. */
export function lineOf(text: string): AddressLine {
  const bar = text.indexOf('|');
  const numbers = text.slice(0, bar);
  const street = text.slice(bar + 1);
  return { numbers: numbers === '' ? [] : numbers.split(' '), street, letterPairs: letterPairs(street) };
}
