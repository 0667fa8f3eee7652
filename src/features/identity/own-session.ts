import type { UserPrincipal } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { notSignedIn } from './errors.ts';
import type { SessionStore } from './session-store.ts';
import type { Account, UserStore } from './user-store.ts';

/**
 * One's own account, locked, for what outlives the session that asks for it: a factor, a password, a token, a linked identity. The
 * session is looked at under the lock, since another process may not have heard of its end yet, or it ended while the request was
 * under way. Throws `not-signed-in`.
 */
export async function lockOwnAccount(
  tx: Transaction,
  { users, sessionStore }: { readonly users: UserStore; readonly sessionStore: SessionStore },
  user: Pick<UserPrincipal, 'userId' | 'sessionId'>,
): Promise<Account> {
  const account = await users.findLocked(tx, user.userId);
  if (account?.state !== 'active' || !(await sessionStore.lives(tx, user.userId, user.sessionId))) throw notSignedIn();
  return account;
}
