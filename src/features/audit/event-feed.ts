import type { AuditEventId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Database } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { KeyRing } from '../../store/index.ts';
import type { BatchedEvent, PackedEvent } from './event-batch.ts';
import { readJson } from './event-contents.ts';
import { EVENT_COLUMNS, type IndexedEvent, type RawEvent, readBatches, toEvent } from './event-store.ts';
import { type BatchId, type BatchRow, openBatch } from './sealed-event.ts';
import { readHead } from './tree-store.ts';

/** An event with its place in the log, as followers read it. */
export interface SequencedEvent {
  /** Its leaf. Followers keep the next one they want. */
  readonly index: number;
  readonly id: AuditEventId;
  readonly recordedMs: number;
  readonly event: string;
  /** 0, 4 or 8. */
  readonly outcome: number;
  readonly actorKind: Principal['kind'];
  /** Blind tokens: equal where the actor, client or network address is. */
  readonly actor: bigint;
  readonly client: bigint | undefined;
  readonly address: bigint | undefined;
  /** FHIR R4 AuditEvent as canonical JSON; undefined when its content was erased or it was not wanted. */
  readonly json: string | undefined;
}

/** Which events are worth opening; the others still come, without `json`. */
export type Wanted = (event: Omit<SequencedEvent, 'json'>) => boolean;

/** An event as it rests, without its blind tokens. */
export interface PackedSequencedEvent {
  readonly index: number;
  readonly id: AuditEventId;
  readonly recordedMs: number;
  readonly content: PackedEvent;
}

export type WantedPacked = (event: { readonly event: string; readonly outcome: number }) => boolean;

export interface PackedPage {
  readonly events: PackedSequencedEvent[];
  readonly next: number;
}

export interface EventFeed {
  /** Events of at most `limit` leaves from `from` on, in order, and the leaf to go on with. */
  after(
    from: number,
    limit: number,
    wanted?: Wanted,
  ): Promise<{ readonly events: SequencedEvent[]; readonly next: number }>;
  /**
   * The same for whoever passes events on: of the wanted ones only what they say, read batch by batch, which takes a tenth of the
   * time. Events whose content is gone or was changed are left out; `verify` explains them.
   */
  packed(from: number, limit: number, wanted?: WantedPacked): Promise<PackedPage>;
  /** Leaves in the tree. */
  size(): Promise<number>;
}

const FEED = statement<RawEvent>(
  'audit.feed',
  `SELECT ${EVENT_COLUMNS} FROM audit.event AS row WHERE row.index >= $1 AND row.index < $2 ORDER BY row.index`,
);

interface RawRun {
  first: bigint;
  last: bigint;
  count: bigint;
  place: number;
  batch: BatchId;
}

/** Events of a batch lie side by side in the log, so each batch is one row. */
const RUNS = statement<RawRun>(
  'audit.feed-runs',
  `SELECT batch, min(index) AS first, max(index) AS last, count(*) AS count, min(place) AS place FROM audit.event
   WHERE index >= $1 AND index < $2 GROUP BY batch ORDER BY first`,
);

/**
 * The log in the order of its leaves: nothing is ever put before what was read, so a follower that keeps one number misses
 * nothing and sees nothing twice.
 */
export function createEventFeed(deps: { readonly database: Database; readonly keyRing: KeyRing }): EventFeed {
  const { database, keyRing } = deps;
  const size = async (): Promise<number> => (await readHead(database))?.size ?? 0;

  /**
   * A page that is not full ends at a size that was read before its rows, never after: what came in between would be skipped.
   * A leaf whose event is gone is for `verify` to explain; followers go on behind it.
   */
  async function page(from: number, limit: number): Promise<{ rows: IndexedEvent[]; next: number }> {
    const rows = await database.rows(FEED, [from, from + limit]);
    if (rows.length === limit) return { rows: rows.map(toEvent), next: from + limit };
    const next = Math.max(from, Math.min(from + limit, await size()));
    return { rows: (await database.rows(FEED, [from, next])).map(toEvent), next };
  }

  async function runs(from: number, limit: number): Promise<{ rows: RawRun[]; next: number }> {
    const rows = await database.rows(RUNS, [from, from + limit]);
    if (rows.reduce((sum, { count }) => sum + Number(count), 0) === limit) return { rows, next: from + limit };
    const next = Math.max(from, Math.min(from + limit, await size()));
    return { rows: await database.rows(RUNS, [from, next]), next };
  }

  return {
    async packed(from, limit, wanted = () => true) {
      const { rows, next } = await runs(from, limit);
      // Looked up one by one: a join that the planner takes for a large one would read all batches there are.
      const batches = await readBatches(
        database,
        rows.map(({ batch }) => batch),
      );
      const events: PackedSequencedEvent[] = [];
      for (const run of rows) {
        const first = Number(run.first);
        for (const [place, event] of opened(keyRing, batches.get(run.batch)).entries()) {
          const index = first + place - run.place;
          if (place < run.place || index > Number(run.last) || event.content === undefined || !wanted(event)) continue;
          events.push({ index, id: event.id, recordedMs: event.recordedMs, content: event.content });
        }
      }
      return { events, next };
    },
    async after(from, limit, wanted = () => true) {
      const { rows, next: goOn } = await page(from, limit);
      const plain = rows.map(({ index, id, recordedMs, event, outcome, actorKind, actor, client, address }) => ({
        ...{ index, id, recordedMs, event, outcome, actorKind, actor },
        client: client ?? undefined,
        address: address ?? undefined,
      }));
      const opened = plain.map(wanted);
      const contents = await readJson(
        database,
        keyRing,
        rows.filter((_, i) => opened[i]),
      );
      let next = 0;
      const events = plain.map((event, i) => ({ ...event, json: opened[i] === true ? contents[next++] : undefined }));
      return { events, next: goOn };
    },
    size,
  };
}

/** Empty where nothing can be read of the batch. */
function opened(keyRing: KeyRing, batch: BatchRow | undefined): readonly BatchedEvent[] {
  if (batch === undefined) return [];
  try {
    return openBatch(keyRing, batch) ?? [];
  } catch (error) {
    // A key that has not come yet is worth waiting for.
    if (isProblem(error) && error.kind === 'unavailable') throw error;
    return [];
  }
}
