import type { Sql } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';

/** A line that a witness put under the checkpoint of this size. */
export interface CosignatureRow {
  readonly size: number;
  readonly witness: string;
  readonly line: string;
  readonly signedAtMs: number;
}

const INSERT = statement(
  'audit.insert-cosignature',
  `INSERT INTO audit.cosignature (size, witness, line, signed_at) VALUES ($1, $2, $3, $4) ON CONFLICT (witness, size) DO NOTHING`,
);

export async function insertCosignature(sql: Sql, row: CosignatureRow): Promise<void> {
  await sql.run(INSERT, [row.size, row.witness, row.line, new Date(row.signedAtMs)]);
}

interface Raw {
  size: bigint;
  witness: string;
  line: string;
  signedAtMs: bigint;
}
const COLUMNS = 'size, witness, line, (extract(epoch FROM signed_at) * 1000)::bigint AS "signedAtMs"';
const toRow = (raw: Raw): CosignatureRow => ({ ...raw, size: Number(raw.size), signedAtMs: Number(raw.signedAtMs) });

const NEWEST = statement<Raw>(
  'audit.newest-cosignature',
  `SELECT ${COLUMNS} FROM audit.cosignature WHERE witness = $1 ORDER BY size DESC LIMIT 1`,
);

/** The newest of this witness; undefined before the first. */
export async function newestBy(sql: Sql, witness: string): Promise<CosignatureRow | undefined> {
  const raw = (await sql.rows(NEWEST, [witness]))[0];
  return raw === undefined ? undefined : toRow(raw);
}

const OF_SIZE = statement<Raw>(
  'audit.cosignatures-of',
  `SELECT ${COLUMNS} FROM audit.cosignature WHERE size = $1 ORDER BY witness`,
);

export async function cosignaturesOf(sql: Sql, size: number): Promise<CosignatureRow[]> {
  return (await sql.rows(OF_SIZE, [size])).map(toRow);
}

const WITNESSED = statement<{ size: bigint; note: string }>(
  'audit.witnessed-checkpoint',
  `SELECT size, note FROM audit.checkpoint WHERE size = (SELECT max(size) FROM audit.cosignature)`,
);

/** The newest checkpoint that any witness has signed, with all their lines; undefined before the first. */
export async function witnessedNote(sql: Sql): Promise<string | undefined> {
  const row = (await sql.rows(WITNESSED))[0];
  if (row === undefined) return undefined;
  const lines = await cosignaturesOf(sql, Number(row.size));
  return row.note + lines.map(({ line }) => line).join('');
}
