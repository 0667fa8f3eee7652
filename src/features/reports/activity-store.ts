import type { Sql, Transaction } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';

/** SQL of the hourly counts. */
export interface HourCount {
  readonly hourMs: number;
  readonly event: string;
  readonly actor: bigint;
  readonly outcome: number;
  readonly actorKind: string;
  readonly count: number;
}

const NEXT = statement<{ next: bigint }>(
  'reports.next-leaf',
  'SELECT next_leaf AS next FROM reports.follower WHERE id = 1',
);
export async function nextLeaf(sql: Sql): Promise<number> {
  return Number((await sql.rows(NEXT))[0]?.next ?? 0);
}

const ADVANCE = statement(
  'reports.advance',
  'UPDATE reports.follower SET next_leaf = $2 WHERE id = 1 AND next_leaf = $1',
);
/** False when another process has counted these events. */
export async function advance(tx: Transaction, from: number, to: number): Promise<boolean> {
  return (await tx.run(ADVANCE, [from, to])) === 1;
}

const ADD = statement(
  'reports.add-activity',
  `INSERT INTO reports.activity (hour, event, actor, outcome, actor_kind, count)
   SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::bigint[], $4::smallint[], $5::text[], $6::bigint[])
   ON CONFLICT (hour, event, actor, outcome) DO UPDATE SET count = activity.count + excluded.count`,
);
export async function addCounts(tx: Transaction, counts: readonly HourCount[]): Promise<void> {
  await tx.run(ADD, [
    counts.map(({ hourMs }) => new Date(hourMs)),
    counts.map(({ event }) => event),
    counts.map(({ actor }) => actor),
    counts.map(({ outcome }) => outcome),
    counts.map(({ actorKind }) => actorKind),
    counts.map(({ count }) => count),
  ]);
}

const NAME = statement(
  'reports.name-actor',
  `INSERT INTO reports.actor (token, sealed, named_at) VALUES ($1, $2, $3)
   ON CONFLICT (token) DO UPDATE SET sealed = excluded.sealed, named_at = excluded.named_at`,
);
export async function nameActor(sql: Sql, token: bigint, sealed: Uint8Array, atMs: number): Promise<void> {
  await sql.run(NAME, [token, sealed, new Date(atMs)]);
}

export interface ActorRow {
  readonly token: bigint;
  readonly sealed: Buffer;
}
const ACTORS = statement<ActorRow>(
  'reports.actors',
  'SELECT token, sealed FROM reports.actor ORDER BY named_at DESC LIMIT $1',
);
const NAMED = statement<ActorRow>(
  'reports.named',
  'SELECT token, sealed FROM reports.actor WHERE token = ANY ($1::bigint[])',
);
export const listActors = (sql: Sql, limit: number): Promise<ActorRow[]> => sql.rows(ACTORS, [limit]);
export const namedActors = (sql: Sql, tokens: readonly bigint[]): Promise<ActorRow[]> => sql.rows(NAMED, [tokens]);

/** What is counted together. Absent filters are null. */
export interface CountFilter {
  readonly fromMs: number;
  readonly beforeMs: number;
  readonly events: readonly string[] | null;
  readonly actors: readonly bigint[] | null;
  readonly kind: string | null;
  readonly outcomes: readonly number[] | null;
}

const WHERE = `hour >= $1 AND hour < $2 AND ($3::text[] IS NULL OR event = ANY ($3)) AND ($4::bigint[] IS NULL OR actor = ANY ($4))
  AND ($5::text IS NULL OR actor_kind = $5) AND ($6::smallint[] IS NULL OR outcome = ANY ($6))`;
const SUMS = 'sum(count)::bigint AS events, coalesce(sum(count) FILTER (WHERE outcome <> 0), 0)::bigint AS failures';

interface Sums {
  readonly events: bigint;
  readonly failures: bigint;
}
const BY_HOUR = statement<Sums & { hour: Date }>(
  'reports.by-hour',
  `SELECT hour, ${SUMS} FROM reports.activity WHERE ${WHERE} GROUP BY hour ORDER BY hour`,
);
const BY_EVENT = statement<Sums & { event: string }>(
  'reports.by-event',
  `SELECT event, ${SUMS} FROM reports.activity WHERE ${WHERE} GROUP BY event ORDER BY 2 DESC, event`,
);
const BY_ACTOR = statement<Sums & { actor: bigint }>(
  'reports.by-actor',
  `SELECT actor, ${SUMS} FROM reports.activity WHERE ${WHERE} GROUP BY actor ORDER BY 2 DESC, actor LIMIT $7`,
);

const values = (filter: CountFilter) => [
  new Date(filter.fromMs),
  new Date(filter.beforeMs),
  filter.events,
  filter.actors,
  filter.kind,
  filter.outcomes,
];
export const byHour = (sql: Sql, filter: CountFilter) => sql.rows(BY_HOUR, values(filter));
export const byEvent = (sql: Sql, filter: CountFilter) => sql.rows(BY_EVENT, values(filter));
export const byActor = (sql: Sql, filter: CountFilter, limit: number) => sql.rows(BY_ACTOR, [...values(filter), limit]);
