import {
  CONTACT_DIFFERENT,
  LEVELS,
  checkedLevel,
  compareContacts,
  emailLevel,
  identifierLevel,
  phoneLevel,
  placeLevel,
} from '../matching/index.ts';
import { type Compare, ComparedColumn } from './compared-column.ts';
import { type Column, type Table, type Texts, textOf } from './fields.ts';

/**
 * Telephones, addresses of mail and identifiers: hardly any pair of values comes twice, so nothing is remembered. What can be told
 * from the texts where they lie is told there: a number of the same length with three other digits is another number.
 */
export function phoneColumn(table: Table, column: Column | undefined): ComparedColumn {
  return contactColumn(table, column, { one: phoneLevel, byPlaces: true });
}

export function emailColumn(table: Table, column: Column | undefined): ComparedColumn {
  return contactColumn(table, column, { one: emailLevel, byPlaces: false });
}

/** Postal codes: so many different ones that pairs hardly repeat; up to seven places one edit is all that counts as close. */
export function postalColumn(table: Table, column: Column | undefined): ComparedColumn {
  const one = (a: string, b: string): number => placeLevel(a, b, false);
  if (column === undefined) return new ComparedColumn(table, column, { compare: () => LEVELS.PLACE_DIFFERENT });
  const { texts } = column;
  const compare: Compare = (a, b) =>
    isShort(texts, a) && differInPlaces(texts, a, b) ? LEVELS.PLACE_DIFFERENT : one(textOf(texts, a), textOf(texts, b));
  return new ComparedColumn(table, column, { compare });
}

function isShort({ offsets }: Texts, id: number): boolean {
  return (offsets[id] as number) - (offsets[id - 1] as number) <= 7;
}

/** `check`: true when the check digit of a number is right, where that is known. */
export function identifierColumn(
  table: Table,
  column: Column | undefined,
  check?: (value: string) => boolean,
): ComparedColumn {
  if (check === undefined) {
    // Letters typed into a number move its places, so places say nothing where some have letters and some have not.
    return contactColumn(table, column, { one: identifierLevel, byPlaces: column !== undefined && isUniform(column) });
  }
  const one = (a: string, b: string): number => checkedLevel(identifierLevel(a, b), !check(a) || !check(b));
  const value = (id: number): string => (column === undefined ? '' : textOf(column.texts, id));
  return contactColumn(table, column, { one, byPlaces: false }, (id) => one(value(id), value(id)));
}

interface Contacts {
  readonly one: (a: string, b: string) => number;
  /** Equally long values that differ in three places are different. */
  readonly byPlaces: boolean;
}

function contactColumn(
  table: Table,
  column: Column | undefined,
  { one, byPlaces }: Contacts,
  exact?: (id: number) => number,
): ComparedColumn {
  if (column === undefined) return new ComparedColumn(table, column, { compare: () => CONTACT_DIFFERENT });
  const { texts } = column;
  const several = texts.all.includes(' ');
  const compare: Compare = (a, b) => {
    if (byPlaces && !several && differInPlaces(texts, a, b)) return CONTACT_DIFFERENT;
    const left = textOf(texts, a);
    const right = textOf(texts, b);
    if (!several || (!left.includes(' ') && !right.includes(' '))) return one(left, right);
    return compareContacts(left.split(' '), right.split(' '), one);
  };
  return new ComparedColumn(table, column, exact === undefined ? { compare } : { compare, exact });
}

/** Both are equally long, and differ in more places than one edit can change. */
function differInPlaces({ all, offsets }: Texts, a: number, b: number): boolean {
  const fromA = offsets[a - 1] as number;
  const fromB = offsets[b - 1] as number;
  const length = (offsets[a] as number) - fromA;
  if (length !== (offsets[b] as number) - fromB) return false;
  let differing = 0;
  for (let at = 0; at < length; at++) {
    if (all.charCodeAt(fromA + at) !== all.charCodeAt(fromB + at) && ++differing > 2) return true;
  }
  return false;
}

const LETTERS = /\D/;
const DIGITS_ONLY = /^\d+$/;

/** All values have letters, or none has. */
function isUniform({ texts }: Column): boolean {
  if (!LETTERS.test(texts.all)) return true;
  for (let id = 1; id < texts.offsets.length; id++) if (DIGITS_ONLY.test(textOf(texts, id))) return false;
  return true;
}
