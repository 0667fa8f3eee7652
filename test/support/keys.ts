import { newSecretKey, type SecretKey } from '../../src/crypto/index.ts';
import type { Database } from '../../src/platform/db/index.ts';
import { type KeyRing, type KeyVault, openKeyVault, type RootKeySource } from '../../src/store/index.ts';
import { createKeyRing, type KeySet } from '../../src/store/key-ring.ts';

/** A root key that lives and dies with the test. */
export function memoryRootKey(): RootKeySource {
  let keys: SecretKey[] = [];
  return {
    where: 'the memory of the test',
    read: async () => keys,
    async create() {
      const key = newSecretKey();
      keys = [key];
      return key;
    },
    async prepare() {
      const next = newSecretKey();
      keys = [...keys, next];
      return next;
    },
    settle: async (key) => {
      keys = [key];
    },
  };
}

/** The keys of a test's database, made at the first call. Close it before the database. */
export async function testKeyVault(database: Database, rootKey: RootKeySource = memoryRootKey()): Promise<KeyVault> {
  return await openKeyVault({ database, rootKey });
}

/** A key ring without a database, for unit tests; its keys are new each time. */
export function testKeyRing(): KeyRing {
  const family = (id: number) => ({ data: { id, key: newSecretKey() }, index: newSecretKey(), otherIndex: [] });
  const current = { record: family(1), audit: family(2) };
  const dataKeys = new Map([current.record.data, current.audit.data].map((key) => [key.id, key]));
  const keySet: KeySet = { dataKeys, current };
  return createKeyRing(() => keySet);
}
