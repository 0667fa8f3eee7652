import { detectDelimiter, readCsvHead } from './csv-format.ts';
import { loadProblem } from './errors.ts';
import { guessMapping } from './guess.ts';
import type { MapDocument } from './map-document.ts';
import { detectEncoding, type Encoding, textDecoder } from './text-encoding.ts';
import type { FileColumn, FileProblem } from './wire.ts';

/** How a file is read; kept with the load, so that a resumed one reads it in the same way. */
export interface FileReading {
  readonly format: 'csv' | 'ndjson';
  readonly encoding: Encoding;
  readonly delimiter: string;
}

/** Bytes looked at to find out. */
export const HEAD_BYTES = 524_288;

export interface FileHead {
  readonly bytes: Uint8Array;
  /** The head is the whole file. */
  readonly isWhole: boolean;
  readonly fileName: string;
}

/** Finds format, encoding and delimiter; what the mapping says wins. Throws Problem for what cannot be a text file. */
export function findReading(head: FileHead, told: MapDocument['csv'] = {}): FileReading {
  refuseBinary(head.bytes);
  const encoding = told.encoding ?? detectEncoding(head.bytes).encoding;
  const text = headText(head, encoding);
  if (text.trim() === '') throw loadProblem('unprocessable', 'file-empty', 'The file is empty. Nothing was loaded.');
  const format = formatOf(head.fileName, text);
  return {
    format,
    encoding: format === 'ndjson' ? 'utf-8' : encoding,
    delimiter: told.delimiter ?? detectDelimiter(text),
  };
}

function formatOf(fileName: string, text: string): FileReading['format'] {
  if (/\.(ndjson|jsonl)$/i.test(fileName)) return 'ndjson';
  return text.trimStart().startsWith('{') ? 'ndjson' : 'csv';
}

const SIGNATURES: readonly (readonly [what: string, bytes: readonly number[]])[] = [
  ['an Excel workbook or another zipped file; save it as CSV (UTF-8) first', [0x50, 0x4b, 0x03, 0x04]],
  ['an old Excel workbook; save it as CSV (UTF-8) first', [0xd0, 0xcf, 0x11, 0xe0]],
  ['compressed (gzip); unpack it first', [0x1f, 0x8b]],
  ['a PDF document', [0x25, 0x50, 0x44, 0x46]],
];

function refuseBinary(bytes: Uint8Array): void {
  for (const [what, signature] of SIGNATURES) {
    if (signature.every((byte, index) => bytes[index] === byte)) {
      throw loadProblem('unprocessable', 'file-not-text', `This file is ${what}. Nothing was loaded.`);
    }
  }
}

function headText(head: FileHead, encoding: Encoding): string {
  const decoder = textDecoder(encoding);
  const text = decoder.push(head.bytes);
  return head.isWhole ? text + decoder.end() : text;
}

export interface Inspection {
  readonly reading: FileReading;
  readonly columns: readonly FileColumn[];
  readonly rowsPreviewed: number;
  readonly guess: MapDocument;
  readonly problems: readonly FileProblem[];
}

const SAMPLES = 8;
const SAMPLE_LENGTH_MAX = 80;

/** What the page shows after an upload: columns with samples, a guessed mapping, and what looks wrong. */
export function inspect(head: FileHead, today: string): Inspection {
  const doubtful = detectEncoding(head.bytes).doubtful;
  const reading = findReading(head, doubtful ? { encoding: 'windows-1252' } : {});
  if (reading.format === 'ndjson') return { reading, columns: [], rowsPreviewed: 0, guess: {}, problems: [] };
  const { header, rows } = readCsvHead(headText(head, reading.encoding), reading.delimiter);
  const columns = header.map((name, index) =>
    columnOf(
      name,
      rows.map((row) => row[index] ?? ''),
    ),
  );
  const { map, problems } = guessMapping(columns, today);
  return {
    reading,
    columns,
    rowsPreviewed: rows.length,
    guess: doubtful ? { ...map, csv: { encoding: 'windows-1252' } } : map,
    problems: [
      ...headerProblems(header),
      ...encodingProblems(doubtful),
      ...raggedProblems(header.length, rows),
      ...problems,
    ],
  };
}

function columnOf(name: string, values: readonly string[]): FileColumn {
  const filled = values.filter((value) => value !== '');
  const samples = [...new Set(filled)].slice(0, SAMPLES).map((value) => value.slice(0, SAMPLE_LENGTH_MAX));
  return { name, samples, filled: filled.length };
}

function headerProblems(header: readonly string[]): FileProblem[] {
  const problems: FileProblem[] = [];
  const repeated = header.find((name, index) => name !== '' && header.indexOf(name) !== index);
  if (repeated !== undefined) {
    problems.push({
      level: 'warning',
      code: 'column-repeated',
      column: repeated,
      text: 'More than one column has this name; it cannot be mapped.',
    });
  }
  if (header.length < 2) {
    problems.push({
      level: 'warning',
      code: 'one-column',
      text: 'Only one column was found. If there are more, the delimiter is another than comma, semicolon, tab or bar.',
    });
  }
  return problems;
}

function encodingProblems(doubtful: boolean): FileProblem[] {
  if (!doubtful) return [];
  return [
    {
      level: 'warning',
      code: 'encoding-doubtful',
      text: 'The file is not UTF-8. It is read as Windows-1252; check letters with accents in the preview.',
    },
  ];
}

function raggedProblems(columns: number, rows: readonly (readonly string[])[]): FileProblem[] {
  const ragged = rows.filter((row) => row.length !== columns).length;
  if (ragged === 0) return [];
  return [
    {
      level: 'warning',
      code: 'ragged-rows',
      text: `${ragged} of the first ${rows.length} rows have another number of fields than the header; they will be rejected.`,
    },
  ];
}
