import type { Database } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import type { BatchedEvent } from './event-batch.ts';
import { type IndexedEvent, readBatches } from './event-store.ts';
import type { ProblemList } from './problem-list.ts';
import { type BatchId, type BatchRow, type FormerColumns, openBatch } from './sealed-event.ts';
import { erasuresOf } from './verify-store.ts';

/** What rests of an event. `broken`: it was changed. `missing`: its batch is gone. */
export type Content =
  | { readonly kind: 'open'; readonly event: BatchedEvent; readonly former: FormerColumns | null }
  | { readonly kind: 'erased'; readonly because: string | undefined }
  | { readonly kind: 'broken' }
  | { readonly kind: 'missing' };

export interface PageContents {
  /** In the order of the rows. */
  readonly contents: readonly Content[];
  /** Events of each batch there is. */
  readonly sizes: ReadonlyMap<BatchId, number>;
}

interface ContentDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
}

interface Opened {
  readonly row: BatchRow;
  readonly events: readonly BatchedEvent[] | 'broken' | 'erased';
}

/** What a page of events says, each batch opened once. */
export async function readPageContents(
  { database, keyRing }: ContentDeps,
  rows: readonly IndexedEvent[],
): Promise<PageContents> {
  const found = await readBatches(
    database,
    rows.map((row) => row.batch),
  );
  const sizes = new Map<BatchId, number>();
  for (const [id, row] of found) sizes.set(id, row.events);
  let last: Opened | undefined;
  const open = (id: BatchId): Opened | undefined => {
    if (last?.row.id === id) return last;
    const row = found.get(id);
    last = row === undefined ? undefined : { row, events: opened(keyRing, row) };
    return last;
  };
  const plain = rows.map((row) => contentOf(open(row.batch), row.place));
  return { contents: await withReasons(database, rows, plain), sizes };
}

async function withReasons(
  database: Database,
  rows: readonly IndexedEvent[],
  plain: readonly Content[],
): Promise<Content[]> {
  const erased = rows.filter((_, i) => plain[i]?.kind === 'erased').map(({ id }) => id);
  const reasons = await erasuresOf(database, erased);
  return plain.map((content, i) =>
    content.kind === 'erased'
      ? { kind: 'erased', because: content.because ?? reasons.get(rows[i]?.id ?? '') }
      : content,
  );
}

/** Neighbouring leaves whose events are neighbours in one batch. */
export interface BatchRun {
  /** The first leaf. */
  readonly index: number;
  readonly count: number;
  readonly batch: BatchId;
  /** Place of the first event in its batch. */
  readonly place: number;
  /** Events of the batch; undefined where the batch is gone. */
  readonly events: number | undefined;
}

export interface BatchOrder {
  /** Called in the order of the leaves: the events of a batch must follow each other, none left out. */
  atRun(run: BatchRun): void;
  /** Batches that were met. */
  met(): number;
}

export function createBatchOrder(problems: ProblemList): BatchOrder {
  let current: { readonly id: BatchId; readonly events: number | undefined; place: number } | undefined;
  let next = 0;
  let met = 0;

  function wrong(index: number): void {
    problems.add({
      code: 'leaf-wrong',
      index,
      detail: 'The events of a batch are not in the tree as they were written.',
    });
  }

  return {
    atRun(run) {
      // Leaves whose events are gone, which is said already, count as the next ones of the batch.
      if (current !== undefined) current.place += run.index - next;
      if (current?.id !== run.batch) {
        // Of a batch that is gone nobody knows how many there were; that it is gone is said already.
        if (current?.events !== undefined && current.place !== current.events) wrong(run.index - 1);
        current = { id: run.batch, events: run.events, place: 0 };
        met++;
      }
      if (current.place !== run.place) wrong(run.index);
      current.place = run.place + run.count;
      next = run.index + run.count;
    },
    met: () => met,
  };
}

function opened(keyRing: KeyRing, row: BatchRow): Opened['events'] {
  try {
    return openBatch(keyRing, row) ?? 'erased';
  } catch {
    return 'broken';
  }
}

function contentOf(opened: Opened | undefined, place: number): Content {
  if (opened === undefined) return { kind: 'missing' };
  if (opened.events === 'broken') return { kind: 'broken' };
  if (opened.events === 'erased') return { kind: 'erased', because: undefined };
  const event = opened.events[place];
  if (event === undefined) return { kind: 'missing' };
  if (event.content === undefined) return { kind: 'erased', because: undefined };
  return { kind: 'open', event, former: opened.row.former };
}
