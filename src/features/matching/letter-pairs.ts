/**
 * Likeness of texts of several words by the pairs of neighbouring letters they share (Dice 1945; for strings Adamson and Boreham
 * 1974). Words may stand in another order, be joined or left out: "noble close, st francis village" and "st francis village, noble
 * colse".
 */
export interface LetterPairs {
  /** Sorted; a pair that comes twice is there twice. */
  readonly codes: Uint32Array;
  /** One bit per pair, to turn away what is not alike without looking closer. */
  readonly maskLow: number;
  readonly maskHigh: number;
}

export function letterPairs(text: string): LetterPairs {
  const letters = text.replaceAll(' ', '');
  const codes = new Uint32Array(Math.max(0, letters.length - 1));
  let maskLow = 0;
  let maskHigh = 0;
  for (let at = 0; at < codes.length; at++) {
    const code = letters.charCodeAt(at) * 65_536 + letters.charCodeAt(at + 1);
    codes[at] = code;
    const bit = (Math.imul(code, 0x9e3779b1) >>> 26) & 63;
    if (bit < 32) maskLow |= 1 << bit;
    else maskHigh |= 1 << (bit - 32);
  }
  codes.sort();
  return { codes, maskLow, maskHigh };
}

/** Dice's coefficient, 0..1; 0 as soon as it must be below `least`. Symmetric. */
export function letterPairLikeness(a: LetterPairs, b: LetterPairs, least: number): number {
  const total = a.codes.length + b.codes.length;
  if (total === 0) return 0;
  const shorter = Math.min(a.codes.length, b.codes.length);
  if ((2 * shorter) / total < least) return 0;
  const common = bits(a.maskLow & b.maskLow) + bits(a.maskHigh & b.maskHigh);
  const fewest = Math.min(bits(a.maskLow) + bits(a.maskHigh), bits(b.maskLow) + bits(b.maskHigh));
  // Several pairs may share a bit, so the mask only sorts out what is clearly unlike.
  if (common < fewest * least * 0.6) return 0;
  const likeness = (2 * sharedCount(a.codes, b.codes)) / total;
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

function bits(mask: number): number {
  let rest = mask - ((mask >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
