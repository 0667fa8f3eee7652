import type { AuditEventId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { Sql } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { EventRow } from './sealed-event.ts';

/** What `verify` reads: everything, page by page. */
export interface LeafRow {
  readonly index: number;
  readonly eventId: string;
  /** Undefined when there is no such event any more. */
  readonly event: EventRow | undefined;
  /** The event that says why the content was erased. */
  readonly erasedBecause: string | null;
}

export interface RawEvent {
  id: AuditEventId | null;
  recordedMs: bigint;
  actor: bigint;
  client: bigint | null;
  address: bigint | null;
  outcome: number;
  event: string;
  actorKind: Principal['kind'];
  commitment: Buffer;
  sealed: Buffer | null;
}

export const EVENT_COLUMNS = `row.id, (extract(epoch FROM row.recorded) * 1000)::bigint AS "recordedMs", row.actor, row.client,
  row.address, row.outcome, row.event, row.actor_kind AS "actorKind", row.commitment, row.sealed`;

export function toEvent(raw: RawEvent & { id: AuditEventId }): EventRow {
  return { ...raw, recordedMs: Number(raw.recordedMs) };
}

const PAGE = statement<RawEvent & { index: bigint; eventId: string; erasedBecause: string | null }>(
  'audit.verify-page',
  `SELECT leaf.index, leaf.event AS "eventId", erasure.because AS "erasedBecause", ${EVENT_COLUMNS}
   FROM audit.leaf
   LEFT JOIN audit.event AS row ON row.id = leaf.event
   LEFT JOIN audit.erasure ON erasure.event = leaf.event
   WHERE leaf.index >= $1 AND leaf.index < $2 ORDER BY leaf.index`,
);

export async function leafPage(sql: Sql, from: number, below: number): Promise<LeafRow[]> {
  const rows = await sql.rows(PAGE, [from, below]);
  return rows.map((raw) => {
    const { index, eventId, erasedBecause, id } = raw;
    return { index: Number(index), eventId, erasedBecause, event: id === null ? undefined : toEvent({ ...raw, id }) };
  });
}

const OUTSIDE = statement<{ id: string; old: boolean }>(
  'audit.outside-tree',
  `SELECT id, recorded < $1 AND xid < pg_snapshot_xmin(pg_current_snapshot()) AS old FROM audit.event
   WHERE NOT EXISTS (SELECT FROM audit.leaf WHERE leaf.event = event.id) ORDER BY id LIMIT $2`,
);

/** Events without a leaf; `old` ones have no excuse. */
export function eventsOutsideTree(
  sql: Sql,
  oldBeforeMs: number,
  limit: number,
): Promise<{ id: string; old: boolean }[]> {
  return sql.rows(OUTSIDE, [new Date(oldBeforeMs), limit]);
}

const EXTENT = statement<{ leaves: bigint | null; size: bigint | null }>(
  'audit.extent',
  'SELECT (SELECT max(index) + 1 FROM audit.leaf) AS leaves, (SELECT max(size) FROM audit.checkpoint) AS size',
);

/** Leaves and the newest checkpoint's size at one moment: equal, since both commit together. */
export async function extent(sql: Sql): Promise<{ leaves: number; size: number }> {
  const row = (await sql.rows(EXTENT))[0];
  return { leaves: Number(row?.leaves ?? 0), size: Number(row?.size ?? 0) };
}

const UNFOUNDED = statement<{ event: string }>(
  'audit.unfounded-erasures',
  `SELECT erasure.event FROM audit.erasure
   LEFT JOIN audit.event AS because
     ON because.id = erasure.because AND because.event = 'audit.erase' AND because.outcome = 0 AND because.sealed IS NOT NULL
   WHERE because.id IS NULL LIMIT $1`,
);

/** Erasures whose reason is no `audit.erase` event of this log. That those events themselves are sound, their leaves prove. */
export async function unfoundedErasures(sql: Sql, limit: number): Promise<string[]> {
  return (await sql.rows(UNFOUNDED, [limit])).map((row) => row.event);
}
