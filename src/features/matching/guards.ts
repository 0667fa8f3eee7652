import { BIRTH_DATE_LEVELS, digitsApart, yearsApart } from './birth-date.ts';
import type { PairComparison } from './pair-comparison.ts';
import { CLOSE, DIFFERENT, EXACT, INITIAL, NICKNAME, PART, SIMILAR, SWAPPED } from './compare-names.ts';
import {
  BIRTH_DATE,
  type CompiledModel,
  EMAIL,
  FAMILY,
  GENDER,
  GIVEN,
  LINE,
  MISSING,
  MOTHER,
  PHONE,
} from './compiled-model.ts';
import type { PreparedRecord } from './prepared-record.ts';

/**
 * Signs that two records that agree in much are two people nevertheless. People of one household share family name,
 * telephone and address, and a sum of weights cannot know that; twins share the birth date as well, parent and child sometimes
 * the whole name, and a child may be registered under its mother's identifier. A contradiction never links automatically:
 * it leaves a review, or nothing where the household explains the likeness better.
 */
export const CONTRADICTIONS = [
  'different-name-and-birth-date',
  'different-birth-date',
  'household',
  'twins',
  'multiple-birth',
  'unnamed-child',
  'parent-and-child',
  'different-generation',
  'different-identifier',
  'identifier-alone',
  'other-numbers',
  'other-numbers-and-details',
  'impossible-birth-date',
] as const;
export type Contradiction = (typeof CONTRADICTIONS)[number];

const bit = (name: Contradiction): number => 1 << CONTRADICTIONS.indexOf(name);
const NAME_AND_BIRTH_DATE = bit('different-name-and-birth-date');
const OTHER_BIRTH_DATE = bit('different-birth-date');
const HOUSEHOLD = bit('household');
const TWINS = bit('twins');
const MULTIPLE_BIRTH = bit('multiple-birth');
const UNNAMED = bit('unnamed-child');
const PARENT_AND_CHILD = bit('parent-and-child');
const GENERATION = bit('different-generation');
const IDENTIFIER = bit('different-identifier');
const IDENTIFIER_ALONE = bit('identifier-alone');
const OTHER_NUMBERS = bit('other-numbers');
const OTHER_NUMBERS_AND_DETAILS = bit('other-numbers-and-details');
const IMPOSSIBLE_BIRTH_DATE = bit('impossible-birth-date');

/** Contradictions after which not even a review is worth a steward's time. */
export const NOT_EVEN_REVIEW = HOUSEHOLD | OTHER_NUMBERS_AND_DETAILS;
/** Of these not even where another identifier is equal. */
export const NEVER_WORTH_A_LOOK = OTHER_NUMBERS_AND_DETAILS;

const DOB_DIFFERENT = BIRTH_DATE_LEVELS.indexOf('different');
const DOB_EXACT_ESTIMATED = BIRTH_DATE_LEVELS.indexOf('exact-estimated');
const DOB_SWAPPED = BIRTH_DATE_LEVELS.indexOf('day-month-swapped');
const DOB_TWO_DIGITS = BIRTH_DATE_LEVELS.indexOf('two-digits');
const DOB_NEAR_YEAR = BIRTH_DATE_LEVELS.indexOf('near-year');
const DOB_ONE_DIGIT = BIRTH_DATE_LEVELS.indexOf('one-digit');
const DOB_MONTH_DAY = BIRTH_DATE_LEVELS.indexOf('month-day');

/** The contradictions of a compared pair, as bits in the order of CONTRADICTIONS. */
export function findContradictions(
  model: CompiledModel,
  a: PreparedRecord,
  b: PreparedRecord,
  pair: PairComparison,
): number {
  const given = pair.levels[GIVEN] as number;
  const dob = pair.levels[BIRTH_DATE] as number;
  let bits = 0;
  if (given === DIFFERENT || (given === SIMILAR && pair.levels[GENDER] === 1)) bits |= differentGiven(pair, dob);
  else bits |= differentBirthDate(pair, given, dob);
  if (a.multipleBirth || b.multipleBirth) bits |= multipleBirth(pair, given);
  if ((a.unnamed || b.unnamed) && pair.identifiersEqual === 0) bits |= UNNAMED;
  if (isOtherGeneration(model, a, b, dob) && !surelyOnePerson(pair, given)) bits |= PARENT_AND_CHILD;
  if (a.generation !== 0 && b.generation !== 0 && a.generation !== b.generation) bits |= GENERATION;
  if (isOtherNational(pair, given, dob)) bits |= IDENTIFIER;
  if (isMadeUp(a.impossibleBirthDate, b.birthDate) || isMadeUp(b.impossibleBirthDate, a.birthDate)) {
    bits |= IMPOSSIBLE_BIRTH_DATE;
  }
  if (pair.identifiersEqual > 0) bits |= identifierContradictions(pair, dob);
  else if (pair.nationalOther && pair.localOther) bits |= otherNumbers(pair, dob);
  if (pair.nationalOther && given === DIFFERENT) bits |= OTHER_NUMBERS_AND_DETAILS;
  return bits;
}

/** Two institutions' identifiers and the given name agree: the rest is a mistake of writing. */
function surelyOnePerson(pair: PairComparison, given: number): boolean {
  return pair.identifiersEqual > 1 && given !== DIFFERENT && given !== MISSING;
}

const SLIPS_MAX = 2;

/**
 * A date that no calendar has and that is no slip of the other's was made up: what else of the record was, a steward should say.
 * With two digits wrong it is a mistake of writing, and counts as missing.
 */
function isMadeUp(impossible: number, other: PreparedRecord['birthDate']): boolean {
  return impossible > 0 && other !== undefined && digitsApart(impossible, other.digits) > SLIPS_MAX;
}

/**
 * The nation says two people, and what agrees does not outweigh it. Where an institution's number says one person, a single other
 * digit is taken for a mistake of writing, unless the address is another one, too.
 */
function isOtherNational(pair: PairComparison, given: number, dob: number): boolean {
  if (pair.nationalDifferent) return !outweighed(pair, given, dob);
  return pair.nationalOther && pair.identifiersEqual > 0 && (pair.levels[LINE] as number) > 0;
}

/** Both names, the birth date and another identifier or a contact agree: one card number was written down wrongly. */
function outweighed(pair: PairComparison, given: number, dob: number): boolean {
  const { levels } = pair;
  const family = levels[FAMILY] as number;
  const sameName = given !== MISSING && given <= CLOSE && family !== MISSING && family <= CLOSE;
  if (!sameName || dob === MISSING || dob > DOB_EXACT_ESTIMATED) return false;
  return pair.identifiersEqual > 0 || contactsAgree(pair);
}

function contactsAgree({ levels }: PairComparison): boolean {
  return levels[PHONE] === 0 || levels[EMAIL] === 0 || levels[LINE] === 0;
}

/**
 * Another given name: with the same birth date perhaps a twin, without it somebody of the same household. An equal identifier does
 * not settle it, because children are registered under their mother's.
 */
function differentGiven(pair: PairComparison, dob: number): number {
  const sameBirthDate = dob !== MISSING && dob <= DOB_SWAPPED;
  if (pair.identifiersEqual === 0) {
    // Neither name agrees, or each has a card of their own: the rest is the household's.
    const isOther = pair.levels[FAMILY] === DIFFERENT || pair.nationalDifferent;
    return sameBirthDate && !isOther ? TWINS : HOUSEHOLD;
  }
  if (sameBirthDate) return pair.identifiersEqual > 1 ? 0 : TWINS;
  return dob === MISSING || dob === DOB_ONE_DIGIT ? 0 : NAME_AND_BIRTH_DATE;
}

/**
 * Another birth date and no identifier: telephone and address speak for the household, so the names alone must carry it. A name
 * that is merely similar cannot, and with a wholly different date neither can a close one: brothers are called Marc and Mark.
 */
function differentBirthDate(pair: PairComparison, given: number, dob: number): number {
  if (pair.identifiersEqual > 0 || (dob !== DOB_DIFFERENT && dob !== DOB_TWO_DIGITS && dob !== DOB_NEAR_YEAR)) return 0;
  if (given >= SIMILAR && given <= INITIAL) return HOUSEHOLD;
  if (dob !== DOB_DIFFERENT || isNamesake(pair, given)) return 0;
  return isSameFullName(pair, given) ? OTHER_BIRTH_DATE : HOUSEHOLD;
}

function isSameFullName({ levels }: PairComparison, given: number): boolean {
  const family = levels[FAMILY] as number;
  return (given === EXACT && (family === EXACT || family === MISSING)) || (given === SWAPPED && family === SWAPPED);
}

/**
 * One household gives one full name twice only from parent to child, which has its own guard; an e-mail address is one person's
 * anyway. So with such agreement a different birth date is more likely a mistake than another person.
 */
function isNamesake(pair: PairComparison, given: number): boolean {
  const { levels } = pair;
  const family = levels[FAMILY] as number;
  if (levels[EMAIL] === 0) return isSupport(given) && isSupport(family);
  return isSameFullName(pair, given) && (levels[PHONE] === 0 || levels[LINE] === 0);
}

/** Where one is known to be a twin, a similar given name (Hassan, Hussein) is no typing error. */
function multipleBirth(pair: PairComparison, given: number): number {
  if (pair.identifiersEqual > 1) return 0;
  return given === EXACT || given === PART || given === NICKNAME ? 0 : MULTIPLE_BIRTH;
}

function isOtherGeneration(model: CompiledModel, a: PreparedRecord, b: PreparedRecord, dob: number): boolean {
  if (dob !== DOB_DIFFERENT && dob !== DOB_MONTH_DAY && dob !== DOB_TWO_DIGITS) return false;
  if (a.birthDate === undefined || b.birthDate === undefined) return false;
  return yearsApart(a.birthDate, b.birthDate) >= model.document.guards.generationYears;
}

/**
 * A national number and an institution's number, and both are others: whoever shares name and address then is a relative, a room-mate or
 * a namesake, registered one after another. With everything else equal a steward should see whether somebody got two cards.
 */
function otherNumbers({ levels }: PairComparison, dob: number): number {
  const given = levels[GIVEN] as number;
  const family = levels[FAMILY] as number;
  const line = levels[LINE] as number;
  const differs = given > CLOSE || family > CLOSE || dob > 0 || line > 0;
  return differs ? OTHER_NUMBERS_AND_DETAILS : OTHER_NUMBERS;
}

/** An equal identifier needs at least one other field on its side, and not both names or sex and given name against it. */
function identifierContradictions(pair: PairComparison, dob: number): number {
  const { levels } = pair;
  const given = levels[GIVEN] as number;
  const family = levels[FAMILY] as number;
  const namesSupport = isSupport(given) || isSupport(family);
  const datesSupport = dob !== MISSING && dob <= DOB_MONTH_DAY;
  const contactsSupport = contactsAgree(pair) || levels[MOTHER] === 0;
  if (!namesSupport && !datesSupport && !contactsSupport) return IDENTIFIER_ALONE;
  const namesAgainst = given === DIFFERENT && family === DIFFERENT;
  if (namesAgainst && dob !== 0) return IDENTIFIER_ALONE;
  return given === DIFFERENT && levels[GENDER] === 1 ? NAME_AND_BIRTH_DATE : 0;
}

function isSupport(level: number): boolean {
  return level !== MISSING && level !== DIFFERENT && level !== INITIAL && level !== SIMILAR;
}

const NAMES_OF_BITS: readonly (readonly Contradiction[])[] = Array.from(
  { length: 1 << CONTRADICTIONS.length },
  (_, bits) => CONTRADICTIONS.filter((_name, index) => (bits & (1 << index)) !== 0),
);

/** The shared list of names for a set of bits; allocates nothing. */
export function contradictionNames(bits: number): readonly Contradiction[] {
  return NAMES_OF_BITS[bits] ?? [];
}
