import {
  type CheckDigitRule,
  type CheckTest,
  CONTACT_DIFFERENT,
  checkTest,
  compareBirthDates,
  compareName,
  crossAgreement,
  LEVELS,
  MISSING,
  placeLevel,
  type PreparedName,
} from '../matching/index.ts';
import { CACHE_BITS, type Compare, ComparedColumn, type Comparator } from './compared-column.ts';
import { emailColumn, identifierColumn, phoneColumn, postalColumn } from './contact-columns.ts';
import { type Column, columnOf, type FieldColumn, identifierColumns, type Table } from './fields.ts';
import { lineColumn } from './line-column.ts';
import { dateOf, nameOf, prepared } from './prepared-values.ts';
import { isPlainPair, type NameSketches, soundsEqual, surelyDifferent } from './name-sketches.ts';
import { PairCache } from './pair-cache.ts';
import { wordsDiffer } from './word-scan.ts';

/**
 * The levels that two records of a table reach, by the comparators of `matching` and in its order of fields, with identifier systems
 * behind them. Values are prepared when they are first needed, and the levels of two values are remembered.
 */
export interface PairLevels {
  /** How many levels a pair has: the fields of matching, then one per identifier column. */
  readonly width: number;
  readonly levels: Int8Array;
  compare(a: number, b: number): void;
  /**
   * The parts of `compare`: what is a person's own (names, birth date, sex, e-mail, identifiers), what a household shares, and the line
   * of the address, which costs as much as all the others.
   */
  compareOwn(a: number, b: number): void;
  compareShared(a: number, b: number): void;
  compareLine(a: number, b: number): void;
}

export const FIELD_COUNT = 11;

/** `sketches`: of the columns of names, where somebody made them; without them names are merely compared more slowly. */
export function createPairLevels(
  table: Table,
  sketches: Sketches = NO_SKETCHES,
  checks: Checks = NO_CHECKS,
): PairLevels {
  return new Comparison(table, sketches, checks);
}

/** How check digits of identifiers are reckoned, by key of their column. */
export type Checks = ReadonlyMap<string, CheckDigitRule>;
const NO_CHECKS: Checks = new Map();

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
  readonly #line: ComparedColumn;
  readonly #places: readonly [postal: ComparedColumn, city: ComparedColumn, state: ComparedColumn];

  constructor(table: Table, sketches: Sketches, checks: Checks) {
    const given = prepared(columnOf(table, 'given'), nameOf);
    const family = prepared(columnOf(table, 'family'), nameOf);
    this.#rows = table.rows;
    this.#rowWidth = table.columns.length;
    this.#given = names(table, 'given', given, sketches);
    this.#family = names(table, 'family', family, sketches);
    this.#cross = new PairCache(CACHE_BITS);
    this.#sketches = [sketches.get('given'), sketches.get('family')];
    const [one, other] = [columnOf(table, 'given'), columnOf(table, 'family')];
    const [givens, families] = this.#sketches;
    this.#crossing = (a, b) =>
      lettersDiffer(one, other, { one: givens, other: families, a, b, nicknames: false })
        ? 0
        : crossAgreement(given(a), family(b));
    this.#places = [
      postalColumn(table, columnOf(table, 'postalCode')),
      placeColumn(table, columnOf(table, 'city')),
      placeColumn(table, columnOf(table, 'state')),
    ];
    this.#line = lineColumn(table, columnOf(table, 'line'));
    const plain = plainColumns(table, sketches, checks).filter(([column]) => column.place >= 0);
    this.#own = plainOf(plain.filter(([, level]) => !isShared(level)));
    this.#shared = plainOf(plain.filter(([, level]) => isShared(level)));
    this.width = FIELD_COUNT + identifierColumns(table).length;
    this.levels = new Int8Array(this.width).fill(MISSING);
  }

  compare(a: number, b: number): void {
    this.compareOwn(a, b);
    this.compareShared(a, b);
    this.compareLine(a, b);
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

  compareLine(a: number, b: number): void {
    this.levels[LEVELS.LINE] = this.#place(this.#line, a * this.#rowWidth, b * this.#rowWidth);
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
  const column = columnOf(table, key);
  const own = sketches.get(key);
  const compare: Compare = (a, b) =>
    lettersDiffer(column, column, { one: own, other: own, a, b, nicknames: true })
      ? LEVELS.DIFFERENT
      : compareName(value(a), value(b));
  return new ComparedColumn(table, column, {
    compare,
    remembered: true,
    different: { sketches: own, level: LEVELS.DIFFERENT },
  });
}

interface TwoNames {
  readonly one: NameSketches | undefined;
  readonly other: NameSketches | undefined;
  readonly a: number;
  readonly b: number;
  readonly nicknames: boolean;
}

/** The letters of two names settle it, without preparing them. */
function lettersDiffer(
  left: Column | undefined,
  right: Column | undefined,
  { one, other, a, b, nicknames }: TwoNames,
): boolean {
  if (left === undefined || right === undefined || one === undefined || other === undefined) return false;
  if (!isPlainPair(one, a, other, b, nicknames)) return false;
  return wordsDiffer(left.texts, a, right.texts, b, soundsEqual(one, a, other, b));
}

function plainColumns(
  table: Table,
  sketches: Sketches,
  checks: Checks,
): readonly (readonly [column: ComparedColumn, level: number])[] {
  const mother = prepared(columnOf(table, 'mother'), nameOf);
  const dates = prepared(columnOf(table, 'birthDate'), dateOf);
  const birthDate: Compare = (a, b) => compareBirthDates(dates(a), dates(b));
  const made = (key: FieldColumn, comparator: Comparator) =>
    new ComparedColumn(table, columnOf(table, key), comparator);
  return [
    [made('birthDate', { compare: birthDate, exact: (id) => birthDate(id, id) }), LEVELS.BIRTH_DATE],
    [made('gender', { compare: () => 1 }), LEVELS.GENDER],
    [phoneColumn(table, columnOf(table, 'phone')), LEVELS.PHONE],
    [emailColumn(table, columnOf(table, 'email')), LEVELS.EMAIL],
    [
      made('mother', {
        compare: (a, b) => motherLevel(compareName(mother(a), mother(b))),
        remembered: true,
        different: { sketches: sketches.get('mother'), level: CONTACT_DIFFERENT },
      }),
      LEVELS.MOTHER,
    ],
    ...identifierColumns(table).map((column, at): [ComparedColumn, number] => [
      identifierColumn(table, column, testOf(checks.get(column.key))),
      FIELD_COUNT + at,
    ]),
  ];
}

function testOf(rule: CheckDigitRule | undefined): CheckTest | undefined {
  return rule === undefined ? undefined : checkTest(rule.digits, rule.length);
}

function isWeak(level: number): boolean {
  return level >= LEVELS.SIMILAR || level === MISSING;
}

function motherLevel(level: number): number {
  if (level === 0) return 0;
  return level === LEVELS.PART || level === LEVELS.CLOSE ? 1 : CONTACT_DIFFERENT;
}

function placeColumn(table: Table, column: Column | undefined): ComparedColumn {
  const values = prepared(column, (text) => text);
  return new ComparedColumn(table, column, {
    compare: (a, b) => placeLevel(values(a), values(b), false),
    remembered: true,
  });
}
