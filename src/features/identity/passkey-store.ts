import { hashToken } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { CredentialBook } from './credential-book.ts';
import type { FactorId } from './model.ts';
import type { SealedPasskey, Sealing } from './sealing.ts';

export interface Passkey extends SealedPasskey {
  readonly id: FactorId;
  readonly userId: UserId;
  readonly counter: number;
  readonly backedUp: boolean;
  readonly createdMs: number;
  readonly lastUsedMs: number | undefined;
}

interface PasskeyRow {
  readonly id: FactorId;
  readonly user_id: UserId;
  readonly sealed_passkey: Uint8Array;
  readonly counter: bigint;
  readonly backed_up: boolean;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
}

const COLUMNS = 'id, user_id, sealed_passkey, counter, backed_up, created_at, last_used_at';
const INSERT = statement(
  'identity.passkey-insert',
  `INSERT INTO identity.passkeys
     (user_id, id, credential_hash, sealed_passkey, counter, backup_eligible, backed_up, created_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (credential_hash) DO NOTHING`,
);
const OF_USER = statement<PasskeyRow>(
  'identity.passkeys',
  `SELECT ${COLUMNS} FROM identity.passkeys WHERE user_id = $1 ORDER BY created_at, id`,
);
const FIND = statement<PasskeyRow>(
  'identity.passkey',
  `SELECT ${COLUMNS} FROM identity.passkeys WHERE credential_hash = $1`,
);
/** Compare-and-set: of two answers with the same counter one wins; authenticators without a counter always send 0. */
const USE = statement(
  'identity.passkey-use',
  `UPDATE identity.passkeys SET counter = $3, backed_up = $4, last_used_at = $5
   WHERE user_id = $1 AND id = $2 AND (counter < $3 OR (counter = 0 AND $3 = 0))`,
);
const RENAME = statement(
  'identity.passkey-rename',
  'UPDATE identity.passkeys SET sealed_passkey = $3 WHERE user_id = $1 AND id = $2',
);
const DELETE = statement('identity.passkey-delete', 'DELETE FROM identity.passkeys WHERE user_id = $1 AND id = $2');

/** SQL for passkeys. */
export type PasskeyStore = ReturnType<typeof createPasskeyStore>;

export function createPasskeyStore(sealing: Sealing, book: CredentialBook) {
  const opened = (row: PasskeyRow): Passkey => ({
    ...sealing.open('sealed_passkey', row.id, row.sealed_passkey),
    id: row.id,
    userId: row.user_id,
    counter: Number(row.counter),
    backedUp: row.backed_up,
    createdMs: row.created_at.getTime(),
    lastUsedMs: row.last_used_at?.getTime(),
  });
  return {
    /** False when the same credential is registered already. */
    async insert(
      tx: Transaction,
      passkey: Omit<Passkey, 'lastUsedMs'> & { readonly backupEligible: boolean },
    ): Promise<boolean> {
      const { id, userId, credentialId, publicKey, transports, label } = passkey;
      const sealed = sealing.seal('sealed_passkey', id, { credentialId, publicKey, transports, label });
      const flags = [passkey.counter, passkey.backupEligible, passkey.backedUp];
      const row = [userId, id, hashToken(credentialId), sealed, ...flags, new Date(passkey.createdMs)];
      if ((await tx.run(INSERT, row)) !== 1) return false;
      await book.change(tx, userId, (now) => ({ ...now, factorIds: [...now.factorIds, id] }));
      return true;
    },
    ofUser: async (sql: Sql, userId: UserId): Promise<Passkey[]> => (await sql.rows(OF_USER, [userId])).map(opened),
    find: async (sql: Sql, credentialId: string): Promise<Passkey | undefined> =>
      (await sql.rows(FIND, [hashToken(credentialId)])).map(opened)[0],
    /** True for the one use of this counter. */
    async use(
      tx: Transaction,
      passkey: Passkey,
      now: { readonly counter: number; readonly backedUp: boolean; readonly nowMs: number },
    ): Promise<boolean> {
      const values = [passkey.userId, passkey.id, now.counter, now.backedUp, new Date(now.nowMs)];
      return (await tx.run(USE, values)) === 1;
    },
    async rename(tx: Transaction, passkey: Passkey, label: string): Promise<void> {
      const { credentialId, publicKey, transports } = passkey;
      const sealed = sealing.seal('sealed_passkey', passkey.id, { credentialId, publicKey, transports, label });
      await tx.run(RENAME, [passkey.userId, passkey.id, sealed]);
    },
    async remove(tx: Transaction, userId: UserId, id: FactorId): Promise<boolean> {
      if ((await tx.run(DELETE, [userId, id])) !== 1) return false;
      await book.change(tx, userId, (now) => ({ ...now, factorIds: now.factorIds.filter((one) => one !== id) }));
      return true;
    },
  };
}
