import type { Sql } from '../../platform/db/sql.ts';
import { statement } from '../../platform/db/sql.ts';

/** SQL of atna.received. */
export interface NewReceived {
  readonly id: string;
  readonly receivedMs: number;
  readonly recordedMs: number;
  readonly transport: 'tls' | 'udp' | 'fhir';
  readonly nodeId: string | null;
  readonly understood: boolean;
  readonly tokens: readonly bigint[];
  readonly sealed: Uint8Array;
}

const INSERT = statement(
  'atna.insert-received',
  `INSERT INTO atna.received (id, received_at, recorded, transport, node_id, understood, tokens, sealed)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
);

export async function insertReceived(sql: Sql, row: NewReceived): Promise<void> {
  const { id, receivedMs, recordedMs, transport, nodeId, understood, tokens, sealed } = row;
  await sql.run(INSERT, [
    id,
    new Date(receivedMs),
    new Date(recordedMs),
    transport,
    nodeId,
    understood,
    tokens,
    sealed,
  ]);
}

export interface ReceivedRow {
  readonly id: string;
  readonly recorded: Date;
  readonly receivedAt: Date;
  readonly transport: 'tls' | 'udp' | 'fhir';
  readonly nodeId: string | null;
  readonly understood: boolean;
  readonly tokens: readonly bigint[];
  readonly sealed: Buffer;
  /** The `audit.erase` event that says why it says nothing any more. */
  readonly erasedBecause: string | null;
}

const COLUMNS =
  'id, recorded, received_at AS "receivedAt", transport, node_id AS "nodeId", understood, tokens, sealed, erased_because AS "erasedBecause"';
const SEARCH = statement<ReceivedRow>(
  'atna.search-received',
  `SELECT ${COLUMNS} FROM atna.received WHERE (understood OR $7) AND recorded >= $1 AND recorded < $2 AND tokens @> $3::bigint[]
     AND ($4::timestamptz IS NULL OR (recorded, id) < ($4, $5::uuid)) ORDER BY recorded DESC, id DESC LIMIT $6`,
);

/** Newest first. `tokens`: all of them must be there. `garbled`: with messages that nobody understood. */
export async function searchReceived(
  sql: Sql,
  query: {
    readonly fromMs: number;
    readonly beforeMs: number;
    readonly tokens: readonly bigint[];
    readonly garbled: boolean;
    readonly after?: { readonly recordedMs: number; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<ReceivedRow[]> {
  const { fromMs, beforeMs, tokens, garbled, after, limit } = query;
  const place = after === undefined ? [null, null] : [new Date(after.recordedMs), after.id];
  return await sql.rows(SEARCH, [new Date(fromMs), new Date(beforeMs), tokens, ...place, limit, garbled]);
}

const ONE = statement<ReceivedRow>('atna.one-received', `SELECT ${COLUMNS} FROM atna.received WHERE id = $1`);

/** Understood or not. */
export async function readReceived(sql: Sql, id: string): Promise<ReceivedRow | undefined> {
  return (await sql.rows(ONE, [id]))[0];
}

const LAST = statement<{ id: string }>('atna.last-received', 'SELECT id FROM atna.received ORDER BY id DESC LIMIT 1');

/** Id of the newest row. */
export async function lastReceived(sql: Sql): Promise<string | undefined> {
  return (await sql.rows(LAST))[0]?.id;
}

const COUNT = statement<{ count: bigint }>('atna.count-received', 'SELECT count(*) FROM atna.received WHERE id <= $1');

export async function countReceived(sql: Sql, upTo: string): Promise<number> {
  return Number((await sql.rows(COUNT, [upTo]))[0]?.count ?? 0);
}

const BETWEEN = statement<ReceivedRow>(
  'atna.received-between',
  `SELECT ${COLUMNS} FROM atna.received WHERE id BETWEEN $1 AND $2 ORDER BY id`,
);

/** By id, both ends included. */
export const receivedBetween = (sql: Sql, first: string, last: string) => sql.rows(BETWEEN, [first, last]);

const ERASABLE_OF = statement<ReceivedRow>(
  'atna.erasable-of',
  `SELECT ${COLUMNS} FROM atna.received WHERE erased_because IS NULL AND tokens && $1::bigint[] AND id > $2 ORDER BY id LIMIT $3`,
);
const ERASABLE_BEFORE = statement<ReceivedRow>(
  'atna.erasable-before',
  `SELECT ${COLUMNS} FROM atna.received WHERE erased_because IS NULL AND received_at < $1 AND id > $2 ORDER BY id LIMIT $3`,
);

/** Which received events an erasure looks at, a page at a time in the order of their ids. */
export type ErasablePage = (sql: Sql, afterId: string, limit: number) => Promise<ReceivedRow[]>;

/** Those found by any of these tokens. */
export const erasableOf =
  (tokens: readonly bigint[]): ErasablePage =>
  (sql, afterId, limit) =>
    sql.rows(ERASABLE_OF, [tokens, afterId, limit]);

/** Those that came before a moment. */
export const erasableBefore =
  (beforeMs: number): ErasablePage =>
  (sql, afterId, limit) =>
    sql.rows(ERASABLE_BEFORE, [new Date(beforeMs), afterId, limit]);

const ERASE = statement(
  'atna.erase-received',
  `UPDATE atna.received SET sealed = gone.sealed, tokens = '{}', erased_because = $3
   FROM unnest($1::uuid[], $2::bytea[]) AS gone (id, sealed) WHERE received.id = gone.id AND erased_because IS NULL`,
);

/** For the owner of the database. `sealed`: what takes the place of what they said. */
export async function eraseReceived(
  owner: Sql,
  rows: readonly { readonly id: string; readonly sealed: Uint8Array }[],
  because: string,
): Promise<number> {
  return await owner.run(ERASE, [rows.map(({ id }) => id), rows.map(({ sealed }) => sealed), because]);
}

const ERASED = statement<ReceivedRow>(
  'atna.erased-received',
  `SELECT ${COLUMNS} FROM atna.received WHERE erased_because IS NOT NULL AND id > $1 ORDER BY id LIMIT $2`,
);

/** Those that say nothing any more, by id. */
export const erasedReceived = (sql: Sql, afterId: string, limit: number) => sql.rows(ERASED, [afterId, limit]);
