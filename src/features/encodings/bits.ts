/** Bits of filters, 32 to a word. */

/** Set bits of a 32-bit word (the usual parallel sum). */
export function popcount(word: number): number {
  let x = word - ((word >>> 1) & 0x5555_5555);
  x = (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Bits that differ between filter `i` of `a` and filter `j` of `b`, `words` words each. Stops counting above `most`. */
export function hammingDistance(
  a: Uint32Array,
  i: number,
  b: Uint32Array,
  j: number,
  words: number,
  most: number,
): number {
  let distance = 0;
  const atA = i * words;
  const atB = j * words;
  for (let word = 0; word < words; word++) {
    distance += popcount((a[atA + word] as number) ^ (b[atB + word] as number));
    if (distance > most) return distance;
  }
  return distance;
}

export function setBit(words: Uint32Array, bit: number): void {
  words[bit >>> 5] = ((words[bit >>> 5] as number) | (1 << (bit & 31))) >>> 0;
}

export function hasBit(words: Uint32Array, bit: number): boolean {
  return (((words[bit >>> 5] as number) >>> (bit & 31)) & 1) === 1;
}
