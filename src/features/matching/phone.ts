import { callingCodeLength, isNationalNumber } from './calling-codes.ts';
import { digitsOf } from './fold.ts';

/**
 * Telephone numbers down to the national significant number: international prefix (+, 00), country code (ITU-T E.164 assignments, as
 * libphonenumber keeps them) and trunk zero go, so that +256 712 300633, 0712300633 and 712 300633 are one.
 */
const NATIONAL_DIGITS_MIN = 6;
const WRITTEN_WITH_CODE_MIN = 11;

/** The comparable digits; empty for what is no telephone number (too short, one digit repeated, counted up). */
export function normalisePhone(text: string): string {
  const trimmed = text.trim();
  const digits = isDigitsOnly(trimmed) ? trimmed : digitsOf(cutExtension(trimmed));
  const national = nationalDigits(digits, trimmed.startsWith('+'));
  return isPlaceholder(national) ? '' : national.slice(-15);
}

function isDigitsOnly(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 48 || unit > 57) return false;
  }
  return true;
}

function nationalDigits(digits: string, international: boolean): string {
  if (international) return dropTrunk(digits.slice(callingCodeLength(digits)));
  if (digits.startsWith('00')) return dropTrunk(digits.slice(2 + callingCodeLength(digits.slice(2))));
  if (digits.startsWith('0')) return dropTrunk(digits);
  if (digits.length < WRITTEN_WITH_CODE_MIN) return digits;
  // Without any prefix, but longer than most national numbers: perhaps the country code is there.
  const code = callingCodeLength(digits);
  return isNationalNumber(digits.slice(0, code), digits.slice(code)) ? dropTrunk(digits.slice(code)) : digits;
}

function dropTrunk(digits: string): string {
  let start = 0;
  while (start < digits.length && digits[start] === '0') start++;
  return digits.slice(start);
}

const EXTENSION_DIGITS_MAX = 6;
const EXTENSION_SIGNS: ReadonlySet<string> = new Set(['x', '#', ';']);

/**
 * Without `ext. 12`, `x12`, `#12` or `;12` at the end. Read backwards, each character once: as one expression its blanks could be
 * shared out in so many ways that a few thousand of them would take minutes.
 */
function cutExtension(text: string): string {
  let at = text.length;
  while (at > 0 && isDigit(text.charCodeAt(at - 1))) at--;
  const digits = text.length - at;
  if (digits === 0 || digits > EXTENSION_DIGITS_MAX) return text;
  at = beforeBlanks(text, at);
  if (text[at - 1] === '.') at = beforeBlanks(text, at - 1);
  if (text.slice(Math.max(0, at - 3), at).toLowerCase() === 'ext') at -= 3;
  else if (EXTENSION_SIGNS.has(text[at - 1]?.toLowerCase() ?? '')) at -= 1;
  else return text;
  at = beforeBlanks(text, at);
  return at > 0 ? text.slice(0, at) : text;
}

function beforeBlanks(text: string, from: number): number {
  let at = from;
  while (at > 0 && /\s/.test(text[at - 1] ?? '')) at--;
  return at;
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

function isPlaceholder(digits: string): boolean {
  if (digits.length < NATIONAL_DIGITS_MIN) return true;
  const first = digits.charCodeAt(0);
  let repeated = true;
  let counted = true;
  let sameAtEnd = 1;
  for (let i = 1; i < digits.length; i++) {
    if (digits.charCodeAt(i) !== first) repeated = false;
    sameAtEnd = digits.charCodeAt(i) === digits.charCodeAt(i - 1) ? sameAtEnd + 1 : 1;
    if ((digits.charCodeAt(i) - digits.charCodeAt(i - 1) + 10) % 10 !== 1) counted = false;
  }
  return repeated || counted || sameAtEnd >= 6;
}

/** Equal, or one is the other with a prefix the rules above could not know. */
export function samePhone(a: string, b: string): boolean {
  if (a.length === b.length) return a === b;
  const longer = a.length > b.length ? a : b;
  const shorter = a.length > b.length ? b : a;
  return shorter.length >= 7 && longer.endsWith(shorter);
}
