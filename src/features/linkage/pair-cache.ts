/**
 * Remembers what the comparison of two distinct values gave. Names repeat: in a million records the same few thousand pairs of names
 * are compared again and again. Direct-mapped: a new pair takes the place of an older one with the same slot. The parts of an entry
 * stand side by side, so that a look-up touches one line of the processor's cache.
 */
export class PairCache {
  /** Two places per entry: first value; second value and level. */
  readonly #entries: Uint32Array;
  readonly #mask: number;

  /** `bits`: two to the power of this many entries. */
  constructor(bits: number) {
    this.#entries = new Uint32Array(2 << bits);
    this.#mask = (1 << bits) - 1;
  }

  /** The level of two values, by `compare` when it is not known. Values are from 1 to 2^28 - 1, levels from 0 to 15. */
  level(a: number, b: number, compare: (a: number, b: number) => number): number {
    let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77);
    hash ^= hash >>> 15;
    const at = (hash & this.#mask) << 1;
    const entries = this.#entries;
    const known = entries[at + 1] as number;
    if (entries[at] === a && known >>> 4 === b) return known & 15;
    const level = compare(a, b);
    entries[at] = a;
    entries[at + 1] = ((b << 4) | level) >>> 0;
    return level;
  }
}
