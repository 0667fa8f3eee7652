/**
 * Pairs counted by the levels they reach. A sample of a million pairs has a few thousand patterns, so that a round of training costs
 * milliseconds.
 */
export interface Patterns {
  readonly width: number;
  /** Levels of pattern `i` from `i * width` on. */
  readonly levels: Int8Array;
  /** How many pairs the pattern stands for. */
  readonly weights: Float64Array;
  readonly count: number;
}

export class PatternCounter {
  readonly #width: number;
  #levels: Int8Array;
  #weights = new Float64Array(1 << 10);
  #table = new Int32Array(1 << 12);
  #count = 0;

  constructor(width: number) {
    this.#width = width;
    this.#levels = new Int8Array(width << 10);
  }

  add(levels: Int8Array, weight: number): void {
    const width = this.#width;
    let hash = 0x811c9dc5;
    for (let i = 0; i < width; i++) hash = Math.imul(hash ^ (levels[i] as number), 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#table.length - 1;
    let slot = hash & mask;
    for (;;) {
      const at = (this.#table[slot] as number) - 1;
      if (at < 0) break;
      if (this.#equals(at, levels)) {
        this.#weights[at] = (this.#weights[at] as number) + weight;
        return;
      }
      slot = (slot + 1) & mask;
    }
    this.#append(levels, weight, slot);
  }

  patterns(): Patterns {
    return { width: this.#width, levels: this.#levels, weights: this.#weights, count: this.#count };
  }

  #equals(at: number, levels: Int8Array): boolean {
    const base = at * this.#width;
    for (let i = 0; i < this.#width; i++) if (this.#levels[base + i] !== levels[i]) return false;
    return true;
  }

  #append(levels: Int8Array, weight: number, slot: number): void {
    const at = this.#count++;
    if (at >= this.#weights.length) {
      const weights = new Float64Array(this.#weights.length * 2);
      weights.set(this.#weights);
      this.#weights = weights;
      const all = new Int8Array(this.#levels.length * 2);
      all.set(this.#levels);
      this.#levels = all;
    }
    this.#levels.set(levels, at * this.#width);
    this.#weights[at] = weight;
    this.#table[slot] = at + 1;
    if (this.#count * 2 > this.#table.length) this.#grow();
  }

  #grow(): void {
    this.#table = new Int32Array(this.#table.length * 2);
    const mask = this.#table.length - 1;
    for (let at = 0; at < this.#count; at++) {
      let hash = 0x811c9dc5;
      const base = at * this.#width;
      for (let i = 0; i < this.#width; i++) hash = Math.imul(hash ^ (this.#levels[base + i] as number), 0x01000193);
      hash ^= hash >>> 15;
      let slot = hash & mask;
      while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
      this.#table[slot] = at + 1;
    }
  }
}
