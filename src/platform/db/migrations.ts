import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../kernel/problem.ts';
import type { Connection } from './connection.ts';
import { type MaintenanceSession, withMaintenanceSession } from './session.ts';

export interface Migration {
  /** Six digits; the first four name the feature, so that features add migrations without agreeing on numbers. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

const FILE_NAME = /^(\d{6})-([a-z0-9-]+)\.sql$/;
/** Any constant will do, as long as nothing else of ours uses it; keeps two starting processes apart. */
const MIGRATION_LOCK = 7_215_330_001n;

/** Reads `000101-name.sql` … from a directory, in order. Refuses a second file with the same number. */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for (const file of (await readdir(directory)).toSorted()) {
    if (!file.endsWith('.sql') || file === 'schema.sql') continue;
    const [, digits, name] = FILE_NAME.exec(file) ?? [];
    if (digits === undefined || name === undefined) throw new Error(`migrations/${file} is not named 000101-name.sql`);
    if (migrations.at(-1)?.number === Number(digits)) throw new Error(`Two migrations have the number ${digits}`);
    migrations.push({ number: Number(digits), name, sql: await readFile(join(directory, file), 'utf8') });
  }
  return migrations;
}

/**
 * Brings the database up to `migrations`, as the owner role, one transaction each, under an advisory lock. Forward only.
 * Returns how many ran. Refuses (Problem 'internal') when an applied migration's text has changed or is unknown here.
 */
export async function migrate(owner: Connection, migrations: readonly Migration[]): Promise<number> {
  return await withMaintenanceSession(owner, async (session) => {
    await session.rows('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await session.script(LEDGER);
    const pending = await pendingMigrations(session, migrations);
    for (const migration of pending) await apply(session, migration);
    return pending.length;
  });
}

const LEDGER = `
  CREATE SCHEMA IF NOT EXISTS careseal;
  CREATE TABLE IF NOT EXISTS careseal.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  );`;

async function pendingMigrations(session: MaintenanceSession, known: readonly Migration[]): Promise<Migration[]> {
  // PostgreSQL computes the checksum, so that this folder needs no door to cryptography.
  const applied = await session.rows<{ number: number; name: string; same: boolean | null }>(
    `SELECT m.number, m.name, m.sha256 = sha256(convert_to(k.sql, 'UTF8')) AS same
     FROM careseal.migration m
     LEFT JOIN unnest($1::integer[], $2::text[]) AS k(number, sql) USING (number)`,
    [known.map((migration) => migration.number), known.map((migration) => migration.sql)],
  );
  for (const { number, name, same } of applied) {
    if (same === true) continue;
    const detail =
      same === null
        ? `The database was made by a newer Careseal: it knows migration ${number} (${name}), this one does not.`
        : `Migration ${number} (${name}) was changed after it had been applied.`;
    throw new Problem('internal', 'migration-mismatch', `${detail} Nothing was changed.`);
  }
  const done = new Set(applied.map((row) => row.number));
  return known.filter((migration) => !done.has(migration.number));
}

async function apply(session: MaintenanceSession, migration: Migration): Promise<void> {
  try {
    await session.script('BEGIN');
    await session.script(migration.sql);
    await session.rows(
      `INSERT INTO careseal.migration (number, name, sha256) VALUES ($1, $2, sha256(convert_to($3, 'UTF8')))`,
      [migration.number, migration.name, migration.sql],
    );
    await session.script('COMMIT');
  } catch (cause) {
    await session.script('ROLLBACK');
    const name = `${String(migration.number).padStart(6, '0')}-${migration.name}.sql`;
    // A migration's SQL is ours and holds no data, so its message may be shown.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Migration ${name} failed and was rolled back: ${reason}`, { cause });
  }
}
