import type { Sql } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import type { BatchedEvent } from './event-batch.ts';
import { readBatches } from './event-store.ts';
import { type BatchId, type BatchRow, type EventRow, jsonOf, openBatch } from './sealed-event.ts';

/** Opens what listed events say: each batch once, however many of its events are wanted. In the order of the rows. */
export async function readContents(
  sql: Sql,
  keyRing: KeyRing,
  rows: readonly EventRow[],
): Promise<(BatchedEvent | undefined)[]> {
  const batches = await readBatches(
    sql,
    rows.map(({ batch }) => batch),
  );
  const opened = new Map<BatchId, readonly BatchedEvent[] | undefined>();
  return rows.map(({ batch, place }) => {
    if (!opened.has(batch)) opened.set(batch, openOne(keyRing, batches.get(batch)));
    return opened.get(batch)?.[place];
  });
}

function openOne(keyRing: KeyRing, row: BatchRow | undefined): readonly BatchedEvent[] | undefined {
  // A batch that is gone is for `verify` to explain; here its events read like erased ones.
  return row === undefined ? undefined : openBatch(keyRing, row);
}

/** The AuditEvents of listed rows as canonical JSON; undefined where the content was erased. */
export async function readJson(sql: Sql, keyRing: KeyRing, rows: readonly EventRow[]): Promise<(string | undefined)[]> {
  const events = await readContents(sql, keyRing, rows);
  return events.map((event) => (event === undefined ? undefined : jsonOf(event)));
}
