import {
  CONTACT_DIFFERENT,
  compareBirthDates,
  compareContacts,
  compareName,
  crossAgreement,
  emailLevel,
  identifierLevel,
  LEVELS,
  lineLevel,
  MISSING,
  phoneLevel,
  placeLevel,
  type PreparedName,
} from '../matching/index.ts';
import { type Column, columnOf, type FieldColumn, identifierColumns, type Table, textOf } from './fields.ts';
import { dateOf, lineOf, nameOf } from './prepared-values.ts';
import { type NameSketches, surelyDifferent } from './name-sketches.ts';
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
  /** The two halves of `compare`: what is a person's own (names, birth date, sex, e-mail, identifiers), and what a household shares. */
  compareOwn(a: number, b: number): void;
  compareShared(a: number, b: number): void;
}

export const FIELD_COUNT = 11;
const CACHE_BITS = 16;

type Compare = (a: number, b: number) => number;

/** One column with its comparator; levels of equal values need no call. */
class ComparedColumn {
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
interface Comparator {
  readonly compare: Compare;
  /** Level of a value with itself; the first where it is not given. */
  readonly exact?: Exact;
  /** Pairs of values come again and again: names, places. */
  readonly remembered?: boolean;
  /** What turns away names that differ for sure, and the level that means. */
  readonly different?: { readonly sketches: NameSketches | undefined; readonly level: number };
}
const ALWAYS_FIRST: Exact = () => 0;

/** `sketches`: of the columns of names, where somebody made them; without them names are merely compared more slowly. */
export function createPairLevels(table: Table, sketches: Sketches = NO_SKETCHES): PairLevels {
  return new Comparison(table, sketches);
}

export type Sketches = ReadonlyMap<string, NameSketches>;
const NO_SKETCHES: Sketches = new Map();

class Comparison implements PairLevels {
  readonly width: number;
  readonly levels: Int8Array;
  readonly #rows: Uint32Array;
  readonly #rowWidth: number;
  readonly #given: ComparedColumn;
  readonly #family: ComparedColumn;
  readonly #cross: PairCache;
  readonly #crossing: Compare;
  readonly #sketches: readonly [given: NameSketches | undefined, family: NameSketches | undefined];
  readonly #own: PlainColumns;
  readonly #shared: PlainColumns;
  readonly #places: readonly [postal: ComparedColumn, city: ComparedColumn, state: ComparedColumn];

  constructor(table: Table, sketches: Sketches) {
    const given = prepared(columnOf(table, 'given'), nameOf);
    const family = prepared(columnOf(table, 'family'), nameOf);
    this.#rows = table.rows;
    this.#rowWidth = table.columns.length;
    this.#given = names(table, 'given', given, sketches);
    this.#family = names(table, 'family', family, sketches);
    this.#sketches = [sketches.get('given'), sketches.get('family')];
    this.#cross = new PairCache(CACHE_BITS);
    this.#crossing = (a, b) => crossAgreement(given(a), family(b));
    const place = (key: 'postalCode' | 'city' | 'state') => placeColumn(table, columnOf(table, key));
    this.#places = [place('postalCode'), place('city'), place('state')];
    const plain = plainColumns(table, sketches).filter(([column]) => column.place >= 0);
    this.#own = plainOf(plain.filter(([, level]) => !isShared(level)));
    this.#shared = plainOf(plain.filter(([, level]) => isShared(level)));
    this.width = FIELD_COUNT + identifierColumns(table).length;
    this.levels = new Int8Array(this.width).fill(MISSING);
  }

  compare(a: number, b: number): void {
    this.compareOwn(a, b);
    this.compareShared(a, b);
  }

  compareOwn(a: number, b: number): void {
    const left = a * this.#rowWidth;
    const right = b * this.#rowWidth;
    this.#names(left, right);
    this.#compareAll(this.#own, left, right);
  }

  compareShared(a: number, b: number): void {
    const left = a * this.#rowWidth;
    const right = b * this.#rowWidth;
    this.#compareAll(this.#shared, left, right);
    this.#addresses(left, right);
  }

  #compareAll({ columns, levels }: PlainColumns, left: number, right: number): void {
    const rows = this.#rows;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] as ComparedColumn;
      this.levels[levels[i] as number] = column.level(
        rows[left + column.place] as number,
        rows[right + column.place] as number,
      );
    }
  }

  /** As `compareNames` of matching: swapped names are looked for only where neither name agrees. */
  #names(left: number, right: number): void {
    const { levels } = this;
    const rows = this.#rows;
    const givenAt = this.#given.place;
    const familyAt = this.#family.place;
    const givenA = givenAt < 0 ? 0 : (rows[left + givenAt] as number);
    const givenB = givenAt < 0 ? 0 : (rows[right + givenAt] as number);
    const familyA = familyAt < 0 ? 0 : (rows[left + familyAt] as number);
    const familyB = familyAt < 0 ? 0 : (rows[right + familyAt] as number);
    const given = this.#given.level(givenA, givenB);
    const family = this.#family.level(familyA, familyB);
    levels[LEVELS.GIVEN] = given;
    levels[LEVELS.FAMILY] = family;
    if (!isWeak(given) || !isWeak(family)) return;
    const there = this.#crossed(givenA, familyB);
    const back = this.#crossed(givenB, familyA);
    if (there <= 0 && back <= 0) return;
    if (there === 0 || back === 0) {
      // One name stands in the other's place, and what stood there is another.
      if (there === 2 || back === 2) levels[LEVELS.FAMILY] = LEVELS.SWAPPED_CLOSE;
      return;
    }
    if (there !== MISSING && back !== MISSING) {
      // One exchange, one sign: the family name must not count it again.
      levels[LEVELS.GIVEN] = there === 2 && back === 2 ? LEVELS.SWAPPED : LEVELS.SWAPPED_CLOSE;
      levels[LEVELS.FAMILY] = MISSING;
      return;
    }
    const level = (there === MISSING ? back : there) === 2 ? LEVELS.SWAPPED : LEVELS.SWAPPED_CLOSE;
    levels[given === MISSING && family !== MISSING ? LEVELS.FAMILY : LEVELS.GIVEN] = level;
  }

  #crossed(given: number, family: number): number {
    if (given === 0 || family === 0) return MISSING;
    const [givens, families] = this.#sketches;
    if (givens !== undefined && families !== undefined && surelyDifferent(givens, given, families, family, false))
      return 0;
    return this.#cross.level(given, family, this.#crossing);
  }

  /** As `compareAddresses` of matching, but that what is implied by a narrower part that agrees counts as missing: it says nothing. */
  #addresses(left: number, right: number): void {
    const { levels } = this;
    const [postalCode, city, state] = this.#places;
    const postal = this.#place(postalCode, left, right);
    levels[LEVELS.POSTAL_CODE] = postal === LEVELS.PLACE_DIFFERENT ? CONTACT_DIFFERENT : postal;
    const town = this.#place(city, left, right);
    levels[LEVELS.CITY] = postal === 0 ? MISSING : town;
    levels[LEVELS.STATE] = postal === 0 || town === 0 ? MISSING : this.#place(state, left, right);
  }

  #place(column: ComparedColumn, left: number, right: number): number {
    if (column.place < 0) return MISSING;
    return column.level(this.#rows[left + column.place] as number, this.#rows[right + column.place] as number);
  }
}

/** Columns that are compared by themselves, with the places of their levels. */
interface PlainColumns {
  readonly columns: readonly ComparedColumn[];
  readonly levels: Uint8Array;
}

function plainOf(plain: readonly (readonly [column: ComparedColumn, level: number])[]): PlainColumns {
  return { columns: plain.map(([column]) => column), levels: Uint8Array.from(plain, ([, level]) => level) };
}

/** Fields that people of one household have in common, the family name apart. */
export function isShared(field: number): boolean {
  return field === LEVELS.PHONE || field === LEVELS.MOTHER || (field >= LEVELS.LINE && field <= LEVELS.STATE);
}

function names(
  table: Table,
  key: 'given' | 'family',
  value: (id: number) => PreparedName,
  sketches: Sketches,
): ComparedColumn {
  const compare: Compare = (a, b) => compareName(value(a), value(b));
  return new ComparedColumn(table, columnOf(table, key), {
    compare,
    remembered: true,
    different: { sketches: sketches.get(key), level: LEVELS.DIFFERENT },
  });
}

function plainColumns(table: Table, sketches: Sketches): readonly (readonly [column: ComparedColumn, level: number])[] {
  const mother = prepared(columnOf(table, 'mother'), nameOf);
  const dates = prepared(columnOf(table, 'birthDate'), dateOf);
  const lines = prepared(columnOf(table, 'line'), lineOf);
  const birthDate: Compare = (a, b) => compareBirthDates(dates(a), dates(b));
  const line: Compare = (a, b) => lineLevel(lines(a), lines(b));
  const made = (key: FieldColumn, comparator: Comparator) =>
    new ComparedColumn(table, columnOf(table, key), comparator);
  return [
    [made('birthDate', { compare: birthDate, exact: (id) => birthDate(id, id) }), LEVELS.BIRTH_DATE],
    [made('gender', { compare: () => 1 }), LEVELS.GENDER],
    [contacts(table, columnOf(table, 'phone'), phoneLevel), LEVELS.PHONE],
    [contacts(table, columnOf(table, 'email'), emailLevel), LEVELS.EMAIL],
    [made('line', { compare: line, exact: (id) => line(id, id) }), LEVELS.LINE],
    [
      made('mother', {
        compare: (a, b) => motherLevel(compareName(mother(a), mother(b))),
        remembered: true,
        different: { sketches: sketches.get('mother'), level: CONTACT_DIFFERENT },
      }),
      LEVELS.MOTHER,
    ],
    ...identifierColumns(table).map((column, at): [ComparedColumn, number] => [
      contacts(table, column, identifierLevel),
      FIELD_COUNT + at,
    ]),
  ];
}

function isWeak(level: number): boolean {
  return level >= LEVELS.SIMILAR || level === MISSING;
}

function motherLevel(level: number): number {
  if (level === 0) return 0;
  return level === LEVELS.PART || level === LEVELS.CLOSE ? 1 : CONTACT_DIFFERENT;
}

/** Their pairs hardly ever come twice, so nothing is kept; a list of several values is the exception. */
function contacts(table: Table, column: Column | undefined, one: (a: string, b: string) => number): ComparedColumn {
  const value = (id: number): string => (column === undefined ? '' : textOf(column.texts, id));
  const compare: Compare = (a, b) => {
    const left = value(a);
    const right = value(b);
    if (!left.includes(' ') && !right.includes(' ')) return one(left, right);
    return compareContacts(left.split(' '), right.split(' '), one);
  };
  return new ComparedColumn(table, column, { compare });
}

function placeColumn(table: Table, column: Column | undefined): ComparedColumn {
  const values = prepared(column, (text) => text);
  return new ComparedColumn(table, column, {
    compare: (a, b) => placeLevel(values(a), values(b), false),
    remembered: true,
  });
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
