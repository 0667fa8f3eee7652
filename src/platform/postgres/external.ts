import { Problem } from '../../kernel/problem.ts';
import { type Connection, withMaintenanceSession } from '../db/index.ts';
import { APP_ROLE, OWNER_ROLE } from './settings.ts';

export interface DatabaseAddresses {
  /** `postgres://…` for the application. */
  readonly url: string;
  /** `postgres://…` for migrations; without it the application's address is used for both. */
  readonly ownerUrl?: string;
  /** Passwords from files, where the URLs carry none. */
  readonly password?: string;
  readonly ownerPassword?: string;
}

export interface ExternalDatabase {
  readonly app: Connection;
  readonly owner: Connection;
  /** False when both roles share one sign-in: then the wall between them is a SET ROLE that an intruder could undo. */
  readonly separateSignIns: boolean;
}

const VERSION_MIN = 150_000;

/**
 * Prepares a PostgreSQL that somebody else keeps: checks its version, makes the two roles where the owner's sign-in may do so
 * and they are missing, and says exactly what to run where it may not. Each connection then takes on its role.
 */
export async function prepareExternalDatabase(addresses: DatabaseAddresses): Promise<ExternalDatabase> {
  const app = connection(addresses.url, addresses.password);
  const owner = connection(addresses.ownerUrl ?? addresses.url, addresses.ownerPassword ?? addresses.password);
  await withMaintenanceSession(owner, async (session) => {
    const [server] = await session.rows<{ version: number; database: string; user: string }>(
      `SELECT current_setting('server_version_num')::integer AS version, current_database() AS database, session_user AS "user"`,
    );
    if (server === undefined || server.version < VERSION_MIN) {
      throw refuse('Careseal needs PostgreSQL 15 or later.');
    }
    const takes = addresses.ownerUrl === undefined ? [OWNER_ROLE, APP_ROLE] : [OWNER_ROLE];
    await makeRoles(session, server, takes);
  });
  if (addresses.ownerUrl !== undefined) await assertMember(app, APP_ROLE);
  return {
    app: { ...app, role: APP_ROLE },
    owner: { ...owner, role: OWNER_ROLE },
    separateSignIns: addresses.ownerUrl !== undefined,
  };
}

function connection(url: string, password: string | undefined): Connection {
  return password === undefined ? { url } : { url, password };
}

type Session = Parameters<Parameters<typeof withMaintenanceSession>[1]>[0];

/** Makes both roles, lets the owner's sign-in take on `takes`, and the owner role make schemas. */
async function makeRoles(
  session: Session,
  { database, user }: { readonly database: string; readonly user: string },
  takes: readonly string[],
): Promise<void> {
  const wanted = [OWNER_ROLE, APP_ROLE];
  const missing = await session.rows<{ role: string; exists: boolean; member: boolean }>(
    `SELECT w.role, r.oid IS NOT NULL AS exists, coalesce(pg_has_role(session_user, r.oid, 'MEMBER'), false) AS member
     FROM unnest($1::text[]) AS w(role) LEFT JOIN pg_roles r ON r.rolname = w.role`,
    [wanted],
  );
  const [rights] = await session.rows<{ creates: boolean }>(
    `SELECT has_database_privilege('${OWNER_ROLE}', current_database(), 'CREATE') AS creates
     WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = '${OWNER_ROLE}')`,
  );
  const statements = [
    ...missing.filter((row) => !row.exists).map((row) => `CREATE ROLE ${row.role} NOLOGIN;`),
    ...missing
      .filter((row) => !row.member && takes.includes(row.role))
      .map((row) => `GRANT ${row.role} TO ${quoted(user)};`),
    ...(rights?.creates === true ? [] : [`GRANT CREATE, CONNECT ON DATABASE ${quoted(database)} TO ${OWNER_ROLE};`]),
  ];
  if (statements.length === 0) return;
  try {
    await session.script(`BEGIN; ${statements.join(' ')} COMMIT;`);
  } catch (cause) {
    await session.script('ROLLBACK');
    throw refuse(`Please have a PostgreSQL administrator run this once:\n  ${statements.join('\n  ')}`, cause);
  }
}

async function assertMember(app: Connection, role: string): Promise<void> {
  await withMaintenanceSession(app, async (session) => {
    const [row] = await session.rows<{ member: boolean; user: string }>(
      `SELECT pg_has_role(session_user, '${role}', 'MEMBER') AS member, session_user AS "user"`,
    );
    if (row?.member !== true) {
      throw refuse(
        `Please have a PostgreSQL administrator run this once:\n  GRANT ${role} TO ${quoted(row?.user ?? '')};`,
      );
    }
  });
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

function refuse(detail: string, cause?: unknown): Problem {
  return new Problem('internal', 'database-not-prepared', detail, { cause });
}
