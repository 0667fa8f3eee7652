import { normalised } from '../kernel/normalise.ts';

/**
 * How texts are compared in a search: without case, accents, punctuation and spare white space (R4 §3.1.1.4.8). Search terms are
 * made from the same folded text as the exact test, so that whatever the test accepts is found by its terms.
 */

/** Letters that Unicode does not decompose, though people type them without their stroke. */
const UNDECOMPOSED: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  đ: 'd',
  ħ: 'h',
  ı: 'i',
  ŋ: 'n',
  ŧ: 't',
  ɓ: 'b',
  ɗ: 'd',
  ƙ: 'k',
  ɛ: 'e',
  ɔ: 'o',
};
/**
 * Accents of Latin, Greek and Cyrillic, Hebrew points, Arabic harakat. Not all combining marks: in Indic and Thai writing
 * they are vowels, without which different names would be one.
 */
const ACCENTS = /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u065f\u0670]/g;
/** Left out without a gap: O'Brien is OBrien. */
const APOSTROPHES = /['’‘ʼʻ`´]/g;
const GAPS = /[\p{P}\p{S}\p{Z}\p{Cc}\p{Cf}]+/gu;

export function fold(text: string): string {
  const plain = /^[\x20-\x7e]*$/.test(text)
    ? text.toLowerCase()
    : normalised(text, 'NFKD')
        .toLowerCase()
        .replace(ACCENTS, '')
        .replace(/[ßæœøðþłđħıŋŧɓɗƙɛɔ]/g, (letter) => UNDECOMPOSED[letter] ?? letter);
  const folded = /^[a-z0-9]*$/.test(plain) ? plain : plain.replace(APOSTROPHES, '').replace(GAPS, ' ').trim();
  // A value of nothing but punctuation still has to be found by itself.
  return folded === '' ? plain.trim() : folded;
}

/** Does the value, or a word in it, start with the query? Both are folded already. */
export function startsWith(folded: string, query: string): boolean {
  return folded.startsWith(query) || folded.includes(` ${query}`);
}

/** The value and each word in it to the end: what a query may be the start of. */
export function wordStarts(folded: string): string[] {
  const starts = [folded];
  for (let space = folded.indexOf(' '); space >= 0; space = folded.indexOf(' ', space + 1)) {
    starts.push(folded.slice(space + 1));
  }
  return starts;
}

/** Significant digits of a telephone number: no separators, no leading zeros, no (0) that is dialled inland only. */
export function phoneDigits(text: string): string {
  return text.replace('(0)', '').replace(/\D/g, '').replace(/^0+/, '');
}

/** Digits that two writings of one number share at least. */
export const PHONE_COMMON_DIGITS = 7;

/** Is it the same number, one of them perhaps without country code? Shorter ones must be equal. */
export function samePhone(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.length < PHONE_COMMON_DIGITS || b.length < PHONE_COMMON_DIGITS) return false;
  return a.endsWith(b) || b.endsWith(a);
}
