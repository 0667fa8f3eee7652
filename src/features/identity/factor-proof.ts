import type { UserId } from '../../kernel/ids.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import type { ChallengeOf } from './challenge-store.ts';
import type { CredentialBook } from './credential-book.ts';
import type { CredentialStore, TotpFactor } from './credential-store.ts';
import type { FactorId } from './model.ts';
import type { Passkey } from './passkey-store.ts';
import type { Passkeys } from './passkeys.ts';
import { recoveryCodeHash } from './recovery-codes.ts';
import { totpStep } from './totp.ts';
import type { PasskeyAssertion } from './wire-factors.ts';

/** A second factor as somebody gives it, each part as the wire has parsed it. */
export type GivenProof =
  | { readonly code: string }
  | { readonly recoveryCode: string }
  | { readonly credential: PasskeyAssertion };

/** The same, with the challenge used up already: whatever follows, a passkey's answer is looked at once. */
export type PreparedProof =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'recovery-code'; readonly code: string }
  | {
      readonly kind: 'passkey';
      readonly credential: PasskeyAssertion;
      readonly passkey: Passkey | undefined;
      readonly challenge: string | undefined;
    };

export interface ProofDeps {
  readonly database: Database;
  readonly credentials: CredentialStore;
  readonly book: CredentialBook;
  readonly passkeys: Passkeys;
  readonly clock: Clock;
}

export async function prepareProof(
  { database, passkeys }: ProofDeps,
  given: GivenProof,
  of: ChallengeOf & { readonly token: string | undefined },
): Promise<PreparedProof> {
  if ('code' in given) return { kind: 'code', code: given.code };
  if ('recoveryCode' in given) return { kind: 'recovery-code', code: given.recoveryCode };
  const { credential } = given;
  const challenge = await passkeys.takeChallenge(database, of, of.token);
  return { kind: 'passkey', credential, challenge, passkey: await passkeys.named(database, credential) };
}

/** Uses the factor of this person up, or says why not, as a code for the log; nothing is written then. */
export async function takeProof(
  tx: Transaction,
  deps: ProofDeps,
  userId: UserId,
  given: { readonly proof: PreparedProof; readonly baseUrl: string },
): Promise<string | undefined> {
  const { credentials, book, passkeys, clock } = deps;
  const { proof, baseUrl } = given;
  const nowMs = clock.nowMs();
  // Of what the account's binding names and of nothing else: rows given to it by somebody else open nothing.
  const { factorIds } = await book.now(tx, userId);
  switch (proof.kind) {
    case 'recovery-code': {
      const taken = await credentials.takeCode(tx, userId, recoveryCodeHash(userId, proof.code), nowMs);
      return taken ? undefined : 'recovery-code-wrong';
    }
    case 'code':
      return await takeCodeStep(tx, deps, userId, { code: proof.code, factorIds });
    case 'passkey': {
      const { passkey, challenge, credential } = proof;
      if (challenge === undefined) return 'passkey-challenge';
      if (passkey === undefined) return 'passkey-unknown';
      if (passkey.userId !== userId || !factorIds.includes(passkey.id)) return 'passkey-of-another';
      return await passkeys.prove(tx, passkey, { credential, challenge, baseUrl });
    }
  }
}

async function takeCodeStep(
  tx: Transaction,
  { credentials, clock }: ProofDeps,
  userId: UserId,
  { code, factorIds }: { readonly code: string; readonly factorIds: readonly string[] },
): Promise<string | undefined> {
  const nowMs = clock.nowMs();
  const shown = stepsShown(await credentials.factors(tx, userId), { code, factorIds, nowMs });
  for (const step of shown) if (await credentials.takeStep(tx, userId, step)) return undefined;
  return shown.length > 0 ? 'code-replayed' : 'code-wrong';
}

/** At which authenticator, and for which step, the code is right; nothing is used up. */
export interface ShownStep {
  readonly factorId: FactorId;
  readonly step: number;
  readonly nowMs: number;
}

/** `factorIds`: what the account's binding names; others open nothing. */
export function stepsShown(
  factors: readonly TotpFactor[],
  given: { readonly code: string; readonly factorIds: readonly string[]; readonly nowMs: number },
): ShownStep[] {
  const { code, factorIds, nowMs } = given;
  return factors.flatMap(({ id, secret }) => {
    const step = factorIds.includes(id) ? totpStep(secret, code, nowMs) : undefined;
    return step === undefined ? [] : [{ factorId: id, step, nowMs }];
  });
}
