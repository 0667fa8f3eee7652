import { hashToken } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { ChallengeOf } from './challenge-store.ts';
import { knownDevice } from './devices.ts';
import { codeRefused, passkeyRefused, signInExpired } from './errors.ts';
import { type GivenProof, prepareProof, takeProof } from './factor-proof.ts';
import type { PasskeyQuestion } from './passkeys.ts';
import type { Browser, SignInMethod } from './sessions.ts';
import { type Opened, openSession, refuseGuess, type SignInDeps, type SignInEvent } from './sign-in.ts';
import { signInStore } from './sign-in-store.ts';
import type { Attempt } from './throttle.ts';
import type { Account } from './user-store.ts';

export interface SignedIn extends Opened {
  /** Known after a recovery code was used. */
  readonly recoveryCodesLeft: number | undefined;
}

interface SecondRequest {
  readonly actor: Actor;
  readonly proof: GivenProof;
  readonly browser: Browser;
  readonly baseUrl: string;
  /** Do not ask on this browser for a while. */
  readonly trust?: boolean | undefined;
}

/**
 * The second step: a code, a recovery code or a passkey. Starts the session. Throws `sign-in-expired` when no password was
 * given (or too long ago, or too many codes were wrong), `code-refused`, `passkey-refused` or `too-many-attempts`.
 */
export async function signInWithFactor(deps: SignInDeps, request: SecondRequest): Promise<SignedIn> {
  const { database, users, throttle, clock } = deps;
  const { actor, browser, baseUrl } = request;
  const { preHash, account } = await owing(deps, browser);
  const device = await knownDevice(database, account.id, { token: browser.deviceToken, nowMs: clock.nowMs() });
  const attempt: Attempt = { stage: 'factor', email: account.email, knownDevice: device, address: browser.address };
  await throttle.charge(attempt);
  const proof = await prepareProof(deps, request.proof, { ...ownedBy(preHash), token: browser.challengeToken });
  const event = EVENTS[proof.kind];
  const outcome = await database.transaction(async (tx): Promise<SignedIn | string> => {
    // Locked first: whoever ends this account's access now waits, and then ends this session too.
    const [current, tried] = await Promise.all([
      users.findLocked(tx, account.id),
      signInStore.tryPre(tx, preHash, clock.nowMs()),
    ]);
    if (current?.state !== 'active' || tried === undefined) throw signInExpired();
    const failure = await takeProof(tx, deps, current.id, { proof, baseUrl });
    if (failure !== undefined) return failure;
    const recovered = proof.kind === 'recovery-code';
    const left = recovered ? await deps.credentials.codesLeft(tx, current.id) : undefined;
    const opening = openSession(tx, deps, {
      ...{ actor, account: current, browser, event, method: proof.kind },
      // A recovery code is not something one has: it makes no device trusted.
      trust: request.trust === true && !recovered,
      told: recovered ? 'recovery-code-used' : device === undefined ? 'new-device' : undefined,
      ...(left === undefined ? {} : { detail: { recoveryCodesLeft: String(left) } }),
    });
    const [opened, ended] = await Promise.all([opening, signInStore.endPre(tx, preHash), throttle.settle(tx, attempt)]);
    if (!ended) throw signInExpired();
    return { ...opened, recoveryCodesLeft: left };
  });
  if (typeof outcome !== 'string') return outcome;
  const problem = proof.kind === 'passkey' ? passkeyRefused(outcome) : codeRefused(outcome);
  return await refuseGuess(deps.audit, actor, { event, reason: outcome, account }, problem);
}

/** What a passkey has to sign as the second step. Throws `sign-in-expired`. */
export async function askSecondPasskey(
  deps: SignInDeps,
  { browser, baseUrl }: { readonly browser: Browser; readonly baseUrl: string },
): Promise<PasskeyQuestion> {
  const { preHash, account } = await owing(deps, browser);
  return await deps.passkeys.assertion(deps.database, ownedBy(preHash), { userId: account.id, baseUrl });
}

/** Whether this browser has given a right password and owes the code. */
export async function owesCode({ database, sealing, clock }: SignInDeps, browser: Browser): Promise<boolean> {
  if (browser.preSessionToken === undefined) return false;
  const tokenHash = hashToken(browser.preSessionToken);
  return (await signInStore.findPre(database, sealing.rows, tokenHash, clock.nowMs())) !== undefined;
}

async function owing(
  { database, users, clock }: SignInDeps,
  browser: Browser,
): Promise<{ readonly preHash: Uint8Array; readonly account: Account }> {
  const preHash = browser.preSessionToken === undefined ? undefined : hashToken(browser.preSessionToken);
  const account = preHash && (await users.findByPreSession(database, preHash, clock.nowMs()));
  if (preHash === undefined || account?.state !== 'active') throw signInExpired();
  return { preHash, account };
}

const ownedBy = (preHash: Uint8Array): ChallengeOf => ({ purpose: 'sign-in-second', owner: toHex(preHash) });

const EVENTS: Readonly<Record<Extract<SignInMethod, 'code' | 'recovery-code' | 'passkey'>, SignInEvent>> = {
  code: 'sign-in.code',
  'recovery-code': 'sign-in.recovery-code',
  passkey: 'sign-in.passkey',
};
