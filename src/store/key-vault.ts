import type { SealingKey } from '../crypto/index.ts';
import { Problem } from '../kernel/problem.ts';
import type { Database } from '../platform/db/sql.ts';
import { addFirstKeys, isRootOf, keySetOf, rootSealingKey, type UnwrappedKey, unwrapAll } from './key-hierarchy.ts';
import { createKeyRing, type KeyRing, type KeySet } from './key-ring.ts';
import { announceKeyChange, KEYS_CHANNEL, type KeyRow, lockKeys, readKeys } from './key-table.ts';
import type { RootKeySource } from './root-key.ts';

/** The keys of one database in one process: opened at start, loaded again whenever a rotation changes them. */
export interface KeyVault {
  readonly keyRing: KeyRing;
  /** The keys as they are now, for a thread of this process: another object after each change. */
  keys(): KeySet;
  /** Loads the keys as they are now. Concurrent calls share one load. */
  reload(): Promise<void>;
  /** The root key as it is now, for wrapping. */
  root(rows: readonly KeyRow[]): Promise<SealingKey>;
  /** Opens the keys of these rows, destroyed ones left out; changes nothing. */
  unwrap(rows: readonly KeyRow[]): Promise<readonly UnwrappedKey[]>;
  /** Stops listening. */
  close(): Promise<void>;
}

export interface KeyVaultDeps {
  readonly database: Database;
  readonly rootKey: RootKeySource;
  /** Told when a reload in the background failed; the keys stay as they were and the next change tries again. */
  readonly onReloadFailed?: (error: unknown) => void;
}

/**
 * Opens the keys; on a new database makes them, and a root key where there is none. Refuses a database that has keys when the
 * root key is missing or another one: making a new one then would hide that the data can no longer be read.
 */
export async function openKeyVault(deps: KeyVaultDeps): Promise<KeyVault> {
  const { database, rootKey } = deps;
  await ensureKeys(database, rootKey);
  let unwrapped: ReadonlyMap<number, UnwrappedKey> = new Map();
  let keySet: KeySet | undefined;
  let loading: Promise<void> | undefined;
  let again = false;

  async function unwrap(rows: readonly KeyRow[]): Promise<Map<number, UnwrappedKey>> {
    // The root key is only needed for key-encryption keys not opened before; a passphrase's costs a second of work.
    const needed = rows.some(
      (row) => row.purpose === 'key-encryption' && row.wrapped !== null && !unwrapped.has(row.id),
    );
    return unwrapAll(rows, needed ? await rightRoot(rootKey, rows) : undefined, unwrapped);
  }

  async function load(): Promise<void> {
    do {
      again = false;
      unwrapped = await unwrap(await readKeys(database));
      keySet = keySetOf(unwrapped);
    } while (again);
  }

  function reload(): Promise<void> {
    // A change that comes while rows are being read may not be among them.
    again = true;
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  function current(): KeySet {
    if (keySet === undefined) throw new Error('the vault was loaded before it was handed out');
    return keySet;
  }

  const reloadInBackground = (): void => void reload().catch((error: unknown) => deps.onReloadFailed?.(error));
  const stopListening = await database.listen(KEYS_CHANNEL, reloadInBackground);
  await reload();
  return {
    keyRing: createKeyRing(current, reloadInBackground),
    keys: current,
    reload,
    root: (rows) => rightRoot(rootKey, rows),
    unwrap: async (rows) => [...(await unwrap(rows)).values()],
    async close() {
      await stopListening();
      await loading?.catch(() => undefined);
    },
  };
}

async function ensureKeys(database: Database, rootKey: RootKeySource): Promise<void> {
  await database.transaction(async (tx) => {
    await lockKeys(tx);
    const rows = await readKeys(tx);
    if (rows.length === 0) {
      const [existing] = await rootKey.read();
      await addFirstKeys(tx, rootSealingKey(existing ?? (await rootKey.create())));
      await announceKeyChange(tx);
      return;
    }
    const candidates = await rootKey.read();
    // Two candidates are the trace of an interrupted rotation of the root key.
    if (candidates.length > 1) await rootKey.settle((await rightRoot(rootKey, rows)).key);
  });
}

/** The one of the source's keys that wrapped these rows. */
async function rightRoot(rootKey: RootKeySource, rows: readonly KeyRow[]): Promise<SealingKey> {
  const candidates = (await rootKey.read()).map(rootSealingKey);
  const right = candidates.find((candidate) => isRootOf(candidate, rows));
  if (right !== undefined) return right;
  const what = candidates.length === 0 ? 'is missing' : 'belongs to another database';
  throw new Problem(
    'internal',
    'root-key-wrong',
    `The root key (${rootKey.where}) ${what}. Restore the one of this database; without it nothing can be read, and nothing was changed.`,
  );
}
