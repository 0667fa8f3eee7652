import { toHex } from '../../kernel/bytes.ts';
import type { UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { trustedDeviceRow } from './row-facts.ts';
import type { Sealing, SessionOrigin } from './sealing.ts';

export interface TrustedDevice {
  readonly id: string;
  readonly userId: UserId;
  readonly factorMs: number;
  readonly lastUsedMs: number;
  readonly expiresMs: number;
}

interface TrustedRow {
  readonly id: string;
  readonly user_id: UserId;
  readonly token_hash: Uint8Array;
  readonly binding: Uint8Array;
  readonly sealed_browser: Uint8Array;
  readonly factor_at: Date;
  readonly last_used_at: Date;
  readonly expires_at: Date;
}

const COLUMNS = 'id, user_id, token_hash, binding, sealed_browser, factor_at, last_used_at, expires_at';
const INSERT = statement(
  'identity.trusted-insert',
  `INSERT INTO identity.trusted_devices (user_id, id, token_hash, sealed_browser, factor_at, last_used_at, expires_at,
      binding)
   VALUES ($1, $2, $3, $4, $5, $5, $6, $7)`,
);
const FIND = statement<TrustedRow>(
  'identity.trusted',
  `SELECT ${COLUMNS} FROM identity.trusted_devices WHERE token_hash = $1 AND user_id = $2 AND expires_at > $3 AND factor_at > $4`,
);
/** Compare-and-set: the old token works once; its time does not grow. */
const ROTATE = statement(
  'identity.trusted-rotate',
  'UPDATE identity.trusted_devices SET token_hash = $2, last_used_at = $3, binding = $4 WHERE token_hash = $1',
);
const OF_USER = statement<TrustedRow>(
  'identity.trusted-list',
  `SELECT ${COLUMNS} FROM identity.trusted_devices WHERE user_id = $1 AND expires_at > $2 ORDER BY last_used_at DESC LIMIT 100`,
);
const REMOVE = statement(
  'identity.trusted-remove',
  'DELETE FROM identity.trusted_devices WHERE user_id = $1 AND id = $2',
);
const REMOVE_TOKEN = statement(
  'identity.trusted-remove-token',
  'DELETE FROM identity.trusted_devices WHERE user_id = $1 AND token_hash = $2',
);
const REMOVE_ALL = statement('identity.trusted-remove-all', 'DELETE FROM identity.trusted_devices WHERE user_id = $1');
const TRIM = statement(
  'identity.trusted-trim',
  `DELETE FROM identity.trusted_devices WHERE user_id = $1 AND id NOT IN
     (SELECT id FROM identity.trusted_devices WHERE user_id = $1 ORDER BY last_used_at DESC, id LIMIT 20)`,
);
const EXPIRED = statement('identity.expire-trusted', 'DELETE FROM identity.trusted_devices WHERE expires_at <= $1');

/** SQL for browsers that need no second factor for a while. Tokens come in as hashes. */
export type TrustedDeviceStore = ReturnType<typeof createTrustedDeviceStore>;

export function createTrustedDeviceStore(sealing: Sealing) {
  const opened = (row: TrustedRow): TrustedDevice & SessionOrigin => ({
    ...sealing.open('sealed_browser', row.id, row.sealed_browser),
    id: row.id,
    userId: row.user_id,
    factorMs: row.factor_at.getTime(),
    lastUsedMs: row.last_used_at.getTime(),
    expiresMs: row.expires_at.getTime(),
  });
  const rowOf = (of: Omit<TrustedDevice, 'lastUsedMs'> & { readonly tokenHash: Uint8Array }) =>
    trustedDeviceRow({ ...of, tokenHash: toHex(of.tokenHash) });
  const bind = (of: Parameters<typeof rowOf>[0]) => sealing.rows.bind(rowOf(of));
  const fits = (row: TrustedRow): boolean => {
    const [factorMs, expiresMs] = [row.factor_at.getTime(), row.expires_at.getTime()];
    const facts = { id: row.id, userId: row.user_id, tokenHash: row.token_hash, factorMs, expiresMs };
    return sealing.rows.fits(rowOf(facts), row.binding);
  };
  return {
    async insert(
      tx: Transaction,
      userId: UserId,
      device: { id: string; tokenHash: Uint8Array; browser: SessionOrigin; nowMs: number; expiresMs: number },
    ): Promise<void> {
      const { id, tokenHash, browser, nowMs, expiresMs } = device;
      const sealed = sealing.seal('sealed_browser', id, browser);
      const binding = bind({ id, userId, tokenHash, factorMs: nowMs, expiresMs });
      await tx.run(INSERT, [userId, id, tokenHash, sealed, new Date(nowMs), new Date(expiresMs), binding]);
      await tx.run(TRIM, [userId]);
    },
    /** `factorAfterMs`: a policy made shorter since ends older ones at once. */
    async find(
      sql: Sql,
      userId: UserId,
      of: { readonly tokenHash: Uint8Array; readonly nowMs: number; readonly factorAfterMs: number },
    ): Promise<TrustedDevice | undefined> {
      const values = [of.tokenHash, userId, new Date(of.nowMs), new Date(of.factorAfterMs)];
      const [row] = await sql.rows(FIND, values);
      return row === undefined || !fits(row) ? undefined : opened(row);
    },
    /** `device` has been found by its old token. */
    async rotate(
      tx: Transaction,
      device: TrustedDevice,
      to: { readonly oldHash: Uint8Array; readonly newHash: Uint8Array; readonly nowMs: number },
    ): Promise<boolean> {
      const binding = bind({ ...device, tokenHash: to.newHash });
      return (await tx.run(ROTATE, [to.oldHash, to.newHash, new Date(to.nowMs), binding])) === 1;
    },
    ofUser: async (sql: Sql, userId: UserId, nowMs: number): Promise<(TrustedDevice & SessionOrigin)[]> =>
      (await sql.rows(OF_USER, [userId, new Date(nowMs)])).map(opened),
    remove: async (tx: Transaction, userId: UserId, id: string): Promise<boolean> =>
      (await tx.run(REMOVE, [userId, id])) === 1,
    async removeToken(tx: Transaction, userId: UserId, tokenHash: Uint8Array): Promise<void> {
      await tx.run(REMOVE_TOKEN, [userId, tokenHash]);
    },
    async removeAll(tx: Transaction, userId: UserId): Promise<void> {
      await tx.run(REMOVE_ALL, [userId]);
    },
    async deleteExpired(sql: Sql, nowMs: number): Promise<void> {
      await sql.run(EXPIRED, [new Date(nowMs)]);
    },
  };
}
