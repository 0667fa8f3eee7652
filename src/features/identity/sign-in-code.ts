import { hashToken } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import type { Actor } from '../../kernel/principal.ts';
import { SqlError } from '../../platform/db/index.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { ChallengeOf } from './challenge-store.ts';
import { deviceHash, knownDeviceOwing } from './devices.ts';
import { codeRefused, passkeyRefused, signInExpired } from './errors.ts';
import type { TotpFactor } from './credential-store.ts';
import {
  type GivenProof,
  type PreparedProof,
  prepareProof,
  type ShownStep,
  stepsShown,
  takeProof,
} from './factor-proof.ts';
import type { PasskeyQuestion } from './passkeys.ts';
import type { Browser, SignInMethod } from './sessions.ts';
import { mayOpenHere, type Opened, openSession, refuseGuess, type SignInDeps, type SignInEvent } from './sign-in.ts';
import { signInStore } from './sign-in-store.ts';
import type { Attempt } from './attempt.ts';
import type { HeldAttempt } from './throttle.ts';
import type { Slot } from './under-way.ts';
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
  return await deps.throttle.underWay(request.browser.address, (slot) => compareFactor(deps, request, slot));
}

async function compareFactor(deps: SignInDeps, request: SecondRequest, slot: Slot | undefined): Promise<SignedIn> {
  const { database, audit } = deps;
  const { actor, browser } = request;
  if (browser.preSessionToken === undefined) throw signInExpired();
  const preHash = hashToken(browser.preSessionToken);
  const proof = await prepareProof(deps, request.proof, { ...ownedBy(preHash), token: browser.challengeToken });
  const second: Second = { ...request, slot, preHash, prepared: proof };
  const outcome = await database
    .transaction((tx) => secondStep(tx, deps, second, proof.kind === 'code'))
    .catch((error: unknown) => {
      if (!(error instanceof SqlError && error.sqlState === STEP_TAKEN)) throw error;
      return database.transaction((tx) => secondStep(tx, deps, second, false));
    });
  if ('cookies' in outcome) return outcome;
  const { failure, account } = outcome;
  const problem = proof.kind === 'passkey' ? passkeyRefused(failure) : codeRefused(failure);
  return await refuseGuess(audit, actor, { event: EVENTS[proof.kind], reason: failure, account }, problem);
}

interface Second extends SecondRequest {
  readonly slot: Slot | undefined;
  readonly preHash: Uint8Array;
  readonly prepared: PreparedProof;
}

interface Refused {
  readonly failure: string;
  readonly account: Account;
}

/** The code was right, and somebody has used its step: nothing of what was written together with it stays (migration 000362). */
const STEP_TAKEN = 'CS002';

/**
 * Account, half-done sign-in and counters are locked until the outcome is written. `hasty`: a right code is used up together with
 * what it leads to, since each journey to the database costs more than what it does there; fails if it was used up before.
 */
async function secondStep(
  tx: Transaction,
  deps: SignInDeps,
  second: Second,
  hasty: boolean,
): Promise<SignedIn | Refused> {
  const { users, credentials, throttle, clock } = deps;
  const { browser, preHash, prepared, slot } = second;
  const nowMs = clock.nowMs();
  // Locked first: whoever ends this account's access now waits, and then ends this session too.
  const owing = { preHash, device: deviceHash(browser.deviceToken), address: browser.address };
  const [account, device, factors, held] = await Promise.all([
    users.findOwing(tx, preHash, nowMs),
    knownDeviceOwing(tx, preHash, { token: browser.deviceToken, nowMs }),
    hasty ? credentials.factorsOwed(tx, preHash) : [],
    throttle.holdOwing(tx, owing),
  ]);
  if (account?.state !== 'active') throw signInExpired();
  if (device !== undefined) slot?.end();
  const { address } = browser;
  const guess: Attempt = { stage: 'factor', email: account.email, knownDevice: device, address, slot };
  const attempt = await held(guess, account.emailToken);
  const factorIds = account.credentials?.factorIds ?? [];
  const shown = prepared.kind === 'code' ? freshStep(factors, { code: prepared.code, factorIds, nowMs }) : undefined;
  const open = (): Promise<SignedIn> => openSecond(tx, deps, second, { account, isNew: device === undefined, attempt });
  if (hasty && shown !== undefined && mayOpenHere(deps, account, browser)) {
    const both = async (): Promise<SignedIn> => {
      const [, opened] = await Promise.all([credentials.takeStepOrFail(tx, account.id, shown), open()]);
      return opened;
    };
    // Making a device trusted asks before it writes.
    return await (second.trust === true ? both() : tx.last(both));
  }
  const failure = await takeProof(tx, deps, account.id, { proof: prepared, baseUrl: second.baseUrl });
  if (failure === undefined) return await open();
  await Promise.all([attempt.wrong(), signInStore.tryPre(tx, preHash, nowMs)]);
  return { failure, account };
}

/** A step that the code is right for and that nobody has used up, as far as is known. */
function freshStep(
  factors: readonly (TotpFactor & { readonly lastStep: number })[],
  given: { readonly code: string; readonly factorIds: readonly string[]; readonly nowMs: number },
): ShownStep | undefined {
  const lastOf = new Map(factors.map(({ id, lastStep }) => [id, lastStep]));
  return stepsShown(factors, given).find(({ factorId, step }) => step > (lastOf.get(factorId) ?? step));
}

async function openSecond(
  tx: Transaction,
  deps: SignInDeps,
  { actor, browser, preHash, prepared, trust }: Second,
  { account, isNew, attempt }: { readonly account: Account; readonly isNew: boolean; readonly attempt: HeldAttempt },
): Promise<SignedIn> {
  const recovered = prepared.kind === 'recovery-code';
  const left = recovered ? await deps.credentials.codesLeft(tx, account.id) : undefined;
  const [opened] = await Promise.all([
    openSession(tx, deps, {
      ...{ actor, account, browser, event: EVENTS[prepared.kind], method: prepared.kind },
      // A recovery code is not something one has: it makes no device trusted.
      trust: trust === true && !recovered,
      told: recovered ? 'recovery-code-used' : isNew ? 'new-device' : undefined,
      ...(left === undefined ? {} : { detail: { recoveryCodesLeft: String(left) } }),
    }),
    signInStore.endPre(tx, preHash),
    attempt.right(),
  ]);
  return { ...opened, recoveryCodesLeft: left };
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
