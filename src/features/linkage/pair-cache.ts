/**
 * Remembers what the comparison of two distinct values gave. Names repeat: in a million records the same few thousand pairs of names
 * are compared again and again. Direct-mapped: a new pair takes the place of an older one with the same slot. The parts of an entry
 * stand side by side, so that a look-up touches one line of the processor's cache.
 */
export class PairCache {
  /** Four places per entry: first value, second value, level, nothing. */
  readonly #entries: Uint32Array;
  readonly #mask: number;

  /** `bits`: two to the power of this many entries. */
  constructor(bits: number) {
    this.#entries = new Uint32Array(4 << bits);
    this.#mask = (1 << bits) - 1;
  }

  /** The level of two values, by `compare` when it is not known. Neither value may be 0, no level below 0. */
  level(a: number, b: number, compare: (a: number, b: number) => number): number {
    let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77);
    hash ^= hash >>> 15;
    const at = (hash & this.#mask) << 2;
    const entries = this.#entries;
    if (entries[at] === a && entries[at + 1] === b) return entries[at + 2] as number;
    const level = compare(a, b);
    entries[at] = a;
    entries[at + 1] = b;
    entries[at + 2] = level;
    return level;
  }
}
