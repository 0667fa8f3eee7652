import { type FileReading, textDecoder } from '../load/reading.ts';
import { createCsvSplitter, type SplitRow } from './csv-splitter.ts';
import { sharedBytes, sharedNumbers, type Texts } from './fields.ts';
import { type FileSource, forEachPart } from './file-source.ts';
import { Interner } from './interner.ts';
import { keepText } from './normalise.ts';
import type { Plan, PlannedColumn } from './plan.ts';

/** A column as a reading thread hands it over. */
export interface ReadColumn {
  readonly key: PlannedColumn['key'];
  readonly ids: Uint32Array;
  readonly texts: Texts;
  /** Per record; only where the column bears any. */
  readonly flags?: Uint8Array;
}

export interface ReadResult {
  readonly rows: number;
  /** Rows left out: broken quotation marks, another number of fields than the header. */
  readonly rejected: number;
  readonly columns: readonly ReadColumn[];
}

/** What one read call takes in. */
const PIECE_BYTES = 1 << 22;
const SEPARATOR = 31;

/** The header of a CSV file. */
export function readHeader(path: FileSource, reading: FileReading): readonly string[] {
  let header: readonly string[] | undefined;
  const decoder = new TextDecoder();
  const splitter = createCsvSplitter(reading.delimiter.charCodeAt(0), (row) => {
    header ??= Array.from({ length: row.count }, (_, at) =>
      decoder.decode(row.bytes.subarray(row.starts[at], row.ends[at])).trim(),
    );
  });
  forEachPiece(path, reading, (piece) => {
    splitter.push(piece);
    return header === undefined;
  });
  splitter.end();
  return header ?? [];
}

/** Reads the columns of the plans given, all in one pass over the file. */
export function readColumns(
  path: FileSource,
  reading: FileReading,
  plans: readonly Plan[],
  fields: number,
): ReadResult {
  const readers = plans.map(({ places }) => new ColumnReader(places));
  let rows = -1; // the header
  let rejected = 0;
  const splitter = createCsvSplitter(reading.delimiter.charCodeAt(0), (row) => {
    if (rows < 0) rows = 0;
    else if (row.faulty || row.count !== fields) rejected++;
    else {
      for (const reader of readers) reader.read(row, rows);
      rows++;
    }
  });
  forEachPiece(path, reading, (piece) => {
    splitter.push(piece);
    return true;
  });
  splitter.end();
  const size = Math.max(rows, 0);
  const columns = plans.flatMap((plan, at) => {
    const reader = readers[at];
    return reader === undefined ? [] : plan.columns.map((column) => reader.column(column, size));
  });
  return { rows: size, rejected, columns };
}

/** Pieces of the file as UTF-8; other encodings are translated. Stops when `onPiece` answers false. */
function forEachPiece(path: FileSource, reading: FileReading, onPiece: (piece: Uint8Array) => boolean): void {
  const decoder = reading.encoding === 'utf-8' ? undefined : textDecoder(reading.encoding);
  const encoder = new TextEncoder();
  let first = true;
  let going = true;
  forEachPart(path, PIECE_BYTES, (bytes) => {
    const mark = first && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    first = false;
    const raw = bytes.subarray(mark);
    going = onPiece(decoder === undefined ? raw : encoder.encode(decoder.push(raw)));
    return going;
  });
  if (going && decoder !== undefined) onPiece(encoder.encode(decoder.end()));
}

class ColumnReader {
  readonly #places: readonly number[];
  readonly #single: number;
  readonly #interner = new Interner();
  #raw = new Uint32Array(1 << 14);
  #scratch = new Uint8Array(1 << 12);

  constructor(places: readonly number[]) {
    this.#places = places;
    this.#single = places.length === 1 ? (places[0] as number) : -1;
  }

  read(row: SplitRow, at: number): void {
    if (at >= this.#raw.length) {
      const larger = new Uint32Array(this.#raw.length * 2);
      larger.set(this.#raw);
      this.#raw = larger;
    }
    const place = this.#single;
    this.#raw[at] =
      place >= 0
        ? this.#interner.intern(row.bytes, row.starts[place] as number, row.ends[place] as number)
        : this.#several(row);
  }

  /** The texts of several places, put together as one value. */
  #several(row: SplitRow): number {
    let to = 0;
    let filled = 0;
    for (const place of this.#places) {
      const start = row.starts[place] as number;
      const end = row.ends[place] as number;
      if (end === start) continue;
      if (to + end - start + 1 > this.#scratch.length) {
        const larger = new Uint8Array((to + end - start + 1) * 2);
        larger.set(this.#scratch);
        this.#scratch = larger;
      }
      if (filled++ > 0) this.#scratch[to++] = SEPARATOR;
      for (let at = start; at < end; at++) this.#scratch[to++] = row.bytes[at] as number;
    }
    return this.#interner.intern(this.#scratch, 0, to);
  }

  /** Normalises the distinct values and numbers them anew. */
  column({ key, normalise }: PlannedColumn, size: number): ReadColumn {
    const interner = this.#interner;
    const asWritten = normalise === keepText ? interner.asciiTexts() : undefined;
    if (asWritten !== undefined) {
      const ids = sharedNumbers(size);
      ids.set(this.#raw.subarray(0, size));
      const offsets = sharedNumbers(asWritten.offsets.length);
      offsets.set(asWritten.offsets);
      return { key, ids, texts: { all: asWritten.all, offsets } };
    }
    const valueOf = new Uint32Array(interner.count + 1);
    const flagsOf = new Uint8Array(interner.count + 1);
    const known = new Map<string, number>();
    const texts: string[] = [];
    let flagged = false;
    const several = this.#single < 0;
    const one: string[] = [''];
    for (let raw = 1; raw <= interner.count; raw++) {
      const text = interner.text(raw);
      one[0] = text;
      const normal = normalise(several ? text.split('\u001f') : one);
      if (normal.flags !== 0) {
        flagsOf[raw] = normal.flags;
        flagged = true;
      }
      if (normal.text === '') continue;
      let id = known.get(normal.text);
      if (id === undefined) {
        texts.push(normal.text);
        id = texts.length;
        known.set(normal.text, id);
      }
      valueOf[raw] = id;
    }
    const ids = sharedNumbers(size);
    const raw = this.#raw;
    for (let at = 0; at < size; at++) ids[at] = valueOf[raw[at] as number] as number;
    const column = { key, ids, texts: packTexts(texts) };
    if (!flagged) return column;
    const flags = sharedBytes(size);
    for (let at = 0; at < size; at++) flags[at] = flagsOf[raw[at] as number] as number;
    return { ...column, flags };
  }
}

export function packTexts(texts: readonly string[]): Texts {
  const offsets = sharedNumbers(texts.length + 1);
  let at = 0;
  for (let i = 0; i < texts.length; i++) {
    at += (texts[i] as string).length;
    offsets[i + 1] = at;
  }
  return { all: texts.join(''), offsets };
}
