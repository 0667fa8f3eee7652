import { hashToken } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import { knownDevice } from './devices.ts';
import { codeRefused, signInExpired } from './errors.ts';
import { recoveryCodeHash } from './recovery-codes.ts';
import type { Browser } from './sessions.ts';
import { refuseGuess, type SignInDeps, userEntity } from './sign-in.ts';
import { signInStore } from './sign-in-store.ts';
import type { Attempt } from './throttle.ts';
import { totpStep } from './totp.ts';
import type { Account } from './user-store.ts';

/** A code of the authenticator app, or a recovery code; each as wire.ts has parsed it. */
export type SecondFactor = { readonly code: string } | { readonly recoveryCode: string };

export interface SignedIn {
  readonly cookies: readonly CookieChange[];
  /** Known after a recovery code was used. */
  readonly recoveryCodesLeft: number | undefined;
  readonly audited: AuditReceipt;
}

type FactorFailure = 'code-wrong' | 'code-replayed' | 'recovery-code-wrong';

interface CodeRequest {
  readonly actor: Actor;
  readonly factor: SecondFactor;
  readonly browser: Browser;
}

/**
 * The second step: starts the session. Throws `sign-in-expired` when no password was given (or too long ago, or too many
 * codes were wrong), `code-refused`, or `too-many-attempts`.
 */
export async function signInWithCode(deps: SignInDeps, request: CodeRequest): Promise<SignedIn> {
  const { database, users, throttle, clock } = deps;
  const { actor, factor, browser } = request;
  const preHash = browser.preSessionToken === undefined ? undefined : hashToken(browser.preSessionToken);
  const userId = preHash && (await signInStore.findPre(database, preHash, clock.nowMs()));
  const account = userId && (await users.find(database, userId));
  if (preHash === undefined || account?.state !== 'active') throw signInExpired();
  const device = await knownDevice(database, account.id, { token: browser.deviceToken, nowMs: clock.nowMs() });
  const attempt: Attempt = { stage: 'factor', email: account.email, knownDevice: device, address: browser.address };
  await throttle.charge(attempt);
  if ((await signInStore.tryPre(database, preHash, clock.nowMs())) === undefined) throw signInExpired();
  const outcome = await database.transaction(async (tx): Promise<SignedIn | FactorFailure> => {
    // Locked first: whoever ends this account's access now waits, and then ends this session too.
    const current = await users.findLocked(tx, account.id);
    if (current?.state !== 'active') throw signInExpired();
    const failure = await takeFactor(tx, deps, current.id, factor);
    if (failure !== undefined) return failure;
    if (!(await signInStore.endPre(tx, preHash))) throw signInExpired();
    await throttle.settle(tx, attempt);
    return await finish(tx, deps, current, request);
  });
  if (typeof outcome !== 'string') return outcome;
  return await refuseGuess(
    deps.audit,
    actor,
    { event: eventOf(factor), reason: outcome, account },
    codeRefused(outcome),
  );
}

/** Whether this browser has given a right password and owes the code. */
export async function owesCode({ database, clock }: SignInDeps, browser: Browser): Promise<boolean> {
  if (browser.preSessionToken === undefined) return false;
  return (await signInStore.findPre(database, hashToken(browser.preSessionToken), clock.nowMs())) !== undefined;
}

async function finish(tx: Transaction, deps: SignInDeps, account: Account, request: CodeRequest): Promise<SignedIn> {
  const { users, credentials, sessions, audit, clock } = deps;
  await users.signedIn(tx, account.id, clock.nowMs());
  const { principal, cookies } = await sessions.start(tx, account, request.browser);
  const recoveryCodesLeft = 'code' in request.factor ? undefined : await credentials.codesLeft(tx, account.id);
  const audited = await audit.record(tx, [
    {
      actor: { ...request.actor, principal },
      event: eventOf(request.factor),
      action: 'E',
      outcome: 'success',
      entities: [userEntity(account.id)],
      ...(recoveryCodesLeft === undefined ? {} : { detail: { recoveryCodesLeft: String(recoveryCodesLeft) } }),
    },
  ]);
  return { cookies, recoveryCodesLeft, audited };
}

/** Uses the factor up, or says why not; nothing is written then. */
async function takeFactor(
  tx: Transaction,
  { credentials, clock }: SignInDeps,
  userId: UserId,
  given: SecondFactor,
): Promise<FactorFailure | undefined> {
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

const eventOf = (factor: SecondFactor): 'sign-in.code' | 'sign-in.recovery-code' =>
  'code' in factor ? 'sign-in.code' : 'sign-in.recovery-code';
