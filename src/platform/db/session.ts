import pg from 'pg';
import { becomeRole, type Connection, clientConfig } from './connection.ts';
import { databaseFailure } from './failure.ts';

/** One connection for maintenance (migrations, roles, the schema dump): plain text SQL, several statements at once, no limit of time. */
export interface MaintenanceSession {
  /** Runs SQL text that is part of the program or of a migration; never builds it from input. */
  script(text: string): Promise<void>;
  rows<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** Opens a maintenance connection, runs `work` with it and closes it whatever happens. */
export async function withMaintenanceSession<T>(
  connection: Connection,
  work: (session: MaintenanceSession) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(
    clientConfig(connection, { applicationName: 'careseal maintenance', statementTimeoutMs: 0 }),
  );
  // Without a listener a connection that breaks between two statements would end the process; the next statement tells.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const setRole = becomeRole(connection);
    if (setRole !== undefined) await client.query(setRole);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw databaseFailure(error, 'connect');
  }
  try {
    return await work({
      async script(text) {
        await client.query(text);
      },
      async rows<Row>(text: string, values: readonly unknown[] = []) {
        // The caller states the shape of the catalogue rows it asks for.
        return (await client.query(text, [...values])).rows as Row[];
      },
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}
