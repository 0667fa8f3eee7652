import type { Sql, SqlValue } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { Leaf } from '../../verifier/index.ts';
import { idTimeMs } from './event-id.ts';
import type { BatchRow } from './sealed-event.ts';

/** Rows of the tree: leaves, tiles, checkpoints. All of it is only ever inserted. */
export interface CheckpointRow {
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: string;
  readonly signedAtMs: number;
  readonly throughXid: string;
  readonly throughSeq: bigint;
  readonly eraSeq: bigint;
  /** Size of the head before it, 0 before the first. */
  readonly previous: number;
}

export interface TileRow {
  readonly level: number;
  readonly number: number;
  /** 8,192 bytes. */
  readonly hashes: Uint8Array;
}

/** One for the whole cluster; any number nobody else uses. */
const SEQUENCER_LOCK = 0x6361_7265_5345_51n;

const LOCK = statement<{ locked: boolean }>('audit.lock', 'SELECT pg_try_advisory_xact_lock($1) AS locked');

/** One sequencer at a time: false while another transaction holds the lock, which ends with that transaction. */
export async function tryLock(sql: Sql): Promise<boolean> {
  return (await sql.rows(LOCK, [SEQUENCER_LOCK]))[0]?.locked === true;
}

const CHECKPOINT_COLUMNS = `size, root, note, (extract(epoch FROM signed_at) * 1000)::bigint AS "signedAtMs",
  through_xid::text AS "throughXid", through_seq AS "throughSeq", era_seq AS "eraSeq", previous`;

interface RawCheckpoint {
  size: bigint;
  root: Buffer;
  note: string;
  signedAtMs: bigint;
  throughXid: string;
  throughSeq: bigint;
  eraSeq: bigint;
  previous: bigint;
}

const HEAD = statement<RawCheckpoint>(
  'audit.head',
  `SELECT ${CHECKPOINT_COLUMNS} FROM audit.checkpoint ORDER BY size DESC LIMIT 1`,
);
const AFTER = statement<RawCheckpoint>(
  'audit.checkpoints-after',
  `SELECT ${CHECKPOINT_COLUMNS} FROM audit.checkpoint WHERE size > $1 ORDER BY size LIMIT $2`,
);

const toCheckpoint = (raw: RawCheckpoint): CheckpointRow => ({
  ...raw,
  size: Number(raw.size),
  signedAtMs: Number(raw.signedAtMs),
  previous: Number(raw.previous),
});

/** The newest checkpoint; undefined before the first. */
export async function readHead(sql: Sql): Promise<CheckpointRow | undefined> {
  const raw = (await sql.rows(HEAD))[0];
  return raw === undefined ? undefined : toCheckpoint(raw);
}

export async function checkpointsAfter(sql: Sql, size: number, limit: number): Promise<CheckpointRow[]> {
  return (await sql.rows(AFTER, [size, limit])).map(toCheckpoint);
}

const INSERT_CHECKPOINT = statement(
  'audit.insert-checkpoint',
  `INSERT INTO audit.checkpoint (size, root, note, signed_at, through_xid, through_seq, era_seq, previous)
   VALUES ($1, $2, $3, $4, $5::xid8, $6, $7, $8)`,
);

export async function insertCheckpoint(sql: Sql, row: CheckpointRow): Promise<void> {
  const values: SqlValue[] = [row.size, row.root, row.note, new Date(row.signedAtMs)];
  await sql.run(INSERT_CHECKPOINT, [...values, row.throughXid, row.throughSeq, row.eraSeq, row.previous]);
}

const INSERT_TILE = statement(
  'audit.insert-tile',
  'INSERT INTO audit.tile (level, number, hashes) VALUES ($1, $2, $3)',
);

export async function insertTile(sql: Sql, tile: TileRow): Promise<void> {
  await sql.run(INSERT_TILE, [tile.level, tile.number, tile.hashes]);
}

const TILES = statement<{ number: bigint; hashes: Buffer }>(
  'audit.tiles',
  'SELECT number, hashes FROM audit.tile WHERE level = $1 AND number >= $2 AND number < $3 ORDER BY number',
);

/** Complete tiles from … below-1, those there are. */
export async function readTiles(sql: Sql, level: number, from: number, below: number): Promise<TileRow[]> {
  const rows = await sql.rows(TILES, [level, from, below]);
  return rows.map((row) => ({ level, number: Number(row.number), hashes: row.hashes }));
}

interface RawLeaf {
  index: bigint;
  recordedMs: bigint;
  event: string;
  commitment: Buffer;
}
const toLeaf = (raw: RawLeaf): Leaf => ({
  index: Number(raw.index),
  recordedMs: Number(raw.recordedMs),
  event: raw.event,
  commitment: raw.commitment,
});

const LEAVES = statement<RawLeaf>(
  'audit.leaves',
  `SELECT index, (extract(epoch FROM recorded) * 1000)::bigint AS "recordedMs", event, commitment
   FROM audit.event WHERE index >= $1 AND index < $2 ORDER BY index`,
);

/** Leaves from … below-1 as their events give them; fewer when events are missing. */
export async function readLeaves(sql: Sql, from: number, below: number): Promise<Leaf[]> {
  return (await sql.rows(LEAVES, [from, below])).map(toLeaf);
}

/** A place in the order of batches: transaction, then row. */
export interface Position {
  readonly xid: string;
  readonly seq: bigint;
  readonly eraSeq: bigint;
}

export interface Take {
  readonly after: Position;
  /** Batches of about this many events altogether, at least one batch. */
  readonly events: number;
  /** Also batches of transactions that this cluster never ran: left over from before a restore. */
  readonly leftOver?: boolean;
}

export interface TakenBatch extends BatchRow {
  readonly xid: string;
  readonly seq: bigint;
}

/**
 * The batches of all transactions that began before every transaction still running: no commit can come between them any more,
 * so their order is final. Later transactions wait for the next round, even where they are committed already.
 */
const TAKE = statement<TakenBatch>(
  'audit.take',
  `SELECT id, xid, seq, events, sealed, former FROM (
     SELECT id, xid::text AS xid, seq, events, sealed, former, sum(events) OVER (ORDER BY batch.xid, seq) AS through FROM audit.batch
     WHERE (xid, seq) > ($1::xid8, $2::bigint) AND seq > $3
       AND ($5 OR xid < pg_snapshot_xmin(pg_current_snapshot()))
     ORDER BY batch.xid, seq LIMIT $4
   ) AS next WHERE through - events < $4 ORDER BY next.xid::xid8, seq`,
);

/** The next batches, in their final order. */
export async function takeBatches(sql: Sql, take: Take): Promise<TakenBatch[]> {
  const { after, events, leftOver = false } = take;
  return await sql.rows(TAKE, [after.xid, after.seq, after.eraSeq, events, leftOver]);
}

const PENDING = statement<{ count: bigint | null; oldest: string | null }>(
  'audit.pending',
  `SELECT sum(events)::bigint AS count, min(id::text) AS oldest FROM (
     SELECT events, id FROM audit.batch WHERE (xid, seq) > ($1::xid8, $2::bigint) AND seq > $3 ORDER BY xid, seq LIMIT $4
   ) AS waiting`,
);

/** Committed events after this place, those of the first `limit` batches, and the time of the oldest. */
export async function pendingEvents(
  sql: Sql,
  after: Position,
  limit: number,
): Promise<{ count: number; oldestMs: number | undefined }> {
  const row = (await sql.rows(PENDING, [after.xid, after.seq, after.eraSeq, limit]))[0];
  const oldest = row?.oldest ?? undefined;
  return { count: Number(row?.count ?? 0), oldestMs: oldest === undefined ? undefined : idTimeMs(oldest) };
}

const ANY_PENDING = statement<{ found: number }>(
  'audit.any-pending',
  'SELECT 1 AS found FROM audit.batch WHERE (xid, seq) > ($1::xid8, $2::bigint) AND seq > $3 ORDER BY xid, seq LIMIT 1',
);

export async function anyPending(sql: Sql, after: Position): Promise<boolean> {
  return (await sql.rows(ANY_PENDING, [after.xid, after.seq, after.eraSeq])).length > 0;
}

const RESTORED = statement<{ restored: boolean }>(
  'audit.restored',
  'SELECT pg_snapshot_xmin(pg_current_snapshot()) <= $1::xid8 AS restored',
);

/**
 * True when the newest leaf's transaction is one this cluster has not reached: the database was restored from a dump into a
 * cluster whose transactions are numbered from the beginning again.
 */
export async function wasRestored(sql: Sql, throughXid: string): Promise<boolean> {
  return (await sql.rows(RESTORED, [throughXid]))[0]?.restored === true;
}

const LAST_SEQ = statement<{ seq: bigint | null }>(
  'audit.last-seq',
  'SELECT max(seq) AS seq FROM audit.batch WHERE EXISTS (SELECT FROM audit.event WHERE event.batch = batch.id)',
);

/** Highest seq of all sequenced batches; reads all of them, so only after a restore. */
export async function lastSequencedSeq(sql: Sql): Promise<bigint> {
  return (await sql.rows(LAST_SEQ))[0]?.seq ?? 0n;
}
