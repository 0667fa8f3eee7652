import type { PreparedAddress } from './address.ts';
import { CITY, LINE, MISSING, POSTAL_CODE, STATE } from './compiled-model.ts';
import { editDistance, withinOneEdit } from './edit-distance.ts';
import { LINE_LEVELS, PLACE_LEVELS } from './model-document.ts';

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

function placeLevel(a: string, b: string, implied: boolean): number {
  if (a === '' || b === '') return MISSING;
  if (a === b) return implied ? PLACE_IMPLIED : PLACE_EXACT;
  const close = a.length >= 4 && b.length >= 4 && (withinOneEdit(a, b) || similarLong(a, b));
  if (close) return implied ? PLACE_IMPLIED : PLACE_CLOSE;
  return PLACE_DIFFERENT;
}

function similarLong(a: string, b: string): boolean {
  const shorter = a.length < b.length ? a.length : b.length;
  return shorter >= 8 && editDistance(a, b, 2) <= 2;
}

function lineLevel(a: PreparedAddress, b: PreparedAddress): number {
  const hasNumbers = a.numbers.length > 0 && b.numbers.length > 0;
  const hasStreets = a.street !== '' && b.street !== '';
  if (!hasStreets) return hasNumbers ? numbersOnly(a, b) : MISSING;
  const street = streetLevel(a.street, b.street);
  if (!hasNumbers) return street === LINE_EXACT ? LINE_STREET : street === LINE_CLOSE ? LINE_STREET : LINE_DIFFERENT;
  const numbers = sharedNumber(a.numbers, b.numbers);
  if (street === LINE_EXACT) return numbers === 2 ? LINE_EXACT : numbers === 1 ? LINE_CLOSE : LINE_STREET;
  if (street === LINE_CLOSE) return numbers === 0 ? LINE_STREET : LINE_CLOSE;
  return LINE_DIFFERENT;
}

/** A number alone ("plot 12") is no address: agreement says nothing, disagreement little. */
function numbersOnly(a: PreparedAddress, b: PreparedAddress): number {
  return a.street === b.street && sharedNumber(a.numbers, b.numbers) === 2 ? LINE_STREET : MISSING;
}

/** 2: the first numbers are equal; 1: any is; 0: none. */
function sharedNumber(a: readonly string[], b: readonly string[]): number {
  if (a[0] === b[0]) return 2;
  for (const number of a) if (b.includes(number)) return 1;
  return 0;
}

function streetLevel(a: string, b: string): number {
  if (a === b) return LINE_EXACT;
  if (withinOneEdit(a, b) && a.length >= 4 && b.length >= 4) return LINE_CLOSE;
  const shorter = a.length < b.length ? a : b;
  const longer = a.length < b.length ? b : a;
  if (shorter.length >= 5 && longer.includes(shorter)) return LINE_CLOSE;
  if (shorter.length >= 7 && editDistance(a, b, 2) <= 2) return LINE_CLOSE;
  return sameLettersWithoutSpaces(a, b) ? LINE_CLOSE : LINE_DIFFERENT;
}

/** "pridhamstreet" and "pridham street": spaces and the kind of street come and go. */
function sameLettersWithoutSpaces(a: string, b: string): boolean {
  const joinedA = a.replaceAll(' ', '');
  const joinedB = b.replaceAll(' ', '');
  return joinedA.length >= 6 && joinedB.length >= 6 && (joinedA.startsWith(joinedB) || joinedB.startsWith(joinedA));
}
