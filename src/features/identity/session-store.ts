import { toHex } from '../../kernel/bytes.ts';
import type { OrganisationId, SessionId, UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { MEMBERSHIPS, MUST_READ } from './membership-sql.ts';
import type { Session } from './model.ts';
import { sessionRow } from './row-facts.ts';
import type { Sealing } from './sealing.ts';

interface SessionRow {
  readonly id: SessionId;
  readonly user_id: UserId;
  readonly sealed_origin: Uint8Array;
  readonly started_at: Date;
  readonly authenticated_at: Date;
  readonly last_seen_at: Date;
  readonly absolute_ends_at: Date;
  readonly method: string;
}

/** What a request's check needs, in one query: the session, what its user may do now, and which policy holds. */
export interface LiveSessionRow {
  readonly id: SessionId;
  readonly user_id: UserId;
  readonly started_at: Date;
  readonly last_seen_at: Date;
  readonly authenticated_at: Date;
  readonly absolute_ends_at: Date;
  readonly method: string;
  readonly binding: Uint8Array;
  readonly account_binding: Uint8Array | null;
  readonly sealed_profile: Uint8Array;
  /** Where the person is at work in this session; null: the organisation joined first. */
  readonly organisation_id: OrganisationId | null;
  /** For `parseMemberships`. */
  readonly memberships: unknown;
  readonly must_read: boolean;
  readonly emergency_id: string | null;
  readonly emergency_started_at: Date | null;
  readonly emergency_ends_at: Date | null;
  readonly emergency_binding: Uint8Array | null;
  /** For `markOf`: whether the policy is still the one that this process knows. */
  readonly policy_version: number | null;
  readonly policy_binding: Uint8Array | null;
}

const INSERT = statement(
  'identity.session-insert',
  `INSERT INTO identity.sessions
     (token_hash, id, user_id, sealed_origin, started_at, authenticated_at, last_seen_at, absolute_ends_at, method,
      binding)
   VALUES ($1, $2, $3, $4, $5, $7, $5, $6, $8, $9)`,
);
const FIND = statement<LiveSessionRow>(
  'identity.session',
  `SELECT s.id, s.user_id, s.started_at, s.last_seen_at, s.authenticated_at, s.absolute_ends_at, s.organisation_id,
     s.method, s.binding, u.binding AS account_binding, u.sealed_profile, ${MEMBERSHIPS}, ${MUST_READ},
     e.id AS emergency_id, e.started_at AS emergency_started_at, e.ends_at AS emergency_ends_at,
     e.binding AS emergency_binding, p.version AS policy_version, p.binding AS policy_binding
   FROM identity.sessions s
   JOIN identity.users u ON u.id = s.user_id
   LEFT JOIN LATERAL (SELECT id, started_at, ends_at, binding FROM identity.emergencies WHERE session_id = s.id ORDER BY ends_at DESC LIMIT 1) e ON true
   LEFT JOIN identity.policy p ON true
   WHERE s.token_hash = $1 AND u.state = 'active'`,
);
/** Never backwards: two processes may write the same session's time. */
const SEEN = statement(
  'identity.session-seen',
  'UPDATE identity.sessions SET last_seen_at = $2 WHERE token_hash = $1 AND last_seen_at < $2',
);
const OF_USER = statement<SessionRow>(
  'identity.sessions',
  `SELECT id, user_id, sealed_origin, started_at, authenticated_at, last_seen_at, absolute_ends_at, method
   FROM identity.sessions WHERE user_id = $1 ORDER BY last_seen_at DESC, id`,
);
const ACT_IN = statement(
  'identity.session-act-in',
  'UPDATE identity.sessions SET organisation_id = $3 WHERE user_id = $1 AND id = $2',
);
const END = statement('identity.session-end', 'DELETE FROM identity.sessions WHERE user_id = $1 AND id = $2');
const LIVES = statement<{ readonly id: SessionId }>(
  'identity.session-lives',
  'SELECT id FROM identity.sessions WHERE user_id = $1 AND id = $2 FOR KEY SHARE',
);
const END_TOKEN = statement('identity.session-end-token', 'DELETE FROM identity.sessions WHERE token_hash = $1');
const RENEW = statement(
  'identity.session-renew',
  `UPDATE identity.sessions SET token_hash = $3, authenticated_at = $4, last_seen_at = $4, step_up_failures = 0, binding = $5
   WHERE user_id = $1 AND id = $2`,
);
const LOCKED = statement<BoundSessionRow>(
  'identity.session-locked',
  `SELECT token_hash, id, user_id, started_at, authenticated_at, absolute_ends_at, method, binding
   FROM identity.sessions WHERE user_id = $1 AND id = $2 FOR UPDATE`,
);
const END_OTHERS = statement(
  'identity.sessions-end-others',
  'DELETE FROM identity.sessions WHERE user_id = $1 AND id <> $2',
);
const END_ALL = statement('identity.sessions-end', 'DELETE FROM identity.sessions WHERE user_id = $1');
const TRIM = statement(
  'identity.sessions-trim',
  `DELETE FROM identity.sessions WHERE user_id = $1 AND id NOT IN
     (SELECT id FROM identity.sessions WHERE user_id = $1 ORDER BY last_seen_at DESC, id DESC LIMIT $2)`,
);

const EXPIRED = statement('identity.expire-sessions', 'DELETE FROM identity.sessions WHERE absolute_ends_at <= $1');

export interface NewSession extends Session {
  readonly tokenHash: Uint8Array;
}

/** Columns that its binding covers. */
/** What a session's binding covers, and the binding. */
export interface BoundSessionRow {
  readonly token_hash: Uint8Array;
  readonly id: SessionId;
  readonly user_id: UserId;
  readonly started_at: Date;
  readonly authenticated_at: Date;
  readonly absolute_ends_at: Date;
  readonly method: string;
  readonly binding: Uint8Array;
}

/** What the session's binding covers (row-facts.ts). */
export function sessionFacts(row: Omit<BoundSessionRow, 'token_hash' | 'binding'>, tokenHash: Uint8Array) {
  return {
    tokenHash: toHex(tokenHash),
    id: row.id,
    userId: row.user_id,
    startedMs: row.started_at.getTime(),
    authenticatedMs: row.authenticated_at.getTime(),
    absoluteEndsMs: row.absolute_ends_at.getTime(),
    method: row.method,
  };
}

const ENDING = {
  endOthers: (tx: Transaction, userId: UserId, keep: SessionId): Promise<number> => tx.run(END_OTHERS, [userId, keep]),
  async endToken(tx: Transaction, tokenHash: Uint8Array): Promise<void> {
    await tx.run(END_TOKEN, [tokenHash]);
  },
  /** Ends the ones not used for longest, above `keep`. */
  async trim(tx: Transaction, userId: UserId, keep: number): Promise<void> {
    await tx.run(TRIM, [userId, keep]);
  },
  async endAll(tx: Transaction, userId: UserId): Promise<void> {
    await tx.run(END_ALL, [userId]);
  },
  async deleteExpired(sql: Sql, nowMs: number): Promise<void> {
    await sql.run(EXPIRED, [new Date(nowMs)]);
  },
};

/** SQL for sessions. Tokens come in as hashes. */
export type SessionStore = ReturnType<typeof createSessionStore>;

export function createSessionStore(sealing: Sealing) {
  return {
    ...ENDING,
    async insert(tx: Transaction, session: NewSession): Promise<void> {
      const { address, userAgent } = session;
      const origin = sealing.seal('sealed_origin', session.id, {
        ...(address === undefined ? {} : { address }),
        ...(userAgent === undefined ? {} : { userAgent }),
      });
      const [started, ends] = [new Date(session.startedMs), new Date(session.absoluteEndsMs)];
      const proved = new Date(session.authenticatedMs);
      const row = [session.tokenHash, session.id, session.userId, origin, started, ends, proved, session.method];
      const binding = sealing.rows.bind(sessionRow({ ...session, tokenHash: toHex(session.tokenHash) }));
      await tx.run(INSERT, [...row, binding]);
    },
    async find(sql: Sql, tokenHash: Uint8Array): Promise<LiveSessionRow | undefined> {
      return (await sql.rows(FIND, [tokenHash]))[0];
    },
    /** Whether it has not ended; it does not until commit. */
    async lives(tx: Transaction, userId: UserId, id: SessionId): Promise<boolean> {
      return (await tx.rows(LIVES, [userId, id])).length === 1;
    },
    async seen(sql: Sql, tokenHash: Uint8Array, nowMs: number): Promise<void> {
      await sql.run(SEEN, [tokenHash, new Date(nowMs)]);
    },
    async ofUser(sql: Sql, userId: UserId): Promise<Session[]> {
      return (await sql.rows(OF_USER, [userId])).map((row) => ({
        id: row.id,
        userId: row.user_id,
        startedMs: row.started_at.getTime(),
        authenticatedMs: row.authenticated_at.getTime(),
        lastSeenMs: row.last_seen_at.getTime(),
        absoluteEndsMs: row.absolute_ends_at.getTime(),
        method: row.method,
        address: undefined,
        userAgent: undefined,
        ...sealing.open('sealed_origin', row.id, row.sealed_origin),
      }));
    },
    /** From now on the session acts in this organisation. */
    async actIn(
      tx: Transaction,
      session: { userId: UserId; id: SessionId; organisationId: OrganisationId },
    ): Promise<void> {
      await tx.run(ACT_IN, [session.userId, session.id, session.organisationId]);
    },
    async end(tx: Transaction, userId: UserId, id: SessionId): Promise<boolean> {
      return (await tx.run(END, [userId, id])) === 1;
    },
    async renew(
      tx: Transaction,
      session: { userId: UserId; id: SessionId; tokenHash: Uint8Array; nowMs: number },
    ): Promise<boolean> {
      const { userId, id, tokenHash, nowMs } = session;
      const [row] = await tx.rows(LOCKED, [userId, id]);
      if (row === undefined) return false;
      const facts = sessionFacts(row, row.token_hash);
      if (!sealing.rows.fits(sessionRow(facts), row.binding)) return false;
      const binding = sealing.rows.bind(sessionRow({ ...facts, tokenHash: toHex(tokenHash), authenticatedMs: nowMs }));
      return (await tx.run(RENEW, [userId, id, tokenHash, new Date(nowMs), binding])) === 1;
    },
  };
}
