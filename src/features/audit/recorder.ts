import { Problem } from '../../kernel/problem.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import { type AuditReceipt, issueAuditReceipt } from '../../platform/http/audited.ts';
import { insertBatch } from './event-store.ts';
import { createGathering } from './gathering.ts';
import type { AuditInput } from './model.ts';
import { assertKnown, type SealedBatch } from './sealed-event.ts';

export interface Recorder {
  record(tx: Transaction, inputs: readonly AuditInput[]): Promise<AuditReceipt>;
  recordNow(inputs: readonly AuditInput[]): Promise<AuditReceipt>;
}

interface RecorderDeps {
  readonly database: Database;
  readonly seal: (inputs: Iterable<AuditInput>) => SealedBatch[];
}

interface Waiting {
  readonly inputs: readonly AuditInput[];
  readonly resolve: (receipt: AuditReceipt) => void;
  readonly reject: (problem: unknown) => void;
}

/**
 * Writes events. `recordNow` shares commits between concurrent callers: one batch is under way, and the next gathers meanwhile. Many
 * pay for one seal, one row and one disk flush together; a lone caller waits for nobody.
 */
export function createRecorder({ database, seal }: RecorderDeps): Recorder {
  let waiting: Waiting[] = [];
  const gathering = createGathering(send);

  function send(): void {
    const callers = waiting;
    waiting = [];
    void write(callers).finally(() => gathering.served(callers.length, waiting.length));
  }

  async function write(callers: readonly Waiting[]): Promise<void> {
    try {
      await commit(seal(inputsOf(callers)));
    } catch (error) {
      for (const one of callers) one.reject(unwritten(error));
      return;
    }
    for (const one of callers) one.resolve(issueAuditReceipt(one.inputs));
  }

  /** One statement commits by itself; more need a transaction, or a failure would leave half of them behind. */
  function commit(batches: readonly SealedBatch[]): Promise<void> {
    const only = batches[0];
    if (only !== undefined && batches.length === 1) return insertBatch(database, only);
    return database.transaction(async (tx) => {
      await Promise.all(batches.map((batch) => insertBatch(tx, batch)));
    });
  }

  return {
    async record(tx, inputs) {
      assertRecordable(inputs);
      await Promise.all(seal(inputs).map((batch) => insertBatch(tx, batch)));
      return issueAuditReceipt(inputs);
    },
    recordNow(inputs) {
      return new Promise((resolve, reject) => {
        assertRecordable(inputs);
        gathering.joined(waiting.push({ inputs, resolve, reject }));
      });
    },
  };
}

/** Here, where it concerns the one caller, and not later, where others wait with him. */
function assertRecordable(inputs: readonly AuditInput[]): void {
  if (inputs.length === 0) throw new RangeError('An act is recorded by one event at least');
  for (const input of inputs) assertKnown(input);
}

function* inputsOf(callers: readonly Waiting[]): Iterable<AuditInput> {
  for (const { inputs } of callers) yield* inputs;
}

function unwritten(error: unknown): Problem {
  return new Problem(
    'unavailable',
    'audit-unavailable',
    'The audit log cannot be written, so nothing is shown. Try again in a moment.',
    { cause: error, retryAfterSeconds: 2 },
  );
}
