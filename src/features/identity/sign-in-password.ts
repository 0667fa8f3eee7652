import { hashToken, randomToken } from '../../crypto/index.ts';
import type { Actor } from '../../kernel/principal.ts';
import { SqlError } from '../../platform/db/index.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import { knownDevice } from './devices.ts';
import { accountChanged, factorMissing, signInRefused } from './errors.ts';
import { isFactorAsked } from './policy-rules.ts';
import { type Browser, PRE_SESSION_COOKIE } from './sessions.ts';
import { openSession, refuseGuess, type SignInDeps, userEntity } from './sign-in.ts';
import { ACCOUNT_MOVED, signInStore } from './sign-in-store.ts';
import type { Attempt } from './attempt.ts';
import type { Slot } from './under-way.ts';
import type { Account } from './user-store.ts';
import { EmailAddress, type SignInPasswordAnswer } from './wire.ts';

export interface PasswordGiven {
  readonly answer: SignInPasswordAnswer;
  readonly cookies: readonly CookieChange[];
  readonly audited: AuditReceipt;
}

interface PasswordRequest {
  readonly actor: Actor;
  readonly email: string;
  readonly password: string;
  readonly browser: Browser;
}

/**
 * The first step. Charged before it is compared; an address without an account costs the same work and reads the same.
 * Throws `sign-in-refused`, `too-many-attempts`, `passwords-busy`, `factor-missing`, `account-changed` or `network-refused`.
 */
export async function signInWithPassword(deps: SignInDeps, request: PasswordRequest): Promise<PasswordGiven> {
  // A flood is turned away before it costs a look at the database, and before it counts against anybody.
  deps.passwords.assertRoom();
  return await deps.throttle.underWay(request.browser.address, (slot) => comparePassword(deps, request, slot));
}

async function comparePassword(
  deps: SignInDeps,
  request: PasswordRequest,
  slot: Slot | undefined,
): Promise<PasswordGiven> {
  const { database, audit, passwords, clock, throttle } = deps;
  const { actor, password, browser } = request;
  const email = EmailAddress.safeParse(request.email).data ?? request.email.toLowerCase();
  // Who must wait is told so before the account is looked at: a flood costs one look at its counters, and tells nothing.
  const early = browser.deviceToken === undefined ? undefined : await openable(deps, email, database);
  const device = await knownDevice(database, early?.id, { token: browser.deviceToken, nowMs: clock.nowMs() });
  // A browser the account knows has nothing to do with its network.
  if (device !== undefined) slot?.end();
  const attempt: Attempt = { stage: 'password', email, knownDevice: device, address: browser.address, slot };
  const account = await throttle.chargeAndLook(attempt, async (sql) => early ?? (await openable(deps, email, sql)));
  // Without an account the same work is done on a hash that no password has.
  const right = await passwords.verify(account?.passwordHash, password);
  if (!right || account?.passwordHash === undefined) {
    await throttle.wrong(attempt);
    const reason = account === undefined ? 'account-unknown' : 'password-wrong';
    return await refuseGuess(audit, actor, { event: 'sign-in.password', reason, account }, signInRefused(reason));
  }
  if (account.state === 'changed') {
    const at = { event: 'sign-in.password', reason: 'account-changed', account } as const;
    return await refuseGuess(audit, actor, at, accountChanged());
  }
  const rehashed = passwords.needsRehash(account.passwordHash) ? await passwords.hash(password) : undefined;
  await deps.policy.refresh();
  const level = rehashed === undefined ? await certainly(deps, account, browser) : undefined;
  if (level === 'factor-asked') {
    const asked = database.burst((tx) => {
      const done = Promise.all([
        throttle.settle(tx, attempt),
        askFactor(tx, deps, account, { ...request, first: 'password' }),
      ]);
      return { done: done.then(([, next]) => next), commit: 'at-once' };
    });
    const given = await asked.catch((error: unknown) => {
      if (error instanceof SqlError && error.sqlState === ACCOUNT_MOVED) return undefined;
      throw error;
    });
    if (given !== undefined) return given;
  }
  const given = await database.transaction(async (tx) => {
    const current = await asCompared(tx, deps, account, rehashed);
    if (current === undefined) return 'password-changed';
    // Sent together: each journey to the database costs more than what it does there.
    const [, next] = await Promise.all([
      throttle.settle(tx, attempt),
      afterFirstProof(tx, deps, current, { ...request, first: 'password' }),
    ]);
    return next;
  });
  if (typeof given !== 'string') return given;
  const refused = { event: 'sign-in.password', reason: given, account } as const;
  const problem = given === 'factor-missing' ? factorMissing() : signInRefused(given);
  return await refuseGuess(audit, actor, refused, problem);
}

/**
 * The account, locked, if its password is still the one that was compared and it is still open: hashing takes a while, and what a reset
 * has ended in the meantime must not begin after it. With the password's hash made anew, where there is a new one.
 */
async function asCompared(
  tx: Transaction,
  { users }: SignInDeps,
  account: Account,
  rehashed: string | undefined,
): Promise<Account | undefined> {
  const current = await users.findLocked(tx, account.id);
  if (current?.state !== 'active' || current.passwordHash !== account.passwordHash) return undefined;
  if (rehashed === undefined) return current;
  await users.setPassword(tx, account.id, rehashed);
  return await users.findLocked(tx, account.id);
}

/** The account that may sign in with this address. Whatever stands in the way looks like a wrong password, unless that is right. */
async function openable({ users }: SignInDeps, email: string, sql: Sql): Promise<Account | undefined> {
  const found = await users.findByEmail(sql, email);
  return found?.state === 'active' || found?.state === 'changed' ? found : undefined;
}

/** What follows is known without a question to the database: no exception and no trusted device may change it. */
async function certainly(
  { policy, database }: SignInDeps,
  account: Account,
  browser: Browser,
): Promise<'factor-asked' | undefined> {
  const hasFactor = account.authenticators + account.passkeys > 0;
  if (!hasFactor || account.hasException || browser.trustedToken !== undefined) return undefined;
  return isFactorAsked(await policy.requirementFor(database, account), hasFactor) ? 'factor-asked' : undefined;
}

/** How somebody has proved who they are so far. */
export interface FirstProof {
  readonly actor: Actor;
  readonly browser: Browser;
  readonly first: 'password' | 'provider';
}

/** What a right password, or an identity provider’s word, leads to, as the policy has it for this person and this browser. */
export async function afterFirstProof(
  tx: Transaction,
  deps: SignInDeps,
  account: Account,
  { actor, browser, first }: FirstProof,
): Promise<PasswordGiven | 'factor-missing'> {
  const { policy, trusted } = deps;
  const level = await policy.requirementFor(tx, account);
  const hasFactor = account.authenticators + account.passkeys > 0;
  const opening = { actor, account, browser };
  if (!isFactorAsked(level, hasFactor)) {
    // Proved by the password alone: that is all there is to prove for this person.
    const how =
      first === 'password'
        ? ({ method: 'password-only', event: 'sign-in.password-only' } as const)
        : ({ method: 'provider', event: 'sign-in.provider' } as const);
    return { answer: { next: 'signed-in' }, ...(await openSession(tx, deps, { ...opening, ...how })) };
  }
  if (!hasFactor) return 'factor-missing';
  const token = browser.trustedToken;
  const device = await trusted.find(tx, account.id, token);
  const rotated = device && token !== undefined ? await trusted.rotate(tx, device, token) : undefined;
  if (device !== undefined && rotated !== undefined) {
    const how = { method: 'trusted-device', event: 'sign-in.trusted-device', cookies: [rotated] } as const;
    const opened = await openSession(tx, deps, { ...opening, ...how, authenticatedAtMs: device.factorMs });
    return { answer: { next: 'signed-in' }, ...opened };
  }
  return await askFactor(tx, deps, account, { actor, browser, first });
}

/** The first proof was right and a second is owed; all statements are begun before this returns. */
async function askFactor(
  tx: Transaction,
  deps: SignInDeps,
  account: Account,
  { actor, browser, first }: FirstProof,
): Promise<PasswordGiven> {
  const { authenticators, passkeys } = account;
  const [cookie, audited] = await Promise.all([
    startPreSession(tx, deps, account, browser),
    deps.audit.record(tx, [
      { actor, event: `sign-in.${first}`, action: 'E', outcome: 'success', entities: [userEntity(account.id)] },
    ]),
  ]);
  const ways = [
    ...(authenticators > 0 ? (['authenticator'] as const) : []),
    ...(passkeys > 0 ? (['passkey'] as const) : []),
  ];
  return {
    answer: { next: 'second-factor', ways, mayTrust: deps.settings.trustedDevices },
    cookies: [cookie],
    audited,
  };
}

/** Password given, code owed: under a fresh token, which will never become a session's. */
async function startPreSession(
  tx: Transaction,
  { sealing, clock, settings }: SignInDeps,
  account: Account,
  browser: Browser,
): Promise<CookieChange> {
  const old = browser.preSessionToken;
  const token = randomToken(256);
  const lifeSeconds = settings.preSessionMinutes * 60;
  const expiresMs = clock.nowMs() + lifeSeconds * 1000;
  await Promise.all([
    old === undefined ? undefined : signInStore.endPre(tx, hashToken(old)),
    signInStore.beginPre(tx, sealing.rows, { tokenHash: hashToken(token), account, expiresMs }),
  ]);
  return { name: PRE_SESSION_COOKIE, value: token, maxAgeSeconds: lifeSeconds };
}
