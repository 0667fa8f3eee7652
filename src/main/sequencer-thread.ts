/** The thread that numbers audit events: opening, hashing and signing them would otherwise hold up the requests of this process. */
import { parentPort, workerData } from 'node:worker_threads';
import { createAudit } from '../features/audit/index.ts';
import { systemClock } from '../platform/clock.ts';
import { createDatabase } from '../platform/db/index.ts';
import { openKeyVault } from '../store/index.ts';
import { rootKeySource } from './root-key.ts';
import type { FromSequencer, SequencerData } from './sequencer-messages.ts';

/** One for the round, one for keys and partitions, one to listen for new keys. */
const CONNECTIONS = 3;
const STATEMENT_TIMEOUT_MS = 30_000;

// Given by sequencer.ts, which is of the same program.
const { root, connection, source } = workerData as SequencerData;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
const tell = (message: FromSequencer): void => parentPort?.postMessage(message);

const database = createDatabase({
  connection,
  poolSize: CONNECTIONS,
  statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  applicationName: 'careseal audit',
});
const vault = await openKeyVault({ database, rootKey: await rootKeySource(root) });
const audit = createAudit({
  database,
  keyRing: vault.keyRing,
  clock: systemClock,
  source,
  onFailure: (code, error) => tell({ kind: 'failure', code, error }),
});
audit.startSequencer();
tell({ kind: 'started' });

async function stop(): Promise<void> {
  await audit.stop();
  await vault.close();
  await database.close();
  tell({ kind: 'stopped' });
}

parentPort?.once('message', () => void stop());
