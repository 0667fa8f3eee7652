import type { Database } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { AuditEventId } from '../../kernel/ids.ts';
import type { KeyRing } from '../../store/index.ts';
import { readJson } from './event-contents.ts';
import { EVENT_COLUMNS, type IndexedEvent, type RawEvent, toEvent } from './event-store.ts';
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

export interface EventFeed {
  /** Events of at most `limit` leaves from `from` on, in order, and the leaf to go on with. */
  after(
    from: number,
    limit: number,
    wanted?: Wanted,
  ): Promise<{ readonly events: SequencedEvent[]; readonly next: number }>;
  /** Leaves in the tree. */
  size(): Promise<number>;
}

const FEED = statement<RawEvent>(
  'audit.feed',
  `SELECT ${EVENT_COLUMNS} FROM audit.event AS row WHERE row.index >= $1 AND row.index < $2 ORDER BY row.index`,
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

  return {
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
