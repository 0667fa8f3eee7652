import { bitCount, SIMILAR_SIMILARITY, SOUND_SIMILARITY } from '../matching/index.ts';
import { type Column, sharedNumbers, textOf, valueCount } from './fields.ts';
import { nameOf } from './prepared-values.ts';

/**
 * What turns most pairs of names away without touching more than one line of memory each. Per value four numbers: the letters that
 * occur; length, repetitions, marks; the first four letters; a hash of the sound.
 */
export type NameSketches = Uint32Array;

/** The name has several words, or a single letter, or more than the comparison looks at: it must be looked at. */
const SPECIAL = 1 << 16;
const HAS_NICKNAMES = 1 << 17;
const WIDTH = 4;
const LENGTH_MAX = 30;

export function sketchesOf(column: Column): NameSketches {
  const count = valueCount(column.texts);
  const sketches = sharedNumbers((count + 1) * WIDTH);
  for (let id = 1; id <= count; id++) {
    const { words, joined } = nameOf(textOf(column.texts, id));
    const { text } = joined;
    const isSpecial = words.length > 1 || words[0] !== joined || text.length < 2 || text.length > LENGTH_MAX;
    const at = id * WIDTH;
    sketches[at] = joined.letters;
    sketches[at + 1] =
      joined.length |
      (joined.repeated << 8) |
      (isSpecial ? SPECIAL : 0) |
      (joined.nicknames.length > 0 ? HAS_NICKNAMES : 0);
    sketches[at + 2] = firstLetters(text);
    sketches[at + 3] = soundHash(joined.phonetic);
  }
  return sketches;
}

/** Five bits of each of the first four letters; different bits mean different letters. */
function firstLetters(text: string): number {
  let out = 0;
  for (let at = 0; at < 4 && at < text.length; at++) out |= (text.charCodeAt(at) & 31) << (at * 5);
  return out;
}

function soundHash(code: string): number {
  let hash = 0;
  for (let at = 0; at < code.length; at++) hash = Math.imul(hash, 31) + code.charCodeAt(at);
  return hash >>> 0;
}

/**
 * The two names differ for sure: no more letters can match than they have in common, no more of the beginning than is equal, and
 * that reaches neither one edit nor the least likeness that counts, which is higher where the sound differs, too. Nicknames are looked
 * at, but for names in each other's place, where they do not count.
 */
export function surelyDifferent(
  a: NameSketches,
  left: number,
  b: NameSketches,
  right: number,
  nicknames: boolean,
): boolean {
  const atA = left * WIDTH;
  const atB = right * WIDTH;
  const marksA = a[atA + 1] as number;
  const marksB = b[atB + 1] as number;
  if (((marksA | marksB) & SPECIAL) !== 0) return false;
  if (nicknames && (marksA & marksB & HAS_NICKNAMES) !== 0) return false;
  const repeatedA = (marksA >>> 8) & 255;
  const repeatedB = (marksB >>> 8) & 255;
  const lengthA = marksA & 255;
  const lengthB = marksB & 255;
  const shorter = lengthA < lengthB ? lengthA : lengthB;
  const longer = lengthA < lengthB ? lengthB : lengthA;
  const common = bitCount((a[atA] as number) & (b[atB] as number)) + (repeatedA < repeatedB ? repeatedA : repeatedB);
  const matches = common < shorter ? common : shorter;
  if (matches >= longer - 1) return false;
  const jaro = (matches / lengthA + matches / lengthB + 1) / 3;
  const least = a[atA + 3] === b[atB + 3] ? SOUND_SIMILARITY : SIMILAR_SIMILARITY;
  return jaro + equalFirst((a[atA + 2] as number) ^ (b[atB + 2] as number)) * 0.1 * (1 - jaro) < least;
}

/** Both are one word of few letters, and no nickname can make them equal: their letters alone decide. */
export function isPlainPair(
  a: NameSketches,
  left: number,
  b: NameSketches,
  right: number,
  nicknames: boolean,
): boolean {
  const marksA = a[left * WIDTH + 1] as number;
  const marksB = b[right * WIDTH + 1] as number;
  return ((marksA | marksB) & SPECIAL) === 0 && !(nicknames && (marksA & marksB & HAS_NICKNAMES) !== 0);
}

export function soundsEqual(a: NameSketches, left: number, b: NameSketches, right: number): boolean {
  return a[left * WIDTH + 3] === b[right * WIDTH + 3];
}

/** Equal letters at the beginning, at most four, from the differing bits of both beginnings. */
function equalFirst(differing: number): number {
  if (differing === 0) return 4;
  return ((31 - Math.clz32(differing & -differing)) / 5) | 0;
}
