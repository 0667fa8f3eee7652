import { parsePatient, type ValidPatient } from '../../fhir/index.ts';
import { isProblem } from '../../kernel/problem.ts';
import { createCsvReader } from './csv-reader.ts';
import { assertRegistrable } from '../registry/index.ts';
import { loadProblem } from './errors.ts';
import type { FileReading } from './file-format.ts';
import type { MapDocument } from './map-document.ts';
import type { Row } from './model.ts';
import { compileRowMapper, type MapRow } from './row-mapper.ts';
import { textDecoder } from './text-encoding.ts';

/** Bytes of a file in, rows out. Keeps no more than one unfinished row. */
export interface RowReader {
  push(bytes: Uint8Array): Row[];
  /** The rows that the end of the file completes. Throws Problem `file-empty` when there was not even a header. */
  end(): Row[];
  /** The CSV header, once read; empty for NDJSON. */
  readonly header: readonly string[];
}

export interface RowReaderInput {
  readonly reading: FileReading;
  readonly map: MapDocument | undefined;
  readonly domain: string;
  readonly today: string;
}

export function createRowReader(input: RowReaderInput): RowReader {
  return input.reading.format === 'ndjson' ? new NdjsonRows(input.domain) : new CsvRows(input);
}

class CsvRows implements RowReader {
  header: readonly string[] = [];
  #rows: Row[] = [];
  #mapRow: MapRow | undefined;
  readonly #decoder: ReturnType<typeof textDecoder>;
  readonly #csv: ReturnType<typeof createCsvReader>;

  constructor(input: RowReaderInput) {
    const { map } = input;
    if (map === undefined)
      throw loadProblem('invalid', 'map-incomplete', 'A CSV file needs a mapping. Nothing was loaded.');
    this.#decoder = textDecoder(input.reading.encoding);
    this.#csv = createCsvReader(input.reading.delimiter, (row) => {
      if (this.#mapRow === undefined) {
        if (row.fault !== undefined)
          throw loadProblem(
            'unprocessable',
            'file-unreadable',
            `The header cannot be read: ${row.fault.reason}. Nothing was loaded.`,
          );
        this.header = row.fields.map((name) => name.trim());
        this.#mapRow = compileRowMapper({ map, header: this.header, domain: input.domain, today: input.today });
      } else if (row.fault !== undefined) {
        const column = this.header[row.fault.field ?? -1];
        this.#rows.push({
          kind: 'rejected',
          line: row.line,
          reason: row.fault.reason,
          fields: row.fields,
          lines: row.fault.lines ?? 1,
          ...(column !== undefined && { column }),
        });
      } else {
        this.#rows.push(this.#mapRow(row));
      }
    });
  }

  push(bytes: Uint8Array): Row[] {
    this.#csv.push(this.#decoder.push(bytes));
    return this.#take();
  }

  end(): Row[] {
    this.#csv.push(this.#decoder.end());
    this.#csv.end();
    if (this.#mapRow === undefined)
      throw loadProblem('unprocessable', 'file-empty', 'The file is empty. Nothing was loaded.');
    return this.#take();
  }

  #take(): Row[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }
}

/** Longest line of NDJSON. */
export const LINE_BYTES_MAX = 1_048_576;
const NEWLINE = 10;
const TEXT_KEPT_MAX = 20_000;

class NdjsonRows implements RowReader {
  readonly header: readonly string[] = [];
  readonly #domain: string;
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  #line = 0;
  #tooLong = false;

  constructor(domain: string) {
    this.#domain = domain;
  }

  push(bytes: Uint8Array): Row[] {
    const rows: Row[] = [];
    let from = 0;
    for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
      this.#hold(bytes.subarray(from, to));
      this.#finish(rows);
      from = to + 1;
    }
    this.#hold(bytes.subarray(from));
    return rows;
  }

  end(): Row[] {
    const rows: Row[] = [];
    this.#finish(rows);
    return rows;
  }

  #hold(piece: Uint8Array): void {
    if (this.#tooLong || piece.length === 0) return;
    if (this.#restBytes + piece.length > LINE_BYTES_MAX) {
      this.#tooLong = true;
      return;
    }
    this.#rest.push(piece);
    this.#restBytes += piece.length;
  }

  #finish(rows: Row[]): void {
    this.#line++;
    const bytes = this.#rest.length === 1 ? (this.#rest[0] as Uint8Array) : Buffer.concat(this.#rest);
    const tooLong = this.#tooLong;
    this.#rest = [];
    this.#restBytes = 0;
    this.#tooLong = false;
    const line = withoutMark(bytes, this.#line);
    if (tooLong) rows.push(this.#rejected(`the line is longer than ${LINE_BYTES_MAX} bytes`, line));
    else if (!isBlank(line)) rows.push(this.#read(line));
  }

  #rejected(reason: string, bytes: Uint8Array): Row {
    const text = Buffer.from(bytes.subarray(0, TEXT_KEPT_MAX)).toString('utf8');
    return { kind: 'rejected', line: this.#line, reason, fields: [text], lines: 1 };
  }

  #read(bytes: Uint8Array): Row {
    try {
      const patient = parsePatient(bytes, 'json');
      assertRegistrable(patient);
      const own = ownPatient(patient, this.#domain);
      if (own === undefined)
        return this.#rejected('the Patient has neither an identifier of the domain nor an id', bytes);
      return { kind: 'good', line: this.#line, ...own, warnings: [], fields: [] };
    } catch (error) {
      if (!isProblem(error)) throw error;
      const place = error.options.expression?.[0];
      return this.#rejected(`${place === undefined ? '' : `${place}: `}${error.publicDetail}`, bytes);
    }
  }
}

function withoutMark(bytes: Uint8Array, line: number): Uint8Array {
  return line === 1 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function isBlank(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 32 && byte !== 9 && byte !== 13) return false;
  return true;
}

/** The record's own identifier: the one in the domain, else the resource's id. Ids and versions of the sender's server go. */
function ownPatient(patient: ValidPatient, domain: string): { key: string; patient: ValidPatient } | undefined {
  const { id, meta, ...rest } = patient;
  const { versionId: _version, lastUpdated: _time, ...kept } = meta ?? {};
  const cleaned: ValidPatient = { ...rest, ...(Object.keys(kept).length > 0 && { meta: kept }) };
  const known = patient.identifier?.find(({ system, use }) => system === domain && use !== 'old')?.value;
  if (known !== undefined) return { key: known, patient: cleaned };
  if (id === undefined) return undefined;
  return {
    key: id,
    patient: { ...cleaned, identifier: [{ system: domain, value: id }, ...(cleaned.identifier ?? [])] },
  };
}
