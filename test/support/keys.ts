import { newSecretKey, type SecretKey } from '../../src/crypto/index.ts';
import type { Database } from '../../src/platform/db/index.ts';
import { type KeyVault, openKeyVault, type RootKeySource } from '../../src/store/index.ts';

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
