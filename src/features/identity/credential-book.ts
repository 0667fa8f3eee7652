import { type SealedAtRest, sealedAtRest } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';
import { isProblem } from '../../kernel/problem.ts';
import { statement, type Transaction } from '../../platform/db/sql.ts';
import { accountChanged } from './errors.ts';
import { type Credentials, credentialsRow } from './row-facts.ts';
import type { Sealing } from './sealing.ts';

/** Columns of `identity.users u` from which `credentialsOf` tells what opens the account. */
export const CREDENTIAL_COLUMNS = `u.sealed_password, u.credentials_binding,
  ARRAY(SELECT f.id::text FROM identity.factors f WHERE f.user_id = u.id) AS authenticator_ids,
  ARRAY(SELECT k.id::text FROM identity.passkeys k WHERE k.user_id = u.id) AS passkey_ids,
  ARRAY(SELECT encode(c.code_hash, 'hex') FROM identity.recovery_codes c
        WHERE c.user_id = u.id AND c.used_at IS NULL) AS unused_codes`;

export interface CredentialColumns {
  readonly sealed_password: Uint8Array | null;
  readonly credentials_binding: Uint8Array | null;
  readonly authenticator_ids: readonly string[];
  readonly passkey_ids: readonly string[];
  readonly unused_codes: readonly string[];
}

/** Ahead of the look, so that nothing of it is from before the wait. */
const LOCK = statement<{ readonly id: UserId }>(
  'identity.credentials-lock',
  'SELECT id FROM identity.users WHERE id = $1 FOR UPDATE',
);
const LOOK = statement<CredentialColumns>(
  'identity.credentials',
  `SELECT ${CREDENTIAL_COLUMNS} FROM identity.users u WHERE u.id = $1`,
);
const WRITE = statement(
  'identity.credentials-bind',
  'UPDATE identity.users SET credentials_binding = $2 WHERE id = $1',
);

/** What opens the account; undefined when somebody else has put it there or taken something away. */
export function credentialsOf(sealing: Sealing, userId: UserId, row: CredentialColumns): Credentials | undefined {
  const passwordHash = openedPassword(sealing, userId, row.sealed_password);
  const credentials = {
    passwordHash: passwordHash ?? null,
    factorIds: [...row.authenticator_ids, ...row.passkey_ids],
    unusedCodes: row.unused_codes,
  };
  const intact = sealing.rows.fits(credentialsRow(userId, credentials), row.credentials_binding);
  return intact && passwordHash !== undefined ? credentials : undefined;
}

/** null: none; undefined: one that was not sealed for this account. */
export function openedPassword(sealing: Sealing, userId: UserId, sealed: Uint8Array | null): string | null | undefined {
  if (sealed === null) return null;
  try {
    return sealing.open('sealed_password', userId, sealedAtRest(sealed));
  } catch (error) {
    if (isProblem(error) && error.code === 'seal-broken') return undefined;
    throw error;
  }
}

/**
 * What opens each account, as one transaction knows it: read and checked once, then followed through every change. What is
 * bound is what was checked and what we changed, never what a second look at the database says.
 */
export type CredentialBook = ReturnType<typeof createCredentialBook>;

export function createCredentialBook(sealing: Sealing) {
  const books = new WeakMap<Transaction, Map<UserId, Credentials>>();
  const bookOf = (tx: Transaction): Map<UserId, Credentials> => {
    const book = books.get(tx) ?? new Map<UserId, Credentials>();
    books.set(tx, book);
    return book;
  };

  async function now(tx: Transaction, userId: UserId): Promise<Credentials> {
    const known = bookOf(tx).get(userId);
    if (known !== undefined) return known;
    const [, [row]] = await Promise.all([tx.rows(LOCK, [userId]), tx.rows(LOOK, [userId])]);
    const credentials = row && credentialsOf(sealing, userId, row);
    if (credentials === undefined) throw accountChanged();
    bookOf(tx).set(userId, credentials);
    return credentials;
  }

  async function write(tx: Transaction, userId: UserId, next: Credentials): Promise<void> {
    await tx.run(WRITE, [userId, binding(userId, next)]);
    bookOf(tx).set(userId, next);
  }

  const binding = (userId: UserId, credentials: Credentials): SealedAtRest =>
    sealing.rows.bind(credentialsRow(userId, credentials));

  return {
    now,
    binding,
    /** To be told what a transaction has read and checked, under the account's lock. */
    remember: (tx: Transaction, userId: UserId, credentials: Credentials): void =>
      void bookOf(tx).set(userId, credentials),
    /** Throws `account-changed` where what is there is not ours: nothing is built on it. */
    async change(tx: Transaction, userId: UserId, change: (now: Credentials) => Credentials): Promise<void> {
      await write(tx, userId, change(await now(tx, userId)));
    },
    /** Instead of whatever was there. */
    replace: write,
  };
}

export const NO_CREDENTIALS: Credentials = { passwordHash: null, factorIds: [], unusedCodes: [] };
