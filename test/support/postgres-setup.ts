import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrate, readMigrations, withMaintenanceSession } from '../../src/platform/db/index.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/platform/postgres/index.ts';
import { bootstrapDatabase } from '../../src/platform/postgres/roles.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the run's PostgreSQL listens. */
    postgres: { readonly host: string; readonly port: number };
  }
}

export const TEMPLATE_DATABASE = 'careseal_template';

interface Shared {
  users: number;
  started?: Promise<{ postgres: TestPostgres; directory: string }>;
}

/** Several projects name this file as their set-up; all of them share one PostgreSQL. The only global state of the tests. */
const shared: Shared = ((globalThis as { carsealTestPostgres?: Shared }).carsealTestPostgres ??= { users: 0 });

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.users++;
  shared.started ??= start();
  const { postgres, directory } = await shared.started;
  const { host, port } = postgres.app;
  if (host === undefined || port === undefined) throw new Error('the embedded PostgreSQL has an address');
  project.provide('postgres', { host, port });
  return async () => {
    if (--shared.users > 0) return;
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  };
}

type TestPostgres = Pick<EmbeddedPostgres, 'app' | 'owner' | 'superuser' | 'stop'>;

/**
 * Another PostgreSQL than the embedded one, to try other versions: `CARESEAL_TEST_POSTGRES=<host or socket directory>:<port>`, empty,
 * for this alone, where the superuser `careseal_superuser` and the roles this makes come in without a password.
 */
async function givenPostgres(address: string): Promise<TestPostgres> {
  const [host = '', port = ''] = address.split(/:(?=\d+$)/);
  const as = (user: string, database: string) => ({ host, port: Number(port), user, database });
  const superuser = as('careseal_superuser', 'postgres');
  await bootstrapDatabase(superuser);
  await withMaintenanceSession(superuser, async (session) => {
    await session.script(`DROP DATABASE IF EXISTS ${TEMPLATE_DATABASE} WITH (FORCE)`);
  });
  return { app: as('careseal_app', 'careseal'), owner: as('careseal_owner', 'careseal'), superuser, async stop() {} };
}

async function start(): Promise<{ postgres: TestPostgres; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'careseal-test-'));
  const given = process.env['CARESEAL_TEST_POSTGRES'];
  const postgres = await (given === undefined
    ? startEmbeddedPostgres({
        directory: join(directory, 'pg'),
        settings: { maxConnections: 100, durable: false, cacheMegabytes: 128 },
      })
    : givenPostgres(given));
  try {
    // Cloned from a database that nobody is connected to: CREATE DATABASE … TEMPLATE asks for that.
    await withMaintenanceSession(postgres.superuser, async (session) => {
      await session.script(`CREATE DATABASE ${TEMPLATE_DATABASE} OWNER careseal_owner TEMPLATE template0`);
    });
    await migrate(
      { ...postgres.owner, database: TEMPLATE_DATABASE },
      await readMigrations(join(import.meta.dirname, '../../migrations')),
    );
    return { postgres, directory };
  } catch (error) {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}
