/**
 * Group commit for registrations. Callers queue; whatever arrives while a batch is under way becomes the next one. A lone caller
 * waits for nobody, many share one transaction, and the lock is taken once for all of them. While one batch is being written, the
 * next already waits for the lock in PostgreSQL, its first question behind it: the turn changes without this process being asked.
 */

import type { Actor } from '../../kernel/principal.ts';
import { isProblem, Problem } from '../../kernel/problem.ts';
import { type BatchResult, runBatch } from './batch.ts';
import { BATCH_SUBMISSIONS_MAX, WAITING_SUBMISSIONS_MAX } from './bounds.ts';
import type { Submission, SubmissionOutcome } from './model.ts';
import { transactionRefused } from './problems.ts';
import type { RoundDeps } from './round-loading.ts';
import { REGISTRY_LOCK } from './store.ts';
import type { SubmitOptions } from './submit-options.ts';
import { prepareWork, refused, underModel, type Work } from './work.ts';

interface Group {
  readonly works: readonly Work[];
  readonly options: SubmitOptions;
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Thrown to undo a transaction whose outcome is known; never leaves this file. */
class Undo extends Error {
  readonly result: BatchResult;
  constructor(result: BatchResult) {
    super('undone on purpose');
    this.result = result;
  }
}

/** Longest wait for callers to join the next batch, where several share batches; a lone caller never waits. */
const GATHER_MS = 4;

/** Up to this many records go together, since a batch costs as much as several records. */
const TOGETHER = 8;

/**
 * How many of the records under way a batch waits for: all of a few; of many, half, so that one half is received and prepared here
 * while PostgreSQL writes the other.
 */
const wantedOf = (records: number) => Math.max(Math.ceil(records / 2), Math.min(records, TOGETHER));
const recordsIn = (groups: readonly Group[]) => groups.reduce((sum, { works }) => sum + works.length, 0);

export interface Intake {
  submit(actor: Actor, submissions: readonly Submission[], options: SubmitOptions): Promise<BatchResult>;
  /** Resolves when nothing is queued or in flight any more. */
  drained(): Promise<void>;
}

export function createIntake(deps: RoundDeps): Intake {
  const queue: Group[] = [];
  let waiting = 0;
  let running: Promise<void> | undefined;
  /** Told of each group that joins the queue. */
  let joined = (_group: Group): void => {};

  async function work(): Promise<void> {
    // Let every request that arrived in this turn of the event loop join the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (queue.length > 0) {
        const groups = takeBatch(queue);
        const flight = launch(deps, groups);
        // Whoever holds the lock keeps the order: the next batch cannot overtake this one any more, and may be sent.
        await Promise.race([flight.begun, flight.ended]);
        const wanted = wantedOf(recordsIn(groups) + recordsIn(queue));
        await Promise.race([gathered(wanted), flight.ended]);
        if (groups.length + queue.length > 1) await gathered(wanted, GATHER_MS);
        if (queue.length === 0) await flight.ended;
      }
    } finally {
      // At once after the last look at the queue: who joins it later begins anew.
      running = undefined;
    }
  }

  /** Resolves when so many records wait, or after a moment. */
  function gathered(records: number, longestMs?: number): Promise<void> {
    let missing = records - recordsIn(queue);
    if (missing <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        joined = () => {};
        resolve();
      };
      const timer = longestMs === undefined ? undefined : setTimeout(go, longestMs);
      joined = ({ works }) => {
        missing -= works.length;
        if (missing <= 0) go();
      };
    });
  }

  return {
    async submit(actor, submissions, options) {
      if (waiting + submissions.length > WAITING_SUBMISSIONS_MAX) throw overloaded();
      waiting += submissions.length;
      try {
        const domains = await deps.domains.table();
        const works = submissions.map((submission) => prepareWork(deps, { actor, submission, options }, domains));
        return await new Promise<BatchResult>((resolve, reject) => {
          const group = { works, options, resolve, reject };
          queue.push(group);
          joined(group);
          running ??= work();
        });
      } finally {
        waiting -= submissions.length;
      }
    },
    async drained() {
      while (running) await running;
    },
  };
}

/**
 * All-or-nothing groups, dry runs and groups with rows of their own to write get a transaction of their own: undoing one must not
 * undo its neighbours.
 */
const isAlone = ({ options }: Group) =>
  options.atomic === true || options.rehearsal !== undefined || options.alongside !== undefined;

function takeBatch(queue: Group[]): Group[] {
  const first = queue.shift();
  if (!first) return [];
  if (isAlone(first)) return [first];
  const batch = [first];
  let size = first.works.length;
  while (queue[0] && !isAlone(queue[0]) && size + queue[0].works.length <= BATCH_SUBMISSIONS_MAX) {
    const next = queue.shift();
    if (!next) break;
    batch.push(next);
    size += next.works.length;
  }
  return batch;
}

/** A batch on its way. Neither promise rejects: failures go to those who submitted. */
interface Flight {
  /** It holds the registry's lock. May never resolve, where the batch fails before. */
  readonly begun: Promise<void>;
  readonly ended: Promise<void>;
}

function launch(deps: RoundDeps, groups: readonly Group[]): Flight {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  return { begun, ended: runNext(deps, groups, resolve) };
}

async function runNext(deps: RoundDeps, groups: readonly Group[], begun?: () => void): Promise<void> {
  try {
    const result = await transact(deps, groups, begun);
    let from = 0;
    for (const group of groups) {
      const outcomes = result.outcomes.slice(from, from + group.works.length);
      from += group.works.length;
      group.resolve({ outcomes, audited: result.audited });
    }
  } catch (error) {
    if (groups.length === 1 || isPassing(error)) for (const group of groups) group.reject(error);
    // Nothing was written. One of them is at fault (a record it touches is broken): the others must not suffer for it.
    else for (const group of groups) await runNext(deps, [group]);
  }
}

/** The database is away: trying each group by itself would only take longer. */
const isPassing = (error: unknown) => isProblem(error) && error.kind === 'unavailable';

async function transact(live: RoundDeps, groups: readonly Group[], begun?: () => void): Promise<BatchResult> {
  // A copy: the model that is in force now decides the whole batch.
  const deps = { ...live };
  // Copies, since deciding leaves its marks on them and a group may have to be decided again.
  const works = groups.flatMap((group) => group.works.map((work) => underModel(deps, work)));
  const domains = await deps.domains.table();
  try {
    return await deps.database.transaction(
      async (tx) => {
        const result = await runBatch(deps, tx, {
          works,
          domains,
          rehearsal: groups[0]?.options.rehearsal,
          ...(begun && { begun }),
        });
        const only = groups.length === 1 ? groups[0] : undefined;
        if (only?.options.atomic && result.outcomes.some((outcome) => outcome.status === 'refused')) {
          throw new Undo({ outcomes: result.outcomes.map(allRefused), audited: undefined });
        }
        await only?.options.alongside?.(tx, result.outcomes);
        return result;
      },
      { lock: REGISTRY_LOCK },
    );
  } catch (error) {
    if (error instanceof Undo) return error.result;
    throw error;
  }
}

function allRefused(outcome: SubmissionOutcome): SubmissionOutcome {
  return outcome.status === 'refused' ? outcome : refused(transactionRefused());
}

function overloaded(): Problem {
  return new Problem(
    'unavailable',
    'busy',
    'Too many records are waiting to be registered. Nothing of this request was written; send it again shortly.',
    {
      retryAfterSeconds: 2,
    },
  );
}
