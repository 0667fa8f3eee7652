import { jaroWinklerOf, SIMILAR_SIMILARITY, SOUND_SIMILARITY } from '../matching/index.ts';
import type { Texts } from './fields.ts';

// Two words at a time are copied out of their columns; written before they are read.
const left = new Uint16Array(32);
const right = new Uint16Array(32);

/**
 * Two words of at most 30 letters, read where they lie, are different: more than one edit apart, and less alike than any level asks for.
 * Preparing both would cost more than this.
 */
export function wordsDiffer(one: Texts, a: number, other: Texts, b: number, sameSound: boolean): boolean {
  const lengthA = copied(one, a, left);
  const lengthB = copied(other, b, right);
  if (isWithinOneEdit(lengthA, lengthB)) return false;
  return jaroWinklerOf(left, lengthA, right, lengthB) < (sameSound ? SOUND_SIMILARITY : SIMILAR_SIMILARITY);
}

function copied({ all, offsets }: Texts, id: number, into: Uint16Array): number {
  const from = offsets[id - 1] as number;
  const length = (offsets[id] as number) - from;
  for (let at = 0; at < length; at++) into[at] = all.charCodeAt(from + at);
  return length;
}

/** As `withinOneEdit` of matching, of the two words copied. */
function isWithinOneEdit(lengthA: number, lengthB: number): boolean {
  const difference = lengthA - lengthB;
  if (difference > 1 || difference < -1) return false;
  const shorter = difference < 0 ? lengthA : lengthB;
  let start = 0;
  while (start < shorter && left[start] === right[start]) start++;
  let endA = lengthA;
  let endB = lengthB;
  while (endA > start && endB > start && left[endA - 1] === right[endB - 1]) {
    endA--;
    endB--;
  }
  if (endA - start <= 1 && endB - start <= 1) return true;
  return (
    endA - start === 2 && endB - start === 2 && left[start] === right[start + 1] && left[start + 1] === right[start]
  );
}
