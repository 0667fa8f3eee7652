import { toHex } from '../../kernel/bytes.ts';
import type { UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { CredentialBook } from './credential-book.ts';
import type { FactorId } from './model.ts';
import type { Sealing } from './sealing.ts';

export interface TotpFactor {
  readonly id: FactorId;
  /** Base 32. */
  readonly secret: string;
}

/** An authenticator app as its owner sees it. */
export interface NamedFactor {
  readonly id: FactorId;
  readonly name: string;
  readonly createdMs: number;
  readonly lastUsedMs: number | undefined;
}

/** Enrolled before factors had names. */
const UNNAMED = 'Authenticator app';

const FACTORS = statement<{ readonly id: FactorId; readonly sealed_secret: Uint8Array }>(
  'identity.factors',
  `SELECT id, sealed_secret FROM identity.factors WHERE user_id = $1 AND kind = 'totp' ORDER BY created_at`,
);
/** Of whoever owes a code; who that is, and whether the account is ours, is told by the account's own row. */
const FACTORS_OWED = statement<{
  readonly id: FactorId;
  readonly sealed_secret: Uint8Array;
  readonly last_step: bigint;
}>(
  'identity.factors-owed',
  `SELECT f.id, f.sealed_secret, f.last_step FROM identity.factors f JOIN identity.pre_sessions p ON p.user_id = f.user_id
   WHERE p.token_hash = $1 AND f.kind = 'totp' ORDER BY f.created_at`,
);
const INSERT_FACTOR = statement(
  'identity.factor-insert',
  `INSERT INTO identity.factors (user_id, id, kind, sealed_secret, last_step, created_at, last_used_at, sealed_factor_name)
   VALUES ($1, $2, 'totp', $3, $4, $5, $5, $6)`,
);
const NAMED = statement<{
  readonly id: FactorId;
  readonly sealed_factor_name: Uint8Array | null;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
}>(
  'identity.factors-named',
  `SELECT id, sealed_factor_name, created_at, last_used_at FROM identity.factors
   WHERE user_id = $1 AND kind = 'totp' ORDER BY created_at, id`,
);
const RENAME_FACTOR = statement(
  'identity.factor-rename',
  'UPDATE identity.factors SET sealed_factor_name = $3 WHERE user_id = $1 AND id = $2',
);
const DELETE_FACTOR = statement(
  'identity.factor-delete',
  'DELETE FROM identity.factors WHERE user_id = $1 AND id = $2',
);
const TAKE_STEP = statement(
  'identity.factor-step',
  `UPDATE identity.factors SET last_step = $3, last_used_at = $4 WHERE user_id = $1 AND id = $2 AND last_step < $3`,
);
/** The same or an error (migration 000362). */
const TAKE_STEP_OR_FAIL = statement<{ readonly taken: unknown }>(
  'identity.factor-step-or-fail',
  'SELECT identity.take_step($1, $2, $3, $4) AS taken',
);
const DELETE_FACTORS = statement('identity.factors-delete', 'DELETE FROM identity.factors WHERE user_id = $1');
const DELETE_PASSKEYS = statement('identity.factors-passkeys', 'DELETE FROM identity.passkeys WHERE user_id = $1');
const DELETE_TRUSTED = statement('identity.factors-trusted', 'DELETE FROM identity.trusted_devices WHERE user_id = $1');
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

export function createCredentialStore(sealing: Sealing, book: CredentialBook) {
  return {
    ...owedCodes(sealing),
    ...recoveryCodes(book),
    async factors(sql: Sql, userId: UserId): Promise<TotpFactor[]> {
      const rows = await sql.rows(FACTORS, [userId]);
      return rows.map(({ id, sealed_secret }) => ({ id, secret: sealing.open('sealed_secret', id, sealed_secret) }));
    },
    /** Kept only once a code of it was right: that was its first use. */
    async insertFactor(
      tx: Transaction,
      userId: UserId,
      factor: TotpFactor & { readonly lastStep: number; readonly nowMs: number; readonly name?: string },
    ): Promise<void> {
      const sealed = sealing.seal('sealed_secret', factor.id, factor.secret);
      const name = factor.name === undefined ? null : sealing.seal('sealed_factor_name', factor.id, factor.name);
      await book.change(tx, userId, (now) => ({ ...now, factorIds: [...now.factorIds, factor.id] }));
      await tx.run(INSERT_FACTOR, [userId, factor.id, sealed, factor.lastStep, new Date(factor.nowMs), name]);
    },
    async named(sql: Sql, userId: UserId): Promise<NamedFactor[]> {
      return (await sql.rows(NAMED, [userId])).map((row) => ({
        id: row.id,
        name:
          row.sealed_factor_name === null
            ? UNNAMED
            : sealing.open('sealed_factor_name', row.id, row.sealed_factor_name),
        createdMs: row.created_at.getTime(),
        lastUsedMs: row.last_used_at?.getTime(),
      }));
    },
    async rename(tx: Transaction, userId: UserId, factor: { id: FactorId; name: string }): Promise<boolean> {
      const sealed = sealing.seal('sealed_factor_name', factor.id, factor.name);
      return (await tx.run(RENAME_FACTOR, [userId, factor.id, sealed])) === 1;
    },
    async remove(tx: Transaction, userId: UserId, id: FactorId): Promise<boolean> {
      if ((await tx.run(DELETE_FACTOR, [userId, id])) !== 1) return false;
      await book.change(tx, userId, (now) => ({ ...now, factorIds: now.factorIds.filter((one) => one !== id) }));
      return true;
    },
    /** Compare-and-set: true for the first who uses this or a later step, whatever runs at the same time. */
    async takeStep(
      tx: Transaction,
      userId: UserId,
      use: { factorId: FactorId; step: number; nowMs: number },
    ): Promise<boolean> {
      return (await tx.run(TAKE_STEP, [userId, use.factorId, use.step, new Date(use.nowMs)])) === 1;
    },
    /** Everything but the password: authenticators, passkeys, recovery codes and the devices that stand for them. */
    async deleteAll(tx: Transaction, userId: UserId): Promise<void> {
      await book.change(tx, userId, (now) => ({ ...now, factorIds: [], unusedCodes: [] }));
      await tx.run(DELETE_FACTORS, [userId]);
      await tx.run(DELETE_PASSKEYS, [userId]);
      await tx.run(DELETE_TRUSTED, [userId]);
      await tx.run(DELETE_CODES, [userId]);
    },
  };
}

/** For the second step of a sign-in, asked before it is known whose it is. */
function owedCodes(sealing: Sealing) {
  return {
    /** With the last step that was used up. */
    async factorsOwed(sql: Sql, preHash: Uint8Array): Promise<(TotpFactor & { readonly lastStep: number })[]> {
      const rows = await sql.rows(FACTORS_OWED, [preHash]);
      return rows.map(({ id, sealed_secret, last_step }) => ({
        ...{ id, lastStep: Number(last_step) },
        secret: sealing.open('sealed_secret', id, sealed_secret),
      }));
    },
    /** As `takeStep`; fails with SQLSTATE CS002, so that nothing of the transaction stays, when the step was used before. */
    async takeStepOrFail(
      tx: Transaction,
      userId: UserId,
      use: { factorId: FactorId; step: number; nowMs: number },
    ): Promise<void> {
      await tx.rows(TAKE_STEP_OR_FAIL, [userId, use.factorId, use.step, new Date(use.nowMs)]);
    },
  };
}

function recoveryCodes(book: CredentialBook) {
  return {
    /** Ten new recovery codes; the ones before stop working. */
    async replaceCodes(tx: Transaction, userId: UserId, hashesHex: readonly string[]): Promise<void> {
      await tx.run(DELETE_CODES, [userId]);
      await this.insertCodes(tx, userId, hashesHex);
    },
    /** All there are: those made before are deleted already. */
    async insertCodes(tx: Transaction, userId: UserId, hashesHex: readonly string[]): Promise<void> {
      await book.change(tx, userId, (now) => ({ ...now, unusedCodes: hashesHex }));
      await tx.run(INSERT_CODES, [userId, hashesHex]);
    },
    /** Compare-and-set: true once per code. */
    async takeCode(tx: Transaction, userId: UserId, codeHash: Uint8Array, nowMs: number): Promise<boolean> {
      const hex = toHex(codeHash);
      if (!(await book.now(tx, userId)).unusedCodes.includes(hex)) return false;
      if ((await tx.run(TAKE_CODE, [userId, codeHash, new Date(nowMs)])) !== 1) return false;
      await book.change(tx, userId, (now) => ({ ...now, unusedCodes: now.unusedCodes.filter((one) => one !== hex) }));
      return true;
    },
    async codesLeft(sql: Sql, userId: UserId): Promise<number> {
      return (await sql.rows(COUNT_CODES, [userId]))[0]?.n ?? 0;
    },
  };
}
