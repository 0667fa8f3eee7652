/** SQL for the registry's own tables. Values arrive blinded or sealed; nothing here knows a name. */
import type { LinkEntryId, OrganisationId, ResourceId, ReviewId } from '../../kernel/ids.ts';
import { SqlError } from '../../platform/db/index.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { MEMBERS } from './golden-binding.ts';
import type { LedgerKind, ReviewCause, ReviewState } from './model.ts';

export interface SourceRow {
  readonly source_id: ResourceId;
  readonly golden_id: ResourceId;
  readonly domain_id: number;
  readonly key_token: bigint | null;
  readonly version: number;
  readonly pinned: boolean;
  readonly match_record: Uint8Array;
}

export interface GoldenRow {
  readonly golden_id: ResourceId;
  readonly version: number;
  readonly updated_at: Date;
  readonly replaced_by: ResourceId | null;
  readonly deleted: boolean;
  readonly organisations: readonly OrganisationId[];
  readonly shared_with: readonly OrganisationId[];
  /** golden-binding.ts; null: written by an earlier version. */
  readonly binding: bigint | null;
}

/** As read: with the records that say that they stand for it, in the text of golden-binding.ts. */
export interface StoredGolden extends GoldenRow {
  readonly members: readonly string[];
}

export interface LedgerRow {
  readonly golden_id: ResourceId;
  readonly entry_id: LinkEntryId;
  readonly kind: LedgerKind;
  readonly at: Date;
  readonly source_id: ResourceId | null;
  readonly other_source_id: ResourceId | null;
  readonly other_golden_id: ResourceId | null;
  readonly detail: Uint8Array;
}

export interface ReviewRow {
  readonly review_id: ReviewId;
  readonly a: ResourceId;
  readonly b: ResourceId;
  readonly state: ReviewState;
  readonly cause: ReviewCause;
  readonly score: number;
  readonly grade: string;
  readonly model_version: string;
  readonly created_at: Date;
  readonly decided_at: Date | null;
  readonly decision: 'link' | 'different' | null;
  readonly entry_id: LinkEntryId | null;
}

export const SOURCE_COLUMNS = 'source_id, golden_id, domain_id, key_token, version, pinned, match_record';

/** One lock for all that decides who is the same person: batches of every process take turns, each with a number. */
export const REGISTRY_LOCK = 'registry.take_turn';
const lockRegistry = statement<{ turn: bigint }>('registry.lock', 'SELECT registry.take_turn($1) AS turn');

export async function takeRegistryLock(tx: Transaction): Promise<void> {
  await takeTurn(tx, null);
}

/** Waits for the lock; the number of this turn. Where another one was expected, the transaction fails: see `isTurnTaken`. */
export async function takeTurn(tx: Transaction, expected: bigint | null): Promise<bigint> {
  const [row] = await tx.rows(lockRegistry, [expected]);
  if (row === undefined) throw new Error('the registry gave no turn');
  return row.turn;
}

/** Somebody else had a turn between the last known one and the one expected. Nothing was written. */
export const isTurnTaken = (error: unknown): boolean => error instanceof SqlError && error.sqlState === 'CS001';

const sourcesById = statement<SourceRow>(
  'registry.sources-by-id',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source WHERE source_id = ANY($1::uuid[])`,
);
const sourcesByKey = statement<SourceRow>(
  'registry.sources-by-key',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source WHERE key_token = ANY($1::bigint[])`,
);
const sourcesByGolden = statement<SourceRow>(
  'registry.sources-by-golden',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source WHERE golden_id = ANY($1::uuid[])`,
);
const neverLinksAround = statement<{ a: ResourceId; b: ResourceId; entry_id: LinkEntryId }>(
  'registry.never-links',
  `SELECT a, b, entry_id FROM registry.never_link WHERE a = ANY($1::uuid[])
   UNION SELECT a, b, entry_id FROM registry.never_link WHERE b = ANY($1::uuid[])`,
);
const goldensById = statement<StoredGolden>(
  'registry.goldens-by-id',
  `SELECT golden_id, version, updated_at, replaced_by, deleted, organisations, shared_with, binding, ${MEMBERS}
   FROM registry.golden AS g WHERE golden_id = ANY($1::uuid[])`,
);

export const uuids = (ids: Iterable<ResourceId>): string[] => [...ids];

export const readSources = (sql: Sql, ids: Iterable<ResourceId>) => sql.rows(sourcesById, [uuids(ids)]);
export const readSourcesByKey = (sql: Sql, tokens: readonly bigint[]) => sql.rows(sourcesByKey, [tokens]);
export const readSourcesOfGoldens = (sql: Sql, ids: Iterable<ResourceId>) => sql.rows(sourcesByGolden, [uuids(ids)]);
export const readNeverLinks = (sql: Sql, ids: Iterable<ResourceId>) => sql.rows(neverLinksAround, [uuids(ids)]);
export const readGoldens = (sql: Sql, ids: Iterable<ResourceId>) => sql.rows(goldensById, [uuids(ids)]);

const listGoldensById = statement<{ golden_id: ResourceId; updated_at: Date }>(
  'registry.list-goldens-by-id',
  `SELECT golden_id, updated_at FROM registry.golden
   WHERE replaced_by IS NULL AND NOT deleted AND golden_id > $1 AND updated_at >= $2 AND updated_at < $3
   ORDER BY golden_id LIMIT $4`,
);
const listGoldensOldestFirst = statement<{ golden_id: ResourceId; updated_at: Date }>(
  'registry.list-goldens-oldest-first',
  `SELECT golden_id, updated_at FROM registry.golden
   WHERE replaced_by IS NULL AND NOT deleted AND (updated_at, golden_id) > ($5, $1) AND updated_at >= $2 AND updated_at < $3
   ORDER BY updated_at, golden_id LIMIT $4`,
);
const listGoldensNewestFirst = statement<{ golden_id: ResourceId; updated_at: Date }>(
  'registry.list-goldens-newest-first',
  `SELECT golden_id, updated_at FROM registry.golden
   WHERE replaced_by IS NULL AND NOT deleted AND (updated_at, golden_id) < ($5, $1) AND updated_at >= $2 AND updated_at < $3
   ORDER BY updated_at DESC, golden_id DESC LIMIT $4`,
);
const NIL = '00000000-0000-0000-0000-000000000000';
const MAX = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const FIRST_DAY = new Date('0001-01-01T00:00:00Z');
const LAST_DAY = new Date('9999-12-31T00:00:00Z');

export interface Listing {
  readonly order: 'id' | 'last-updated' | 'last-updated-descending';
  readonly fromMs?: number;
  readonly beforeMs?: number;
  readonly after?: { readonly lastUpdatedMs: number; readonly id: ResourceId };
  readonly limit: number;
}

/** Live golden records in order, without a search term. */
export function listGoldens(sql: Sql, listing: Listing) {
  const range = [
    listing.fromMs === undefined ? FIRST_DAY : new Date(listing.fromMs),
    listing.beforeMs === undefined ? LAST_DAY : new Date(listing.beforeMs),
    listing.limit,
  ] as const;
  const { after } = listing;
  if (listing.order === 'id') return sql.rows(listGoldensById, [after?.id ?? NIL, ...range]);
  if (listing.order === 'last-updated') {
    return sql.rows(listGoldensOldestFirst, [
      after?.id ?? NIL,
      ...range,
      after ? new Date(after.lastUpdatedMs) : FIRST_DAY,
    ]);
  }
  return sql.rows(listGoldensNewestFirst, [
    after?.id ?? MAX,
    ...range,
    after ? new Date(after.lastUpdatedMs) : LAST_DAY,
  ]);
}

const countGoldens = statement<{ count: bigint }>(
  'registry.count-goldens',
  `SELECT count(*) FROM (SELECT 1 FROM registry.golden
   WHERE replaced_by IS NULL AND NOT deleted AND updated_at >= $1 AND updated_at < $2 LIMIT $3) AS bounded`,
);

/** Counts live golden records, up to `max`. */
export async function countLiveGoldens(
  sql: Sql,
  range: { fromMs?: number; beforeMs?: number },
  max: number,
): Promise<number> {
  const rows = await sql.rows(countGoldens, [
    range.fromMs === undefined ? FIRST_DAY : new Date(range.fromMs),
    range.beforeMs === undefined ? LAST_DAY : new Date(range.beforeMs),
    max,
  ]);
  return Number(rows[0]?.count ?? 0n);
}

const listSourceIds = statement<{ source_id: ResourceId }>(
  'registry.list-sources',
  'SELECT source_id FROM registry.source WHERE source_id > $1 ORDER BY source_id LIMIT $2',
);
export const listSources = (sql: Sql, after: ResourceId | undefined, limit: number) =>
  sql.rows(listSourceIds, [after ?? NIL, limit]);

const goldenOfSources = statement<{ source_id: ResourceId; golden_id: ResourceId }>(
  'registry.golden-of-sources',
  'SELECT source_id, golden_id FROM registry.source WHERE source_id = ANY($1::uuid[])',
);
export const readGoldenOf = (sql: Sql, ids: readonly ResourceId[]) => sql.rows(goldenOfSources, [ids]);

const figures = statement<{ clients: bigint; sources: bigint }>(
  'registry.figures',
  `SELECT (SELECT count(*) FROM registry.golden WHERE replaced_by IS NULL AND NOT deleted) AS clients,
          (SELECT count(*) FROM registry.source) AS sources`,
);

export async function readFigures(sql: Sql): Promise<{ clients: number; sources: number }> {
  const row = (await sql.rows(figures))[0];
  return { clients: Number(row?.clients ?? 0n), sources: Number(row?.sources ?? 0n) };
}

const estimate = statement<{ sources: bigint }>(
  'registry.estimate',
  `SELECT greatest(reltuples, 0)::bigint AS sources FROM pg_class WHERE oid = 'registry.source'::regclass`,
);

/** About how many source records there are, as the last ANALYZE saw it; takes no time at any size. */
export async function estimateSources(sql: Sql): Promise<number> {
  return Number((await sql.rows(estimate))[0]?.sources ?? 0n);
}
