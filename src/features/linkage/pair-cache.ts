/**
 * Remembers what the comparison of two distinct values gave. Names repeat: in a million records the same few thousand pairs of names
 * are compared again and again. Direct-mapped: a new pair takes the place of an older one with the same slot.
 */
export class PairCache {
  readonly #first: Uint32Array;
  readonly #second: Uint32Array;
  readonly #levels: Int8Array;
  readonly #mask: number;

  /** `bits`: two to the power of this many places. */
  constructor(bits: number) {
    this.#first = new Uint32Array(1 << bits);
    this.#second = new Uint32Array(1 << bits);
    this.#levels = new Int8Array(1 << bits);
    this.#mask = (1 << bits) - 1;
  }

  /** The level of two values, by `compare` when it is not known. Neither may be 0. */
  level(a: number, b: number, compare: (a: number, b: number) => number): number {
    let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77);
    hash ^= hash >>> 15;
    const slot = hash & this.#mask;
    if (this.#first[slot] === a && this.#second[slot] === b) return this.#levels[slot] as number;
    const level = compare(a, b);
    this.#first[slot] = a;
    this.#second[slot] = b;
    this.#levels[slot] = level;
    return level;
  }
}
