import { bitCount, tooFewCommon } from '../matching/index.ts';
import { type Column, sharedNumbers, textOf, valueCount } from './fields.ts';
import { nameOf } from './prepared-values.ts';

/**
 * What turns most pairs of names away without touching more than one line of memory each: two numbers per value, the letters that
 * occur and (length, repetitions, marks).
 */
export type NameSketches = Uint32Array;

/** The name has several words, or a single letter: it must be looked at. */
const SPECIAL = 1 << 16;
const HAS_NICKNAMES = 1 << 17;

export function sketchesOf(column: Column): NameSketches {
  const count = valueCount(column.texts);
  const sketches = sharedNumbers((count + 1) * 2);
  for (let id = 1; id <= count; id++) {
    const { words, joined } = nameOf(textOf(column.texts, id));
    const isSpecial = words.length > 1 || words[0] !== joined || joined.length < 2;
    sketches[id * 2] = joined.letters;
    sketches[id * 2 + 1] =
      joined.length |
      (joined.repeated << 8) |
      (isSpecial ? SPECIAL : 0) |
      (joined.nicknames.length > 0 ? HAS_NICKNAMES : 0);
  }
  return sketches;
}

/** The two names differ for sure. Nicknames are looked at, but for names in each other's place, where they do not count. */
export function surelyDifferent(
  a: NameSketches,
  left: number,
  b: NameSketches,
  right: number,
  nicknames: boolean,
): boolean {
  const marksA = a[left * 2 + 1] as number;
  const marksB = b[right * 2 + 1] as number;
  if (((marksA | marksB) & SPECIAL) !== 0) return false;
  if (nicknames && (marksA & marksB & HAS_NICKNAMES) !== 0) return false;
  const repeatedA = (marksA >>> 8) & 255;
  const repeatedB = (marksB >>> 8) & 255;
  const common = bitCount((a[left * 2] as number) & (b[right * 2] as number));
  return tooFewCommon(common + (repeatedA < repeatedB ? repeatedA : repeatedB), marksA & 255, marksB & 255);
}
