import { inject } from 'vitest';
import { type Connection, createDatabase, type Database, withMaintenanceSession } from '../../src/platform/db/index.ts';
import { TEMPLATE_DATABASE } from './postgres-setup.ts';

export interface TestDatabase {
  /** As the application sees it: role careseal_app. */
  readonly database: Database;
  /** As migrations see it: role careseal_owner. */
  readonly ownerDatabase: Database;
  /** Address of the same, for tests that open their own. */
  readonly connection: Connection;
  readonly ownerConnection: Connection;
  /** Superuser in this database: for tests that look behind the roles' walls. */
  readonly superuserConnection: Connection;
  /** Closes the connections and drops the database. */
  close(): Promise<void>;
}

/** A migrated database of one's own, cloned from the run's template (~50 ms). Call in `beforeAll`, close in `afterAll`. */
export async function testDatabase(options: { readonly poolSize?: number } = {}): Promise<TestDatabase> {
  const address = inject('postgres');
  const name = `test_${process.pid}_${Date.now()}_${Math.floor(Math.random() * 1e9)}`;
  const as = (user: string, database = name): Connection => ({ ...address, user, database });
  const maintenance = as('careseal_superuser', 'postgres');
  await withMaintenanceSession(maintenance, async (session) => {
    await session.script(`CREATE DATABASE ${name} OWNER careseal_owner TEMPLATE ${TEMPLATE_DATABASE}`);
  });
  const settings = { poolSize: options.poolSize ?? 8, statementTimeoutMs: 30_000 };
  const database = createDatabase({ ...settings, connection: as('careseal_app') });
  const ownerDatabase = createDatabase({ ...settings, connection: as('careseal_owner') });
  return {
    database,
    ownerDatabase,
    connection: as('careseal_app'),
    ownerConnection: as('careseal_owner'),
    superuserConnection: as('careseal_superuser'),
    async close() {
      await Promise.all([database.close(), ownerDatabase.close()]);
      await withMaintenanceSession(maintenance, async (session) => {
        await session.script(`DROP DATABASE ${name} WITH (FORCE)`);
      });
    },
  };
}
