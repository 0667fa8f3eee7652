import {
  exportSecretKey,
  hmacKey,
  hmacSha256,
  newSecretKey,
  open,
  type SealContext,
  type SealedAtRest,
  type SealingKey,
  type SecretKey,
  seal,
  sealKeyId,
  secretKey,
} from '../crypto/index.ts';
import { utf8Encode } from '../kernel/bytes.ts';
import { Problem } from '../kernel/problem.ts';
import type { Transaction } from '../platform/db/sql.ts';
import { type CurrentKeys, KEY_FAMILIES, type KeyFamily, type KeySet } from './key-ring.ts';
import { insertKey, type KeyPurpose, type KeyRow, type KeyState, nextKeyId } from './key-table.ts';

/** Root key → key-encryption key → data keys and index keys. A wrapped key is a seal over its 32 bytes. */
export interface UnwrappedKey extends SealingKey {
  readonly purpose: KeyPurpose;
  readonly family: KeyFamily | 'all';
  readonly state: KeyState;
}

/** The root key has no row, so its number comes from itself: 32 bits of HMAC over a fixed text. */
export function rootSealingKey(root: SecretKey): SealingKey {
  const bytes = exportSecretKey(root);
  const mac = hmacSha256(hmacKey(bytes), utf8Encode('careseal root key id'));
  bytes.fill(0);
  return { id: new DataView(mac.buffer).getUint32(0), key: root };
}

type KeyName = Pick<KeyRow, 'id' | 'purpose' | 'family'>;

function place({ id, purpose, family }: KeyName): SealContext {
  return { table: 'keys.key', type: `${purpose}/${family}`, id: String(id), version: 1 };
}

export function wrapKey(wrapping: SealingKey, name: KeyName, key: SecretKey): SealedAtRest {
  const bytes = exportSecretKey(key);
  const wrapped = seal(wrapping, bytes, place(name));
  bytes.fill(0);
  return wrapped;
}

function unwrapKey(wrapping: SealingKey, name: KeyName, wrapped: SealedAtRest): SecretKey {
  const bytes = open(wrapping, wrapped, place(name));
  const key = secretKey(bytes);
  bytes.fill(0);
  return key;
}

/** Whether these rows were wrapped by this root key. True for no rows. */
export function isRootOf(root: SealingKey, rows: readonly KeyRow[]): boolean {
  return rows.every(
    ({ purpose, wrapped }) => purpose !== 'key-encryption' || wrapped === null || sealKeyId(wrapped) === root.id,
  );
}

/**
 * Opens every key that is not destroyed. `known` holds keys opened before: a key's bytes never change, so a process goes on
 * when only the wrapping has changed, even where it could not open that any more.
 */
export function unwrapAll(
  rows: readonly KeyRow[],
  root: SealingKey | undefined,
  known: ReadonlyMap<number, UnwrappedKey>,
): Map<number, UnwrappedKey> {
  const opened = new Map<number, UnwrappedKey>();
  // Key-encryption keys first: the others need them.
  for (const wantWrapping of [true, false]) {
    for (const { id, purpose, family, state, wrapped } of rows) {
      if (wrapped === null || (purpose === 'key-encryption') !== wantWrapping) continue;
      const wrapping = wantWrapping ? root : opened.get(sealKeyId(wrapped));
      const key = known.get(id)?.key ?? unwrapWith(wrapping, { id, purpose, family }, wrapped);
      opened.set(id, { id, key, purpose, family, state });
    }
  }
  return opened;
}

function unwrapWith(wrapping: SealingKey | undefined, name: KeyName, wrapped: SealedAtRest): SecretKey {
  if (wrapping === undefined || sealKeyId(wrapped) !== wrapping.id) {
    throw new Problem(
      'internal',
      'root-key-wrong',
      'The root key does not open the keys of this database. Restore the root key that belongs to it; nothing was changed.',
    );
  }
  return unwrapKey(wrapping, name, wrapped);
}

/** The keys sorted by what they are used for. Throws when a current one is missing. */
export function keySetOf(keys: ReadonlyMap<number, UnwrappedKey>): KeySet {
  const all = [...keys.values()];
  return {
    dataKeys: new Map(all.filter((key) => key.purpose === 'data').map((key) => [key.id, key])),
    current: { record: currentOf(all, 'record'), audit: currentOf(all, 'audit') },
  };
}

function currentOf(all: readonly UnwrappedKey[], family: KeyFamily): CurrentKeys {
  const of = (purpose: KeyPurpose) => all.filter((key) => key.purpose === purpose && key.family === family);
  return {
    data: onlyCurrent(of('data')),
    index: onlyCurrent(of('index')).key,
    otherIndex: of('index')
      .filter((key) => key.state !== 'current')
      .map((key) => key.key),
  };
}

export function onlyCurrent(keys: readonly UnwrappedKey[]): UnwrappedKey {
  const current = keys.find((key) => key.state === 'current');
  if (current === undefined)
    throw new Problem('internal', 'key-missing', 'The database has no current key of some kind.');
  return current;
}

/** Makes and stores a key. */
export async function addKey(
  tx: Transaction,
  wrapping: SealingKey,
  what: Pick<KeyRow, 'purpose' | 'family' | 'state'>,
): Promise<UnwrappedKey> {
  const id = await nextKeyId(tx);
  const key = newSecretKey();
  await insertKey(tx, { id, ...what, wrapped: wrapKey(wrapping, { id, ...what }, key) });
  return { id, key, ...what };
}

/** The first keys of a new database. */
export async function addFirstKeys(tx: Transaction, root: SealingKey): Promise<void> {
  const wrapping = await addKey(tx, root, { purpose: 'key-encryption', family: 'all', state: 'current' });
  for (const family of KEY_FAMILIES) {
    await addKey(tx, wrapping, { purpose: 'data', family, state: 'current' });
    await addKey(tx, wrapping, { purpose: 'index', family, state: 'current' });
  }
}
