import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fill, quietLog } from '../../test/support/audit-log.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { createPageVerifier, type PageVerifier } from '../features/audit/index.ts';
import { withMaintenanceSession } from '../platform/db/index.ts';
import { type KeyVault, openKeyVault, rootKeyFile } from '../store/index.ts';
import { startVerifyThreads } from './verify-threads.ts';

const home = mkdtempSync(join(tmpdir(), 'careseal-verify-'));
let db: TestDatabase;
let vault: KeyVault;
let threads: PageVerifier[];
beforeAll(async () => {
  db = await testDatabase();
  const file = join(home, 'root.key');
  vault = await openKeyVault({ database: db.database, rootKey: rootKeyFile(file) });
  const log = quietLog(db.database, vault.keyRing);
  await fill(log, 2_500);
  await log.sequence();
  threads = startVerifyThreads({
    root: { home, rootKeyFile: file, passphraseFile: undefined },
    connection: db.connection,
  });
});
afterAll(async () => {
  await Promise.all(threads.map((thread) => thread.end()));
  await vault.close();
  await db.close();
  rmSync(home, { recursive: true });
});

/** Both pages, by threads that have keys and connections of their own, and here. */
async function both() {
  const here = createPageVerifier({ database: db.database, keyRing: vault.keyRing });
  const pages = [
    [0, 2048],
    [2048, 2500],
  ] as const;
  const there = await Promise.all(
    pages.map(async ([from, below], i) => await threads[i % threads.length]?.check(from, below)),
  );
  return { there, here: await Promise.all(pages.map(([from, below]) => here.check(from, below))) };
}

test('threads find what this thread finds: in a sound log, and in one that was changed', async () => {
  const sound = await both();
  expect(sound.there).toEqual(sound.here);
  expect(sound.here.map(({ problems }) => problems)).toEqual([[], []]);
  await withMaintenanceSession(db.superuserConnection, (session) =>
    session.script(`SET session_replication_role = replica;
      UPDATE audit.event SET outcome = 8 WHERE index IN (7, 2222)`),
  );
  const changed = await both();
  expect(changed.there).toEqual(changed.here);
  expect(changed.there.map((page) => page?.problems[0])).toMatchObject([
    { code: 'event-changed', index: 7 },
    { code: 'event-changed', index: 2222 },
  ]);
});
