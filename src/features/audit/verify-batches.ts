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

export interface BatchCheck {
  /** Contents of a page of events, in their order. */
  contents(rows: readonly IndexedEvent[]): Promise<Content[]>;
  /** Called for every event in order of the leaves: the events of a batch must follow each other, none left out. */
  atEvent(index: number, row: IndexedEvent | undefined): void;
  /** Batches that were met. */
  met(): number;
}

interface BatchCheckDeps {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly problems: ProblemList;
}

interface Opened {
  readonly row: BatchRow;
  readonly events: readonly BatchedEvent[] | 'broken' | 'erased';
}

export function createBatchCheck({ database, keyRing, problems }: BatchCheckDeps): BatchCheck {
  // The last batch of a page may go on in the next one.
  let kept: Opened | undefined;
  let current: { readonly id: BatchId; readonly events: number | undefined; place: number } | undefined;
  let met = 0;
  const sizes = new Map<BatchId, number>();

  async function contents(rows: readonly IndexedEvent[]): Promise<Content[]> {
    const found = await readBatches(
      database,
      rows.map((row) => row.batch).filter((id) => id !== kept?.row.id),
    );
    sizes.clear();
    for (const [id, row] of found) sizes.set(id, row.events);
    if (kept !== undefined) sizes.set(kept.row.id, kept.row.events);
    let last = kept;
    const open = (id: BatchId): Opened | undefined => {
      if (last?.row.id === id) return last;
      const row = found.get(id);
      last = row === undefined ? undefined : { row, events: opened(keyRing, row) };
      return last;
    };
    const plain = rows.map((row) => contentOf(open(row.batch), row.place));
    kept = last;
    return await withReasons(rows, plain);
  }

  async function withReasons(rows: readonly IndexedEvent[], plain: readonly Content[]): Promise<Content[]> {
    const erased = rows.filter((_, i) => plain[i]?.kind === 'erased').map(({ id }) => id);
    const reasons = await erasuresOf(database, erased);
    return plain.map((content, i) =>
      content.kind === 'erased'
        ? { kind: 'erased', because: content.because ?? reasons.get(rows[i]?.id ?? '') }
        : content,
    );
  }

  function wrong(index: number): void {
    problems.add({
      code: 'leaf-wrong',
      index,
      detail: 'The events of a batch are not in the tree as they were written.',
    });
  }

  return {
    contents,
    atEvent(index, row) {
      if (row === undefined) {
        if (current !== undefined) current.place++;
        return;
      }
      if (current?.id !== row.batch) {
        // Of a batch that is gone nobody knows how many there were; that it is gone is said already.
        if (current?.events !== undefined && current.place !== current.events) wrong(index - 1);
        current = { id: row.batch, events: sizes.get(row.batch), place: 0 };
        met++;
      }
      if (current.place !== row.place) wrong(index);
      current.place = row.place + 1;
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
