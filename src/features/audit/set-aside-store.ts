import type { AuditEventId } from '../../kernel/ids.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { BatchId, BatchRow } from './sealed-event.ts';

/** Batches that were damaged before they were numbered, and that an operator set aside. */
export interface SetAsideRow {
  readonly batch: BatchId;
  /** The `audit.set-aside` event. */
  readonly because: AuditEventId;
}

const FIND = statement<{ found: number }>(
  'audit.is-set-aside',
  'SELECT 1 AS found FROM audit.set_aside WHERE batch = $1',
);

export async function isSetAside(sql: Sql, batch: BatchId): Promise<boolean> {
  return (await sql.rows(FIND, [batch])).length > 0;
}

const ALL = statement<SetAsideRow>('audit.all-set-aside', 'SELECT batch, because FROM audit.set_aside ORDER BY batch');

export function allSetAside(sql: Sql): Promise<SetAsideRow[]> {
  return sql.rows(ALL);
}

const INSERT = statement('audit.set-aside', 'INSERT INTO audit.set_aside (batch, because) VALUES ($1, $2)');

/** As the owner of the database. */
export async function insertSetAside(owner: Sql, { batch, because }: SetAsideRow): Promise<void> {
  await owner.run(INSERT, [batch, because]);
}

const NUMBERED = statement<{ found: number }>(
  'audit.batch-numbered',
  'SELECT 1 AS found FROM audit.event WHERE batch = $1 LIMIT 1',
);

/** Reads the whole log where the batch is not in it: for repairs, not for requests. */
export async function isNumbered(sql: Sql, batch: BatchId): Promise<boolean> {
  return (await sql.rows(NUMBERED, [batch])).length > 0;
}

const BATCH = statement<BatchRow>(
  'audit.one-batch',
  'SELECT id, events, sealed, former FROM audit.batch WHERE id = $1',
);

export async function readBatchRow(sql: Sql, id: string): Promise<BatchRow | undefined> {
  return (await sql.rows(BATCH, [id]))[0];
}
