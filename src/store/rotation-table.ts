import type { Branded } from '../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../platform/db/sql.ts';
import type { ResealProgress, RotationKind } from './model.ts';

/** keys.rotation and keys.rotation_part: a rotation under way and how far each participant has come. */
export type RotationId = Branded<'RotationId'>;

export interface RotationRow {
  readonly id: RotationId;
  readonly kind: RotationKind;
  readonly old_key: number;
  readonly new_key: number;
  readonly started_at: Date;
}

const running = statement<RotationRow>(
  'keys.rotation-running',
  'SELECT id, kind, old_key, new_key, started_at FROM keys.rotation WHERE finished_at IS NULL',
);

export async function runningRotation(sql: Sql): Promise<RotationRow | undefined> {
  const [row] = await sql.rows(running);
  return row;
}

const begin = statement(
  'keys.rotation-begin',
  'INSERT INTO keys.rotation (id, kind, old_key, new_key) VALUES ($1, $2, $3, $4)',
);

export async function beginRotation(tx: Transaction, row: Omit<RotationRow, 'started_at'>): Promise<void> {
  await tx.run(begin, [row.id, row.kind, row.old_key, row.new_key]);
}

const finish = statement('keys.rotation-finish', 'UPDATE keys.rotation SET finished_at = now() WHERE id = $1');

export async function finishRotation(tx: Transaction, id: RotationId): Promise<void> {
  await tx.run(finish, [id]);
}

// As numbers of 64 bits: these never come around again.
const next = statement<{ at: bigint }>(
  'keys.next-transaction',
  'SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS at',
);
const oldest = statement<{ at: bigint }>(
  'keys.oldest-writer',
  'SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS at',
);

/** Above the number of every transaction that has written by now. */
export async function nextTransaction(sql: Sql): Promise<bigint> {
  const [row] = await sql.rows(next);
  if (row === undefined) throw new Error('a snapshot is one row');
  return BigInt(row.at);
}

/** The number of the oldest transaction that has written and not ended; else that of the next one. */
export async function oldestWriter(sql: Sql): Promise<bigint> {
  const [row] = await sql.rows(oldest);
  if (row === undefined) throw new Error('a snapshot is one row');
  return BigInt(row.at);
}

/** One participant's progress. */
export interface RotationPart {
  readonly participant: string;
  readonly done: number;
  readonly total: number;
  readonly finished: boolean;
}

interface PartRow {
  participant: string;
  done: bigint;
  total: bigint;
  finished: boolean;
  cursor: string | null;
}

const PART = 'participant, done, total, finished, cursor';

const addPart = statement(
  'keys.part-add',
  'INSERT INTO keys.rotation_part (rotation_id, participant, total) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
);

export async function addRotationPart(sql: Sql, id: RotationId, participant: string, total: number): Promise<void> {
  await sql.run(addPart, [id, participant, total]);
}

const parts = statement<PartRow>(
  'keys.parts',
  `SELECT ${PART} FROM keys.rotation_part WHERE rotation_id = $1 ORDER BY participant`,
);

export async function rotationParts(sql: Sql, id: RotationId): Promise<RotationPart[]> {
  return (await sql.rows(parts, [id])).map(partOf);
}

function partOf({ participant, done, total, finished }: PartRow): RotationPart {
  return { participant, done: Number(done), total: Number(total), finished };
}

const lockPart = statement<PartRow>(
  'keys.part-lock',
  `SELECT ${PART} FROM keys.rotation_part WHERE rotation_id = $1 AND participant = $2 FOR UPDATE`,
);

/** Where the participant stands; held until the transaction ends, so two runners take turns. */
export async function lockRotationPart(
  tx: Transaction,
  id: RotationId,
  participant: string,
): Promise<RotationPart & { readonly cursor: string | undefined }> {
  const [row] = await tx.rows(lockPart, [id, participant]);
  if (row === undefined) throw new Error('a rotation part is added before it is locked');
  return { ...partOf(row), cursor: row.cursor ?? undefined };
}

const advance = statement<PartRow>(
  'keys.part-advance',
  `UPDATE keys.rotation_part SET done = done + $3, cursor = coalesce($4, cursor), finished = $4 IS NULL
   WHERE rotation_id = $1 AND participant = $2 RETURNING ${PART}`,
);

export async function advanceRotationPart(
  tx: Transaction,
  part: { readonly id: RotationId; readonly participant: string },
  progress: ResealProgress,
): Promise<RotationPart> {
  const [row] = await tx.rows(advance, [part.id, part.participant, progress.visited, progress.cursor ?? null]);
  if (row === undefined) throw new Error('a rotation part is added before it advances');
  return partOf(row);
}

export interface SealedColumn {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** Size of the table's heap in pages of 8 kB. */
  readonly pages: number;
}

const columns = statement<SealedColumn>(
  'keys.sealed-columns',
  `SELECT n.nspname AS schema, c.relname AS table, a.attname AS column,
          (pg_relation_size(c.oid) / current_setting('block_size')::integer)::integer AS pages
   FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE a.atttypid = 'bytea'::regtype AND c.relkind = 'r' AND NOT a.attisdropped
     AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
     AND has_column_privilege(c.oid, a.attnum, 'SELECT')
   ORDER BY 1, 2, 3`,
);

/** Every column of the database that could hold a seal. */
export async function sealedColumns(sql: Sql): Promise<SealedColumn[]> {
  return await sql.rows(columns);
}

/** Some 128 MB a statement, which no limit of time will cut. */
const PAGES_A_STEP = 16_384;

/** How many seals of a key a column holds: rows that begin with its header. */
export async function countSealsUnder(sql: Sql, at: SealedColumn, keyId: number): Promise<number> {
  const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  const counting = statement<{ seals: bigint }>(
    `keys.seals ${at.schema}.${at.table}.${at.column}`,
    `SELECT count(*) AS seals FROM ${quoted(at.schema)}.${quoted(at.table)}
     WHERE ctid >= format('(%s,0)', $2::integer)::tid AND ctid < format('(%s,0)', $3::integer)::tid
       AND substring(${quoted(at.column)} FROM 1 FOR 5) = decode('01', 'hex') || int4send($1)`,
  );
  let seals = 0n;
  for (let from = 0; from < at.pages; from += PAGES_A_STEP) {
    const [row] = await sql.rows(counting, [keyId, from, from + PAGES_A_STEP]);
    seals += row?.seals ?? 0n;
  }
  return Number(seals);
}
