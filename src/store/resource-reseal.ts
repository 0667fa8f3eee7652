import { sealedAtRest, sealKeyId } from '../crypto/index.ts';
import type { ResourceId } from '../kernel/ids.ts';
import { type Sql, type SqlValue, type Statement, statement, type Transaction } from '../platform/db/sql.ts';
import type { KeyRing } from './key-ring.ts';
import type { ResealBatch, ResealParticipant, ResealProgress, StoredResource } from './model.ts';
import type { ResourceRow } from './resource-sql.ts';
import { contentPlace, openRow } from './resource-store.ts';

/**
 * store.resource and store.resource_history in a key rotation. The current versions are visited first: a version that moves
 * into the history meanwhile either was made new before or is visited there.
 */
export interface ResourceResealDeps {
  readonly keyRing: KeyRing;
  /**
   * The tokens of resources, by the keys as they are now; the owner of their content knows. Same order, and empty for
   * resources that have none.
   */
  tokensOf(tx: Transaction, resources: readonly StoredResource[]): Promise<readonly (readonly bigint[])[]>;
}

export function createResourceParticipants(deps: ResourceResealDeps): ResealParticipant[] {
  return [
    {
      name: 'store.resource',
      kinds: ['data', 'index'],
      count: (sql) => countRows(sql, countCurrent),
      resealBatch: (tx, batch) => resealCurrent(deps, tx, batch),
    },
    {
      name: 'store.resource_history',
      kinds: ['data'],
      count: (sql) => countRows(sql, countHistory),
      resealBatch: (tx, batch) => resealHistory(deps, tx, batch),
    },
  ];
}

const countCurrent = statement<{ n: bigint }>('store.reseal-count', 'SELECT count(*) AS n FROM store.resource');
const countHistory = statement<{ n: bigint }>(
  'store.reseal-count-history',
  'SELECT count(*) AS n FROM store.resource_history',
);

async function countRows(sql: Sql, counting: Statement<{ n: bigint }>): Promise<number> {
  const [row] = await sql.rows(counting);
  return Number(row?.n ?? 0n);
}

/** A row of the page, and the row itself unless another transaction holds it. */
interface PageRow extends ResourceRow {
  readonly page_type: string;
  readonly page_id: ResourceId;
  readonly page_version: number;
  readonly locked: boolean | null;
}

// SKIP LOCKED: waiting for a writer while holding rows that it wants next would be a deadlock.
const currentPage = statement<PageRow>(
  'store.reseal-page',
  `WITH page AS MATERIALIZED (
     SELECT type, id FROM store.resource WHERE (type, id) > ($1, $2::uuid) ORDER BY type, id LIMIT $3
   ), held AS MATERIALIZED (
     SELECT r.type, r.id, r.version, r.last_updated, r.sealed, true AS locked
     FROM page JOIN store.resource r USING (type, id) FOR UPDATE OF r SKIP LOCKED
   )
   SELECT page.type AS page_type, page.id AS page_id, 0 AS page_version, held.*
   FROM page LEFT JOIN held USING (type, id) ORDER BY page.type, page.id`,
);

const historyPage = statement<PageRow>(
  'store.reseal-page-history',
  `WITH page AS MATERIALIZED (
     SELECT type, id, version FROM store.resource_history
     WHERE (type, id, version) > ($1, $2::uuid, $3) ORDER BY type, id, version LIMIT $4
   ), held AS MATERIALIZED (
     SELECT r.type, r.id, r.version, r.last_updated, r.sealed, true AS locked
     FROM page JOIN store.resource_history r USING (type, id, version) FOR UPDATE OF r SKIP LOCKED
   )
   SELECT page.type AS page_type, page.id AS page_id, page.version AS page_version, held.*
   FROM page LEFT JOIN held USING (type, id, version) ORDER BY page.type, page.id, page.version`,
);

const setSealed = statement(
  'store.reseal-set',
  `UPDATE store.resource r SET sealed = n.sealed
   FROM unnest($1::text[], $2::uuid[], $3::bytea[]) AS n(type, id, sealed) WHERE r.type = n.type AND r.id = n.id`,
);
const setSealedHistory = statement(
  'store.reseal-set-history',
  `UPDATE store.resource_history r SET sealed = n.sealed
   FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::integer[]) AS n(type, id, sealed, version)
   WHERE r.type = n.type AND r.id = n.id AND r.version = n.version`,
);
const setTokens = statement(
  'store.reseal-set-tokens',
  `UPDATE store.resource r SET tokens = n.tokens::bigint[]
   FROM unnest($1::text[], $2::uuid[], $3::text[]) AS n(type, id, tokens) WHERE r.type = n.type AND r.id = n.id`,
);

const BEFORE_ALL = ['', '00000000-0000-0000-0000-000000000000', '0'] as const;

/** A cursor is the last visited row: type, id and version, joined by spaces (types have none). */
function parseCursor(cursor: string | undefined): readonly string[] {
  return cursor?.split(' ') ?? BEFORE_ALL;
}

/** Visits the page's rows up to the first that somebody else holds; the next batch begins there. */
function visited(
  page: readonly PageRow[],
  { cursor, limit }: ResealBatch,
): { rows: ResourceRow[]; progress: ResealProgress } {
  const stop = page.findIndex((row) => row.locked !== true);
  const rows = stop < 0 ? [...page] : page.slice(0, stop);
  const last = rows.at(-1);
  if (stop < 0 && page.length < limit) return { rows, progress: { cursor: undefined, visited: rows.length } };
  const next = last === undefined ? (cursor ?? BEFORE_ALL.join(' ')) : `${last.type} ${last.id} ${last.version}`;
  return { rows, progress: { cursor: next, visited: rows.length } };
}

async function resealCurrent(deps: ResourceResealDeps, tx: Transaction, batch: ResealBatch): Promise<ResealProgress> {
  const [type, id] = parseCursor(batch.cursor);
  const page = await tx.rows(currentPage, [type ?? '', id ?? '', batch.limit]);
  const { rows, progress } = visited(page, batch);
  await (batch.kind === 'data' ? resealRows(deps, tx, { rows, update: setSealed }) : retokenRows(deps, tx, rows));
  return progress;
}

async function resealHistory(deps: ResourceResealDeps, tx: Transaction, batch: ResealBatch): Promise<ResealProgress> {
  const [type, id, version] = parseCursor(batch.cursor);
  const page = await tx.rows(historyPage, [type ?? '', id ?? '', Number(version ?? 0), batch.limit]);
  const { rows, progress } = visited(page, batch);
  await resealRows(deps, tx, { rows, update: setSealedHistory, withVersion: true });
  return progress;
}

interface ResealRows {
  readonly rows: readonly ResourceRow[];
  readonly update: Statement<never>;
  readonly withVersion?: boolean;
}

async function resealRows({ keyRing }: ResourceResealDeps, tx: Transaction, { rows, update, withVersion }: ResealRows) {
  const columns: [SqlValue[], SqlValue[], SqlValue[], SqlValue[]] = [[], [], [], []];
  for (const row of rows) {
    const { content, type, id, version } = openRow(keyRing, row);
    if (content === null) continue;
    const sealed = keyRing.seal(content, contentPlace(type, id, version));
    // Written since the new key came into use.
    if (row.sealed !== null && sealKeyId(sealedAtRest(row.sealed)) === sealKeyId(sealed)) continue;
    for (const [at, value] of [type, id, sealed, version].entries()) columns[at]?.push(value);
  }
  if (columns[0].length > 0) await tx.run(update, withVersion === true ? columns : columns.slice(0, 3));
}

async function retokenRows(deps: ResourceResealDeps, tx: Transaction, rows: readonly ResourceRow[]): Promise<void> {
  const live = rows.filter((row) => row.sealed !== null).map((row) => openRow(deps.keyRing, row));
  if (live.length === 0) return;
  const tokens = await deps.tokensOf(tx, live);
  await tx.run(setTokens, [
    live.map((row) => row.type),
    live.map((row) => row.id),
    live.map((_, at) => `{${(tokens[at] ?? []).join(',')}}`),
  ]);
}
