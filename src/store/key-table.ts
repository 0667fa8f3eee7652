import type { SealedAtRest } from '../crypto/index.ts';
import { sealedAtRest } from '../crypto/index.ts';
import { type Sql, statement, type Transaction } from '../platform/db/sql.ts';
import type { KeyFamily } from './key-ring.ts';

/** The rows of keys.key: names of keys, their states, and the keys themselves wrapped. */
export type KeyPurpose = 'key-encryption' | 'data' | 'index';
export type KeyState = 'announced' | 'current' | 'retiring' | 'destroyed';

export interface KeyRow {
  readonly id: number;
  readonly purpose: KeyPurpose;
  readonly family: KeyFamily | 'all';
  readonly state: KeyState;
  /** Null once destroyed. */
  readonly wrapped: SealedAtRest | null;
  readonly stateSince: Date;
}

/** Processes reload their keys when something is said here. */
export const KEYS_CHANNEL = 'careseal_keys';

interface StoredKeyRow {
  id: number;
  purpose: KeyPurpose;
  family: KeyFamily | 'all';
  state: KeyState;
  wrapped: Uint8Array | null;
  state_since: Date;
}

const selectKeys = statement<StoredKeyRow>(
  'keys.all',
  'SELECT id, purpose, family, state, wrapped, state_since FROM keys.key ORDER BY id',
);

export async function readKeys(sql: Sql): Promise<KeyRow[]> {
  const rows = await sql.rows(selectKeys);
  return rows.map(({ id, purpose, family, state, wrapped, state_since }) => ({
    id,
    purpose,
    family,
    state,
    wrapped: wrapped === null ? null : sealedAtRest(wrapped),
    stateSince: state_since,
  }));
}

const lock = statement<{ locked: string }>('keys.lock', `SELECT pg_advisory_xact_lock(7215330101)::text AS locked`);

/** Whoever changes keys holds this until the transaction ends. */
export async function lockKeys(tx: Transaction): Promise<void> {
  await tx.rows(lock);
}

const nextId = statement<{ id: number }>('keys.next-id', `SELECT nextval('keys.key_id')::integer AS id`);

export async function nextKeyId(tx: Transaction): Promise<number> {
  const [row] = await tx.rows(nextId);
  if (row === undefined) throw new Error('nextval answers one row');
  return row.id;
}

const insert = statement(
  'keys.insert',
  'INSERT INTO keys.key (id, purpose, family, state, wrapped) VALUES ($1, $2, $3, $4, $5)',
);

export async function insertKey(tx: Transaction, row: Omit<KeyRow, 'stateSince'>): Promise<void> {
  await tx.run(insert, [row.id, row.purpose, row.family, row.state, row.wrapped]);
}

const rewrap = statement('keys.rewrap', 'UPDATE keys.key SET wrapped = $2 WHERE id = $1');

export async function rewrapKey(tx: Transaction, id: number, wrapped: SealedAtRest): Promise<void> {
  await tx.run(rewrap, [id, wrapped]);
}

const setState = statement(
  'keys.set-state',
  `UPDATE keys.key SET state = $2, state_since = now(), wrapped = CASE WHEN $2 = 'destroyed' THEN NULL ELSE wrapped END
   WHERE id = $1`,
);

export async function setKeyState(tx: Transaction, id: number, state: KeyState): Promise<void> {
  await tx.run(setState, [id, state]);
}

const notify = statement<{ sent: string }>(
  'keys.notify',
  `SELECT pg_notify('${KEYS_CHANNEL}', 'changed')::text AS sent`,
);

/** Tells every process, this one included, once the transaction has committed. */
export async function announceKeyChange(tx: Transaction): Promise<void> {
  await tx.rows(notify);
}
