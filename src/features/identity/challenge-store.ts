import { hashToken, randomToken } from '../../crypto/index.ts';
import { toHex } from '../../kernel/bytes.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import type { SealedChallenge, Sealing } from './sealing.ts';

export const CHALLENGE_COOKIE = 'challenge';
/** WebAuthn's own advice is five minutes at most; an authenticator app has to be installed meanwhile. */
const LIFE_MS = 600_000;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

export type ChallengePurpose =
  | 'add-authenticator'
  | 'add-passkey'
  | 'sign-in-alone'
  | 'sign-in-second'
  | 'step-up'
  | 'password-reset';

const INSERT = statement(
  'identity.challenge-insert',
  `INSERT INTO identity.challenges (token_hash, purpose, owner, sealed_challenge, expires_at) VALUES ($1, $2, $3, $4, $5)`,
);
/** Used up by being taken: whoever takes it first has it. */
const TAKE = statement<{ sealed_challenge: Uint8Array }>(
  'identity.challenge-take',
  `DELETE FROM identity.challenges WHERE token_hash = $1 AND purpose = $2 AND owner = $3 AND expires_at > $4
   RETURNING sealed_challenge`,
);
const LOOK = statement<{ sealed_challenge: Uint8Array }>(
  'identity.challenge',
  `SELECT sealed_challenge FROM identity.challenges
   WHERE token_hash = $1 AND purpose = $2 AND owner = $3 AND expires_at > $4`,
);
const EXPIRED = statement('identity.expire-challenges', 'DELETE FROM identity.challenges WHERE expires_at <= $1');

export interface ChallengeOf {
  readonly purpose: ChallengePurpose;
  /** Session, half-done sign-in or link it is bound to; empty for a sign-in by passkey alone. */
  readonly owner: string;
}

/**
 * What the server waits for from one browser: made with a cookie, bound to what it was made for, used once. A challenge of
 * one session, purpose or browser is worth nothing in another.
 */
export type ChallengeStore = ReturnType<typeof createChallengeStore>;

export function createChallengeStore(sealing: Sealing) {
  const opened = (tokenHash: Uint8Array, of: ChallengeOf, row: { sealed_challenge: Uint8Array } | undefined) => {
    const content = row && sealing.open('sealed_challenge', toHex(tokenHash), row.sealed_challenge);
    return content?.purpose === of.purpose && content.owner === of.owner ? content : undefined;
  };
  return {
    async make(
      sql: Sql,
      of: ChallengeOf,
      content: Omit<SealedChallenge, 'purpose' | 'owner'>,
      nowMs: number,
    ): Promise<CookieChange> {
      const token = randomToken(256);
      const tokenHash = hashToken(token);
      const sealed = sealing.seal('sealed_challenge', toHex(tokenHash), {
        ...content,
        purpose: of.purpose,
        owner: of.owner,
      });
      await sql.run(INSERT, [tokenHash, of.purpose, of.owner, sealed, new Date(nowMs + LIFE_MS)]);
      return { name: CHALLENGE_COOKIE, value: token, maxAgeSeconds: LIFE_MS / 1000 };
    },
    /** Uses it up, right or wrong. undefined: unknown, used, expired or of something else. */
    async take(
      sql: Sql,
      of: ChallengeOf,
      token: string | undefined,
      nowMs: number,
    ): Promise<SealedChallenge | undefined> {
      if (token === undefined || !TOKEN.test(token)) return undefined;
      const tokenHash = hashToken(token);
      return opened(tokenHash, of, (await sql.rows(TAKE, [tokenHash, of.purpose, of.owner, new Date(nowMs)]))[0]);
    },
    /** Looks without using it up: a mistyped code of an authenticator app may be tried again. */
    async look(
      sql: Sql | Transaction,
      of: ChallengeOf,
      token: string | undefined,
      nowMs: number,
    ): Promise<SealedChallenge | undefined> {
      if (token === undefined || !TOKEN.test(token)) return undefined;
      const tokenHash = hashToken(token);
      return opened(tokenHash, of, (await sql.rows(LOOK, [tokenHash, of.purpose, of.owner, new Date(nowMs)]))[0]);
    },
    async deleteExpired(sql: Sql, nowMs: number): Promise<void> {
      await sql.run(EXPIRED, [new Date(nowMs)]);
    },
  };
}
