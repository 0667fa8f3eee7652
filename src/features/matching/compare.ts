import { compareBirthDates } from './birth-date.ts';
import {
  CLOSE,
  crossAgreement,
  DIFFERENT,
  EXACT,
  compareName,
  PART,
  SIMILAR,
  SWAPPED,
  SWAPPED_CLOSE,
} from './compare-names.ts';
import { compareAddresses } from './compare-addresses.ts';
import {
  BIRTH_DATE,
  type CompiledModel,
  EMAIL,
  FAMILY,
  FIELDS,
  GENDER,
  GIVEN,
  MISSING,
  MOTHER,
  PHONE,
} from './compiled-model.ts';
import { compareIdentifiers } from './compare-identifiers.ts';
import { CONTACT_CLOSE, CONTACT_DIFFERENT, CONTACT_EXACT } from './contact-levels.ts';
import { editDistance, withinOneEdit } from './edit-distance.ts';
import { localPart } from './email.ts';
import type { PreparedName } from './name.ts';
import type { PairComparison } from './pair-comparison.ts';
import { samePhone } from './phone.ts';
import type { PreparedRecord } from './prepared-record.ts';

export function compareRecords(model: CompiledModel, a: PreparedRecord, b: PreparedRecord, out: PairComparison): void {
  const { levels } = out;
  compareNames(a, b, levels);
  levels[BIRTH_DATE] =
    a.birthDate === undefined || b.birthDate === undefined ? MISSING : compareBirthDates(a.birthDate, b.birthDate);
  levels[GENDER] = a.gender === 0 || b.gender === 0 ? MISSING : a.gender === b.gender ? 0 : 1;
  levels[PHONE] = compareContacts(a.phones, b.phones, phoneLevel);
  levels[EMAIL] = compareContacts(a.emails, b.emails, emailLevel);
  levels[MOTHER] = compareMothers(a.mothersMaidenName, b.mothersMaidenName);
  compareAddresses(a.address, b.address, levels);
  for (let field = 0; field < FIELDS.length; field++) {
    const level = levels[field] as number;
    out.weights[field] = level === MISSING ? 0 : ((model.weights[field] as Float64Array)[level] as number);
  }
  adjustByFrequency(model, a, b, out);
  compareIdentifiers(a.identifiers, b.identifiers, out);
}

function compareNames(a: PreparedRecord, b: PreparedRecord, levels: Int8Array): void {
  if (a.unknownPerson || b.unknownPerson) {
    levels[GIVEN] = levels[FAMILY] = MISSING;
    return;
  }
  const given = a.given === undefined || b.given === undefined ? MISSING : compareName(a.given, b.given);
  const family = a.family === undefined || b.family === undefined ? MISSING : compareName(a.family, b.family);
  levels[GIVEN] = given;
  levels[FAMILY] = family;
  if (isWeak(given) && isWeak(family)) lookForSwap(a, b, levels);
}

function isWeak(level: number): boolean {
  return level >= SIMILAR || level === MISSING;
}

/** Given and family name exchanged, or the only name written into the other field. */
function lookForSwap(a: PreparedRecord, b: PreparedRecord, levels: Int8Array): void {
  const there = cross(a.given, b.family);
  const back = cross(b.given, a.family);
  if (there <= 0 && back <= 0) return;
  if (there === 0 || back === 0) {
    // One name stands in the other's place, and what stood there is another.
    if (there === 2 || back === 2) levels[FAMILY] = SWAPPED_CLOSE;
    return;
  }
  if (there !== MISSING && back !== MISSING) {
    const level = there === 2 && back === 2 ? SWAPPED : SWAPPED_CLOSE;
    levels[GIVEN] = level;
    levels[FAMILY] = level;
    return;
  }
  // Only one crossing can be compared: it explains one field, the other stays as it was or missing.
  const level = (there === MISSING ? back : there) === 2 ? SWAPPED : SWAPPED_CLOSE;
  levels[levels[GIVEN] === MISSING && levels[FAMILY] !== MISSING ? FAMILY : GIVEN] = level;
}

function cross(given: PreparedName | undefined, family: PreparedName | undefined): number {
  return given === undefined || family === undefined ? MISSING : crossAgreement(given, family);
}

function compareMothers(a: PreparedName | undefined, b: PreparedName | undefined): number {
  if (a === undefined || b === undefined) return MISSING;
  const level = compareName(a, b);
  if (level === EXACT) return CONTACT_EXACT;
  return level === PART || level === CLOSE ? CONTACT_CLOSE : CONTACT_DIFFERENT;
}

export function compareContacts(
  a: readonly string[],
  b: readonly string[],
  compare: (left: string, right: string) => number,
): number {
  if (a.length === 0 || b.length === 0) return MISSING;
  let best = CONTACT_DIFFERENT;
  for (const left of a) {
    for (const right of b) {
      const level = compare(left, right);
      if (level < best) best = level;
    }
  }
  return best;
}

export function phoneLevel(left: string, right: string): number {
  if (samePhone(left, right)) return CONTACT_EXACT;
  return withinOneEdit(left, right) ? CONTACT_CLOSE : CONTACT_DIFFERENT;
}

const LOCAL_PART_LENGTH_MIN = 6;

const EMAIL_LENGTH_MIN = 12;

/** Close: two edits in a long address, or the same long local part at another provider. */
export function emailLevel(left: string, right: string): number {
  if (left === right) return CONTACT_EXACT;
  if (withinOneEdit(left, right)) return CONTACT_CLOSE;
  if (left.length >= EMAIL_LENGTH_MIN && right.length >= EMAIL_LENGTH_MIN && editDistance(left, right, 2) <= 2) {
    return CONTACT_CLOSE;
  }
  const local = localPart(left);
  return local.length >= LOCAL_PART_LENGTH_MIN && local === localPart(right) ? CONTACT_CLOSE : CONTACT_DIFFERENT;
}

/**
 * Exact agreement weighs log2(m / share of the name) instead of log2(m / u). Weaker agreements keep half of the difference:
 * a close match to a common name is less of a surprise too. Both names' shares count, the commoner one decides.
 */
function adjustByFrequency(model: CompiledModel, a: PreparedRecord, b: PreparedRecord, out: PairComparison): void {
  adjustField(GIVEN, model.exactLog2U[0], a.given, b.given, out);
  adjustField(FAMILY, model.exactLog2U[1], a.family, b.family, out);
}

function adjustField(
  field: number,
  exactLog2U: number,
  a: PreparedName | undefined,
  b: PreparedName | undefined,
  out: PairComparison,
): void {
  const level = out.levels[field] as number;
  if (level === MISSING || level === DIFFERENT || a === undefined || b === undefined) return;
  if (level === SWAPPED || level === SWAPPED_CLOSE) return;
  const share = a.shareLog2 > b.shareLog2 ? a.shareLog2 : b.shareLog2;
  const change = exactLog2U - share;
  // Weaker agreements are only ever weakened: a rare name one letter off may be another rare name.
  const kept = level === EXACT ? change : Math.min(0, change / 2);
  out.weights[field] = (out.weights[field] as number) + kept;
}
