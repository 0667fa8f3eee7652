/**
 * CSV (RFC 4180) in UTF-8 as bytes, split without making strings: for every row the places where its fields begin and end. The
 * rules are those of the loader's reader (`features/load/csv-reader.ts`), which is the one to read for what they are; this one
 * only counts what it cannot read, because nothing is loaded here.
 */
export interface SplitRow {
  /** Holds the row; valid during the call only. */
  bytes: Uint8Array;
  /** Where each field begins and ends (blanks at both ends left out). */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** How many fields there are. */
  count: number;
  /** The row is not what CSV allows; its fields mean nothing. */
  faulty: boolean;
}

export interface CsvSplitter {
  push(bytes: Uint8Array): void;
  end(): void;
}

const QUOTE = 34;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const TAB = 9;
const FIELDS_MAX = 2_000;
/** A row that is longer is not read on: a quotation mark that is never closed would otherwise take the rest of the file. */
const ROW_BYTES_MAX = 1_048_576;

export function createCsvSplitter(delimiter: number, onRow: (row: SplitRow) => void): CsvSplitter {
  return new Splitter(delimiter, onRow);
}

class Splitter implements CsvSplitter {
  readonly #delimiter: number;
  readonly #onRow: (row: SplitRow) => void;
  readonly #row: SplitRow = {
    bytes: new Uint8Array(0),
    starts: new Int32Array(FIELDS_MAX + 1),
    ends: new Int32Array(FIELDS_MAX + 1),
    count: 0,
    faulty: false,
  };
  #rest: Uint8Array = new Uint8Array(0);
  /** Where escaped quotes stand in the row: those fields are put right once the row is complete. */
  readonly #escaped: number[] = [];

  constructor(delimiter: number, onRow: (row: SplitRow) => void) {
    this.#delimiter = delimiter;
    this.#onRow = onRow;
  }

  push(bytes: Uint8Array): void {
    const all = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
    this.#rest = all.slice(this.#readRows(all, ROW_BYTES_MAX));
  }

  end(): void {
    if (this.#rest.length === 0) return;
    const all = joined(this.#rest, Uint8Array.of(NEWLINE));
    this.#rest = new Uint8Array(0);
    // Nothing more will come: what is not complete now is given up.
    this.#readRows(all, 0);
  }

  /** Reads complete rows; an incomplete one of more bytes than `bytesMax` goes up to its first line end. Answers where it stopped. */
  #readRows(all: Uint8Array, bytesMax: number): number {
    this.#row.bytes = all;
    let at = 0;
    while (at < all.length) {
      const next = this.#readRow(all, at);
      if (next >= 0) {
        at = next;
        continue;
      }
      if (all.length - at <= bytesMax) break;
      this.#fail();
      const lineEnd = all.indexOf(NEWLINE, at);
      at = lineEnd < 0 ? all.length : lineEnd + 1;
    }
    return at;
  }

  #fail(): void {
    this.#row.faulty = true;
    this.#row.count = 0;
    this.#onRow(this.#row);
  }

  /** Reads one row; answers where the next begins, or -1 when the row is not complete. */
  #readRow(bytes: Uint8Array, from: number): number {
    const row = this.#row;
    const delimiter = this.#delimiter;
    const length = bytes.length;
    let count = 0;
    let at = from;
    row.faulty = false;
    this.#escaped.length = 0;
    for (;;) {
      at = this.#afterBlanks(bytes, at);
      let start = at;
      let end: number;
      if (at < length && bytes[at] === QUOTE) {
        start = at + 1;
        end = this.#quotedEnd(bytes, start, count);
        if (end < 0) return -1;
        at = this.#afterBlanks(bytes, end + 1);
        const closed = at;
        at = this.#fieldEnd(bytes, at);
        // Text after a closing quotation mark: where the field ends is a guess.
        if (at > closed) row.faulty = true;
      } else {
        at = this.#fieldEnd(bytes, at);
        end = at;
        while (end > start && (bytes[end - 1] === SPACE || bytes[end - 1] === TAB)) end--;
      }
      if (at >= length) return -1;
      row.starts[count] = start;
      row.ends[count] = end;
      if (count < FIELDS_MAX) count++;
      const unit = bytes[at++];
      if (unit === delimiter) continue;
      if (unit === RETURN) {
        if (at >= length) return -1;
        if (bytes[at] === NEWLINE) at++;
      }
      break;
    }
    row.count = count;
    const blank = count === 1 && row.starts[0] === row.ends[0] && !row.faulty;
    if (!blank) {
      for (const field of this.#escaped) unescape(row, field);
      this.#onRow(row);
    }
    return at;
  }

  #afterBlanks(bytes: Uint8Array, from: number): number {
    const isBlankTab = this.#delimiter !== TAB;
    let at = from;
    while (at < bytes.length && (bytes[at] === SPACE || (isBlankTab && bytes[at] === TAB))) at++;
    return at;
  }

  /** The next delimiter or line end; the end of the bytes when there is none. */
  #fieldEnd(bytes: Uint8Array, from: number): number {
    const delimiter = this.#delimiter;
    const { length } = bytes;
    let at = from;
    while (at < length) {
      const unit = bytes[at] as number;
      if (unit === delimiter || unit === NEWLINE || unit === RETURN) break;
      at++;
    }
    return at;
  }

  /** Where the closing quotation mark stands, or -1 when it has not come yet. */
  #quotedEnd(bytes: Uint8Array, start: number, field: number): number {
    let at = bytes.indexOf(QUOTE, start);
    while (at >= 0) {
      if (at + 1 >= bytes.length) return -1;
      if (bytes[at + 1] !== QUOTE) return at;
      if (this.#escaped.at(-1) !== field) this.#escaped.push(field);
      at = bytes.indexOf(QUOTE, at + 2);
    }
    return -1;
  }
}

/** Doubled quotation marks become one, in place: the row is complete, so nobody reads these bytes again. */
function unescape(row: SplitRow, field: number): void {
  const { bytes } = row;
  const end = row.ends[field] as number;
  let to = row.starts[field] as number;
  for (let at = to; at < end; at++) {
    bytes[to++] = bytes[at] as number;
    if (bytes[at] === QUOTE) at++;
  }
  row.ends[field] = to;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
