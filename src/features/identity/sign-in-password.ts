import { hashToken, randomToken } from '../../crypto/index.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import { knownDevice } from './devices.ts';
import { signInRefused } from './errors.ts';
import { type Browser, PRE_SESSION_COOKIE } from './sessions.ts';
import { refuseGuess, type SignInDeps, userEntity } from './sign-in.ts';
import { signInStore } from './sign-in-store.ts';
import type { Attempt } from './throttle.ts';
import type { Account } from './user-store.ts';
import { EmailAddress } from './wire.ts';

export interface PasswordGiven {
  readonly cookies: readonly CookieChange[];
  readonly audited: AuditReceipt;
}

/**
 * The first step. Charged before it is compared; an address without an account costs the same work and reads the same.
 * Throws `sign-in-refused`, `too-many-attempts` or `passwords-busy`.
 */
export async function signInWithPassword(
  deps: SignInDeps,
  request: { readonly actor: Actor; readonly email: string; readonly password: string; readonly browser: Browser },
): Promise<PasswordGiven> {
  const { database, audit, passwords, clock, throttle } = deps;
  const { actor, password, browser } = request;
  const email = EmailAddress.safeParse(request.email).data ?? request.email.toLowerCase();
  const account = await activeAccount(deps, email);
  const device = await knownDevice(database, account?.id, { token: browser.deviceToken, nowMs: clock.nowMs() });
  const attempt: Attempt = { stage: 'password', email, knownDevice: device, address: browser.address };
  await throttle.charge(attempt);
  // Without an account the same work is done on a hash that no password has.
  const right = await passwords.verify(account?.passwordHash, password);
  if (!right || account?.passwordHash === undefined) {
    const reason = account === undefined ? 'account-unknown' : 'password-wrong';
    return await refuseGuess(audit, actor, { event: 'sign-in.password', reason, account }, signInRefused(reason));
  }
  const rehashed = passwords.needsRehash(account.passwordHash) ? await passwords.hash(password) : undefined;
  return await database.transaction(async (tx) => {
    if (rehashed !== undefined) await deps.users.setPassword(tx, account.id, rehashed);
    await throttle.settle(tx, attempt);
    const cookie = await startPreSession(tx, deps, account, browser);
    const entities = [userEntity(account.id)];
    const audited = await audit.record(tx, [
      { actor, event: 'sign-in.password', action: 'E', outcome: 'success', entities },
    ]);
    return { cookies: [cookie], audited };
  });
}

/** The account that may sign in with this address. Whatever stands in the way looks like a wrong password. */
async function activeAccount({ users, database }: SignInDeps, email: string): Promise<Account | undefined> {
  const account = await users.findByEmail(database, email);
  return account?.state === 'active' ? account : undefined;
}

/** Password given, code owed: under a fresh token, which will never become a session's. */
async function startPreSession(
  tx: Transaction,
  { clock, settings }: SignInDeps,
  account: Account,
  browser: Browser,
): Promise<CookieChange> {
  if (browser.preSessionToken !== undefined) await signInStore.endPre(tx, hashToken(browser.preSessionToken));
  const token = randomToken(256);
  const lifeSeconds = settings.preSessionMinutes * 60;
  await signInStore.insertPre(tx, hashToken(token), account.id, clock.nowMs() + lifeSeconds * 1000);
  return { name: PRE_SESSION_COOKIE, value: token, maxAgeSeconds: lifeSeconds };
}
