import type { Actor } from '../../kernel/principal.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { knownDevice } from './devices.ts';
import { notSignedIn, signInRefused } from './errors.ts';
import type { OrganisationStore } from './organisation-store.ts';
import { browserUser } from './own-factors.ts';
import { lockOwnAccount } from './own-session.ts';
import type { PasswordChoice } from './password-choice.ts';
import { passwordLengthFor } from './policy-rules.ts';
import type { SessionStore } from './session-store.ts';
import type { Browser } from './sessions.ts';
import { refuseGuess, type SignInDeps, userEntity } from './sign-in.ts';
import { tellUser } from './tell-user.ts';
import type { Attempt } from './attempt.ts';

interface OwnPasswordDeps extends SignInDeps {
  readonly choice: PasswordChoice;
  readonly organisations: OrganisationStore;
  readonly sessionStore: SessionStore;
}

/**
 * Another password, for who knows the present one. Every other session and every trusted device ends. Throws
 * `sign-in-refused`, `password-refused` or `too-many-attempts`.
 */
export async function changeOwnPassword(
  deps: OwnPasswordDeps,
  request: { readonly actor: Actor; readonly current: string; readonly password: string; readonly browser: Browser },
): Promise<AuditReceipt> {
  const { database, users, throttle, passwords, sessions, trusted, policy, audit, clock, settings } = deps;
  const { actor, current, password, browser } = request;
  const { userId, sessionId } = browserUser(actor);
  const account = await users.find(database, userId);
  if (account?.state !== 'active') throw notSignedIn();
  const device = await knownDevice(database, userId, { token: browser.deviceToken, nowMs: clock.nowMs() });
  const attempt: Attempt = { stage: 'password', email: account.email, knownDevice: device, address: browser.address };
  await throttle.charge(attempt);
  if (!(await passwords.verify(account.passwordHash, current))) {
    const at = { event: 'password.change', reason: 'password-wrong', account } as const;
    return await refuseGuess(audit, actor, at, signInRefused('password-wrong'));
  }
  const lengthMin = passwordLengthFor(await policy.requirementFor(database, account), settings);
  const organisation = (await deps.organisations.find(database, account.organisationId))?.name ?? '';
  const hash = await deps.choice.accept(password, [account.name, account.email, organisation], lengthMin);
  return await database.transaction(async (tx) => {
    const now = await lockOwnAccount(tx, deps, { userId, sessionId });
    // Set anew meanwhile: whoever asked knows a password that is no longer right.
    if (now.passwordHash !== account.passwordHash) throw notSignedIn();
    await throttle.settle(tx, attempt);
    await users.setPassword(tx, userId, hash);
    await sessions.endOthers(tx, userId, sessionId);
    await trusted.removeAll(tx, userId);
    await users.notify(tx, userId);
    tx.afterCommit(() => sessions.dropUser(userId));
    await tellUser(tx, deps, account.email, 'password-changed');
    const entities = [userEntity(userId)];
    return await audit.record(tx, [{ actor, event: 'password.change', action: 'U', outcome: 'success', entities }]);
  });
}
