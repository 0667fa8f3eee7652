import { withinOneEdit } from './edit-distance.ts';
import { jaroWinkler } from './jaro-winkler.ts';
import { bitCount } from './letter-pairs.ts';
import { NAME_LEVELS } from './model-document.ts';
import type { NameWord, PreparedName } from './name.ts';
import { shareNickname } from './nicknames.ts';

const level = (name: (typeof NAME_LEVELS)[number]): number => NAME_LEVELS.indexOf(name);
export const EXACT = level('exact');
export const PART = level('part');
export const NICKNAME = level('nickname');
export const CLOSE = level('close');
export const SIMILAR = level('similar');
export const INITIAL = level('initial');
export const SWAPPED = level('swapped');
export const SWAPPED_CLOSE = level('swapped-close');
export const DIFFERENT = level('different');

/** Winkler's own cut for "probably a typing error", and the looser one below which names of strangers crowd in. */
const CLOSE_SIMILARITY = 0.92;
export const SIMILAR_SIMILARITY = 0.86;
/** Equal sound counts only where the letters are not too far apart: Rosa and Luis sound alike to a coarse code. */
export const SOUND_SIMILARITY = 0.75;
/** One edit in a name of three letters makes another name: Ann, Dan, Ian. */
const ONE_EDIT_LENGTH_MIN = 4;

/** The level two names of one kind reach. Symmetric; lower is stronger but for the order of `initial`. */
export function compareName(a: PreparedName, b: PreparedName): number {
  if (a.joined === b.joined || a.joined.text === b.joined.text) return EXACT;
  if (a.words.length === 1 && b.words.length === 1) return compareWord(a.words[0] as NameWord, b.words[0] as NameWord);
  return compareSeveralWords(a, b);
}

export function compareWord(a: NameWord, b: NameWord): number {
  if (a === b || a.text === b.text) return EXACT;
  if (a.length === 1 || b.length === 1) return a.text.charCodeAt(0) === b.text.charCodeAt(0) ? INITIAL : DIFFERENT;
  if (cannotBeAlike(a, b)) return shareNickname(a.nicknames, b.nicknames) ? NICKNAME : DIFFERENT;
  const shorter = a.length < b.length ? a.length : b.length;
  if (shorter >= ONE_EDIT_LENGTH_MIN && withinOneEdit(a.text, b.text)) return CLOSE;
  const similarity = jaroWinkler(a.units, b.units);
  if (similarity >= CLOSE_SIMILARITY && shorter >= ONE_EDIT_LENGTH_MIN) return CLOSE;
  if (shareNickname(a.nicknames, b.nicknames)) return NICKNAME;
  if (similarity >= SIMILAR_SIMILARITY) return SIMILAR;
  return similarity >= SOUND_SIMILARITY && a.phonetic === b.phonetic && a.phonetic.length > 1 ? SIMILAR : DIFFERENT;
}

/** What of a word decides whether it can be like another at all: one bit per letter that occurs, its length, its repetitions. */
export interface WordSketch {
  readonly letters: number;
  readonly length: number;
  readonly repeated: number;
}

/**
 * So few letters in common that neither one edit nor the least similarity that counts can be reached. Most pairs that are compared
 * end here: at most the common letters and what both repeat match, in order, after a common beginning.
 */
export function cannotBeAlike(a: WordSketch, b: WordSketch): boolean {
  const repeated = a.repeated < b.repeated ? a.repeated : b.repeated;
  return tooFewCommon(bitCount(a.letters & b.letters) + repeated, a.length, b.length);
}

function tooFewCommon(matches: number, lengthA: number, lengthB: number): boolean {
  const jaro = (matches / lengthA + matches / lengthB + 1) / 3;
  return jaro + 0.4 * (1 - jaro) < SOUND_SIMILARITY;
}

/** Names of several words: one may leave words out, join them, or write them in another order. */
function compareSeveralWords(a: PreparedName, b: PreparedName): number {
  const covered = coverageBothWays(a, b);
  if (covered <= NICKNAME) return covered;
  const joined = compareWord(a.joined, b.joined);
  return joined < covered && joined !== INITIAL ? joined : covered;
}

function coverageBothWays(a: PreparedName, b: PreparedName): number {
  if (a.words.length < b.words.length) return coverage(a.words, b.words);
  if (a.words.length > b.words.length) return coverage(b.words, a.words);
  // Equally many: the weaker of both directions, so that the order of the two records does not matter.
  const forward = coverage(a.words, b.words);
  const backward = coverage(b.words, a.words);
  return forward > backward ? forward : backward;
}

/** How the fewer words are found among the more. */
function coverage(fewer: readonly NameWord[], more: readonly NameWord[]): number {
  let best = DIFFERENT;
  let found = 0;
  for (const word of fewer) {
    const reached = bestAmong(word, more);
    if (reached < best) best = reached;
    if (reached === EXACT || reached === CLOSE || reached === NICKNAME || reached === INITIAL) found++;
  }
  if (found === fewer.length) return best === EXACT ? PART : best;
  // One word shared, another contradicted: Mary Jane and Mary Ann, Garcia Lopez and Garcia Perez.
  return best === DIFFERENT ? DIFFERENT : SIMILAR;
}

function bestAmong(word: NameWord, others: readonly NameWord[]): number {
  let best = DIFFERENT;
  for (const other of others) {
    const reached = compareWord(word, other);
    if (reached < best) best = reached;
  }
  return best;
}

/** Level of a given name found in the other record's family field: 0 not found, 1 close, 2 equal. */
export function crossAgreement(a: PreparedName, b: PreparedName): number {
  const reached = compareName(a, b);
  if (reached === EXACT) return 2;
  return reached === CLOSE || reached === PART ? 1 : 0;
}
