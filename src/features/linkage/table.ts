import {
  type Column,
  type ColumnKey,
  FIELD_COLUMNS,
  GENERATION_MASK,
  rowsOf,
  sharedBytes,
  type Table,
} from './fields.ts';
import type { PlannedColumn } from './plan.ts';
import type { ReadColumn } from './read-columns.ts';

/** The table of a file, with what is known of the records beside it. */
export interface FileTable {
  readonly table: Table;
  readonly ids: ReadColumn | undefined;
  readonly truth: ReadColumn | undefined;
}

/** Puts the columns that the threads have read together. */
export function tableOf(size: number, read: readonly ReadColumn[]): FileTable {
  const columns: Column[] = [];
  for (const { key, ids, texts } of read) {
    if (isColumn(key)) columns.push({ key, ids, texts });
  }
  columns.sort((a, b) => order(a.key) - order(b.key));
  return {
    table: { size, columns, rows: rowsOf(size, columns), flags: flagsOf(size, read) },
    ids: read.find(({ key }) => key === 'id'),
    truth: read.find(({ key }) => key === 'truth'),
  };
}

function isColumn(key: PlannedColumn['key']): key is ColumnKey {
  return key !== 'id' && key !== 'truth' && key !== 'suffix' && key !== 'multipleBirth';
}

function order(key: ColumnKey): number {
  const at = (FIELD_COLUMNS as readonly string[]).indexOf(key);
  return at < 0 ? FIELD_COLUMNS.length : at;
}

/** All flags of a record; of several generation marks the suffix' wins, then the family name's. */
function flagsOf(size: number, read: readonly ReadColumn[]): Uint8Array {
  const flags = sharedBytes(size);
  for (const key of ['suffix', 'family', 'given', 'multipleBirth'] as const) {
    const own = read.find((column) => column.key === key)?.flags;
    if (own === undefined) continue;
    for (let at = 0; at < size; at++) {
      const more = own[at] as number;
      const known = flags[at] as number;
      flags[at] = known | ((known & GENERATION_MASK) === 0 ? more : more & ~GENERATION_MASK);
    }
  }
  return flags;
}
