/**
 * Texts to numbers: equal bytes get the same number, counted from 1; 0 is the empty text. A column of a million rows has far fewer
 * different values, so everything later (folding, phonetics, comparing) is paid once per value instead of once per row.
 * Open addressing over FNV-1a hashes; the bytes of the values stand one after another in one growing array.
 */
export class Interner {
  #arena = new Uint8Array(1 << 16);
  #offsets = new Uint32Array(1 << 12);
  #hashes = new Uint32Array(1 << 12);
  #table = new Uint32Array(1 << 13);
  #mask = (1 << 13) - 1;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Number of the text that stands in `bytes` from `start` to before `end`. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0) return 0;
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
    let slot = (hash ^ (hash >>> 13)) & this.#mask;
    for (;;) {
      const id = this.#table[slot] as number;
      if (id === 0) return this.#add({ bytes, start, end, hash, slot });
      if (this.#hashes[id] === hash && this.#equals(id, bytes, start, length)) return id;
      slot = (slot + 1) & this.#mask;
    }
  }

  #equals(id: number, bytes: Uint8Array, start: number, length: number): boolean {
    const from = this.#offsets[id - 1] as number;
    if ((this.#offsets[id] as number) - from !== length) return false;
    const arena = this.#arena;
    for (let i = 0; i < length; i++) if (arena[from + i] !== bytes[start + i]) return false;
    return true;
  }

  #add(value: { bytes: Uint8Array; start: number; end: number; hash: number; slot: number }): number {
    const id = ++this.#count;
    if (id + 1 >= this.#offsets.length) {
      this.#offsets = doubled(this.#offsets);
      this.#hashes = doubled(this.#hashes);
    }
    const from = this.#offsets[id - 1] as number;
    const to = from + value.end - value.start;
    while (to > this.#arena.length) {
      const larger = new Uint8Array(this.#arena.length * 2);
      larger.set(this.#arena);
      this.#arena = larger;
    }
    // A short copy by hand is faster than a call of `set`.
    for (let i = value.start, at = from; i < value.end; i++, at++) this.#arena[at] = value.bytes[i] as number;
    this.#offsets[id] = to;
    this.#hashes[id] = value.hash;
    this.#table[value.slot] = id;
    if (id * 2 > this.#mask) this.#rehash();
    return id;
  }

  #rehash(): void {
    this.#mask = this.#mask * 2 + 1;
    this.#table = new Uint32Array(this.#mask + 1);
    for (let id = 1; id <= this.#count; id++) {
      const hash = this.#hashes[id] as number;
      let slot = (hash ^ (hash >>> 13)) & this.#mask;
      while (this.#table[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#table[slot] = id;
    }
  }

  /** All texts one after another, where every byte is ASCII and so a letter of its own; undefined where not. */
  asciiTexts(): { readonly all: string; readonly offsets: Uint32Array } | undefined {
    const used = this.#arena.subarray(0, this.#offsets[this.#count]);
    for (let i = 0; i < used.length; i++) if ((used[i] as number) > 127) return undefined;
    return { all: DECODER.decode(used), offsets: this.#offsets.subarray(0, this.#count + 1) };
  }

  /** The text of a number; '' for 0. Bytes that are no UTF-8 become U+FFFD. */
  text(id: number): string {
    if (id === 0) return '';
    const from = this.#offsets[id - 1] as number;
    const to = this.#offsets[id] as number;
    const arena = this.#arena;
    if (to - from <= SHORT) {
      let out = '';
      for (let i = from; i < to; i++) {
        const unit = arena[i] as number;
        if (unit > 127) return DECODER.decode(arena.subarray(from, to));
        out += String.fromCharCode(unit);
      }
      return out;
    }
    return DECODER.decode(arena.subarray(from, to));
  }
}

/** Up to this length plain ASCII is put together faster than the decoder is called. */
const SHORT = 24;
const DECODER = new TextDecoder();

function doubled(values: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(values.length * 2);
  larger.set(values);
  return larger;
}
