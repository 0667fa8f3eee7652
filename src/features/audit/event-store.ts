import type { Sql, SqlValue, Statement } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { EventRow } from './sealed-event.ts';

const COLUMNS = 'id, recorded, actor, client, address, outcome, event, actor_kind, commitment, sealed';
const TYPES = ['uuid', 'timestamptz', 'bigint', 'bigint', 'bigint', 'smallint', 'text', 'text', 'bytea', 'bytea'];

/**
 * Rows per statement: powers of two, so that a handful of prepared statements per connection serve every batch; a batch of 13
 * goes out as one statement for 16 whose last three rows are null and skipped.
 */
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128] as const;
const SIZE_MAX = 128;

const INSERTS = new Map(SIZES.map((size) => [size as number, insertStatement(size)]));

function insertStatement(size: number): Statement<never> {
  const rows = Array.from({ length: size }, (_, row) => {
    const cells = TYPES.map((type, column) => `$${row * TYPES.length + column + 1}::${type}`);
    return `(${cells.join(', ')})`;
  });
  const text =
    size === 1
      ? `INSERT INTO audit.event (${COLUMNS}) VALUES ${rows.join(', ')}`
      : `INSERT INTO audit.event (${COLUMNS}) SELECT * FROM (VALUES ${rows.join(', ')}) AS row (${COLUMNS}) WHERE id IS NOT NULL`;
  return statement(`audit.insert-${size}`, text);
}

/** Inserts rows in their order. More than 128 need several statements, so give it a transaction then. */
export async function insertEvents(sql: Sql, rows: readonly EventRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += SIZE_MAX) {
    const part = rows.slice(from, from + SIZE_MAX);
    const size = SIZES.find((candidate) => candidate >= part.length) ?? SIZE_MAX;
    const values: SqlValue[] = [];
    for (const row of part) pushValues(values, row);
    while (values.length < size * TYPES.length) values.push(null);
    const insert = INSERTS.get(size);
    if (insert === undefined) throw new RangeError('No statement of this size');
    await sql.run(insert, values);
  }
}

export const ROWS_PER_STATEMENT = SIZE_MAX;

function pushValues(values: SqlValue[], row: EventRow): void {
  values.push(
    row.id,
    new Date(row.recordedMs),
    row.actor,
    row.client,
    row.address,
    row.outcome,
    row.event,
    row.actorKind,
    row.commitment,
    row.sealed,
  );
}
