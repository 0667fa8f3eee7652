import type { UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';

const OTHERS = statement<{ readonly n: number }>(
  'identity.other-administrators',
  `SELECT count(*)::int AS n FROM identity.users u JOIN identity.memberships m ON m.user_id = u.id
   JOIN identity.organisations o ON o.id = m.organisation_id AND o.central
   WHERE u.state = 'active' AND 'administrator' = ANY(m.roles) AND u.id <> $1`,
);
const ANY = statement<{ readonly present: boolean }>(
  'identity.any-administrator',
  `SELECT EXISTS (SELECT FROM identity.users u JOIN identity.memberships m ON m.user_id = u.id
   JOIN identity.organisations o ON o.id = m.organisation_id AND o.central
   WHERE u.state <> 'disabled' AND 'administrator' = ANY(m.roles)) AS present`,
);
/** Any constant: the lock's meaning is this statement. */
const LOCK = statement('identity.lock-administrators', 'SELECT pg_advisory_xact_lock(7215330300)');

/** One at a time, until commit, through everything that adds or ends administrators, or looks at how many there are. */
export async function lockAdministrators(tx: Transaction): Promise<void> {
  await tx.run(LOCK);
}

/** Central administrators who can sign in now, without this one. */
export async function otherActiveAdministrators(tx: Transaction, id: UserId): Promise<number> {
  return (await tx.rows(OTHERS, [id]))[0]?.n ?? 0;
}

/** Whether there is an administrator, also one who has still to enrol (again). */
export async function hasAdministrator(sql: Sql): Promise<boolean> {
  return (await sql.rows(ANY))[0]?.present ?? false;
}
