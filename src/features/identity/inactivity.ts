import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { statement } from '../../platform/db/sql.ts';
import { lockAdministrators, otherActiveAdministrators } from './administrators.ts';
import type { EnrolmentDeps } from './enrolment-deps.ts';
import { isAdministrator } from './rules.ts';
import { applyAct, recordAct } from './user-acts.ts';

const INACTIVE = statement<{ readonly id: UserId }>(
  'identity.inactive',
  `SELECT id FROM identity.users WHERE state = 'active' AND coalesce(last_sign_in_at, created_at) < $1 ORDER BY id LIMIT 500`,
);
const DAY_MS = 86_400_000;

/** Careseal itself, at the hourly clearing. */
const SYSTEM: Actor = {
  principal: { kind: 'system', permissions: new Set() },
  origin: { door: 'background', requestId: 'inactivity' },
};

/** Retires who has not signed in for as long as the policy says. Answers how many. The last administrator stays. */
export async function retireInactive(deps: EnrolmentDeps): Promise<number> {
  const { database, clock, settings, users, sessions } = deps;
  if (settings.inactivityDays === 0) return 0;
  const before = new Date(clock.nowMs() - settings.inactivityDays * DAY_MS);
  let retired = 0;
  for (const { id } of await database.rows(INACTIVE, [before])) {
    await database.transaction(async (tx) => {
      await lockAdministrators(tx);
      const account = await users.findLocked(tx, id);
      const seenMs = account?.lastSignInMs;
      if (account?.state !== 'active' || (seenMs !== undefined && seenMs >= before.getTime())) return;
      if (isAdministrator(account.memberships) && (await otherActiveAdministrators(tx, id)) === 0) return;
      const act = { kind: 'retire' } as const;
      await applyAct(tx, deps, { actor: SYSTEM, account, act, baseUrl: '' });
      await users.notify(tx, id);
      tx.afterCommit(() => sessions.dropUser(id));
      await recordAct(tx, deps.audit, SYSTEM, { act, id });
      retired++;
    });
  }
  return retired;
}
