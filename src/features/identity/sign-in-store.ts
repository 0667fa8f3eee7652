import { toHex } from '../../kernel/bytes.ts';
import type { UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { RowBinder } from './row-binding.ts';
import { preSessionRow } from './row-facts.ts';
import { type Account, PRE_SESSION_CODES_MAX } from './user-store.ts';

interface PreSessionRow {
  readonly user_id: UserId;
  readonly expires_at: Date;
  readonly binding: Uint8Array;
}

/** Fails with CS003 where the account is no longer as its password was compared with (migration 000364). */
const BEGIN_PRE = statement<{ readonly begun: null }>(
  'identity.pre-session-begin',
  'SELECT identity.begin_pre_session($1, $2, $3, $4, $5, $6) AS begun',
);
const FIND_PRE = statement<PreSessionRow>(
  'identity.pre-session',
  'SELECT user_id, expires_at, binding FROM identity.pre_sessions WHERE token_hash = $1 AND expires_at > $2 AND codes_tried < $3',
);
const TRY_PRE = statement<{ readonly user_id: UserId }>(
  'identity.pre-session-try',
  `UPDATE identity.pre_sessions SET codes_tried = codes_tried + 1
   WHERE token_hash = $1 AND expires_at > $2 AND codes_tried < $3 RETURNING user_id`,
);
const END_PRE = statement('identity.pre-session-end', 'DELETE FROM identity.pre_sessions WHERE token_hash = $1');
const END_ALL_PRE = statement('identity.pre-sessions-end', 'DELETE FROM identity.pre_sessions WHERE user_id = $1');

const KNOWN_DEVICE = statement<{ readonly known: boolean }>(
  'identity.device-known',
  `SELECT EXISTS (SELECT FROM identity.devices WHERE token_hash = $1 AND user_id = $2 AND expires_at > $3) AS known`,
);
const KNOWN_DEVICE_OWING = statement<{ readonly known: boolean }>(
  'identity.device-known-owing',
  `SELECT EXISTS (SELECT FROM identity.devices d JOIN identity.pre_sessions p ON p.user_id = d.user_id
     WHERE d.token_hash = $1 AND p.token_hash = $2 AND d.expires_at > $3) AS known`,
);
/** Everybody who uses this browser moves on to the new token, so that a token somebody copied or planted is worth nothing. */
const MOVE_DEVICE = statement(
  'identity.device-move',
  'UPDATE identity.devices SET token_hash = $2 WHERE token_hash = $1',
);
const REMEMBER_DEVICE = statement(
  'identity.device-remember',
  `INSERT INTO identity.devices (token_hash, user_id, expires_at) VALUES ($1, $2, $3)
   ON CONFLICT (token_hash, user_id) DO UPDATE SET expires_at = EXCLUDED.expires_at`,
);
const FORGET_DEVICES = statement('identity.devices-forget', 'DELETE FROM identity.devices WHERE user_id = $1');

const FAIL_STEP_UP = statement<{ readonly step_up_failures: number }>(
  'identity.step-up-fail',
  'UPDATE identity.sessions SET step_up_failures = step_up_failures + 1 WHERE id = $1 RETURNING step_up_failures',
);

const EXPIRED = [
  statement('identity.expire-pre-sessions', 'DELETE FROM identity.pre_sessions WHERE expires_at <= $1'),
  statement('identity.expire-devices', 'DELETE FROM identity.devices WHERE expires_at <= $1'),
];

/** SQLSTATE of `beginPre`. */
export const ACCOUNT_MOVED = 'CS003';

/** SQL for what surrounds a sign-in: pre-sessions (password given, code owed) and known browsers. Tokens come in as hashes. */
export const signInStore = {
  /** Of an account as it was read. SqlError `ACCOUNT_MOVED` where it has changed since. */
  async beginPre(
    tx: Transaction,
    rows: RowBinder,
    made: {
      readonly tokenHash: Uint8Array;
      readonly account: Pick<Account, 'id' | 'bindings'>;
      readonly expiresMs: number;
    },
  ): Promise<void> {
    const { tokenHash, account, expiresMs } = made;
    const { id, bindings } = account;
    const binding = rows.bind(preSessionRow(toHex(tokenHash), id, expiresMs));
    await tx.rows(BEGIN_PRE, [tokenHash, id, new Date(expiresMs), binding, bindings.account, bindings.credentials]);
  },
  async findPre(sql: Sql, rows: RowBinder, tokenHash: Uint8Array, nowMs: number): Promise<UserId | undefined> {
    const [row] = await sql.rows(FIND_PRE, [tokenHash, new Date(nowMs), PRE_SESSION_CODES_MAX]);
    if (row === undefined) return undefined;
    const facts = preSessionRow(toHex(tokenHash), row.user_id, row.expires_at.getTime());
    return rows.fits(facts, row.binding) ? row.user_id : undefined;
  },
  /** Counts one code against the pre-session; undefined when it is unknown, expired or used up. */
  async tryPre(sql: Sql, tokenHash: Uint8Array, nowMs: number): Promise<UserId | undefined> {
    return (await sql.rows(TRY_PRE, [tokenHash, new Date(nowMs), PRE_SESSION_CODES_MAX]))[0]?.user_id;
  },
  /** True for the one who ends it. */
  async endPre(tx: Transaction, tokenHash: Uint8Array): Promise<boolean> {
    return (await tx.run(END_PRE, [tokenHash])) === 1;
  },
  /** Counts a wrong new proof within a session; how many there were since the last right one. */
  async failStepUp(sql: Sql, sessionId: string): Promise<number> {
    return (await sql.rows(FAIL_STEP_UP, [sessionId]))[0]?.step_up_failures ?? 0;
  },
  async knowsDevice(sql: Sql, tokenHash: Uint8Array, userId: UserId, nowMs: number): Promise<boolean> {
    return (await sql.rows(KNOWN_DEVICE, [tokenHash, userId, new Date(nowMs)]))[0]?.known ?? false;
  },
  /** Of whoever owes a code under this token. */
  async knowsDeviceOwing(sql: Sql, tokenHash: Uint8Array, preHash: Uint8Array, nowMs: number): Promise<boolean> {
    return (await sql.rows(KNOWN_DEVICE_OWING, [tokenHash, preHash, new Date(nowMs)]))[0]?.known ?? false;
  },
  async moveDevice(tx: Transaction, oldHash: Uint8Array, newHash: Uint8Array): Promise<void> {
    await tx.run(MOVE_DEVICE, [oldHash, newHash]);
  },
  async rememberDevice(tx: Transaction, tokenHash: Uint8Array, userId: UserId, expiresMs: number): Promise<void> {
    await tx.run(REMEMBER_DEVICE, [tokenHash, userId, new Date(expiresMs)]);
  },
  /** Half-done sign-ins and known browsers of a user. */
  async endAll(tx: Transaction, userId: UserId): Promise<void> {
    await tx.run(END_ALL_PRE, [userId]);
    await tx.run(FORGET_DEVICES, [userId]);
  },
  async deleteExpired(sql: Sql, nowMs: number): Promise<void> {
    for (const expired of EXPIRED) await sql.run(expired, [new Date(nowMs)]);
  },
};
