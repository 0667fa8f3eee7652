import type { Sql } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import type { BatchedEvent } from './event-batch.ts';
import { readBatches } from './event-store.ts';
import { type BatchId, type EventRow, jsonOf, openPlaces } from './sealed-event.ts';

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
  const places = new Map<BatchId, Set<number>>();
  for (const { batch, place } of rows) places.set(batch, (places.get(batch) ?? new Set()).add(place));
  const opened = new Map<BatchId, readonly (BatchedEvent | undefined)[] | undefined>();
  for (const [id, wanted] of places) {
    const row = batches.get(id);
    // A batch that is gone is for `verify` to explain; here its events read like erased ones.
    opened.set(id, row === undefined ? undefined : openPlaces(keyRing, row, (place) => wanted.has(place)));
  }
  return rows.map(({ batch, place }) => opened.get(batch)?.[place]);
}

/** The AuditEvents of listed rows as canonical JSON; undefined where the content was erased. */
export async function readJson(sql: Sql, keyRing: KeyRing, rows: readonly EventRow[]): Promise<(string | undefined)[]> {
  const events = await readContents(sql, keyRing, rows);
  return events.map((event) => (event === undefined ? undefined : jsonOf(event)));
}
