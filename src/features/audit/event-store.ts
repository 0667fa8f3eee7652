import type { Database, Sql, SqlValue } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { BatchId, BatchRow, EventColumns, EventRow, SealedBatch } from './sealed-event.ts';

const INSERT_BATCH = statement(
  'audit.insert-batch',
  'INSERT INTO audit.batch (id, events, sealed) VALUES ($1, $2, $3)',
);

export async function insertBatch(sql: Sql, batch: SealedBatch): Promise<void> {
  await sql.run(INSERT_BATCH, [batch.id, batch.events, batch.sealed]);
}

/** An event with the number of its leaf. */
export interface NumberedEvent extends EventColumns {
  /** Index into the batches given beside. */
  readonly batchAt: number;
  readonly place: number;
}

/**
 * A thousand rows travel as a dozen parameters: arrays, and the commitments as one piece of bytes, which PostgreSQL takes apart
 * several times faster than as many parameters as there are cells.
 */
const INSERT_EVENTS = statement(
  'audit.insert-events',
  `INSERT INTO audit.event (index, id, recorded, actor, client, address, outcome, event, actor_kind, commitment, batch, place)
   SELECT $1::bigint + n - 1, id, 'epoch'::timestamptz + ms * interval '1 millisecond', actor, client, address, outcome, event, kind,
     substring($2::bytea FROM (n * 32 - 31)::int FOR 32), ($3::uuid[])[batch], place
   FROM unnest($4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::smallint[], $10::text[], $11::text[],
     $12::int[], $13::smallint[]) WITH ORDINALITY
     AS row (id, ms, actor, client, address, outcome, event, kind, batch, place, n)`,
);

/** Writes numbered events, the first with this index, the others following. */
export async function insertEvents(
  sql: Sql,
  firstIndex: number,
  rows: readonly NumberedEvent[],
  batches: readonly BatchId[],
): Promise<void> {
  if (rows.length === 0) return;
  const commitments = Buffer.concat(rows.map((row) => row.commitment));
  const of = <T extends SqlValue>(value: (row: NumberedEvent) => T): readonly T[] => rows.map(value);
  await sql.run(INSERT_EVENTS, [
    firstIndex,
    commitments,
    batches,
    of((row) => row.id),
    of((row) => row.recordedMs),
    of((row) => row.actor),
    bigints(rows.map((row) => row.client)),
    bigints(rows.map((row) => row.address)),
    of((row) => row.outcome),
    of((row) => row.event),
    of((row) => row.actorKind),
    of((row) => row.batchAt + 1),
    of((row) => row.place),
  ]);
}

/** An array literal: the first of them may be null, by which the driver would not know numbers. */
function bigints(values: readonly (bigint | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

const ENSURE_MONTH = statement('audit.ensure-month', 'SELECT audit.ensure_month($1)');

/** Makes sure that events of this moment have a partition to go to; a transaction of its own, so that it is there for all. */
export async function ensureMonth(database: Database, atMs: number): Promise<void> {
  await database.rows(ENSURE_MONTH, [new Date(atMs)]);
}

interface RawBatch {
  id: BatchId;
  events: number;
  sealed: Buffer | null;
  former: BatchRow['former'];
}

const BATCHES = statement<RawBatch>(
  'audit.batches',
  'SELECT id, events, sealed, former FROM audit.batch WHERE id = ANY ($1::uuid[])',
);

/** The batches that these events rest in. */
export async function readBatches(sql: Sql, ids: Iterable<BatchId>): Promise<Map<BatchId, BatchRow>> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return new Map();
  return new Map((await sql.rows(BATCHES, [wanted])).map((row) => [row.id, row]));
}

export interface RawEvent {
  index: bigint;
  id: EventRow['id'];
  recordedMs: bigint;
  actor: bigint;
  client: bigint | null;
  address: bigint | null;
  outcome: number;
  event: string;
  actorKind: EventRow['actorKind'];
  commitment: Buffer;
  batch: BatchId;
  place: number;
}

export const EVENT_COLUMNS = `row.index, row.id, (extract(epoch FROM row.recorded) * 1000)::bigint AS "recordedMs", row.actor,
  row.client, row.address, row.outcome, row.event, row.actor_kind AS "actorKind", row.commitment, row.batch, row.place`;

export interface IndexedEvent extends EventRow {
  /** Its leaf. */
  readonly index: number;
}

export function toEvent(raw: RawEvent): IndexedEvent {
  return { ...raw, index: Number(raw.index), recordedMs: Number(raw.recordedMs) };
}
