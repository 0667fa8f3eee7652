import { newId } from '../../crypto/index.ts';
import { isProblem, Problem } from '../../kernel/problem.ts';
import type { Database, Sql, Transaction } from '../db/index.ts';
import type { Logger } from '../log/index.ts';
import type { Job, JobData, JobId } from './model.ts';
import * as sql from './statements.ts';

export interface JobsOptions {
  readonly database: Database;
  readonly log: Logger;
  /** Names this installation's runner, the same after a restart: `host:/path/of/home`. */
  readonly runner: string;
  /** How often to look for work that nobody announced; default 5 s. */
  readonly pollMs?: number;
}

export interface RunningJob {
  readonly id: JobId;
  readonly payload: JobData;
  /** What was saved last, by this attempt or an earlier one; null at the very beginning. */
  readonly progress: JobData | null;
  /** Aborted when the job is cancelled, the process shuts down, or another process has taken the job over. */
  readonly signal: AbortSignal;
  /** Saves where to go on from; give the transaction of the work itself, so that both commit or neither does. */
  saveProgress(on: Sql, progress: JobData): Promise<void>;
}

export type JobHandler = (job: RunningJob) => Promise<void>;

export interface Jobs {
  /** Before `start`. One handler per kind. */
  define(kind: string, handler: JobHandler): void;
  /** Commits with `tx`; begins soon after. Answers the job's id (or takes the one given). */
  enqueue(tx: Transaction, kind: string, payload: JobData, id?: JobId): Promise<JobId>;
  read(on: Sql, id: JobId): Promise<Job | undefined>;
  list(on: Sql, kind: string, limit: number): Promise<Job[]>;
  /** Asks a job to end; a waiting one never begins. */
  cancel(on: Sql, id: JobId): Promise<void>;
  /** Begins to work. */
  start(): Promise<void>;
  /** Interrupts the running job (it will be taken up again) and waits for it. */
  stop(): Promise<void>;
  /** Resolves when nothing waits or runs; for commands that work while no server does, and for tests. */
  idle(): Promise<void>;
}

const LEASE_MS = 15_000;
const RENEW_MS = 4_000;
const POLL_MS = 5_000;
const ATTEMPTS_MAX = 8;
const RETRY_MS = 2_000;

export function createJobs(options: JobsOptions): Jobs {
  const { database, runner } = options;
  const handlers = new Map<string, JobHandler>();
  const stopping = new AbortController();
  const woken = createBell();
  let working: Promise<void> | undefined;
  let unlisten: (() => Promise<void>) | undefined;
  const rest = createRest();

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      const job = await claim();
      if (job !== undefined) {
        await runJob({ ...options, stopping: stopping.signal }, job, handlers.get(job.kind));
        continue;
      }
      rest.begins();
      await woken.wait(options.pollMs ?? POLL_MS, stopping.signal);
    }
  }

  async function claim(): Promise<Job | undefined> {
    try {
      await database.run(sql.buryCancelled);
      return (await database.rows(sql.claimJob, [[...handlers.keys()], runner, LEASE_MS]))[0];
    } catch (error) {
      options.log.warn('Background jobs wait for the database', { error });
      return undefined;
    }
  }

  return {
    define(kind, handler) {
      if (handlers.has(kind) || working !== undefined) throw new Error(`Job kind ${kind} is defined twice or too late`);
      handlers.set(kind, handler);
    },
    async enqueue(tx, kind, payload, id = newId<JobId>()) {
      await tx.rows(sql.insertJob, [id, kind, JSON.stringify(payload)]);
      return id;
    },
    read: async (on, id) => (await on.rows(sql.readJob, [id]))[0],
    list: (on, kind, limit) => on.rows(sql.listJobs, [kind, limit]),
    async cancel(on, id) {
      await on.run(sql.cancelJob, [id]);
    },
    async start() {
      await database.run(sql.releaseOwn, [runner]);
      unlisten = await database.listen(sql.CHANNEL, () => woken.ring());
      working = work();
    },
    async stop() {
      stopping.abort();
      await working;
      await unlisten?.();
    },
    async idle() {
      const nextRest = rest.next();
      woken.ring();
      await nextRest;
    },
  };
}

interface RunContext extends JobsOptions {
  readonly stopping: AbortSignal;
}

async function runJob(context: RunContext, job: Job, handler: JobHandler | undefined): Promise<void> {
  if (handler === undefined) return;
  const { database, runner, log, stopping } = context;
  const ending = new AbortController();
  let ended: 'cancelled' | 'lost' | undefined;
  const interrupt = (): void => ending.abort();
  stopping.addEventListener('abort', interrupt, { once: true });
  const renewal = setInterval(() => {
    database.rows(sql.renewLease, [job.id, runner, LEASE_MS]).then(
      ([row]) => {
        if (row === undefined) ended = 'lost';
        else if (row.cancelled) ended = 'cancelled';
        if (ended !== undefined) ending.abort();
      },
      (error: unknown) => log.warn('A job could not renew its lease', { jobId: job.id, error }),
    );
  }, RENEW_MS);
  try {
    await handler({ id: job.id, payload: job.payload, progress: job.progress, signal: ending.signal, saveProgress });
    await settle(() => finish(ended === 'cancelled' ? 'cancelled' : 'done', null));
  } catch (error) {
    await settle(() => afterFailure(error));
  } finally {
    clearInterval(renewal);
    stopping.removeEventListener('abort', interrupt);
  }

  async function saveProgress(on: Sql, progress: JobData): Promise<void> {
    const [row] = await on.rows(sql.saveProgress, [job.id, runner, JSON.stringify(progress)]);
    // Somebody else runs it by now: our transaction must not commit.
    if (row === undefined) throw new Problem('conflict', 'job-lost', 'This job was taken over by another process.');
  }

  async function finish(state: 'done' | 'failed' | 'cancelled', code: string | null): Promise<void> {
    await database.run(sql.finishJob, [job.id, runner, state, code]);
  }

  async function afterFailure(error: unknown): Promise<void> {
    if (ended === 'lost') return;
    if (ended === 'cancelled') return await finish('cancelled', null);
    if (stopping.aborted) return await postpone(0);
    const passing = error instanceof Problem && error.kind === 'unavailable';
    log.error('A background job failed', { jobId: job.id, jobKind: job.kind, attempt: job.attempts, error });
    if (passing && job.attempts < ATTEMPTS_MAX) return await postpone(RETRY_MS * 2 ** job.attempts);
    await finish('failed', isProblem(error) ? error.code : 'internal');
  }

  async function postpone(delayMs: number): Promise<void> {
    await database.run(sql.postponeJob, [job.id, runner, delayMs]);
  }

  /** With the database away the outcome cannot be written; the lease ends and the job is taken up again, here or elsewhere. */
  async function settle(write: () => Promise<void>): Promise<void> {
    await write().catch((error: unknown) => log.warn('A job’s outcome could not be saved', { jobId: job.id, error }));
  }
}

/** Lets others wait for the next time there is nothing to do. */
function createRest(): { begins(): void; next(): Promise<void> } {
  const waiting = new Set<() => void>();
  return {
    begins() {
      for (const resolve of waiting) resolve();
      waiting.clear();
    },
    next: () => new Promise((resolve) => void waiting.add(resolve)),
  };
}

interface Bell {
  ring(): void;
  wait(limitMs: number, signal: AbortSignal): Promise<void>;
}

/** Lets one loop sleep until somebody rings, time runs out or everything stops; a ring while awake is remembered. */
function createBell(): Bell {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      wake?.();
    },
    async wait(limitMs, signal) {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, limitMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          signal.addEventListener('abort', wake, { once: true });
        });
      }
      rung = false;
      wake = undefined;
    },
  };
}
