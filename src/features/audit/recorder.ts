import { Problem } from '../../kernel/problem.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import { type AuditReceipt, issueAuditReceipt } from '../../platform/http/audited.ts';
import { insertBatch } from './event-store.ts';
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

/** Batches under way at once. One: the next gathers meanwhile, and few large batches cost less than many small ones. */
const IN_FLIGHT_MAX = 1;
const GATHER_TURNS_MAX = 4;

/**
 * Writes events. `recordNow` shares commits between concurrent callers without any timer: while one insert is under way the
 * next batch gathers, so a lone caller never waits and many callers pay for one seal, one row and one disk flush together.
 */
export function createRecorder({ database, seal }: RecorderDeps): Recorder {
  let waiting: Waiting[] = [];
  let inFlight = 0;
  let gathering = false;

  /**
   * Waits while each turn of the event loop brings further callers, for a few turns: a lone caller loses microseconds, and many
   * share one seal, one row and one flush.
   */
  function gather(seen: number, turns: number): void {
    gathering = true;
    setImmediate(() => {
      if (waiting.length > seen && turns > 0) return gather(waiting.length, turns - 1);
      gathering = false;
      send();
    });
  }

  function send(): void {
    while (inFlight < IN_FLIGHT_MAX && waiting.length > 0) {
      const callers = waiting;
      waiting = [];
      inFlight++;
      void write(callers).finally(() => {
        inFlight--;
        if (!gathering && waiting.length > 0) gather(0, GATHER_TURNS_MAX);
      });
    }
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
        waiting.push({ inputs, resolve, reject });
        if (!gathering && inFlight < IN_FLIGHT_MAX) gather(0, GATHER_TURNS_MAX);
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
