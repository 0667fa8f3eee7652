import type { Actor } from '../kernel/principal.ts';
import type { Config } from '../platform/config/index.ts';
import { type Connection, createDatabase, type Database } from '../platform/db/index.ts';
import { homeHolder, type LockInfo, lockHome } from '../platform/home/index.ts';
import { attachEmbeddedPostgres } from '../platform/postgres/index.ts';
import { startBackground } from './background.ts';
import { externalConnection, openDatabase, type ReadyDatabase } from './database.ts';
import { processLogger } from './process-log.ts';
import { homePaths } from './place.ts';
import { composeServices, operator, type Services } from './services.ts';

/** What a command works with: the same services as the server's, and who is asking. */
export interface CommandServices extends Services {
  readonly actor: Actor;
  /** True when a server runs on this home: background work (jobs, numbering the audit log) is done there. */
  readonly besideServer: boolean;
  /** The database as its owner, for the one piece of work: erasing, legal holds. */
  asOwner<T>(work: (owner: Database) => Promise<T>): Promise<T>;
}

export interface CommandOptions {
  /** For others who want the home meanwhile: `careseal node add`. */
  readonly command: string;
  readonly signal: AbortSignal;
}

const POOL_SIZE = 8;
const OWNER_TIMEOUT_MS = 120_000;
/** Another command usually takes a second or two. */
const WAIT_FOR_COMMAND_MS = 10_000;

/**
 * Runs `work` on the home's services: through the running server's database if there is one, else with the database started
 * for the duration, the home locked. Stops everything afterwards whatever happened.
 */
export async function withServices<T>(
  config: Config,
  options: CommandOptions,
  work: (services: CommandServices) => Promise<T>,
): Promise<T> {
  const holder = await homeHolder(config.home);
  if (holder?.state === 'serving') return await besideServer(config, holder, work);
  const log = processLogger(config);
  const lock = await lockHome(config.home, { command: options.command, waitMs: WAIT_FOR_COMMAND_MS });
  try {
    const database = await openDatabase(config, log);
    try {
      const services = await composeServices({ config, connection: database.app, log, poolSize: POOL_SIZE });
      const background = await startBackground(services, log);
      try {
        return await work({ ...services, actor: operator(), besideServer: false, asOwner: asOwner(database.owner) });
      } finally {
        await background.stop();
        await services.stop();
      }
    } finally {
      await lock.update({ state: 'stopping' });
      await database.stop();
    }
  } finally {
    await lock.release();
  }
}

async function besideServer<T>(
  config: Config,
  holder: LockInfo,
  work: (services: CommandServices) => Promise<T>,
): Promise<T> {
  const { app, owner } = await runningConnection(config, holder);
  // The ports in force, which the settings need not say.
  const reachedAt = { usersUrl: holder.usersUrl, fhirUrl: holder.fhirUrl };
  const log = processLogger(config);
  const services = await composeServices({ config, connection: app, log, poolSize: POOL_SIZE, reachedAt });
  try {
    return await work({ ...services, actor: operator(), besideServer: true, asOwner: asOwner(owner) });
  } finally {
    await services.stop();
  }
}

function asOwner(connection: Connection): CommandServices['asOwner'] {
  return async (work) => {
    const owner = createDatabase({ connection, poolSize: 2, statementTimeoutMs: OWNER_TIMEOUT_MS });
    try {
      return await work(owner);
    } finally {
      await owner.close();
    }
  };
}

async function runningConnection(config: Config, holder: LockInfo): Promise<Pick<ReadyDatabase, 'app' | 'owner'>> {
  const external = await externalConnection(config);
  if (external !== undefined) return external;
  if (holder.database === undefined) throw new Error('The running server does not say where its database is.');
  return await attachEmbeddedPostgres(homePaths(config.home).postgres, holder.database);
}
