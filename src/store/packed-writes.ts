/**
 * Writes of very many resources at once, sealed and laid out as PostgreSQL takes them: for loads, which make them in a thread. The same
 * rows as `ResourceStore.write` makes.
 */
import {
  byteaArray,
  int4Array,
  int8Array,
  isUniqueViolation,
  textArray,
  timestamptzArray,
  uuidArray,
} from '../platform/db/index.ts';
import type { Transaction } from '../platform/db/sql.ts';
import type { KeyRing } from './key-ring.ts';
import type { ResourceWrite } from './model.ts';
import { insertPacked, updatePacked } from './resource-sql.ts';
import { contentPlace, versionConflict } from './resource-store.ts';

/** Columns as parameters of one statement. */
export interface PackedRows {
  readonly count: number;
  readonly columns: readonly Uint8Array[];
}

/** First versions and later ones. Bytes only, so that it can pass between threads. */
export interface PackedWrites {
  readonly first: PackedRows;
  readonly later: PackedRows;
}

/** Each resource once. */
export function packWrites(keyRing: Pick<KeyRing, 'seal'>, writes: readonly ResourceWrite[]): PackedWrites {
  const sorted = writes.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  if (sorted.some(({ id }, at) => id === sorted[at + 1]?.id)) throw new Error('a resource is packed once at most');
  const pack = (rows: readonly ResourceWrite[]): PackedRows => ({
    count: rows.length,
    columns: columns(keyRing, rows),
  });
  return {
    first: pack(sorted.filter(({ version }) => version === 1)),
    later: pack(sorted.filter(({ version }) => version !== 1)),
  };
}

function columns(keyRing: Pick<KeyRing, 'seal'>, rows: readonly ResourceWrite[]): Uint8Array[] {
  const tokens: bigint[] = [];
  const [first, last]: [number[], number[]] = [[], []];
  for (const row of rows) {
    first.push(tokens.length + 1);
    for (const token of row.tokens) tokens.push(token);
    last.push(tokens.length);
  }
  const sealed = rows.map(({ type, id, version, content }) =>
    content === null ? null : keyRing.seal(content, contentPlace(type, id, version)),
  );
  return [
    textArray(rows.map(({ type }) => type)),
    uuidArray(rows.map(({ id }) => id)),
    int4Array(rows.map(({ version }) => version)),
    timestamptzArray(rows.map(({ lastUpdatedMs }) => lastUpdatedMs)),
    byteaArray(sealed),
    int8Array(tokens),
    int4Array(first),
    int4Array(last),
  ];
}

/**
 * Begins its statements before it returns. Throws Problem('precondition-failed', 'version-conflict') as `ResourceStore.write` does; the
 * transaction must then be rolled back.
 */
export async function writePacked(tx: Transaction, { first, later }: PackedWrites): Promise<void> {
  const written: Promise<number>[] = [];
  if (first.count > 0) written.push(tx.run(insertPacked, first.columns));
  if (later.count > 0) written.push(tx.run(updatePacked, later.columns));
  let total = 0;
  try {
    for (const part of await Promise.all(written)) total += part;
  } catch (error) {
    throw isUniqueViolation(error) ? versionConflict() : error;
  }
  if (total !== first.count + later.count) throw versionConflict();
}
