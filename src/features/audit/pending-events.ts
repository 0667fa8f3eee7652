import { isProblem } from '../../kernel/problem.ts';
import type { Sql } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import type { createColumnMaker } from './event-columns.ts';
import type { EventQuery } from './event-query.ts';
import { type BatchRow, type EventColumns, jsonOf, openBatch } from './sealed-event.ts';
import { type Position, readHead } from './tree-store.ts';

/** An event that is committed and has no leaf yet. */
export interface PendingEvent {
  readonly row: EventColumns;
  readonly json: string | undefined;
}

const NEWEST = statement<BatchRow>(
  'audit.pending-batches',
  `SELECT id, events, sealed, former FROM audit.batch
   WHERE (xid, seq) > ($1::xid8, $2::bigint) AND seq > $3 ORDER BY xid DESC, seq DESC LIMIT $4`,
);

/** Of the batches that wait, the newest are looked at: what was committed in the last second, unless numbering stands still. */
const BATCHES_MAX = 500;
const BEGINNING: Position = { xid: '0', seq: 0n, eraSeq: 0n };

export interface PendingDeps {
  readonly database: Sql;
  readonly keyRing: KeyRing;
  readonly columnsOf: ReturnType<typeof createColumnMaker>;
}

/** Opens what waits for its number, so that the log shows an act at once and not a second later. */
export async function pendingNow({ database, keyRing, columnsOf }: PendingDeps): Promise<PendingEvent[]> {
  const head = await readHead(database);
  const after = head === undefined ? BEGINNING : { xid: head.throughXid, seq: head.throughSeq, eraSeq: head.eraSeq };
  const batches = await database.rows(NEWEST, [after.xid, after.seq, after.eraSeq, BATCHES_MAX]);
  return batches.flatMap((batch) => opened({ keyRing, columnsOf }, batch));
}

/** A batch that was changed hides nothing but itself; numbering and `verify` tell of it. */
function opened({ keyRing, columnsOf }: Omit<PendingDeps, 'database'>, batch: BatchRow): PendingEvent[] {
  try {
    const events = openBatch(keyRing, batch) ?? [];
    return columnsOf(batch).map((row, i) => {
      const event = events[i];
      return { row, json: event === undefined ? undefined : jsonOf(event) };
    });
  } catch (error) {
    if (isProblem(error) && error.kind === 'unavailable') throw error;
    return [];
  }
}

/** The same question as `listEvents` answers from the database. */
export function answers({ row }: PendingEvent, query: EventQuery): boolean {
  const has = <T>(values: readonly T[] | undefined, value: T | null): boolean =>
    values === undefined || (value !== null && values.includes(value));
  return (
    (query.fromMs === undefined || row.recordedMs >= query.fromMs) &&
    (query.beforeMs === undefined || row.recordedMs < query.beforeMs) &&
    (query.after === undefined || isOlder(row, query.after)) &&
    has(query.actors, row.actor) &&
    has(query.clients, row.client) &&
    has(query.addresses, row.address) &&
    has(query.events, row.event) &&
    has(query.outcomes, row.outcome) &&
    has(query.kinds, row.actorKind)
  );
}

type Moment = Pick<EventColumns, 'recordedMs' | 'id'>;

const isOlder = (a: Moment, b: Moment): boolean => newestFirst(a, b) > 0;

export function newestFirst(a: Moment, b: Moment): number {
  return b.recordedMs - a.recordedMs || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}
