import type { Database } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { AuditEventId } from '../../kernel/ids.ts';
import type { KeyRing } from '../../store/index.ts';
import { openRow } from './sealed-event.ts';
import { readHead } from './tree-store.ts';
import { EVENT_COLUMNS, type RawEvent, toEvent } from './verify-store.ts';

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

type Raw = RawEvent & { id: AuditEventId; index: bigint };

const FEED = statement<Raw>(
  'audit.feed',
  `SELECT ${EVENT_COLUMNS}, leaf.index FROM audit.leaf JOIN audit.event AS row ON row.id = leaf.event
   WHERE leaf.index >= $1 AND leaf.index < $2 ORDER BY leaf.index`,
);

/**
 * The log in the order of its leaves: nothing is ever put before what was read, so a follower that keeps one number misses
 * nothing and sees nothing twice.
 */
export function createEventFeed(deps: { readonly database: Database; readonly keyRing: KeyRing }): EventFeed {
  const { database, keyRing } = deps;
  const size = async (): Promise<number> => (await readHead(database))?.size ?? 0;
  return {
    async after(from, limit, wanted = () => true) {
      const rows = await database.rows(FEED, [from, from + limit]);
      const events = rows.map((raw) => {
        const row = toEvent(raw);
        const plain = {
          index: Number(raw.index),
          id: row.id,
          recordedMs: row.recordedMs,
          event: row.event,
          outcome: row.outcome,
          actorKind: row.actorKind,
          actor: row.actor,
          client: row.client ?? undefined,
          address: row.address ?? undefined,
        };
        return { ...plain, json: wanted(plain) ? openRow(keyRing, row)?.json : undefined };
      });
      // A leaf whose event is gone is for `verify` to explain; followers go on behind it.
      const next = events.length === limit ? from + limit : Math.max(from, Math.min(from + limit, await size()));
      return { events, next };
    },
    size,
  };
}
