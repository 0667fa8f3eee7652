/**
 * The columns of a table of records that are to be linked. Each holds one number per record: which of the column's distinct values
 * it has, 0 for none. Values are normalised texts, from which comparison prepares what it needs once per value.
 */
export const FIELD_COLUMNS = [
  'given',
  'family',
  'birthDate',
  'gender',
  'phone',
  'email',
  'line',
  'postalCode',
  'city',
  'state',
  'mother',
] as const;
export type FieldColumn = (typeof FIELD_COLUMNS)[number];

/** Columns that only bear flags. */
export type FlagColumn = 'suffix' | 'multipleBirth';
export type ColumnKey = FieldColumn | FlagColumn | `identifier:${string}`;

export const UNNAMED = 1;
export const MULTIPLE_BIRTH = 2;
/** The generation mark (0 none, 1 senior, 2 junior …) stands from this bit on. */
export const GENERATION_SHIFT = 2;
export const GENERATION_MASK = 7 << GENERATION_SHIFT;

/** The distinct values of a column, all in one text: value `id` stands from `offsets[id - 1]` to before `offsets[id]`. */
export interface Texts {
  readonly all: string;
  readonly offsets: Uint32Array;
}

export interface Column {
  readonly key: ColumnKey;
  /** Per record, shared between threads. */
  readonly ids: Uint32Array;
  readonly texts: Texts;
}

/** Records as columns. Everything in it can be given to a thread without copying. */
export interface Table {
  readonly size: number;
  readonly columns: readonly Column[];
  /** The columns' numbers once more, record by record: a comparison touches all fields of two records. */
  readonly rows: Uint32Array;
  /** Per record: UNNAMED, MULTIPLE_BIRTH, generation. */
  readonly flags: Uint8Array;
}

export function textOf(texts: Texts, id: number): string {
  return id === 0 ? '' : texts.all.slice(texts.offsets[id - 1], texts.offsets[id]);
}

export function valueCount(texts: Texts): number {
  return texts.offsets.length - 1;
}

export function columnOf(table: Table, key: ColumnKey): Column | undefined {
  return table.columns.find((column) => column.key === key);
}

export function identifierColumns(table: Table): readonly Column[] {
  return table.columns.filter(({ key }) => key.startsWith('identifier:'));
}

export function rowsOf(size: number, columns: readonly Column[]): Uint32Array {
  const width = columns.length;
  const rows = sharedNumbers(size * width);
  for (const [at, { ids }] of columns.entries()) {
    for (let record = 0; record < size; record++) rows[record * width + at] = ids[record] as number;
  }
  return rows;
}

export function systemOf(key: ColumnKey): string {
  return key.slice('identifier:'.length);
}

export function sharedNumbers(length: number): Uint32Array<SharedArrayBuffer> {
  return new Uint32Array(new SharedArrayBuffer(length * 4));
}

export function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(length));
}
