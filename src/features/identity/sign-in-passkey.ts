import type { Actor } from '../../kernel/principal.ts';
import type { ChallengeOf } from './challenge-store.ts';
import { knownDevice } from './devices.ts';
import { passkeyRefused } from './errors.ts';
import { prepareProof, takeProof } from './factor-proof.ts';
import type { PasskeyQuestion } from './passkeys.ts';
import type { Browser } from './sessions.ts';
import { type Opened, openSession, refuseGuess, type SignInDeps } from './sign-in.ts';
import type { Attempt } from './attempt.ts';
import type { PasskeyAssertion } from './wire-factors.ts';

/** Bound to the cookie alone: nobody is known yet. */
const ALONE: ChallengeOf = { purpose: 'sign-in-alone', owner: '' };

/** What a passkey has to sign to sign in by itself. Names nobody: the browser offers what it has for this address. */
export function askPasskeyAlone(deps: SignInDeps, baseUrl: string): Promise<PasskeyQuestion> {
  return deps.passkeys.assertion(deps.database, ALONE, { userId: undefined, baseUrl });
}

/**
 * Sign-in without a password: a passkey with user verification is two factors by itself (SP 800-63B-4 §3.1.6). Throws
 * `passkey-refused`, for every reason alike, or `too-many-attempts`.
 */
export async function signInWithPasskey(
  deps: SignInDeps,
  request: {
    readonly actor: Actor;
    readonly credential: PasskeyAssertion;
    readonly browser: Browser;
    readonly baseUrl: string;
  },
): Promise<Opened> {
  const { database, users, throttle, clock } = deps;
  const { actor, credential, browser, baseUrl } = request;
  const proof = await prepareProof(deps, { credential }, { ...ALONE, token: browser.challengeToken });
  const owner = proof.kind === 'passkey' ? proof.passkey?.userId : undefined;
  const account = owner === undefined ? undefined : await users.find(database, owner);
  const device = await knownDevice(database, account?.id, { token: browser.deviceToken, nowMs: clock.nowMs() });
  // A passkey nobody has is counted under its own id, so that the answer and its price are the same.
  const email = account?.email ?? `passkey ${credential.id.slice(0, 64)}`;
  const attempt: Attempt = { stage: 'factor', email, knownDevice: device, address: browser.address };
  await throttle.charge(attempt);
  const outcome = await database.transaction(async (tx): Promise<Opened | string> => {
    const current = account && (await users.findLocked(tx, account.id));
    if (current?.state !== 'active') return account === undefined ? 'passkey-unknown' : 'account-not-active';
    const failure = await takeProof(tx, deps, current.id, { proof, baseUrl });
    if (failure !== undefined) return failure;
    await throttle.settle(tx, attempt);
    return await openSession(tx, deps, {
      ...{ actor, account: current, browser, event: 'sign-in.passkey', method: 'passkey' },
      told: device === undefined ? 'new-device' : undefined,
      detail: { alone: 'yes' },
    });
  });
  if (typeof outcome !== 'string') return outcome;
  const refused = { event: 'sign-in.passkey', reason: outcome, account } as const;
  return await refuseGuess(deps.audit, actor, refused, passkeyRefused(outcome));
}
