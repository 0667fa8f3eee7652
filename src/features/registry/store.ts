/** SQL for the registry's own tables. Values arrive blinded or sealed; nothing here knows a name. */
import type { LinkEntryId, OrganisationId, ResourceId, ReviewId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
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

const SOURCE_COLUMNS = 'source_id, golden_id, domain_id, key_token, version, pinned, match_record';

/** One lock for all that decides who is the same person: batches of every process take turns. */
const REGISTRY_LOCK = 0x43_52_4c_4b; // "CRLK"
const lockRegistry = statement('registry.lock', `SELECT pg_advisory_xact_lock(${REGISTRY_LOCK})`);

export async function takeRegistryLock(tx: Transaction): Promise<void> {
  await tx.run(lockRegistry);
}

const sourcesById = statement<SourceRow>(
  'registry.sources-by-id',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source WHERE source_id = ANY($1::uuid[])`,
);
const sourcesByKey = statement<SourceRow>(
  'registry.sources-by-key',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source WHERE key_token = ANY($1::bigint[])`,
);
const sourcesByIdOrKey = statement<SourceRow>(
  'registry.sources-by-id-or-key',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source WHERE source_id = ANY($1::uuid[])
   UNION SELECT ${SOURCE_COLUMNS} FROM registry.source WHERE key_token = ANY($2::bigint[])`,
);
const sourcesByGolden = statement<SourceRow>(
  'registry.sources-by-golden',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source WHERE golden_id = ANY($1::uuid[])`,
);
/** Every member of every golden record that one of these source records belongs to. */
const householdOf = statement<SourceRow>(
  'registry.members-around',
  `SELECT ${SOURCE_COLUMNS} FROM registry.source
   WHERE golden_id IN (SELECT golden_id FROM registry.source WHERE source_id = ANY($1::uuid[]))`,
);
/** At most $2 records per blocking key, in key order: the bound is reported by the caller when it is reached. */
const candidatesByToken = statement<{ token: bigint; source_id: ResourceId }>(
  'registry.candidates',
  `SELECT wanted.token, found.source_id
   FROM unnest($1::bigint[]) AS wanted(token)
   CROSS JOIN LATERAL (
     SELECT source_id FROM registry.blocking_key AS key WHERE key.token = wanted.token ORDER BY source_id LIMIT $2
   ) AS found`,
);
const neverLinksAround = statement<{ a: ResourceId; b: ResourceId; entry_id: LinkEntryId }>(
  'registry.never-links',
  `SELECT a, b, entry_id FROM registry.never_link WHERE a = ANY($1::uuid[])
   UNION SELECT a, b, entry_id FROM registry.never_link WHERE b = ANY($1::uuid[])`,
);
const goldensById = statement<GoldenRow>(
  'registry.goldens-by-id',
  `SELECT golden_id, version, updated_at, replaced_by, deleted, organisations, shared_with
   FROM registry.golden WHERE golden_id = ANY($1::uuid[])`,
);

const uuids = (ids: Iterable<ResourceId>): string[] => [...ids];

export const readSources = (sql: Sql, ids: Iterable<ResourceId>) => sql.rows(sourcesById, [uuids(ids)]);
export const readSourcesByKey = (sql: Sql, tokens: readonly bigint[]) => sql.rows(sourcesByKey, [tokens]);
export const readSourcesByIdOrKey = (sql: Sql, ids: readonly ResourceId[], tokens: readonly bigint[]) =>
  sql.rows(sourcesByIdOrKey, [ids, tokens]);
export const readSourcesOfGoldens = (sql: Sql, ids: Iterable<ResourceId>) => sql.rows(sourcesByGolden, [uuids(ids)]);
export const readMembersAround = (sql: Sql, ids: Iterable<ResourceId>) => sql.rows(householdOf, [uuids(ids)]);
export const readCandidates = (sql: Sql, tokens: readonly bigint[], perKeyMax: number) =>
  sql.rows(candidatesByToken, [tokens, perKeyMax]);
export const readNeverLinks = (sql: Sql, ids: Iterable<ResourceId>) => sql.rows(neverLinksAround, [uuids(ids)]);
export const readGoldens = (sql: Sql, ids: Iterable<ResourceId>) => sql.rows(goldensById, [uuids(ids)]);

const putSources = statement(
  'registry.put-sources',
  `INSERT INTO registry.source (${SOURCE_COLUMNS})
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::bigint[], $5::int[], $6::boolean[], $7::bytea[])
   ON CONFLICT (source_id) DO UPDATE SET golden_id = excluded.golden_id, key_token = excluded.key_token,
     version = excluded.version, pinned = excluded.pinned, match_record = excluded.match_record`,
);
const insertSources = statement(
  'registry.insert-sources',
  `INSERT INTO registry.source (${SOURCE_COLUMNS})
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::bigint[], $5::int[], $6::boolean[], $7::bytea[])`,
);
const deleteSources = statement(
  'registry.delete-sources',
  'DELETE FROM registry.source WHERE source_id = ANY($1::uuid[])',
);
/** Writes whole rows; `onlyNew` spares the conflict check when every row is an insert. */
export async function writeSources(tx: Transaction, rows: readonly SourceRow[], onlyNew: boolean): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(onlyNew ? insertSources : putSources, [
    rows.map((row) => row.source_id),
    rows.map((row) => row.golden_id),
    rows.map((row) => row.domain_id),
    rows.map((row) => row.key_token),
    rows.map((row) => row.version),
    rows.map((row) => row.pinned),
    rows.map((row) => row.match_record),
  ]);
}

export async function removeSources(tx: Transaction, ids: readonly ResourceId[]): Promise<void> {
  if (ids.length > 0) await tx.run(deleteSources, [ids]);
}

const insertKeys = statement(
  'registry.insert-blocking-keys',
  `INSERT INTO registry.blocking_key (token, source_id) SELECT * FROM unnest($1::bigint[], $2::uuid[])
   ON CONFLICT DO NOTHING`,
);
/** For records that are new: whoever has no keys yet needs no check for those that are there. */
const insertFirstKeys = statement(
  'registry.insert-first-blocking-keys',
  'INSERT INTO registry.blocking_key (token, source_id) SELECT * FROM unnest($1::bigint[], $2::uuid[])',
);
const deleteKeys = statement(
  'registry.delete-blocking-keys',
  `DELETE FROM registry.blocking_key AS key USING unnest($1::bigint[], $2::uuid[]) AS gone(token, source_id)
   WHERE key.token = gone.token AND key.source_id = gone.source_id`,
);

export interface BlockingRow {
  readonly token: bigint;
  readonly sourceId: ResourceId;
}

/** `onlyNew`: none of these records has keys yet, and each row comes once. */
export async function addBlockingKeys(tx: Transaction, rows: readonly BlockingRow[], onlyNew = false): Promise<void> {
  if (rows.length === 0) return;
  // Sorted, so that neighbouring entries fall on the same index pages.
  const sorted = rows.toSorted((x, y) => (x.token < y.token ? -1 : x.token > y.token ? 1 : 0));
  const columns = [sorted.map((row) => row.token), sorted.map((row) => row.sourceId)];
  await tx.run(onlyNew ? insertFirstKeys : insertKeys, columns);
}

export async function removeBlockingKeys(tx: Transaction, rows: readonly BlockingRow[]): Promise<void> {
  if (rows.length > 0) await tx.run(deleteKeys, [rows.map((row) => row.token), rows.map((row) => row.sourceId)]);
}

const putGoldens = statement(
  'registry.put-goldens',
  // An array per row travels as its literal: arrays of arrays would have to be of one length.
  `INSERT INTO registry.golden (golden_id, version, updated_at, replaced_by, deleted, organisations, shared_with)
   SELECT id, version, at, replaced, deleted, organisations::uuid[], shared::uuid[]
   FROM unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::uuid[], $5::boolean[], $6::text[], $7::text[])
     AS g(id, version, at, replaced, deleted, organisations, shared)
   ON CONFLICT (golden_id) DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at,
     replaced_by = excluded.replaced_by, deleted = excluded.deleted, organisations = excluded.organisations,
     shared_with = excluded.shared_with`,
);

export async function writeGoldens(tx: Transaction, rows: readonly GoldenRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(putGoldens, [
    rows.map((row) => row.golden_id),
    rows.map((row) => row.version),
    rows.map((row) => row.updated_at),
    rows.map((row) => row.replaced_by),
    rows.map((row) => row.deleted),
    rows.map((row) => `{${row.organisations.join(',')}}`),
    rows.map((row) => `{${row.shared_with.join(',')}}`),
  ]);
}

const insertLedger = statement(
  'registry.insert-ledger',
  `INSERT INTO registry.ledger (golden_id, entry_id, kind, at, source_id, other_source_id, other_golden_id, detail)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[], $6::uuid[], $7::uuid[], $8::bytea[])`,
);

export async function appendLedger(tx: Transaction, rows: readonly LedgerRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(insertLedger, [
    rows.map((row) => row.golden_id),
    rows.map((row) => row.entry_id),
    rows.map((row) => row.kind),
    rows.map((row) => row.at),
    rows.map((row) => row.source_id),
    rows.map((row) => row.other_source_id),
    rows.map((row) => row.other_golden_id),
    rows.map((row) => row.detail),
  ]);
}

const insertReviews = statement<{ a: ResourceId; b: ResourceId }>(
  'registry.insert-reviews',
  `INSERT INTO registry.review (review_id, a, b, state, cause, score, grade, model_version, created_at)
   SELECT r.id, r.a, r.b, 'open', r.cause, r.score, r.grade, r.model, r.at
   FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::real[], $6::text[], $7::text[], $8::timestamptz[])
     AS r(id, a, b, cause, score, grade, model, at)
   ON CONFLICT DO NOTHING RETURNING a, b`,
);

export type NewReview = Pick<
  ReviewRow,
  'review_id' | 'a' | 'b' | 'cause' | 'score' | 'grade' | 'model_version' | 'created_at'
>;

/** Opens reviews; pairs that wait already are left as they are. Returns the pairs really opened. */
export async function openReviews(tx: Transaction, rows: readonly NewReview[]) {
  if (rows.length === 0) return [];
  return tx.rows(insertReviews, [
    rows.map((row) => row.review_id),
    rows.map((row) => row.a),
    rows.map((row) => row.b),
    rows.map((row) => row.cause),
    rows.map((row) => row.score),
    rows.map((row) => row.grade),
    rows.map((row) => row.model_version),
    rows.map((row) => row.created_at),
  ]);
}

/** Reviews between two records that now stand for one person, or of a record that is gone, need nobody any more. */
const settleReviews = statement(
  'registry.settle-reviews',
  // From the members to their reviews, one look-up each: planned while there were few reviews, a join would read them all for ever.
  `WITH member AS MATERIALIZED (SELECT source_id, golden_id FROM registry.source WHERE golden_id = ANY($1::uuid[])),
   within AS MATERIALIZED (
     SELECT waiting.review_id FROM member AS x
     CROSS JOIN LATERAL (
       SELECT review_id, b FROM registry.review WHERE a = x.source_id AND state <> 'decided' AND cause <> 'record-changed' OFFSET 0
     ) AS waiting
     JOIN member AS y ON y.source_id = waiting.b AND y.golden_id = x.golden_id
   )
   UPDATE registry.review SET state = 'decided', decision = 'link', decided_at = $2
   WHERE review_id = ANY(ARRAY(SELECT review_id FROM within))`,
);
const dropReviews = statement(
  'registry.drop-reviews',
  `DELETE FROM registry.review WHERE state <> 'decided' AND (a = ANY($1::uuid[]) OR b = ANY($1::uuid[]))`,
);

export const settleReviewsWithin = (tx: Transaction, goldenIds: Iterable<ResourceId>, at: Date) =>
  tx.run(settleReviews, [uuids(goldenIds), at]);
export const dropReviewsOf = (tx: Transaction, sourceIds: readonly ResourceId[]) => tx.run(dropReviews, [sourceIds]);

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
