import { isProblem, type Problem } from '../../kernel/problem.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import {
  createRehearsal,
  type DomainRef,
  type LoadSession,
  type Registry,
  type RegistryCore,
  type Rehearsal,
  type Submission,
  type SubmissionOutcome,
} from '../registry/index.ts';
import { loadProblem } from './errors.ts';
import type { GoodRow, KeptNotice, Row } from './model.ts';
import { noticeContext } from './sealing.ts';
import { advanceLoad, insertNotice, readLoad } from './store.ts';
import type { RowReader } from './row-reader.ts';
import type { LoadCounts } from './wire.ts';

export interface RunnerDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly registry: Submitting;
  readonly clock: Clock;
  /** Bytes of memory for a large load's image of the registry; 0: every load goes the ordinary way. */
  readonly memoryBytes?: number;
}

/** What loading asks of the registry. */
export type Submitting = Pick<RegistryCore, 'submit'> & Partial<Pick<Registry, 'openLoad'>>;

export interface Run {
  readonly loadId: string;
  readonly actor: Actor;
  readonly domain: DomainRef;
  readonly dryRun: boolean;
  /** Rows whose outcome is committed already: they are read again and passed over. */
  readonly rowsDone: number;
  readonly reader: RowReader;
  readonly source: AsyncIterable<Uint8Array>;
  /** Size of the whole file. */
  readonly bytesTotal: number;
  readonly signal: AbortSignal;
  readonly onBatch?: (counts: LoadCounts, bytesDone: number) => void;
  /** Told while the registry is read for a large load: records done, of about how many. */
  readonly onReading?: (done: number, of: number) => void;
}

/** Rows in one transaction. Below the registry's own bound, so that a batch is never split. */
const BATCH_ROWS = 250;
/** While one batch is in the database the next one is parsed and prepared. */
const BATCHES_AHEAD = 2;
/** Of a large load, whose batches are decided while those before are written. */
const LARGE_BATCHES_AHEAD = 7;

interface Batch {
  readonly from: number;
  readonly rows: readonly Row[];
  readonly bytesDone: number;
}

/**
 * Sends a file's rows to the registry in batches. The outcome of a batch, its counts, its rejected rows and the place to go on
 * from are committed in one transaction with the records, so an interruption at any moment loses and repeats nothing.
 */
export async function runLoad(deps: RunnerDeps, run: Run): Promise<LoadCounts> {
  const total: LoadCounts = { ...NO_COUNTS };
  const waiting: Promise<void>[] = [];
  const rehearsal = createRehearsal();
  const way = createWay(deps, run);
  let before: Before = { settled: Promise.resolve(), commitsItself: false };
  let lastMs = deps.clock.nowMs();
  const elapsedMs = (): number => {
    const nowMs = deps.clock.nowMs();
    const elapsed = Math.max(0, nowMs - lastMs);
    lastMs = nowMs;
    return elapsed;
  };
  const send = async (batch: Batch): Promise<void> => {
    const work = workOf(run, batch);
    const { submit, ahead } = await way.of(work, batch.bytesDone, before);
    const submitted = submitBatch(deps, run, { work, rehearsal, before, elapsedMs, submit }).then((counts) => {
      for (const key of COUNT_KEYS) total[key] += counts[key];
      run.onBatch?.(total, batch.bytesDone);
    });
    // Failures are met where the batch is awaited; until then they must not count as unhandled.
    submitted.catch(() => undefined);
    before = { settled: submitted, commitsItself: work.commitsItself };
    waiting.push(submitted);
    if (waiting.length >= ahead) await waiting.shift();
  };
  try {
    for await (const batch of inBatches(run)) await send(batch);
    while (waiting.length > 0) await waiting.shift();
  } finally {
    await Promise.allSettled(waiting);
    await way.end();
  }
  return total;
}

interface Way {
  readonly submit: RegistryCore['submit'];
  readonly ahead: number;
}

/**
 * Batches the ordinary way before an image is thought of again: rows that are there already come first where a file is loaded once more.
 * Twice as many each time it ended because somebody else registered.
 */
const BATCHES_UNTIL_ASKED_AGAIN = 20;

interface Ways {
  /** The way of a batch. */
  of(work: Work, bytesDone: number, before: Before): Promise<Way>;
  end(): Promise<void>;
}

/** The ordinary way, or that of a large load from where its records are new. */
function createWay(deps: RunnerDeps, run: Run): Ways {
  const ordinary: Way = { submit: (...asked) => deps.registry.submit(...asked), ahead: BATCHES_AHEAD };
  const { openLoad } = deps.registry;
  const bytesMax = deps.memoryBytes ?? 0;
  if (run.dryRun || openLoad === undefined || bytesMax === 0)
    return { of: async () => ordinary, end: async () => undefined };
  let session: LoadSession | undefined;
  let pause = BATCHES_UNTIL_ASKED_AGAIN;
  let wait = 0;
  const end = async (): Promise<void> => {
    const ended = session;
    session = undefined;
    await ended?.end();
  };
  return {
    end,
    async of({ batch, submissions }, bytesDone, before) {
      if (session?.isQuick() === false) {
        // What it was given it answers, in order; what comes now goes the ordinary way behind it.
        await before.settled;
        await end();
        wait = pause;
        pause *= 2;
      }
      if (session === undefined && submissions.length > 0 && wait-- <= 0) {
        wait = BATCHES_UNTIL_ASKED_AGAIN;
        const records = ((run.bytesTotal - bytesDone) * (batch.from + batch.rows.length)) / bytesDone;
        const { actor, signal, onReading } = run;
        // What is under way would be somebody else's doing to it.
        await before.settled;
        session = await openLoad({
          ...{ actor, first: submissions, records, bytesMax, signal },
          ...(onReading && { onReading }),
        });
      }
      return session === undefined ? ordinary : largeWay(session);
    },
  };
}

const largeWay = (session: LoadSession): Way => ({
  submit: (actor, those, options = {}) => session.submit(actor, those, options),
  ahead: LARGE_BATCHES_AHEAD,
});

const COUNT_KEYS = ['read', 'created', 'updated', 'unchanged', 'linked', 'reviews', 'rejected', 'warnings'] as const;
const NO_COUNTS: LoadCounts = {
  read: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  linked: 0,
  reviews: 0,
  rejected: 0,
  warnings: 0,
};

async function* inBatches(run: Run): AsyncGenerator<Batch> {
  let held: Row[] = [];
  let row = 0;
  let bytesDone = 0;
  const full = function* (atEnd: boolean): Generator<Batch> {
    while (held.length >= BATCH_ROWS || (atEnd && held.length > 0)) {
      const rows = held.slice(0, BATCH_ROWS);
      held = held.slice(BATCH_ROWS);
      yield { from: row, rows, bytesDone };
      row += rows.length;
    }
  };
  const take = (rows: Row[]): void => {
    // Rows that were done before an interruption are parsed again, which is cheap, and dropped here.
    const passed = Math.min(rows.length, Math.max(0, run.rowsDone - row));
    if (passed > 0) row += passed;
    for (let at = passed; at < rows.length; at++) held.push(rows[at] as Row);
  };
  for await (const bytes of run.source) {
    if (run.signal.aborted) throw interrupted();
    bytesDone += bytes.length;
    take(run.reader.push(bytes));
    for (const batch of full(false)) {
      if (run.signal.aborted) throw interrupted();
      yield batch;
    }
  }
  take(run.reader.end());
  yield* full(true);
}

function interrupted() {
  return loadProblem(
    'unavailable',
    'load-interrupted',
    'The load was interrupted. What was committed stays; it goes on from there.',
  );
}

/** The batch that was sent before. */
interface Before {
  readonly settled: Promise<void>;
  readonly commitsItself: boolean;
}

interface Work {
  readonly batch: Batch;
  readonly repeated: ReadonlyMap<Row, GoodRow>;
  readonly submissions: readonly Submission[];
  /** In a transaction of its own: nothing for the registry in it, or a dry run, of which the registry writes nothing. */
  readonly commitsItself: boolean;
}

function workOf(run: Run, batch: Batch): Work {
  const repeated = repeatedRows(batch.rows);
  const submissions: Submission[] = [];
  for (const row of batch.rows) {
    if (row.kind === 'good' && !repeated.has(row)) {
      submissions.push({ kind: 'upsert', domain: run.domain, key: row.key, patient: row.patient });
    }
  }
  return { batch, repeated, submissions, commitsItself: run.dryRun || submissions.length === 0 };
}

interface Sent {
  readonly work: Work;
  readonly rehearsal: Rehearsal;
  readonly before: Before;
  readonly elapsedMs: () => number;
  readonly submit: RegistryCore['submit'];
}

/**
 * Batches commit in the order of the file: the place to go on from is one number. The registry keeps the order of what it
 * commits; where one of two neighbours commits by itself, the later one waits.
 */
async function submitBatch(
  deps: RunnerDeps,
  run: Run,
  { work, rehearsal, before, elapsedMs, submit }: Sent,
): Promise<LoadCounts> {
  const { batch, repeated, submissions } = work;
  let counts = NO_COUNTS;
  const alongside = async (tx: Transaction, outcomes: readonly SubmissionOutcome[]): Promise<void> => {
    const settled = settle(batch, repeated, outcomes);
    counts = settled.counts;
    await commitBatch(deps, tx, { run, batch, settled, elapsedMs: elapsedMs() });
  };
  if (work.commitsItself) {
    const found = submissions.length === 0 ? undefined : submit(run.actor, submissions, { rehearsal });
    const [answer] = await Promise.all([found, before.settled]);
    await deps.database.transaction((tx) => alongside(tx, answer?.outcomes ?? []));
  } else {
    if (before.commitsItself) await before.settled;
    await submit(run.actor, submissions, { quietUnchanged: true, alongside });
  }
  return counts;
}

/** Rows that say of one record what a row before them in the batch said: they change nothing, and need not be asked. */
function repeatedRows(rows: readonly Row[]): ReadonlyMap<Row, GoodRow> {
  const last = new Map<string, GoodRow>();
  const repeated = new Map<Row, GoodRow>();
  for (const row of rows) {
    if (row.kind !== 'good') continue;
    const before = last.get(row.key);
    if (before !== undefined && JSON.stringify(before.patient) === JSON.stringify(row.patient))
      repeated.set(row, before);
    else last.set(row.key, row);
  }
  return repeated;
}

interface Settled {
  readonly counts: LoadCounts;
  readonly rejected: readonly KeptNotice[];
  readonly warnings: readonly KeptNotice[];
}

function settle(batch: Batch, repeated: ReadonlyMap<Row, GoodRow>, outcomes: readonly SubmissionOutcome[]): Settled {
  const counts = { ...NO_COUNTS };
  const rejected: KeptNotice[] = [];
  const warnings: KeptNotice[] = [];
  const answered = new Map<Row, SubmissionOutcome | undefined>();
  let next = 0;
  for (const row of batch.rows) {
    if (row.kind === 'rejected') {
      counts.read += row.lines;
      counts.rejected += row.lines;
      rejected.push(notice(row));
      continue;
    }
    counts.read++;
    const original = repeated.get(row);
    const outcome = original === undefined ? outcomes[next++] : answered.get(original);
    answered.set(row, outcome);
    if (outcome === undefined || outcome.status === 'refused') {
      counts.rejected++;
      rejected.push(notice({ ...row, reason: outcome?.problem.publicDetail ?? 'it was not answered' }));
      continue;
    }
    if (original !== undefined) {
      counts.unchanged++;
      continue;
    }
    if (outcome.status !== 'deleted') counts[outcome.status]++;
    if (outcome.linked) counts.linked++;
    counts.reviews += outcome.reviewsOpened;
    counts.warnings += row.warnings.length;
    for (const { column, reason } of row.warnings) warnings.push(notice({ ...row, column, reason }));
  }
  return { counts, rejected, warnings };
}

function notice(row: { line: number; reason: string; column?: string; fields: readonly string[] }): KeptNotice {
  const { line, reason, column } = row;
  return { line, reason, fields: bounded(row.fields), ...(column !== undefined && { column }) };
}

/** A kept row is for a person to look at: a monstrous one is cut. */
const KEPT_LENGTH_MAX = 20_000;

function bounded(fields: readonly string[]): readonly string[] {
  let length = 0;
  for (const field of fields) length += field.length;
  return length <= KEPT_LENGTH_MAX
    ? fields
    : fields.slice(0, 100).map((field) => field.slice(0, KEPT_LENGTH_MAX / 100));
}

interface BatchEnd {
  readonly run: Run;
  readonly batch: Batch;
  readonly settled: Settled;
  readonly elapsedMs: number;
}

async function commitBatch(
  deps: RunnerDeps,
  tx: Transaction,
  { run, batch, settled, elapsedMs }: BatchEnd,
): Promise<void> {
  const { counts } = settled;
  const to = batch.from + batch.rows.length;
  const values = [run.loadId, batch.from, to, batch.bytesDone, new Date(deps.clock.nowMs()), elapsedMs];
  const [advanced] = await tx.rows(advanceLoad, [...values, ...COUNT_KEYS.map((key) => counts[key])]);
  if (advanced === undefined) throw await overtaken(tx, run.loadId);
  await keepNotices(deps, tx, { run, batch, kind: 'rejected', notices: settled.rejected });
  await keepNotices(deps, tx, { run, batch, kind: 'warning', notices: settled.warnings });
}

/** Why a batch must not commit: the load was ended, or another process (a former one, still alive) has moved it on. */
async function overtaken(tx: Transaction, loadId: string): Promise<Problem> {
  const [row] = await tx.rows(readLoad, [loadId]);
  return row?.state === 'running'
    ? loadProblem('unavailable', 'load-taken-over', 'Another process has gone on with this load meanwhile.')
    : loadProblem('conflict', 'load-cancelled', 'The load was cancelled. What was committed before stays.');
}

interface Notices {
  readonly run: Run;
  readonly batch: Batch;
  readonly kind: 'rejected' | 'warning';
  readonly notices: readonly KeptNotice[];
}

async function keepNotices(deps: RunnerDeps, tx: Transaction, { run, batch, kind, notices }: Notices): Promise<void> {
  if (notices.length === 0) return;
  const plain = Buffer.from(JSON.stringify(notices));
  const sealed = deps.keyRing.seal(plain, noticeContext(run.loadId, kind, batch.from));
  await tx.run(insertNotice, [run.loadId, kind, batch.from, notices.length, sealed]);
}

/** True for failures that pass by themselves: the database is away, the server shuts down. */
export function isPassing(error: unknown): boolean {
  return isProblem(error) && error.kind === 'unavailable';
}
