import type { ClientConfig } from 'pg';
import { COLUMN_TYPES } from './values.ts';

/** Where a database is and as whom to go there. Made by `platform/postgres` or from configured addresses. */
export interface Connection {
  /** Either the parts of an address … */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  /** … or a `postgres://` URL. */
  readonly url?: string;
  /** Role to become after signing in, where the sign-in itself is not that role. */
  readonly role?: string;
}

export interface SessionSettings {
  readonly applicationName: string;
  /** 0 means no limit (migrations). */
  readonly statementTimeoutMs: number;
}

/** Longest wait for a connection, whether it is being made or the pool is full. */
export const CONNECT_TIMEOUT_MS = 5_000;

const HANGING_SERVER_MS = 5_000;

const IDENTIFIER = /^[a-z_][a-z0-9_]*$/;

/** The SQL that makes a new connection take on its role; undefined when it signed in as the right one. */
export function becomeRole(connection: Connection): string | undefined {
  if (connection.role === undefined) return undefined;
  if (!IDENTIFIER.test(connection.role)) throw new RangeError('A role is a plain lower-case identifier');
  return `SET ROLE ${connection.role}`;
}

/** The driver's configuration for one connection. */
export function clientConfig(connection: Connection, settings: SessionSettings): ClientConfig {
  const address: ClientConfig =
    connection.url === undefined
      ? {
          ...(connection.host === undefined ? {} : { host: connection.host }),
          ...(connection.port === undefined ? {} : { port: connection.port }),
          ...(connection.user === undefined ? {} : { user: connection.user }),
          ...(connection.password === undefined ? {} : { password: connection.password }),
          ...(connection.database === undefined ? {} : { database: connection.database }),
        }
      : { connectionString: withPassword(connection.url, connection.password) };
  return {
    ...address,
    application_name: settings.applicationName,
    statement_timeout: settings.statementTimeoutMs,
    // The server's own limit does not help when the server itself hangs (stopped, or its machine is gone).
    ...(settings.statementTimeoutMs === 0 ? {} : { query_timeout: settings.statementTimeoutMs + HANGING_SERVER_MS }),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: COLUMN_TYPES,
  };
}

/** Puts a password from a file into a URL that names a user only; the driver lets the URL outrank everything else. */
function withPassword(url: string, password: string | undefined): string {
  if (password === undefined) return url;
  return url.replace(/^(postgres(?:ql)?:\/\/[^:@/]*)@/, `$1:${encodeURIComponent(password)}@`);
}
