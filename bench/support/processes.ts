/** Servers under test in processes of their own, as they would run; and the PostgreSQL both use. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, migrate, readMigrations, withMaintenanceSession } from '../../src/platform/db/index.ts';
import { startEmbeddedPostgres } from '../../src/platform/postgres/index.ts';
import type { CarsealBenchOptions, ToBench } from './careseal.ts';

type Ready = Extract<ToBench, { kind: 'ready' }>;

export interface BenchPostgres {
  /** An empty, migrated database. */
  create(name: string): Promise<Connection>;
  /** The database as it was left, migrated; an empty one the first time. */
  keep(name: string): Promise<Connection>;
  has(name: string): Promise<boolean>;
  /** Makes every flush of the write-ahead log take this much longer, as a slower disk would. */
  delayFsync(microseconds: number): Promise<void>;
  readonly superuser: Connection;
  pid(): number;
  stop(): Promise<void>;
}

/** `kept`: a directory whose database outlives this run. */
export async function startPostgres(kept?: string): Promise<BenchPostgres> {
  const directory = kept ?? (await mkdtemp(join(tmpdir(), 'careseal-bench-pg-')));
  const postgres = await startEmbeddedPostgres({
    directory: join(directory, 'pg'),
    settings: { maxConnections: 100, durable: true },
  });
  const script = (database: string, sql: string) =>
    withMaintenanceSession({ ...postgres.superuser, database }, (session) => session.script(sql));
  const exists = (name: string) =>
    withMaintenanceSession({ ...postgres.superuser, database: 'postgres' }, async (session) => {
      const rows = await session.rows(`SELECT FROM pg_database WHERE datname = '${name}'`);
      return rows.length > 0;
    });
  const make = (name: string) => script('postgres', `CREATE DATABASE ${name} OWNER careseal_owner TEMPLATE template0`);
  const migrated = async (name: string): Promise<Connection> => {
    const migrations = await readMigrations(join(import.meta.dirname, '../../migrations'));
    await migrate({ ...postgres.owner, database: name }, migrations);
    return { ...postgres.app, database: name };
  };
  return {
    superuser: postgres.superuser,
    pid: () => postgres.pid(),
    has: exists,
    async create(name) {
      await script('postgres', `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await make(name);
      return await migrated(name);
    },
    async keep(name) {
      if (!(await exists(name))) await make(name);
      return await migrated(name);
    },
    async delayFsync(microseconds) {
      // commit_delay sleeps before each flush; with no sibling asked for it always does.
      await script('postgres', `ALTER SYSTEM SET commit_delay = ${microseconds}`);
      await script('postgres', 'ALTER SYSTEM SET commit_siblings = 0');
      await script('postgres', 'SELECT pg_reload_conf()');
    },
    async stop() {
      await postgres.stop();
      if (kept === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface Running<T> {
  readonly ready: T;
  readonly pid: number;
  memoryBytes(): Promise<number>;
  stop(): Promise<void>;
}

function start<T>(file: string, options: object): Promise<Running<T>> {
  const child = fork(join(import.meta.dirname, file), [JSON.stringify(options)], {
    // As scripts/careseal.mjs starts the program.
    execArgv: [...process.execArgv, '--max-semi-space-size=8'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code} before it was ready`)));
    child.once('message', (message) => {
      // The first message of both servers is their `ready`.
      resolve({
        ready: message as T,
        pid: child.pid ?? 0,
        memoryBytes: () => memoryOf(child),
        stop: () => stopped(child),
      });
    });
  });
}

function memoryOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('message', (message) => {
      const answer = message as ToBench;
      resolve(answer.kind === 'memory' ? answer.rssBytes : 0);
    });
    child.send('memory');
  });
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.removeAllListeners('exit');
    child.once('exit', () => resolve());
    child.disconnect();
  });
}

export const startCareseal = (options: CarsealBenchOptions) => start<Ready>('careseal.ts', options);

export interface SkeletonReady {
  readonly port: number;
  readonly ids: readonly string[];
}

export async function startSkeleton(
  postgres: BenchPostgres,
  options: { readonly people: number; readonly serverPem: string; readonly kept?: boolean },
): Promise<Running<SkeletonReady>> {
  const name = 'skeleton';
  const { people, serverPem, kept = false } = options;
  const connection = { ...postgres.superuser, user: 'careseal_app', database: name };
  const started = { connection, people, kept, certificateFile: serverPem, keyFile: serverPem };
  if (kept && (await postgres.has(name))) return start<SkeletonReady>('skeleton.ts', started);
  await withMaintenanceSession({ ...postgres.superuser, database: 'postgres' }, async (session) => {
    await session.script(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await session.script(`CREATE DATABASE ${name} OWNER careseal_owner TEMPLATE template0`);
  });
  await withMaintenanceSession({ ...postgres.superuser, database: name }, (session) =>
    session.script(`CREATE SCHEMA skeleton AUTHORIZATION careseal_app;
      SET ROLE careseal_app;
      CREATE TABLE skeleton.resource (id uuid PRIMARY KEY, content text NOT NULL);
      CREATE TABLE skeleton.blocking_key (token bigint, id uuid, PRIMARY KEY (token, id))`),
  );
  return start<SkeletonReady>('skeleton.ts', started);
}
