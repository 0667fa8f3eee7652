import { newId, randomBytes } from '../../crypto/index.ts';
import { fromHex } from '../../kernel/bytes.ts';
import type { UserId } from '../../kernel/ids.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import type { ChallengeOf, ChallengeStore } from './challenge-store.ts';
import { passkeyRefused, passkeysUnavailable } from './errors.ts';
import type { FactorId } from './model.ts';
import type { Passkey, PasskeyStore } from './passkey-store.ts';
import type { PasskeyAssertion, PasskeyRegistration } from './wire-factors.ts';

/**
 * Passkeys (WebAuthn 3). User verification is demanded throughout, so a passkey is two factors by itself: the device, and
 * the finger, face or PIN that opens it. Origin and rpId are those of the address the server knows itself by, never of a
 * header. The library is loaded at the first passkey.
 */
export interface PasskeysDeps {
  readonly store: PasskeyStore;
  readonly challenges: ChallengeStore;
  readonly clock: Clock;
}

export type Passkeys = ReturnType<typeof createPasskeys>;

const CHALLENGE_BYTES = 32;
const TIMEOUT_MS = 300_000;
/** EdDSA, ES256, RS256: what authenticators make. */
const ALGORITHMS = [-8, -7, -257];

export interface PasskeyQuestion {
  readonly options: Record<string, unknown>;
  readonly cookie: CookieChange;
}

/** Loaded at the first passkey. */
const library = () => import('@simplewebauthn/server');

export function createPasskeys(deps: PasskeysDeps) {
  return { ...registering(deps), ...asking(deps), ...proving(deps) };
}

function registering({ store, challenges, clock }: PasskeysDeps) {
  return {
    /** What the browser is asked to make a passkey with. */
    async registration(
      sql: Sql,
      of: ChallengeOf,
      who: { readonly userId: UserId; readonly email: string; readonly name: string; readonly baseUrl: string },
    ): Promise<PasskeyQuestion> {
      const { generateRegistrationOptions } = await library();
      const challenge = randomBytes(CHALLENGE_BYTES);
      const present = await store.ofUser(sql, who.userId);
      const options = await generateRegistrationOptions({
        rpName: 'Careseal',
        rpID: rpIdOf(who.baseUrl),
        userName: who.email,
        userDisplayName: who.name,
        userID: handleOf(who.userId),
        challenge: Uint8Array.from(challenge),
        timeout: TIMEOUT_MS,
        attestationType: 'none',
        excludeCredentials: present.map(({ credentialId }) => ({ id: credentialId })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        supportedAlgorithmIDs: ALGORITHMS,
      });
      const cookie = await challenges.make(sql, of, { challenge: options.challenge }, clock.nowMs());
      return { options: { ...options }, cookie };
    },

    /** Takes the passkey the browser made. Throws `passkey-refused`. The challenge was used up before. */
    async register(
      tx: Transaction,
      made: { userId: UserId; label: string; credential: PasskeyRegistration; challenge: string; baseUrl: string },
    ): Promise<FactorId> {
      const { verifyRegistrationResponse } = await library();
      const { userId, label, credential, challenge, baseUrl } = made;
      const verified = await verifyRegistrationResponse({
        response: responseOf<Parameters<typeof verifyRegistrationResponse>[0]['response']>(credential),
        expectedChallenge: challenge,
        expectedOrigin: baseUrl,
        expectedRPID: rpIdOf(baseUrl),
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      }).catch((error: unknown) => {
        throw passkeyRefused(reasonOf(error));
      });
      if (!verified.verified) throw passkeyRefused('not-verified');
      const { registrationInfo: info } = verified;
      const id = newId<FactorId>();
      const fresh = await store.insert(tx, {
        ...{ id, userId, label },
        credentialId: info.credential.id,
        publicKey: Buffer.from(info.credential.publicKey).toString('base64url'),
        transports: credential.response.transports ?? [],
        counter: info.credential.counter,
        backupEligible: info.credentialDeviceType === 'multiDevice',
        backedUp: info.credentialBackedUp,
        createdMs: clock.nowMs(),
      });
      if (!fresh) throw passkeyRefused('registered-already');
      return id;
    },
  };
}

function asking({ store, challenges, clock }: PasskeysDeps) {
  return {
    /** What the browser is asked to sign. `userId` undefined: any passkey it has for us. */
    async assertion(
      sql: Sql,
      of: ChallengeOf,
      for_: { readonly userId: UserId | undefined; readonly baseUrl: string },
    ): Promise<PasskeyQuestion> {
      const { generateAuthenticationOptions } = await library();
      const known = for_.userId === undefined ? [] : await store.ofUser(sql, for_.userId);
      const options = await generateAuthenticationOptions({
        rpID: rpIdOf(for_.baseUrl),
        challenge: Uint8Array.from(randomBytes(CHALLENGE_BYTES)),
        timeout: TIMEOUT_MS,
        userVerification: 'required',
        ...(known.length === 0 ? {} : { allowCredentials: known.map(({ credentialId }) => ({ id: credentialId })) }),
      });
      const cookie = await challenges.make(sql, of, { challenge: options.challenge }, clock.nowMs());
      return { options: { ...options }, cookie };
    },

    /** The passkey that an answer names, before anything of it is checked: whose counter to charge. */
    named: (sql: Sql, credential: PasskeyAssertion): Promise<Passkey | undefined> => store.find(sql, credential.id),

    /** Uses the challenge up; its text, or undefined when it is dead. Before the signature is looked at, right or wrong. */
    async takeChallenge(sql: Sql, of: ChallengeOf, token: string | undefined): Promise<string | undefined> {
      return (await challenges.take(sql, of, token, clock.nowMs()))?.challenge;
    },
  };
}

function proving({ store, clock }: PasskeysDeps) {
  return {
    /**
     * Whether this is the passkey's signature over the challenge, made at our address, with the user verified and a counter
     * higher than before. Answers the reason why not, or nothing; marks the passkey as used.
     */
    async prove(
      tx: Transaction,
      passkey: Passkey,
      given: { readonly credential: PasskeyAssertion; readonly challenge: string; readonly baseUrl: string },
    ): Promise<string | undefined> {
      const { verifyAuthenticationResponse } = await library();
      const { credential, challenge, baseUrl } = given;
      const { userHandle } = credential.response;
      const handle = Buffer.from(handleOf(passkey.userId)).toString('base64url');
      if (userHandle !== undefined && userHandle !== null && userHandle !== '' && userHandle !== handle) {
        return 'passkey-of-another';
      }
      try {
        const { verified, authenticationInfo } = await verifyAuthenticationResponse({
          response: responseOf<Parameters<typeof verifyAuthenticationResponse>[0]['response']>(credential),
          expectedChallenge: challenge,
          expectedOrigin: baseUrl,
          expectedRPID: rpIdOf(baseUrl),
          credential: {
            id: passkey.credentialId,
            publicKey: Uint8Array.from(Buffer.from(passkey.publicKey, 'base64url')),
            counter: passkey.counter,
          },
          requireUserVerification: true,
        });
        if (!verified) return 'passkey-signature';
        const { newCounter: counter, credentialBackedUp: backedUp } = authenticationInfo;
        const used = await store.use(tx, passkey, { counter, backedUp, nowMs: clock.nowMs() });
        return used ? undefined : 'passkey-counter';
      } catch (error) {
        return reasonOf(error);
      }
    },
  };
}

/** Short codes for the log, from the library's English. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message.toLowerCase() : '';
  if (text.includes('origin')) return 'passkey-origin';
  if (text.includes('rp id') || text.includes('rpid')) return 'passkey-rp-id';
  if (text.includes('counter')) return 'passkey-counter';
  if (text.includes('user verification') || text.includes('user could not be verified'))
    return 'passkey-unverified-user';
  if (text.includes('challenge')) return 'passkey-challenge';
  return 'passkey-malformed';
}

/** A passkey belongs to a host name (WebAuthn 3 §5.1.3); a bare address has none. */
function rpIdOf(baseUrl: string): string {
  const { hostname } = new URL(baseUrl);
  if (/^[\d.]+$/.test(hostname) || hostname.includes(':')) throw passkeysUnavailable();
  return hostname;
}

/** The user handle: the account's random id and nothing that tells who it is. */
function handleOf(userId: UserId): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(fromHex(userId.replaceAll('-', '')) ?? []);
}

/** What wire-factors.ts has checked, as the library's type: extensions are left out, since none is asked for. */
function responseOf<Response>(credential: PasskeyRegistration | PasskeyAssertion): Response {
  return { ...credential, clientExtensionResults: {} } as unknown as Response;
}
