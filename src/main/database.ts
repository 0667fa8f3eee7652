import { readFile } from 'node:fs/promises';
import type { Config } from '../platform/config/index.ts';
import { type Connection, migrate, readMigrations } from '../platform/db/index.ts';
import type { Logger } from '../platform/log/index.ts';
import { prepareExternalDatabase, startEmbeddedPostgres } from '../platform/postgres/index.ts';
import { homePaths, MIGRATIONS_DIRECTORY } from './place.ts';

/** A database brought up to date, with the way to it for the application's role. */
export interface ReadyDatabase {
  readonly app: Connection;
  /** The way as the owner, for what the application must not do itself. */
  readonly owner: Connection;
  /** True when this process runs PostgreSQL itself. */
  readonly embedded: boolean;
  stop(): Promise<void>;
}

/** Connections beyond those of the pools: LISTEN, migrations, the command line. */
const SPARE_CONNECTIONS = 40;

/**
 * Starts the home's PostgreSQL, or prepares the one of CARESEAL_DATABASE_URL, and runs what migrations are missing. The caller
 * holds the home's lock.
 */
export async function openDatabase(config: Config, log: Logger): Promise<ReadyDatabase> {
  const migrations = readMigrations(MIGRATIONS_DIRECTORY);
  if (config.databaseUrl !== undefined) {
    const database = await prepareExternalDatabase({ url: config.databaseUrl, ...(await externalSecrets(config)) });
    if (!database.separateSignIns) {
      log.warn('Owner and application share one sign-in to the database; set CARESEAL_DATABASE_OWNER_URL to part them');
    }
    await migrate(database.owner, await migrations);
    return { app: database.app, owner: database.owner, embedded: false, stop: () => Promise.resolve() };
  }
  const postgres = await startEmbeddedPostgres({
    directory: homePaths(config.home).postgres,
    settings: {
      // A worker that is replaced holds its connections while the next one opens its own.
      maxConnections: config.databaseConnections * (config.workers + 1) + SPARE_CONNECTIONS,
      durable: true,
      ...(config.databaseCacheMegabytes === undefined ? {} : { cacheMegabytes: config.databaseCacheMegabytes }),
    },
    onNotice: (text) => log.warn(text),
  });
  try {
    await migrate(postgres.owner, await migrations);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  return { app: postgres.app, owner: postgres.owner, embedded: true, stop: postgres.stop };
}

/** The ways to a database somebody else keeps, without preparing it: for commands beside a running server. */
export async function externalConnection(config: Config): Promise<Pick<ReadyDatabase, 'app' | 'owner'> | undefined> {
  if (config.databaseUrl === undefined) return undefined;
  const database = await prepareExternalDatabase({ url: config.databaseUrl, ...(await externalSecrets(config)) });
  return { app: database.app, owner: database.owner };
}

async function externalSecrets(
  config: Config,
): Promise<{ ownerUrl?: string; password?: string; ownerPassword?: string }> {
  const secret = async (file: string | undefined): Promise<string | undefined> =>
    file === undefined ? undefined : (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  const [password, ownerPassword] = await Promise.all([
    secret(config.databasePasswordFile),
    secret(config.databaseOwnerPasswordFile),
  ]);
  return {
    ...(config.databaseOwnerUrl === undefined ? {} : { ownerUrl: config.databaseOwnerUrl }),
    ...(password === undefined ? {} : { password }),
    ...(ownerPassword === undefined ? {} : { ownerPassword }),
  };
}
