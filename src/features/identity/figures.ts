import type { Reach } from '../../kernel/principal.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';

const FIGURES = statement<{ users: number; invited: number; administrators: number }>(
  'identity.figures',
  `SELECT count(DISTINCT u.id) FILTER (WHERE u.state <> 'disabled')::int AS users,
          count(DISTINCT u.id) FILTER (WHERE u.state = 'invited')::int AS invited,
          count(DISTINCT u.id) FILTER (WHERE u.state = 'active' AND 'administrator' = ANY(m.roles))::int AS administrators
   FROM identity.users u JOIN identity.memberships m ON m.user_id = u.id
   WHERE $1::uuid[] IS NULL OR m.organisation_id = ANY ($1)`,
);

export interface UserFigures {
  /** Accounts that are not disabled. */
  readonly users: number;
  /** Of these, invited and not yet enrolled. */
  readonly invited: number;
  /** Administrators who can sign in. */
  readonly administrators: number;
}

/** Of everybody, or of the people of these organisations. */
export async function readUserFigures(sql: Sql, reach: Reach): Promise<UserFigures> {
  const [row] = await sql.rows(FIGURES, [reach === 'all' ? null : reach]);
  return { users: row?.users ?? 0, invited: row?.invited ?? 0, administrators: row?.administrators ?? 0 };
}
