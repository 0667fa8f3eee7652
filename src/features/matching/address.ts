import type { MatchAddress } from './model.ts';
import { fold, words } from './fold.ts';
import { type LetterPairs, letterPairs } from './letter-pairs.ts';

/** An address as comparison sees it. Every part may be empty, which means missing. */
export interface PreparedAddress {
  /** House, flat or box numbers in the order written: "69", "12a". */
  readonly numbers: readonly string[];
  /** The street's words without its kind (street, avenue, rue …), joined by spaces. */
  readonly street: string;
  /** Pairs of neighbouring letters of the street, for likeness whatever the order of its words. */
  readonly letterPairs: LetterPairs;
  readonly city: string;
  readonly state: string;
  readonly postalCode: string;
}

/** Words that name the kind of a street or unit. They are written, cut and left out at will, so they carry nothing. */
const KINDS = new Set(
  (
    'street st str road rd avenue ave av avenida lane ln drive dr drv court ct crescent cr cres close cl place pl plaza terrace tce ter ' +
    'boulevard blvd bd parade pde circuit cct way highway hwy square sq grove gr gardens gdns rise row walk track trail trl parkway pkwy ' +
    'circle cir loop mews esplanade rue route rte chemin allee strasse weg platz gasse via viale calle carrera rua travessa praca ' +
    'apt apartment flat unit suite ste room floor block blk building bldg house plot lot villa extension extensions number no nr box po p o'
  ).split(' '),
);
/** A "general delivery" says where letters lie, not where anybody lives: no line at all. */
const NO_HOME = new Set(['general delivery', 'poste restante', 'lista de correos', 'postlagernd']);
/**
 * Places that people pass through, one stranger after another, and where letters are kept for many: who shares one with somebody shares no
 * home. Homes for the old are left out: who lives there stays.
 */
const PASSING =
  /\b(c o|care of|usps|mail (program|center|centre|store|drop)|ups store|prison|jail|penitentiary|correctional|detention|carcel|prision|gefangnis|justizvollzugsanstalt|dorm|dormitory|hostel|boarding school|barracks|caserne|cuartel|kaserne|shelter|(refugee|transit) camp|orphanage)\b/;
const HAS_DIGIT = /[0-9]/;
const SKIP = new Set('unknown none na n a nil null not known homeless no fixed abode address xx xxx'.split(' '));

export function prepareAddress(address: MatchAddress): PreparedAddress | undefined {
  const numbers: string[] = [];
  const streetWords: string[] = [];
  for (const word of words(fold(withoutEscapes(address.line.join(' '))))) {
    if (HAS_DIGIT.test(word)) numbers.push(stripZeros(word));
    else if (!KINDS.has(word) && !SKIP.has(word)) streetWords.push(word);
  }
  const written = streetWords.slice(0, 8).join(' ');
  const street = NO_HOME.has(written) ? '' : written;
  const prepared: PreparedAddress = {
    numbers: numbers.slice(0, 4),
    street,
    letterPairs: letterPairs(street),
    city: place(address.city),
    state: place(address.state),
    postalCode: postalCode(address.postalCode),
  };
  const empty = numbers.length === 0 && prepared.street === '' && prepared.city === '';
  return empty && prepared.state === '' && prepared.postalCode === '' ? undefined : prepared;
}

/** True for a place that people pass through. */
export function isPassing(address: MatchAddress): boolean {
  return PASSING.test(fold(withoutEscapes(address.line.join(' '))));
}

/** Some programs write the end of a line as a backslash and an n. */
function withoutEscapes(text: string): string {
  return text.includes('\\') ? text.replaceAll(/\\[nrt]/g, ' ') : text;
}

function place(text: string | undefined): string {
  if (text === undefined) return '';
  const folded = fold(text);
  return SKIP.has(folded) || folded === 'n a' ? '' : folded;
}

/** Letters and digits only; the extension of a US ZIP+4 goes, and so do leading zeros, which spreadsheets eat. */
function postalCode(text: string | undefined): string {
  if (text === undefined) return '';
  const zip4 = /^\s*(\d{5})-\d{4}\s*$/.exec(text);
  const folded = stripZeros(fold(zip4?.[1] ?? text).replaceAll(' ', ''));
  return SKIP.has(folded) || /^9{4,}$/.test(folded) ? '' : folded;
}

function stripZeros(word: string): string {
  let start = 0;
  while (start < word.length && word.charCodeAt(start) === 48) start++;
  return word.slice(start);
}
