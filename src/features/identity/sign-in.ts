import { hashToken, type PasswordHasher, randomToken } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import { markRefusalAudited } from '../../platform/http/audited.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import type { Audit } from '../audit/index.ts';
import type { CredentialStore } from './credential-store.ts';
import { codeRefused, type IdentityProblem, signInExpired, signInRefused } from './errors.ts';
import type { IdentitySettings } from './model.ts';
import { recoveryCodeHash } from './recovery-codes.ts';
import type { SessionStore } from './session-store.ts';
import { type Browser, PRE_SESSION_COOKIE, type Sessions } from './sessions.ts';
import type { Attempt, Throttle } from './throttle.ts';
import { totpStep } from './totp.ts';
import type { Account, UserStore } from './user-store.ts';
import { EmailAddress } from './wire.ts';

export interface SignInDeps {
  readonly database: Database;
  readonly users: UserStore;
  readonly credentials: CredentialStore;
  readonly sessionStore: SessionStore;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly passwords: PasswordHasher;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly settings: IdentitySettings;
}

export interface SignedIn {
  readonly cookies: readonly CookieChange[];
  readonly recoveryCodesLeft: number | undefined;
  readonly audited: AuditReceipt;
}

export type SecondFactor = { readonly code: string } | { readonly recoveryCode: string };

export type SignIn = ReturnType<typeof createSignIn>;

/** Password, then second factor. Every guess is charged before it is compared, and every outcome is audited. */
export function createSignIn(deps: SignInDeps) {
  const { database, users, credentials, sessionStore, sessions, throttle, passwords, audit, clock, settings } = deps;

  /** Writes down a wrong guess with the account it was aimed at; the door then need not. */
  async function refuse(actor: Actor, at: FailedGuess, problem: IdentityProblem): Promise<never> {
    const receipt = await audit.recordNow([
      {
        actor,
        event: at.event,
        action: 'E',
        outcome: 'minor-failure',
        reason: at.reason,
        ...(at.account === undefined ? {} : { entities: [userEntity(at.account.id)] }),
      },
    ]);
    throw markRefusalAudited(problem, receipt);
  }

  /** The account that may sign in with this address. Whatever stands in the way looks like a wrong password. */
  async function activeAccount(email: string): Promise<Account | undefined> {
    const account = await users.findByEmail(database, email);
    return account?.state === 'active' ? account : undefined;
  }

  async function withPassword(actor: Actor, input: { email: string; password: string }, browser: Browser) {
    const email = EmailAddress.safeParse(input.email).data ?? input.email.toLowerCase();
    const account = await activeAccount(email);
    const knownDevice = await sessions.knownDevice(account, browser.deviceToken);
    const attempt: Attempt = { stage: 'password', email, knownDevice, address: browser.address };
    await throttle.charge(attempt);
    // Without an account the same work is done on a hash that no password has.
    const right = await passwords.verify(account?.passwordHash, input.password);
    if (!right || account === undefined) {
      const reason = account === undefined ? 'account-unknown' : 'password-wrong';
      return await refuse(actor, { event: 'sign-in.password', reason, account }, signInRefused(reason));
    }
    const rehashed = passwords.needsRehash(account.passwordHash ?? '')
      ? await passwords.hash(input.password)
      : undefined;
    const token = randomToken(256);
    const audited = await database.transaction(async (tx) => {
      if (rehashed !== undefined) await users.setPassword(tx, account.id, rehashed);
      await throttle.settle(tx, attempt);
      if (browser.preSessionToken !== undefined) await sessionStore.endPre(tx, hashToken(browser.preSessionToken));
      const expiresMs = clock.nowMs() + settings.preSessionMinutes * 60_000;
      await sessionStore.insertPre(tx, hashToken(token), account.id, expiresMs);
      return await audit.record(tx, [
        { actor, event: 'sign-in.password', action: 'E', outcome: 'success', entities: [userEntity(account.id)] },
      ]);
    });
    const cookie: CookieChange = {
      name: PRE_SESSION_COOKIE,
      value: token,
      maxAgeSeconds: settings.preSessionMinutes * 60,
    };
    return { cookies: [cookie], audited };
  }

  async function withSecondFactor(actor: Actor, factor: SecondFactor, browser: Browser): Promise<SignedIn> {
    const preHash = browser.preSessionToken === undefined ? undefined : hashToken(browser.preSessionToken);
    const userId = preHash && (await sessionStore.findPre(database, preHash, clock.nowMs()));
    const account = userId && (await users.find(database, userId));
    if (preHash === undefined || account === undefined || account.state !== 'active') throw signInExpired();
    const knownDevice = await sessions.knownDevice(account, browser.deviceToken);
    const attempt: Attempt = { stage: 'factor', email: account.email, knownDevice, address: browser.address };
    await throttle.charge(attempt);
    if ((await sessionStore.tryPre(database, preHash, clock.nowMs())) === undefined) throw signInExpired();
    const event = 'code' in factor ? 'sign-in.code' : 'sign-in.recovery-code';
    const outcome = await database.transaction(async (tx): Promise<SignedIn | 'ended' | FactorFailure> => {
      // Locked first: whoever ends this account's access now waits, and then ends this session too.
      const current = await users.findLocked(tx, account.id);
      if (current?.state !== 'active') return 'ended';
      const failure = await takeFactor(tx, current.id, factor);
      if (failure !== undefined) return failure;
      if (!(await sessionStore.endPre(tx, preHash))) throw signInExpired();
      await throttle.settle(tx, attempt);
      await users.signedIn(tx, current.id, clock.nowMs());
      const { principal, cookies } = await sessions.start(tx, current, browser);
      const recoveryCodesLeft = 'code' in factor ? undefined : await credentials.codesLeft(tx, current.id);
      const audited = await audit.record(tx, [
        {
          actor: { ...actor, principal },
          event,
          action: 'E',
          outcome: 'success',
          entities: [userEntity(current.id)],
          ...(recoveryCodesLeft === undefined ? {} : { detail: { recoveryCodesLeft: String(recoveryCodesLeft) } }),
        },
      ]);
      return { cookies, recoveryCodesLeft, audited };
    });
    if (outcome === 'ended') throw signInExpired();
    if (typeof outcome !== 'string') return outcome;
    return await refuse(actor, { event, reason: outcome, account }, codeRefused(outcome));
  }

  /** Uses the factor up, or says why not. Nothing is written then. */
  async function takeFactor(tx: Transaction, userId: UserId, given: SecondFactor): Promise<FactorFailure | undefined> {
    const nowMs = clock.nowMs();
    if ('recoveryCode' in given) {
      const taken = await credentials.takeCode(tx, userId, recoveryCodeHash(userId, given.recoveryCode), nowMs);
      return taken ? undefined : 'recovery-code-wrong';
    }
    for (const { id, secret } of await credentials.factors(tx, userId)) {
      const step = totpStep(secret, given.code, nowMs);
      if (step === undefined) continue;
      const taken = await credentials.takeStep(tx, userId, { factorId: id, step, nowMs });
      return taken ? undefined : 'code-replayed';
    }
    return 'code-wrong';
  }

  /** Whether this browser has given a right password and owes the code. */
  async function owesSecondFactor(browser: Browser): Promise<boolean> {
    if (browser.preSessionToken === undefined) return false;
    return (await sessionStore.findPre(database, hashToken(browser.preSessionToken), clock.nowMs())) !== undefined;
  }

  return { withPassword, withSecondFactor, owesSecondFactor };
}

type FactorFailure = 'code-wrong' | 'code-replayed' | 'recovery-code-wrong';

interface FailedGuess {
  readonly event: 'sign-in.password' | 'sign-in.code' | 'sign-in.recovery-code';
  readonly reason: string;
  readonly account: Account | undefined;
}

const userEntity = (id: UserId) => ({ reference: `User/${id}`, role: 'user' as const });
