import { BIRTH_DATE_LEVELS, isSlipOfDate, yearsApart } from './birth-date.ts';
import { DIFFERENT, EXACT, INITIAL, NICKNAME, PART, SIMILAR, SWAPPED } from './compare-names.ts';
import {
  BIRTH_DATE,
  type CompiledModel,
  EMAIL,
  FAMILY,
  GENDER,
  GIVEN,
  LINE,
  MISSING,
  PHONE,
} from './compiled-model.ts';
import { BITS } from './contradictions.ts';
import { JUNIOR, SENIOR } from './name.ts';
import { equalNumbers, isOtherNational, isSupport, otherNumbers } from './number-guards.ts';
import type { PairComparison } from './pair-comparison.ts';
import type { PreparedRecord } from './prepared-record.ts';

const DOB_DIFFERENT = BIRTH_DATE_LEVELS.indexOf('different');
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
  if ((a.unnamed || b.unnamed) && pair.numbersAgree === 0) bits |= BITS.UNNAMED;
  const isSure = surelyOnePerson(pair, given);
  const generationApart = isGenerationApart(model, a, b);
  if (generationApart && isOtherYear(dob) && !isSure) bits |= BITS.PARENT_AND_CHILD;
  bits |= generationMarks(a.generation, b.generation, isSure);
  if (isOtherNational(pair)) bits |= BITS.IDENTIFIER;
  if (isMadeUp(a.impossibleBirthDate, b.birthDate) || isMadeUp(b.impossibleBirthDate, a.birthDate)) {
    bits |= BITS.IMPOSSIBLE_BIRTH_DATE;
  }
  if (pair.numbersAgree > 0) bits |= equalNumbers(pair, dob);
  if (pair.identifiersEqual === 0 && !isSomebody(pair, given, dob)) bits |= BITS.NO_NAME_AGREES;
  if (pair.nationalOther || pair.localOther) bits = otherNumbers({ a, b, pair, bits, generationApart });
  return bits;
}

/** Two institutions' identifiers and the given name agree: the rest is a mistake of writing. */
function surelyOnePerson(pair: PairComparison, given: number): boolean {
  return pair.numbersAgree > 1 && given !== DIFFERENT && given !== MISSING;
}

/** A name agrees, an e-mail address, or a number but for a slip and the birth date with it: home and mother are the family's. */
function isSomebody(pair: PairComparison, given: number, dob: number): boolean {
  if (isSupport(given) || isSupport(pair.levels[FAMILY] as number) || pair.levels[EMAIL] === 0) return true;
  return pair.numbersAgree > 0 && dob === 0;
}

/**
 * What is written as a date, is none and is no slip of the other's was made up, or says that nobody knew: what else of the record was made
 * up, a steward should say. With two slips (one in a part of a date) it is a mistake of writing, and counts as missing.
 */
function isMadeUp(impossible: string, other: PreparedRecord['birthDate']): boolean {
  return impossible !== '' && other !== undefined && !isSlipOfDate(impossible, other);
}

const orderOf = (mark: number): number => (mark >= SENIOR ? mark - SENIOR + 1 : mark);

/**
 * First and third: a numeral may have lost a stroke, where everything else says one person. Senior and junior were written to tell two
 * people of one name apart, and for nothing else: their numbers and dates are mixed up more often than the words.
 */
function generationMarks(one: number, other: number, isSure: boolean): number {
  if (one === 0 || other === 0 || orderOf(one) === orderOf(other)) return 0;
  if (one + other === SENIOR + JUNIOR) return BITS.SENIOR_AND_JUNIOR;
  return isSure ? 0 : BITS.GENERATION;
}

/**
 * Another given name: with the same birth date perhaps a twin, without it somebody of the same household. An equal identifier does
 * not settle it, because children are registered under their mother's.
 */
function differentGiven(pair: PairComparison, dob: number): number {
  const sameBirthDate = dob !== MISSING && dob <= DOB_SWAPPED;
  if (pair.numbersAgree === 0) {
    // Neither name agrees, or each has a card of their own: the rest is the household's.
    const isOther = pair.levels[FAMILY] === DIFFERENT || pair.nationalDifferent;
    return sameBirthDate && !isOther ? BITS.TWINS : BITS.HOUSEHOLD;
  }
  if (sameBirthDate) return pair.numbersAgree > 1 ? 0 : BITS.TWINS;
  return dob === MISSING || dob === DOB_ONE_DIGIT ? 0 : BITS.NAME_AND_BIRTH_DATE;
}

/**
 * Another birth date and no identifier: telephone and address speak for the household, so the names alone must carry it. A name
 * that is merely similar cannot, and with a wholly different date neither can a close one: brothers are called Marc and Mark.
 */
function differentBirthDate(pair: PairComparison, given: number, dob: number): number {
  if (pair.numbersAgree > 0 || (dob !== DOB_DIFFERENT && dob !== DOB_TWO_DIGITS && dob !== DOB_NEAR_YEAR)) return 0;
  // Without any name it is the numbers and the home that say who it is; nothing of that links by itself.
  if (given === MISSING && pair.levels[FAMILY] === MISSING) return 0;
  if (given >= SIMILAR && given <= INITIAL) return BITS.HOUSEHOLD;
  if (dob !== DOB_DIFFERENT || isNamesake(pair, given)) return 0;
  return isSameFullName(pair, given) ? BITS.OTHER_BIRTH_DATE : BITS.HOUSEHOLD;
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
  if (pair.numbersAgree > 1) return 0;
  return given === EXACT || given === PART || given === NICKNAME ? 0 : BITS.MULTIPLE_BIRTH;
}

function isGenerationApart(model: CompiledModel, a: PreparedRecord, b: PreparedRecord): boolean {
  if (a.birthDate === undefined || b.birthDate === undefined) return false;
  return yearsApart(a.birthDate, b.birthDate) >= model.document.guards.generationYears;
}

/** No single digit explains it. */
function isOtherYear(dob: number): boolean {
  return dob === DOB_DIFFERENT || dob === DOB_MONTH_DAY || dob === DOB_TWO_DIGITS;
}
