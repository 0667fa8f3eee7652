import { BIRTH_DATE_LEVELS } from './birth-date.ts';
import { CLOSE, DIFFERENT, INITIAL, SIMILAR, SWAPPED } from './compare-names.ts';
import { BIRTH_DATE, EMAIL, FAMILY, GENDER, GIVEN, LINE, MISSING, MOTHER, PHONE } from './compiled-model.ts';
import { BITS } from './contradictions.ts';
import { editDistance } from './edit-distance.ts';
import { digitsOf } from './fold.ts';
import type { PreparedName } from './name.ts';
import type { PairComparison } from './pair-comparison.ts';
import type { PreparedRecord } from './prepared-record.ts';

/**
 * What equal and other numbers say against a pair. A number counts as another one when it is no slip of the hand: digits left out, two
 * neighbours exchanged, a letter typed into it.
 */
const DOB_EXACT_ESTIMATED = BIRTH_DATE_LEVELS.indexOf('exact-estimated');
const DOB_SWAPPED = BIRTH_DATE_LEVELS.indexOf('day-month-swapped');
const DOB_ONE_DIGIT = BIRTH_DATE_LEVELS.indexOf('one-digit');
const DOB_MONTH_DAY = BIRTH_DATE_LEVELS.indexOf('month-day');
const FEMALE = 2;
const MALE = 1;

export function isSupport(level: number): boolean {
  return level !== MISSING && level !== DIFFERENT && level !== INITIAL && level !== SIMILAR;
}

/** A name that is no other name: missing, equal, exchanged with the other, or as close as writing makes it. */
function isNotOther(level: number): boolean {
  return level <= CLOSE || level === SWAPPED;
}

/**
 * The nation says two people. Where an institution's number says one, a single other digit is taken for a mistake of writing, unless the
 * address is another one, too; without such a number both names, the birth date and a contact must agree.
 */
export function isOtherNational(pair: PairComparison): boolean {
  if (pair.numbersAgree > 0) {
    return pair.nationalDifferent || (pair.nationalOther && (pair.levels[LINE] as number) > 0);
  }
  return pair.nationalDifferent && !outweighed(pair);
}

function outweighed(pair: PairComparison): boolean {
  const { levels } = pair;
  const [given, family, dob] = [levels[GIVEN] as number, levels[FAMILY] as number, levels[BIRTH_DATE] as number];
  const sameName = given !== MISSING && given <= CLOSE && family !== MISSING && family <= CLOSE;
  return sameName && dob !== MISSING && dob <= DOB_EXACT_ESTIMATED && contactsAgree(pair);
}

function contactsAgree({ levels }: PairComparison): boolean {
  return levels[PHONE] === 0 || levels[EMAIL] === 0 || levels[LINE] === 0;
}

/** An equal identifier needs at least one other field on its side, and not both names or sex and given name against it. */
export function equalNumbers(pair: PairComparison, dob: number): number {
  const { levels } = pair;
  const given = levels[GIVEN] as number;
  const family = levels[FAMILY] as number;
  const namesSupport = isSupport(given) || isSupport(family);
  const datesSupport = dob !== MISSING && dob <= DOB_MONTH_DAY;
  const contactsSupport = contactsAgree(pair) || levels[MOTHER] === 0;
  if (!namesSupport && !datesSupport && !contactsSupport) return BITS.IDENTIFIER_ALONE;
  const namesAgainst = given === DIFFERENT && family === DIFFERENT;
  if (namesAgainst && dob !== 0) return BITS.IDENTIFIER_ALONE;
  return given === DIFFERENT && levels[GENDER] === 1 ? BITS.NAME_AND_BIRTH_DATE : 0;
}

export interface OtherNumbers {
  readonly a: PreparedRecord;
  readonly b: PreparedRecord;
  readonly pair: PairComparison;
  /** What was found against the pair before. */
  readonly bits: number;
  /** The birth dates are as far apart as parent and child. */
  readonly generationApart: boolean;
}

/** What is against a pair some of whose numbers are others; answers all bits. */
export function otherNumbers(found: OtherNumbers): number {
  const { pair, bits } = found;
  if (pair.nationalOther && pair.levels[GIVEN] === DIFFERENT && !isCareless(found)) {
    return bits | BITS.OTHER_NUMBERS_AND_DETAILS;
  }
  if (pair.numbersAgree > 0) {
    const isOther = pair.nationalOther && !keepsFamilyName(found);
    return isOther ? bits | BITS.OTHER_NUMBERS_AND_DETAILS : bits;
  }
  if (!pair.localOther) return bits;
  return pair.nationalOther ? bothOther(found) : bits | institutionsOther(found);
}

/**
 * The institution itself gave two numbers, and no national number is there to compare. Children of one birth date with two names are twins
 * then, and whoever has no name and lives elsewhere is somebody else; so is who shares a place that people pass through and has another
 * name. Another name anywhere else, or another birth date in such a place, is for a steward.
 */
function institutionsOther({ a, b, pair, bits }: OtherNumbers): number {
  const { levels } = pair;
  const [given, family] = [levels[GIVEN] as number, levels[FAMILY] as number];
  const nameless = (given === MISSING && family === MISSING) || a.unnamed || b.unnamed;
  if ((bits & BITS.TWINS) !== 0 || (nameless && livesElsewhere(a, b, levels))) return BITS.OTHER_NUMBERS_AND_DETAILS;
  const passing = a.passing || b.passing;
  if (passing && (!isNotOther(given) || !isNotOther(family))) return BITS.OTHER_NUMBERS_AND_DETAILS;
  if (given === DIFFERENT || family === DIFFERENT) return BITS.OTHER_NUMBERS;
  return passing && (levels[BIRTH_DATE] as number) > 0 ? BITS.OTHER_NUMBERS : 0;
}

/**
 * A national and an institution's number, and both are others: whoever shares name and address then is a relative, a room-mate or
 * a namesake, registered one after another. With all else equal, or where all is a slip of the hand, a steward should see it.
 */
function bothOther(found: OtherNumbers): number {
  if (!isSomebodyElse(found)) return found.bits | BITS.OTHER_NUMBERS;
  if (isCareless(found)) return (found.bits & ~BITS.HOUSEHOLD) | BITS.OTHER_NUMBERS;
  return found.bits | BITS.OTHER_NUMBERS_AND_DETAILS;
}

function isSomebodyElse(found: OtherNumbers): boolean {
  const { a, b, pair, generationApart } = found;
  const { levels } = pair;
  if (a.unnamed || b.unnamed) return true;
  if (a.passing || b.passing) return !agreesInAll(levels);
  if (livesElsewhere(a, b, levels)) return true;
  const [given, family] = [levels[GIVEN] as number, levels[FAMILY] as number];
  // Of somebody without a name the birth date was guessed.
  if (given === MISSING && family === MISSING) return false;
  const dob = levels[BIRTH_DATE] as number;
  return generationApart || dob > DOB_ONE_DIGIT || !isNotOther(given) || !keepsFamilyName(found);
}

/** Where strangers come and go, the place says nothing: names and birth date must all be there and agree. */
function agreesInAll(levels: Int8Array): boolean {
  const [given, family, dob] = [levels[GIVEN] as number, levels[FAMILY] as number, levels[BIRTH_DATE] as number];
  return given !== MISSING && family !== MISSING && isNotOther(given) && isNotOther(family) && dob === 0;
}

/** Women take another family name when they marry; who shares nothing but a place that people pass through did not. */
function keepsFamilyName({ a, b, pair }: OtherNumbers): boolean {
  if (isNotOther(pair.levels[FAMILY] as number)) return true;
  const isWoman = (a.gender === FEMALE || b.gender === FEMALE) && a.gender !== MALE && b.gender !== MALE;
  return isWoman && !a.passing && !b.passing;
}

/** Another house, or another flat of it: the last number that is written differs. A number alone, as of a post-office box, must agree. */
function livesElsewhere(a: PreparedRecord, b: PreparedRecord, levels: Int8Array): boolean {
  if ((levels[LINE] as number) <= 0) return false;
  const [one, other] = [a.address?.numbers.at(-1), b.address?.numbers.at(-1)];
  if (one === undefined || other === undefined) return a.address?.street !== b.address?.street;
  return one !== other && digitsOf(one) !== other && one !== digitsOf(other);
}

const SLIPS_OF_CARELESS = 4;
const EDITS_MAX = 2;

/**
 * Nothing is equal and nothing is far off: both numbers have one other digit, and so have house, birth date, names. A relative has the
 * family's name and house as they are and a name of his own; this record was copied by a careless hand.
 */
function isCareless({ a, b, pair, generationApart }: OtherNumbers): boolean {
  if (pair.numbersOneDigitOff < 2 || generationApart || a.passing || b.passing) return false;
  const dob = pair.levels[BIRTH_DATE] as number;
  if (dob > DOB_ONE_DIGIT) return false;
  const dateSlips = dob === DOB_SWAPPED || dob === DOB_ONE_DIGIT ? 1 : 0;
  const names = nameSlips(a.given, b.given) + nameSlips(a.family, b.family);
  return pair.numbersOneDigitOff + dateSlips + names + houseSlips(a.address, b.address) >= SLIPS_OF_CARELESS;
}

const nameSlips = (a: PreparedName | undefined, b: PreparedName | undefined): number =>
  slips(a?.joined.text, b?.joined.text);

const houseSlips = (a: PreparedRecord['address'], b: PreparedRecord['address']): number =>
  slips(a?.numbers[0], b?.numbers[0]);

/** 1 for a slip, 0 for equal or missing; another text counts beyond all. */
function slips(one: string | undefined, other: string | undefined): number {
  if (one === undefined || other === undefined || one === other) return 0;
  const edits = Math.min(one.length, other.length) < EDITS_MAX * 2 ? 1 : EDITS_MAX;
  return editDistance(one, other, edits) <= edits ? 1 : Number.NEGATIVE_INFINITY;
}
