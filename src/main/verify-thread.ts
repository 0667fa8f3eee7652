/** One of several threads that recompute pages of the audit log, each with a connection and keys of its own. */
import { workerData } from 'node:worker_threads';
import { createPageVerifier } from '../features/audit/index.ts';
import { createDatabase } from '../platform/db/index.ts';
import { serveThread } from '../platform/threads/index.ts';
import { openKeyVault } from '../store/index.ts';
import { rootKeySource } from './root-key.ts';
import type { VerifyData, VerifyTask } from './verify-threads.ts';

/** One for events, one for tiles, one to listen for new keys. */
const CONNECTIONS = 3;
const STATEMENT_TIMEOUT_MS = 120_000;

// Given by verify-threads.ts, which is of the same program.
const { root, connection } = workerData as VerifyData;
const database = createDatabase({
  connection,
  poolSize: CONNECTIONS,
  statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  applicationName: 'careseal audit verify',
});
const vault = await openKeyVault({ database, rootKey: await rootKeySource(root) });
const verifier = createPageVerifier({ database, keyRing: vault.keyRing });

serveThread(async (task) => {
  // Sent by our own program.
  const asked = task as VerifyTask;
  if (asked !== 'end') return await verifier.check(asked.from, asked.below);
  await vault.close();
  await database.close();
  return undefined;
});
