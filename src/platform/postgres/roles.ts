import { type Connection, withMaintenanceSession } from '../db/index.ts';
import { APP_ROLE, OWNER_ROLE } from './settings.ts';

export const DATABASE_NAME = 'careseal';

export interface RolePasswords {
  readonly owner: string;
  readonly app: string;
}

/**
 * Makes the roles and the database where they are missing: `careseal_owner` owns the database and runs migrations,
 * `careseal_app` may connect and use what migrations grant. Neither is a superuser or may make roles or databases.
 */
export async function bootstrapDatabase(superuser: Connection, passwords?: RolePasswords): Promise<void> {
  await withMaintenanceSession(superuser, async (session) => {
    const roles = await session.rows<{ rolname: string }>('SELECT rolname FROM pg_roles WHERE rolname = ANY($1)', [
      [OWNER_ROLE, APP_ROLE],
    ]);
    for (const [role, password] of [
      [OWNER_ROLE, passwords?.owner],
      [APP_ROLE, passwords?.app],
    ] as const) {
      const exists = roles.some((row) => row.rolname === role);
      const attributes = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';
      const secret = password === undefined ? '' : ` PASSWORD ${literal(password)}`;
      await session.script(`${exists ? 'ALTER' : 'CREATE'} ROLE ${role} ${attributes}${secret}`);
    }
    const databases = await session.rows('SELECT FROM pg_database WHERE datname = $1', [DATABASE_NAME]);
    if (databases.length === 0) {
      await session.script(`CREATE DATABASE ${DATABASE_NAME} OWNER ${OWNER_ROLE} TEMPLATE template0 ENCODING 'UTF8'`);
    }
    await session.script(`REVOKE ALL ON DATABASE ${DATABASE_NAME} FROM PUBLIC`);
    await session.script(`GRANT CONNECT ON DATABASE ${DATABASE_NAME} TO ${APP_ROLE}`);
  });
}

/** Our own random passwords are URL-safe base64; anything else is a mistake. */
function literal(password: string): string {
  if (!/^[A-Za-z0-9_-]{20,}$/.test(password)) throw new RangeError('Unexpected characters in a generated password');
  return `'${password}'`;
}
