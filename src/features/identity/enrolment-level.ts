import type { UserId } from '../../kernel/ids.ts';
import type { Sql } from '../../platform/db/sql.ts';
import type { EnrolmentDeps } from './enrolment-deps.ts';
import type { SecondFactorLevel } from './model.ts';
import { builtInRole } from './rights.ts';
import type { Account } from './user-store.ts';

/**
 * What the policy asks of whom a link is for; the strictest rule decides. `account` undefined: the first administrator, for
 * whom there are no rules but those of the server, of the first organisation and of the role. Callers have refreshed the policy.
 */
export async function requirementBehind(
  sql: Sql,
  { policy, organisations }: Pick<EnrolmentDeps, 'policy' | 'organisations'>,
  account: Account | undefined,
): Promise<SecondFactorLevel> {
  if (account !== undefined) return await policy.requirementFor(sql, account);
  const first = await organisations.first(sql);
  const founder = { central: true, active: true, ceiling: undefined, roles: [builtInRole('administrator')] };
  return await policy.requirementFor(sql, {
    // Nobody has this id: no rule and no exception is about it.
    id: '' as UserId,
    memberships: [{ organisationId: first?.id ?? ('' as never), ...founder }],
    hasException: false,
  });
}
