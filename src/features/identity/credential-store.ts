import type { UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { FactorId } from './model.ts';
import type { Sealing } from './sealing.ts';

export interface TotpFactor {
  readonly id: FactorId;
  /** Base 32. */
  readonly secret: string;
}

const FACTORS = statement<{ readonly id: FactorId; readonly sealed_secret: Uint8Array }>(
  'identity.factors',
  `SELECT id, sealed_secret FROM identity.factors WHERE user_id = $1 AND kind = 'totp' ORDER BY created_at`,
);
const INSERT_FACTOR = statement(
  'identity.factor-insert',
  `INSERT INTO identity.factors (user_id, id, kind, sealed_secret, last_step, created_at)
   VALUES ($1, $2, 'totp', $3, $4, $5)`,
);
const TAKE_STEP = statement(
  'identity.factor-step',
  `UPDATE identity.factors SET last_step = $3, last_used_at = $4 WHERE user_id = $1 AND id = $2 AND last_step < $3`,
);
const DELETE_FACTORS = statement('identity.factors-delete', 'DELETE FROM identity.factors WHERE user_id = $1');
const INSERT_CODES = statement(
  'identity.codes-insert',
  `INSERT INTO identity.recovery_codes (user_id, code_hash) SELECT $1, decode(hex, 'hex') FROM unnest($2::text[]) AS hex`,
);
const TAKE_CODE = statement(
  'identity.code-use',
  'UPDATE identity.recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL',
);
const COUNT_CODES = statement<{ readonly n: number }>(
  'identity.codes-left',
  'SELECT count(*)::int AS n FROM identity.recovery_codes WHERE user_id = $1 AND used_at IS NULL',
);
const DELETE_CODES = statement('identity.codes-delete', 'DELETE FROM identity.recovery_codes WHERE user_id = $1');

/** SQL for second factors and recovery codes. */
export type CredentialStore = ReturnType<typeof createCredentialStore>;

export function createCredentialStore(sealing: Sealing) {
  return {
    async factors(sql: Sql, userId: UserId): Promise<TotpFactor[]> {
      const rows = await sql.rows(FACTORS, [userId]);
      return rows.map(({ id, sealed_secret }) => ({ id, secret: sealing.open('sealed_secret', id, sealed_secret) }));
    },
    async insertFactor(
      tx: Transaction,
      userId: UserId,
      factor: TotpFactor & { readonly lastStep: number; readonly nowMs: number },
    ): Promise<void> {
      const sealed = sealing.seal('sealed_secret', factor.id, factor.secret);
      await tx.run(INSERT_FACTOR, [userId, factor.id, sealed, factor.lastStep, new Date(factor.nowMs)]);
    },
    /** Compare-and-set: true for the first who uses this or a later step, whatever runs at the same time. */
    async takeStep(
      tx: Transaction,
      userId: UserId,
      use: { factorId: FactorId; step: number; nowMs: number },
    ): Promise<boolean> {
      return (await tx.run(TAKE_STEP, [userId, use.factorId, use.step, new Date(use.nowMs)])) === 1;
    },
    async insertCodes(tx: Transaction, userId: UserId, hashesHex: readonly string[]): Promise<void> {
      await tx.run(INSERT_CODES, [userId, hashesHex]);
    },
    /** Compare-and-set: true once per code. */
    async takeCode(tx: Transaction, userId: UserId, codeHash: Uint8Array, nowMs: number): Promise<boolean> {
      return (await tx.run(TAKE_CODE, [userId, codeHash, new Date(nowMs)])) === 1;
    },
    async codesLeft(sql: Sql, userId: UserId): Promise<number> {
      return (await sql.rows(COUNT_CODES, [userId]))[0]?.n ?? 0;
    },
    async deleteAll(tx: Transaction, userId: UserId): Promise<void> {
      await tx.run(DELETE_FACTORS, [userId]);
      await tx.run(DELETE_CODES, [userId]);
    },
  };
}
