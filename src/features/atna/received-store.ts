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
}

const COLUMNS = 'id, recorded, received_at AS "receivedAt", transport, node_id AS "nodeId", understood, tokens, sealed';
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
