import type { PairComparison } from './pair-comparison.ts';
import { type CompiledIdentifierKind, MISSING } from './compiled-model.ts';
import { CONTACT_CLOSE, CONTACT_DIFFERENT, CONTACT_EXACT } from './contact-levels.ts';
import { editDistance, withinOneEdit } from './edit-distance.ts';
import type { PreparedIdentifier } from './prepared-record.ts';

const IDENTIFIER_STEPS = 2 ** 32;

/** Compares the identifiers of two records system by system and writes what came of it. */
export function compareIdentifiers(
  a: readonly PreparedIdentifier[],
  b: readonly PreparedIdentifier[],
  out: PairComparison,
): void {
  let steps = 0;
  out.identifiersEqual = 0;
  out.numbersAgree = 0;
  out.nationalDifferent = false;
  out.nationalOther = false;
  out.localOther = false;
  out.numbersOneDigitOff = 0;
  for (let i = 0; i < a.length; i++) {
    const left = a[i] as PreparedIdentifier;
    if (isLaterOfSystem(a, i)) continue;
    const level = bestOfSystem(a, b, left.system);
    if (level === MISSING) continue;
    // In whole steps, whose sum is exact: added in another order, fractions would differ in their last bit.
    steps += Math.round((left.kind.weights[level] as number) * IDENTIFIER_STEPS);
    if (level === CONTACT_EXACT && left.kind.kind !== 'shared') {
      out.identifiersEqual++;
      out.numbersAgree++;
    }
    if (level === CONTACT_EXACT) continue;
    if (level === CONTACT_CLOSE && isSlip(a, b, left.system)) {
      if (left.kind.kind === 'national') out.numbersAgree++;
      continue;
    }
    noteOther(left.kind.kind, level, out);
  }
  out.identifierWeight = steps / IDENTIFIER_STEPS;
}

/** A number that is another one, and no slip of the hand. */
function noteOther(kind: CompiledIdentifierKind['kind'], level: number, out: PairComparison): void {
  if (kind === 'local') {
    out.localOther = true;
    if (level === CONTACT_CLOSE) out.numbersOneDigitOff++;
  }
  if (kind !== 'national') return;
  out.nationalOther = true;
  if (level === CONTACT_DIFFERENT) out.nationalDifferent = true;
  else out.numbersOneDigitOff++;
}

/** A record may have several identifiers of one system; the system is compared once, at its first. */
export function isLaterOfSystem(identifiers: readonly PreparedIdentifier[], index: number): boolean {
  const system = (identifiers[index] as PreparedIdentifier).system;
  for (let i = 0; i < index; i++) if ((identifiers[i] as PreparedIdentifier).system === system) return true;
  return false;
}

export function bestOfSystem(
  a: readonly PreparedIdentifier[],
  b: readonly PreparedIdentifier[],
  system: string,
): number {
  let best = MISSING;
  for (const left of a) {
    if (left.system !== system) continue;
    for (const right of b) {
      if (right.system !== system || isFragment(left.value, right.value)) continue;
      const level = checkedLevel(identifierLevel(left.value, right.value), left.miswritten || right.miswritten);
      if (level === MISSING) continue;
      if (best === MISSING || level < best) best = level;
    }
  }
  return best;
}

/**
 * What a number with a wrong check digit is worth: somebody wrote it down wrongly. Two records with the same wrong number have
 * copied it from each other or slipped alike, which is less than agreement; that another number differs from it says nothing.
 */
export function checkedLevel(level: number, miswritten: boolean): number {
  if (!miswritten || level === CONTACT_CLOSE) return level;
  return level === CONTACT_EXACT ? CONTACT_CLOSE : MISSING;
}

const CLOSE_IDENTIFIER_LENGTH_MIN = 6;
const WHOLE_LENGTH_MIN = 7;

/** What is less than half as long as the other number, and not its end, is a piece of some number: it says nothing of either. */
function isFragment(left: string, right: string): boolean {
  const isPiece = left.length * 2 < right.length || right.length * 2 < left.length;
  return isPiece && left.length + right.length >= WHOLE_LENGTH_MIN && !isLastPart(left, right);
}

export function identifierLevel(left: string, right: string): number {
  if (left === right) return CONTACT_EXACT;
  if (isCloseNumber(left, right) || isLastPart(left, right)) return CONTACT_CLOSE;
  if (hasLetters(left) === hasLetters(right)) return CONTACT_DIFFERENT;
  return isCloseNumber(withoutLetters(left), withoutLetters(right)) ? CONTACT_CLOSE : CONTACT_DIFFERENT;
}

function isCloseNumber(left: string, right: string): boolean {
  if (left.length < CLOSE_IDENTIFIER_LENGTH_MIN || right.length < CLOSE_IDENTIFIER_LENGTH_MIN) return false;
  return withinOneEdit(left, right) || slippedTwice(left, right);
}

const TWO_SLIPS_LENGTH_MIN = 7;

/** A long number in which the hand slipped twice, places lost or gained among it: two other digits would be another number. */
function slippedTwice(left: string, right: string): boolean {
  if (left.length === right.length) return false;
  if (left.length < TWO_SLIPS_LENGTH_MIN || right.length < TWO_SLIPS_LENGTH_MIN) return false;
  return editDistance(left, right, 2) <= 2;
}

const LAST_PART_LENGTH = 4;
const ZERO = 48;

/** Some write the last four digits only; of them leading zeros are gone by now, but for one digit alone. */
function isLastPart(left: string, right: string): boolean {
  const shorter = left.length < right.length ? left : right;
  const longer = left.length < right.length ? right : left;
  if (shorter.length < 2 || longer.length < WHOLE_LENGTH_MIN) return false;
  if (!longer.endsWith(shorter)) return false;
  for (let place = shorter.length + 1; place <= LAST_PART_LENGTH; place++) {
    if (longer.charCodeAt(longer.length - place) !== ZERO) return false;
  }
  return true;
}

/** Two numbers of the system differ as a hand slips: a place more or less, a letter among digits, two neighbours exchanged. */
function isSlip(a: readonly PreparedIdentifier[], b: readonly PreparedIdentifier[], system: string): boolean {
  for (const left of a) {
    if (left.system !== system) continue;
    for (const right of b) {
      if (right.system !== system || identifierLevel(left.value, right.value) !== CONTACT_CLOSE) continue;
      if (isSlipOf(left.value, right.value)) return true;
    }
  }
  return false;
}

/**
 * A letter that only one of two numbers has was typed into it: the digits alone say what the number is. Places left out leave the others
 * in their order; equally long numbers that are close have two neighbours exchanged, or one place that is another.
 */
function isSlipOf(left: string, right: string): boolean {
  const typedInto = hasLetters(left) !== hasLetters(right);
  const a = typedInto ? withoutLetters(left) : left;
  const b = typedInto ? withoutLetters(right) : right;
  if (a.length === b.length) return a === b || placesApart(a, b) === 2;
  return a.length < b.length ? isLeftOf(a, b) : isLeftOf(b, a);
}

/** The shorter is what is left of the longer when places are left out. */
function isLeftOf(shorter: string, longer: string): boolean {
  let found = 0;
  for (let at = 0; at < longer.length && found < shorter.length; at++) {
    if (longer.charCodeAt(at) === shorter.charCodeAt(found)) found++;
  }
  return found === shorter.length;
}

function placesApart(left: string, right: string): number {
  let apart = 0;
  for (let at = 0; at < left.length; at++) if (left.charCodeAt(at) !== right.charCodeAt(at)) apart++;
  return apart;
}

const isDigit = (unit: number): boolean => unit >= ZERO && unit <= 57;

function hasLetters(value: string): boolean {
  for (let at = 0; at < value.length; at++) if (!isDigit(value.charCodeAt(at))) return true;
  return false;
}

function withoutLetters(value: string): string {
  let out = '';
  for (let at = 0; at < value.length; at++) if (isDigit(value.charCodeAt(at))) out += value[at];
  return out;
}
