import { normalised } from '../../kernel/normalise.ts';
import { latinOf } from './transliteration.ts';

/**
 * Folds a text to what comparison sees: lower case, no diacritics, letters of other scripts transliterated, everything that is
 * neither letter nor digit a single space. Apostrophes vanish (O'Hara = Ohara).
 *
 * Combining marks are removed for Latin, Greek, Cyrillic, Hebrew and Arabic only: in the scripts of India and South-East Asia
 * they are vowels, which are transliterated, and two names may differ in nothing else.
 */
const OPTIONAL_MARKS = marks([
  ['0300', '036f'], // combining diacritics of Latin, Greek, Cyrillic
  ['0483', '0489'], // Cyrillic
  ['0591', '05bd'], // Hebrew points
  ['05bf', '05c7'],
  ['0610', '061a'], // Arabic
  ['0640', '0640'], // tatweel, which only stretches a word
  ['064b', '065f'],
  ['0670', '0670'],
  ['06d6', '06ed'],
  ['1ab0', '1aff'],
  ['1dc0', '1dff'],
  ['20d0', '20ff'],
  ['fe20', 'fe2f'],
]);

function marks(ranges: readonly (readonly [from: string, to: string])[]): RegExp {
  return new RegExp(`[${ranges.map(([from, to]) => `\\u${from}-\\u${to}`).join('')}]`, 'g');
}

const APOSTROPHES = /['`\u00b4\u02b0-\u02c8\u2018\u2019\u201b\u2032\uff07]/g;
const NEITHER_LETTER_NOR_DIGIT = /[^\p{L}\p{N}\p{M}]+/gu;
/** Longer texts are cut: no real name or street needs more, and every later step stays bounded. */
const FOLDED_MAX = 400;

export function fold(text: string): string {
  const input = text.length > FOLDED_MAX ? text.slice(0, FOLDED_MAX) : text;
  return foldAscii(input) ?? foldUnicode(input);
}

/** The common case without regular expressions; `undefined` as soon as a character is not ASCII. */
function foldAscii(text: string): string | undefined {
  let clean = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return undefined;
    if (!((code >= 97 && code <= 122) || (code >= 48 && code <= 57))) clean = false;
  }
  return clean ? text : foldAsciiSlowly(text);
}

function foldAsciiSlowly(text: string): string {
  let out = '';
  let pendingSpace = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const lower = code >= 65 && code <= 90 ? code + 32 : code;
    if ((lower >= 97 && lower <= 122) || (lower >= 48 && lower <= 57)) {
      if (pendingSpace && out !== '') out += ' ';
      pendingSpace = false;
      out += String.fromCharCode(lower);
    } else if (code !== 39 && code !== 96) {
      pendingSpace = true;
    }
  }
  return out;
}

function foldUnicode(text: string): string {
  const plain = text.toLowerCase().replace(APOSTROPHES, '').normalize('NFKD').replace(OPTIONAL_MARKS, '').toLowerCase();
  let out = '';
  // Put together again, because a Korean syllable is one letter to transliterate and its parts are not.
  for (const letter of plain.normalize('NFC')) out += letter < '\u0080' ? letter : latinOf(letter);
  return out.toLowerCase().replace(APOSTROPHES, '').replace(NEITHER_LETTER_NOR_DIGIT, ' ').trim();
}

/** The words of a folded text. */
export function words(folded: string): string[] {
  return folded === '' ? [] : folded.split(' ');
}

export function digitsOf(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 48 && code <= 57) out += text[i];
    else if (code > 127) return digitsOfUnicode(text);
  }
  return out;
}

/** Arabic-Indic, Devanagari and other decimal digits fold to ASCII: every block of ten starts at its zero. */
function digitsOfUnicode(text: string): string {
  let out = '';
  for (const letter of normalised(text, 'NFKD')) {
    if (letter >= '0' && letter <= '9') out += letter;
    else if (/\p{Nd}/u.test(letter)) out += String(decimalValue(letter));
  }
  return out;
}

function decimalValue(digit: string): number {
  let code = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - 1))) {
    code--;
    value++;
  }
  return value;
}
