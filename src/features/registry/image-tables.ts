/** Growing columns for many records: typed arrays outside the heap, so that a million rows are no work for the garbage collector. */

/** What typed arrays have in common here. */
type Column = Int32Array | Uint32Array | BigInt64Array | Float64Array | Uint8Array;

/** A copy with at least `length` places, at least half as many again; the same one where it is long enough. */
export function grown<C extends Column>(column: C, length: number): C {
  if (column.length >= length) return column;
  const larger = new (column.constructor as new (places: number) => C)(
    Math.max(length, Math.ceil(column.length * 1.5), 1024),
  );
  // Both are of one kind: the constructor is the column's own.
  (larger as Uint8Array).set(column as Uint8Array);
  return larger;
}

const NONE = -1;
const FIRST_SLOTS = 1 << 12;

/** Numbers of records by 64-bit token, each list in the order of adding. */
export interface TokenLists {
  readonly bytes: number;
  add(token: bigint, record: number): void;
  /** `visit` until it answers false. */
  each(token: bigint, visit: (record: number) => boolean): void;
}

/** One number whole and in halves: written and read within one synchronous call. */
const whole = new BigInt64Array(1);
const halves = new Int32Array(whole.buffer);

/** Open addressing by the token itself, which is a keyed hash already; entries of a list are chained. */
export function createTokenLists(): TokenLists {
  // In halves: reading a 64-bit number would allocate one each time.
  let tokens = new Int32Array(2 * FIRST_SLOTS);
  let first = new Int32Array(FIRST_SLOTS).fill(NONE);
  let last = new Int32Array(FIRST_SLOTS).fill(NONE);
  let used = 0;
  let records = new Int32Array(FIRST_SLOTS);
  let next = new Int32Array(FIRST_SLOTS);
  let entries = 0;

  const slotOf = (low: number, high: number): number => {
    const mask = first.length - 1;
    let slot = low & mask;
    while (first[slot] !== NONE && (tokens[2 * slot] !== low || tokens[2 * slot + 1] !== high))
      slot = (slot + 1) & mask;
    return slot;
  };
  const slotOfToken = (token: bigint): number => {
    whole[0] = token;
    return slotOf(halves[0] as number, halves[1] as number);
  };
  const rehash = (): void => {
    const [oldTokens, oldFirst, oldLast] = [tokens, first, last];
    tokens = new Int32Array(oldTokens.length * 2);
    first = new Int32Array(oldFirst.length * 2).fill(NONE);
    last = new Int32Array(oldFirst.length * 2).fill(NONE);
    for (let at = 0; at < oldFirst.length; at++) {
      if (oldFirst[at] === NONE) continue;
      const [low, high] = [oldTokens[2 * at] as number, oldTokens[2 * at + 1] as number];
      const slot = slotOf(low, high);
      tokens[2 * slot] = low;
      tokens[2 * slot + 1] = high;
      first[slot] = oldFirst[at] as number;
      last[slot] = oldLast[at] as number;
    }
  };
  return {
    get bytes() {
      return tokens.byteLength + first.byteLength + last.byteLength + records.byteLength + next.byteLength;
    },
    add(token, record) {
      if (used * 3 > first.length * 2) rehash();
      records = grown(records, entries + 1);
      next = grown(next, entries + 1);
      records[entries] = record;
      next[entries] = NONE;
      const slot = slotOfToken(token);
      if (first[slot] === NONE) {
        tokens[2 * slot] = halves[0] as number;
        tokens[2 * slot + 1] = halves[1] as number;
        first[slot] = entries;
        used++;
      } else {
        next[last[slot] as number] = entries;
      }
      last[slot] = entries++;
    },
    each(token, visit) {
      for (let at = first[slotOfToken(token)] as number; at !== NONE; at = next[at] as number) {
        if (!visit(records[at] as number)) return;
      }
    },
  };
}

const PIECE_BYTES = 1 << 22;

/** Texts by number, in the order of adding, as bytes. */
export interface Texts {
  readonly bytes: number;
  add(text: string): void;
  at(number: number): string;
}

export function createTexts(): Texts {
  const pieces: Buffer[] = [];
  let free = 0;
  let places = new Float64Array(1024);
  let lengths = new Int32Array(1024);
  let count = 0;
  return {
    get bytes() {
      return pieces.reduce((sum, piece) => sum + piece.length, 0) + places.byteLength + lengths.byteLength;
    },
    add(text) {
      const length = Buffer.byteLength(text);
      let piece = pieces.at(-1);
      if (piece === undefined || free + length > piece.length) {
        piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, length));
        pieces.push(piece);
        free = 0;
      }
      piece.write(text, free, 'utf8');
      places = grown(places, count + 1);
      lengths = grown(lengths, count + 1);
      places[count] = (pieces.length - 1) * 2 ** 32 + free;
      lengths[count++] = length;
      free += length;
    },
    at(number) {
      if (number >= count) throw new RangeError('a text that was never added');
      const place = places[number] as number;
      const from = place % 2 ** 32;
      // Where it lies was noted when it was written.
      const piece = pieces[Math.floor(place / 2 ** 32)] as Buffer;
      return piece.toString('utf8', from, from + (lengths[number] as number));
    },
  };
}
