import type { PreparedAddress } from './address.ts';
import { CITY, LINE, MISSING, POSTAL_CODE, STATE } from './compiled-model.ts';
import { editDistance, withinOneEdit } from './edit-distance.ts';
import { letterPairLikeness } from './letter-pairs.ts';
import { LINE_LEVELS, PLACE_LEVELS } from './model-document.ts';

export type AddressLine = Pick<PreparedAddress, 'numbers' | 'street' | 'letterPairs'>;

const LINE_EXACT = LINE_LEVELS.indexOf('exact');
const LINE_CLOSE = LINE_LEVELS.indexOf('close');
const LINE_STREET = LINE_LEVELS.indexOf('street');
const LINE_DIFFERENT = LINE_LEVELS.indexOf('different');
const PLACE_EXACT = PLACE_LEVELS.indexOf('exact');
const PLACE_CLOSE = PLACE_LEVELS.indexOf('close');
const PLACE_IMPLIED = PLACE_LEVELS.indexOf('implied');
const PLACE_DIFFERENT = PLACE_LEVELS.indexOf('different');

/**
 * Address parts depend on each other: who lives in one postal code lives in one city and state. So a part that follows from a
 * narrower one that agrees is `implied` and weighs next to nothing.
 */
export function compareAddresses(
  a: PreparedAddress | undefined,
  b: PreparedAddress | undefined,
  levels: Int8Array,
): void {
  if (a === undefined || b === undefined) {
    levels[LINE] = levels[POSTAL_CODE] = levels[CITY] = levels[STATE] = MISSING;
    return;
  }
  levels[LINE] = lineLevel(a, b);
  const postal = placeLevel(a.postalCode, b.postalCode, false);
  // The contact levels of postal codes have no "implied": different is their third.
  levels[POSTAL_CODE] = postal === PLACE_DIFFERENT ? PLACE_DIFFERENT - 1 : postal;
  const city = placeLevel(a.city, b.city, postal === PLACE_EXACT);
  levels[CITY] = city;
  levels[STATE] = placeLevel(a.state, b.state, postal === PLACE_EXACT || city === PLACE_EXACT);
}

export function placeLevel(a: string, b: string, implied: boolean): number {
  if (a === '' || b === '') return MISSING;
  // Beside an equal narrower part neither agreement nor another spelling or suburb says anything more.
  if (implied) return PLACE_IMPLIED;
  if (a === b) return PLACE_EXACT;
  const close = a.length >= 4 && b.length >= 4 && (withinOneEdit(a, b) || similarLong(a, b));
  return close ? PLACE_CLOSE : PLACE_DIFFERENT;
}

function similarLong(a: string, b: string): boolean {
  const shorter = a.length < b.length ? a.length : b.length;
  return shorter >= 8 && editDistance(a, b, 2) <= 2;
}

export function lineLevel(a: AddressLine, b: AddressLine): number {
  const hasStreets = a.street !== '' && b.street !== '';
  if (hasStreets) return lineLevelOf(streetLevel(a, b), a, b);
  return a.numbers.length > 0 && b.numbers.length > 0 ? numbersOnly(a, b) : MISSING;
}

/** The level of two lines with streets, whose streets reach `street`. */
export function lineLevelOf(street: number, a: AddressLine, b: AddressLine): number {
  const hasNumbers = a.numbers.length > 0 && b.numbers.length > 0;
  if (!hasNumbers) return street === LINE_EXACT || street === LINE_CLOSE ? LINE_STREET : LINE_DIFFERENT;
  const numbers = sharedNumber(a.numbers, b.numbers);
  if (street === LINE_EXACT) return numbers === 3 ? LINE_EXACT : numbers > 0 ? LINE_CLOSE : LINE_STREET;
  if (street === LINE_CLOSE) return numbers === 0 ? LINE_STREET : LINE_CLOSE;
  return street === LINE_STREET && numbers > 0 ? LINE_STREET : LINE_DIFFERENT;
}

/** A number alone ("plot 12") is no address: agreement says nothing, disagreement little. */
function numbersOnly(a: AddressLine, b: AddressLine): number {
  return a.street === b.street && sharedNumber(a.numbers, b.numbers) === 3 ? LINE_STREET : MISSING;
}

/** 3: all numbers are equal; 2: the first are, another flat or one not given; 1: any is; 0: none. */
function sharedNumber(a: readonly string[], b: readonly string[]): number {
  if (a[0] === b[0]) return a.length === b.length && a.every((number, at) => number === b[at]) ? 3 : 2;
  for (const number of a) if (b.includes(number)) return 1;
  return 0;
}

/** Letters in common from which two streets are one written differently, and one with a part left out or added. */
const ALIKE = 0.75;
const PARTLY_ALIKE = 0.5;

/** Symmetric; both lines have a street. */
export function streetLevel(a: AddressLine, b: AddressLine): number {
  if (a.street === b.street) return LINE_EXACT;
  if (a.street.length >= 4 && b.street.length >= 4 && withinOneEdit(a.street, b.street)) return LINE_CLOSE;
  const likeness = letterPairLikeness(a.letterPairs, b.letterPairs, PARTLY_ALIKE);
  if (likeness >= ALIKE) return LINE_CLOSE;
  if (likeness > 0) return LINE_STREET;
  const shorter = a.street.length < b.street.length ? a.street : b.street;
  const longer = a.street.length < b.street.length ? b.street : a.street;
  return shorter.length >= 5 && longer.includes(shorter) ? LINE_CLOSE : LINE_DIFFERENT;
}
