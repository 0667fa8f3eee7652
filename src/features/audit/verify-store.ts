import type { AuditEventId } from '../../kernel/ids.ts';
import type { Sql } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import { EVENT_COLUMNS, type IndexedEvent, type RawEvent, toEvent } from './event-store.ts';
import type { BatchId } from './sealed-event.ts';
import type { Position } from './tree-store.ts';

/** What `verify` reads: everything, page by page. */
const PAGE = statement<RawEvent>(
  'audit.verify-page',
  `SELECT ${EVENT_COLUMNS} FROM audit.event AS row WHERE row.index >= $1 AND row.index < $2 ORDER BY row.index, row.id`,
);

/** Events of the leaves from … below-1. Missing ones leave a gap; there may be several of one number where somebody put them. */
export async function eventPage(sql: Sql, from: number, below: number): Promise<IndexedEvent[]> {
  return (await sql.rows(PAGE, [from, below])).map(toEvent);
}

const ERASED = statement<{ event: string; because: string }>(
  'audit.erased',
  'SELECT event, because FROM audit.erasure WHERE event = ANY ($1::uuid[])',
);

/** Of these events the erased ones, with the event that says why. */
export async function erasuresOf(sql: Sql, events: readonly string[]): Promise<Map<string, string>> {
  if (events.length === 0) return new Map();
  return new Map((await sql.rows(ERASED, [events])).map(({ event, because }) => [event, because]));
}

const OUTSIDE = statement<{ id: BatchId; events: number; old: boolean }>(
  'audit.outside-tree',
  `SELECT id, events, id::text < $4 AND xid < pg_snapshot_xmin(pg_current_snapshot()) AS old FROM audit.batch
   WHERE (xid, seq) > ($1::xid8, $2::bigint) AND seq > $3 AND NOT EXISTS (SELECT FROM audit.set_aside AS aside WHERE aside.batch = batch.id)
   ORDER BY xid, seq LIMIT $5`,
);

/** Batches that are not in the tree; `old` ones have no excuse. */
export function batchesOutsideTree(
  sql: Sql,
  after: Position,
  page: { readonly oldBelowId: string; readonly limit: number },
): Promise<{ id: BatchId; events: number; old: boolean }[]> {
  return sql.rows(OUTSIDE, [after.xid, after.seq, after.eraSeq, page.oldBelowId, page.limit]);
}

const BATCHES_INSIDE = statement<{ count: bigint }>(
  'audit.batches-inside',
  `SELECT count(*) AS count FROM audit.batch WHERE NOT ((xid, seq) > ($1::xid8, $2::bigint) AND seq > $3)
   AND NOT EXISTS (SELECT FROM audit.set_aside AS aside WHERE aside.batch = batch.id)`,
);

/** How many batches lie before this place, so must be in the tree; those set aside are told of by themselves. */
export async function countBatchesThrough(sql: Sql, through: Position): Promise<number> {
  return Number((await sql.rows(BATCHES_INSIDE, [through.xid, through.seq, through.eraSeq]))[0]?.count ?? 0);
}

const STRAY = statement<{ id: BatchId }>(
  'audit.stray-batches',
  `SELECT id FROM audit.batch WHERE NOT ((xid, seq) > ($1::xid8, $2::bigint) AND seq > $3)
   AND NOT EXISTS (SELECT FROM audit.event WHERE event.batch = batch.id)
   AND NOT EXISTS (SELECT FROM audit.set_aside AS aside WHERE aside.batch = batch.id) LIMIT $4`,
);

/** Batches before this place of which no event is in the tree. Slow, so only when their number says that there are some. */
export async function strayBatches(sql: Sql, through: Position, limit: number): Promise<BatchId[]> {
  const rows = await sql.rows(STRAY, [through.xid, through.seq, through.eraSeq, limit]);
  return rows.map(({ id }) => id);
}

const EXTENT = statement<{ leaves: bigint | null; size: bigint | null }>(
  'audit.extent',
  'SELECT (SELECT max(index) + 1 FROM audit.event) AS leaves, (SELECT max(size) FROM audit.checkpoint) AS size',
);

/** Leaves and the newest checkpoint's size at one moment: equal, since both commit together. */
export async function extent(sql: Sql): Promise<{ leaves: number; size: number }> {
  const row = (await sql.rows(EXTENT))[0];
  return { leaves: Number(row?.leaves ?? 0), size: Number(row?.size ?? 0) };
}

const REASONS = statement<{ because: AuditEventId; event: string }>(
  'audit.erasure-reasons',
  'SELECT because, min(event::text) AS event FROM audit.erasure GROUP BY because',
);

/** The reasons of all erasures, each with one event that was erased for it. */
export function erasureReasons(sql: Sql): Promise<{ because: AuditEventId; event: string }[]> {
  return sql.rows(REASONS);
}
