/**
 * Likeness of texts of several words by the pairs of neighbouring letters they share (Dice 1945; for strings Adamson and Boreham
 * 1974). Words may stand in another order, be joined or left out: "noble close, st francis village" and "st francis village, noble
 * colse".
 */
export interface LetterPairs {
  readonly letters: string;
  /** One bit per pair, to turn away what is not alike without looking closer. */
  readonly maskLow: number;
  readonly maskHigh: number;
}

export function letterPairs(text: string): LetterPairs {
  const letters = text.replaceAll(' ', '');
  let maskLow = 0;
  let maskHigh = 0;
  for (let at = 0; at + 1 < letters.length; at++) {
    const bit = (Math.imul(codeAt(letters, at), 0x9e3779b1) >>> 26) & 63;
    if (bit < 32) maskLow |= 1 << bit;
    else maskHigh |= 1 << (bit - 32);
  }
  return { letters, maskLow, maskHigh };
}

function codeAt(letters: string, at: number): number {
  return letters.charCodeAt(at) * 65_536 + letters.charCodeAt(at + 1);
}

/** Sorted; a pair that comes twice is there twice. */
function codesOf(letters: string): Uint32Array {
  const codes = new Uint32Array(letters.length - 1);
  for (let at = 0; at < codes.length; at++) codes[at] = codeAt(letters, at);
  return codes.sort();
}

/** Dice's coefficient, 0..1; 0 as soon as it must be below `least`. Symmetric. */
export function letterPairLikeness(a: LetterPairs, b: LetterPairs, least: number): number {
  const countA = a.letters.length - 1;
  const countB = b.letters.length - 1;
  if (countA < 1 || countB < 1) return 0;
  const total = countA + countB;
  if ((2 * Math.min(countA, countB)) / total < least) return 0;
  const common = bitCount(a.maskLow & b.maskLow) + bitCount(a.maskHigh & b.maskHigh);
  const fewest = Math.min(bitCount(a.maskLow) + bitCount(a.maskHigh), bitCount(b.maskLow) + bitCount(b.maskHigh));
  // Several pairs may share a bit, so the mask only sorts out what is clearly unlike.
  if (common < fewest * least * 0.6) return 0;
  const likeness = (2 * sharedCount(codesOf(a.letters), codesOf(b.letters))) / total;
  return likeness >= least ? likeness : 0;
}

function sharedCount(a: Uint32Array, b: Uint32Array): number {
  let shared = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i] as number;
    const right = b[j] as number;
    if (left === right) shared++;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return shared;
}

export function bitCount(mask: number): number {
  let rest = mask - ((mask >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
