import { Problem } from '../../kernel/problem.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import { type AuditReceipt, issueAuditReceipt } from '../../platform/http/audited.ts';
import { insertEvents, ROWS_PER_STATEMENT } from './event-store.ts';
import type { AuditInput } from './model.ts';
import type { EventRow } from './sealed-event.ts';

export interface Recorder {
  record(tx: Transaction, inputs: readonly AuditInput[]): Promise<AuditReceipt>;
  recordNow(inputs: readonly AuditInput[]): Promise<AuditReceipt>;
}

interface RecorderDeps {
  readonly database: Database;
  readonly seal: (input: AuditInput) => EventRow[];
}

interface Waiting {
  readonly rows: readonly EventRow[];
  readonly resolve: (receipt: AuditReceipt) => void;
  readonly reject: (problem: unknown) => void;
}

/** Batches under way at once: while one waits for the disk, the next is already on its way to PostgreSQL's group commit. */
const IN_FLIGHT_MAX = 2;

/**
 * Writes events. `recordNow` shares commits between concurrent callers without any timer: while one insert is under way the
 * next batch gathers, so a lone caller never waits and many callers pay for one disk flush together.
 */
export function createRecorder({ database, seal }: RecorderDeps): Recorder {
  let waiting: Waiting[] = [];
  let inFlight = 0;

  function send(): void {
    while (inFlight < IN_FLIGHT_MAX && waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      inFlight++;
      void write(batch).finally(() => {
        inFlight--;
        send();
      });
    }
  }

  async function write(batch: readonly Waiting[]): Promise<void> {
    try {
      await commit(batch.flatMap((one) => one.rows));
    } catch (error) {
      for (const one of batch) one.reject(unwritten(error));
      return;
    }
    for (const one of batch) one.resolve(issueAuditReceipt());
  }

  /** One statement commits by itself; more need a transaction, or a failure would leave half of a batch behind. */
  function commit(rows: readonly EventRow[]): Promise<void> {
    if (rows.length <= ROWS_PER_STATEMENT) return insertEvents(database, rows);
    return database.transaction((tx) => insertEvents(tx, rows));
  }

  return {
    async record(tx, inputs) {
      await insertEvents(tx, rowsOf(inputs));
      return issueAuditReceipt();
    },
    async recordNow(inputs) {
      const rows = rowsOf(inputs);
      return new Promise((resolve, reject) => {
        waiting.push({ rows, resolve, reject });
        // Requests that came in with the same turn of the event loop share the batch.
        setImmediate(send);
      });
    },
  };

  function rowsOf(inputs: readonly AuditInput[]): EventRow[] {
    if (inputs.length === 0) throw new RangeError('An act is recorded by one event at least');
    return inputs.length === 1 && inputs[0] !== undefined ? seal(inputs[0]) : inputs.flatMap(seal);
  }
}

function unwritten(error: unknown): Problem {
  return new Problem(
    'unavailable',
    'audit-unavailable',
    'The audit log cannot be written, so nothing is shown. Try again in a moment.',
    { cause: error, retryAfterSeconds: 2 },
  );
}
