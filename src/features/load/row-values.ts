import { unguardCell } from '../../kernel/spreadsheet.ts';
import type { MapDocument } from './map-document.ts';

/** Column names to places, and readers of single values. Made once per file, called once per row. */
export type ReadValue = (fields: readonly string[]) => string;
type Source = NonNullable<MapDocument['prefix']>;
type Sources = NonNullable<MapDocument['given']>;

export interface Columns {
  /** Place of a mapped column; collects what is not there instead of failing at the first. */
  place(column: string): number;
  readonly header: readonly string[];
  readonly missing: readonly string[];
  readonly repeated: readonly string[];
}

export function columnsOf(header: readonly string[]): Columns {
  const missing: string[] = [];
  const repeated: string[] = [];
  const folded = header.map((name) => name.trim().toLowerCase());
  return {
    header,
    missing,
    repeated,
    place(column) {
      const wanted = column.trim();
      const exact = header.indexOf(wanted);
      const at = exact >= 0 ? exact : folded.indexOf(wanted.toLowerCase());
      if (at < 0) missing.push(wanted);
      else if (header.indexOf(wanted, at + 1) >= 0) repeated.push(wanted);
      return at;
    },
  };
}

const BREAK = /[\t\r\n]/;
const BREAKS = /[\t\r\n]+/g;

/** A field as a value: blanks at both ends gone, line breaks and tabs inside it one blank. */
export function cell(fields: readonly string[], at: number): string {
  const text = fields[at];
  if (text === undefined) return '';
  const trimmed = unguardCell(text.trim());
  return BREAK.test(trimmed) ? trimmed.replace(BREAKS, ' ') : trimmed;
}

export function readColumn(columns: Columns, column: string): ReadValue {
  const at = columns.place(column);
  return (fields) => cell(fields, at);
}

export function readSource(columns: Columns, source: Source): ReadValue {
  if (typeof source === 'string') return readColumn(columns, source);
  if ('column' in source) return readColumn(columns, source.column);
  const { value } = source;
  return () => value;
}

export function readSources(columns: Columns, sources: Sources): (fields: readonly string[]) => string[] {
  const readers = (Array.isArray(sources) ? sources : [sources]).map((source) => readSource(columns, source));
  return (fields) => {
    const values: string[] = [];
    for (const read of readers) {
      const value = read(fields);
      if (value !== '') values.push(value);
    }
    return values;
  };
}

/** Name of the column a source reads, for messages. */
export function columnName(source: Source | { readonly column: string }): string {
  if (typeof source === 'string') return source;
  return 'column' in source ? source.column : '';
}

const YES = new Set(['true', 't', 'yes', 'y', '1', 'oui', 'si', 'sí', 'sim', 'ndiyo', 'ja']);
const NO = new Set(['false', 'f', 'no', 'n', '0', 'non', 'nao', 'não', 'hapana', 'nein']);

export function readBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (YES.has(word)) return true;
  return NO.has(word) ? false : undefined;
}
