/** SQL of rounds: what one has to know, in one statement, and what it writes, in few. */
import type { OrganisationId, ResourceId } from '../../kernel/ids.ts';
import { type Sql, type SqlValue, statement, type Transaction } from '../../platform/db/sql.ts';
import { type GoldenRow, type LedgerRow, type ReviewRow, SOURCE_COLUMNS, type SourceRow, uuids } from './store.ts';

/** What a round knows of a stored record: the record, its golden record's row, and whom it must stay apart from. */
export interface KnownRow extends SourceRow {
  readonly token: null;
  readonly golden_version: number | null;
  readonly organisations: readonly OrganisationId[] | null;
  readonly shared_with: readonly OrganisationId[] | null;
  readonly binding: bigint | null;
  readonly apart: readonly ResourceId[] | null;
}
/** A record that carries one of the blocking keys asked for. */
export interface CandidateRow {
  readonly token: bigint;
  readonly source_id: ResourceId;
}

/** A deleted record with one of the own identifiers asked for, of which a steward had decided something. */
export interface FormerRow {
  readonly token: null;
  readonly source_id: ResourceId;
  readonly golden_id: null;
  readonly key_token: bigint;
  readonly pinned: boolean;
  readonly apart: readonly ResourceId[] | null;
}

/**
 * Everything a round has to know, in one round trip: at most $2 records per blocking key, in key order (the bound is reported by
 * the caller when it is reached), the records meant, and every member of every golden record that one of these belongs to. Each
 * step is bound to its index by arrays and OFFSET 0: planned while the tables were empty, a join would walk them whole for ever.
 */
const round = statement<KnownRow | CandidateRow | FormerRow>(
  'registry.round',
  `WITH candidate AS MATERIALIZED (
     SELECT wanted.token, found.source_id
     FROM unnest($1::bigint[]) AS wanted(token)
     CROSS JOIN LATERAL (
       SELECT source_id FROM registry.blocking_key AS key WHERE key.token = wanted.token ORDER BY source_id LIMIT $2
     ) AS found
   ), person AS MATERIALIZED (
     SELECT golden_id FROM registry.source WHERE source_id = ANY(ARRAY(SELECT source_id FROM candidate))
     UNION SELECT golden_id FROM registry.source WHERE source_id = ANY($3::uuid[])
     UNION SELECT golden_id FROM registry.source WHERE key_token = ANY($4::bigint[])
   )
   SELECT token, source_id, NULL::uuid AS golden_id, NULL::integer AS domain_id, NULL::bigint AS key_token,
     NULL::integer AS version, NULL::boolean AS pinned, NULL::bytea AS match_record, NULL::integer AS golden_version,
     NULL::uuid[] AS organisations, NULL::uuid[] AS shared_with, NULL::bigint AS binding, NULL::uuid[] AS apart
   FROM candidate
   UNION ALL
   SELECT NULL, s.source_id, s.golden_id, s.domain_id, s.key_token, s.version, s.pinned, s.match_record, g.version,
     nullif(g.organisations, '{}'), nullif(g.shared_with, '{}'), g.binding, nullif(ARRAY(
       SELECT b FROM registry.never_link WHERE a = s.source_id UNION ALL SELECT a FROM registry.never_link WHERE b = s.source_id
     ), '{}')
   FROM registry.source AS s
   LEFT JOIN LATERAL (
     SELECT version, organisations, shared_with, binding FROM registry.golden WHERE golden_id = s.golden_id OFFSET 0
   ) AS g ON true
   WHERE s.golden_id = ANY(ARRAY(SELECT golden_id FROM person))
   UNION ALL
   SELECT NULL, f.source_id, NULL, NULL, f.key_token, NULL, f.pinned, NULL, NULL, NULL, NULL, NULL, nullif(ARRAY(
       SELECT b FROM registry.never_link WHERE a = f.source_id UNION ALL SELECT a FROM registry.never_link WHERE b = f.source_id
     ), '{}')
   FROM registry.former_record AS f WHERE f.key_token = ANY($4::bigint[])`,
);

export interface RoundQuery {
  readonly tokens: readonly bigint[];
  readonly perKeyMax: number;
  readonly ids: readonly ResourceId[];
  readonly keys: readonly bigint[];
}

export async function readRound(
  sql: Sql,
  query: RoundQuery,
): Promise<{ readonly candidates: CandidateRow[]; readonly known: KnownRow[]; readonly former: FormerRow[] }> {
  const candidates: CandidateRow[] = [];
  const known: KnownRow[] = [];
  const former: FormerRow[] = [];
  for (const row of await sql.rows(round, [query.tokens, query.perKeyMax, query.ids, query.keys])) {
    if (row.token !== null) candidates.push(row);
    else if (row.golden_id === null) former.push(row);
    else known.push(row);
  }
  return { candidates, known, former };
}

/** `unnest($n::a[], $n+1::b[], …)`: rows as one array per column, whatever their number. */
function columns(from: number, types: readonly string[]): string {
  return `unnest(${types.map((type, at) => `$${from + at}::${type}[]`).join(', ')})`;
}

const SOURCE_TYPES = ['uuid', 'uuid', 'int', 'bigint', 'int', 'boolean', 'bytea'];
const insertSources = (from: number) =>
  `INSERT INTO registry.source (${SOURCE_COLUMNS}) SELECT * FROM ${columns(from, SOURCE_TYPES)}`;
const sourceColumns = (rows: readonly SourceRow[]): SqlValue[] => [
  rows.map((row) => row.source_id),
  rows.map((row) => row.golden_id),
  rows.map((row) => row.domain_id),
  rows.map((row) => row.key_token),
  rows.map((row) => row.version),
  rows.map((row) => row.pinned),
  rows.map((row) => row.match_record),
];

const putSources = statement(
  'registry.put-sources',
  `${insertSources(1)}
   ON CONFLICT (source_id) DO UPDATE SET golden_id = excluded.golden_id, key_token = excluded.key_token,
     version = excluded.version, pinned = excluded.pinned, match_record = excluded.match_record`,
);
const deleteSources = statement(
  'registry.delete-sources',
  'DELETE FROM registry.source WHERE source_id = ANY($1::uuid[])',
);
export async function writeSources(tx: Transaction, rows: readonly SourceRow[]): Promise<void> {
  if (rows.length > 0) await tx.run(putSources, sourceColumns(rows));
}

export async function removeSources(tx: Transaction, ids: readonly ResourceId[]): Promise<void> {
  if (ids.length > 0) await tx.run(deleteSources, [ids]);
}

const KEY_TYPES = ['bigint', 'uuid'];
const insertKeys = (from: number) =>
  `INSERT INTO registry.blocking_key (token, source_id) SELECT * FROM ${columns(from, KEY_TYPES)}`;
/** Sorted, so that neighbouring entries fall on the same index pages. */
function keyColumns(rows: readonly BlockingRow[]): SqlValue[] {
  const sorted = rows.toSorted((x, y) => (x.token < y.token ? -1 : x.token > y.token ? 1 : 0));
  return [sorted.map((row) => row.token), sorted.map((row) => row.sourceId)];
}

const putKeys = statement('registry.put-blocking-keys', `${insertKeys(1)} ON CONFLICT DO NOTHING`);
const deleteKeys = statement(
  'registry.delete-blocking-keys',
  `DELETE FROM registry.blocking_key AS key USING unnest($1::bigint[], $2::uuid[]) AS gone(token, source_id)
   WHERE key.token = gone.token AND key.source_id = gone.source_id`,
);

export interface BlockingRow {
  readonly token: bigint;
  readonly sourceId: ResourceId;
}

export async function addBlockingKeys(tx: Transaction, rows: readonly BlockingRow[]): Promise<void> {
  if (rows.length > 0) await tx.run(putKeys, keyColumns(rows));
}

export async function removeBlockingKeys(tx: Transaction, rows: readonly BlockingRow[]): Promise<void> {
  if (rows.length > 0) await tx.run(deleteKeys, [rows.map((row) => row.token), rows.map((row) => row.sourceId)]);
}

const GOLDEN_TYPES = ['uuid', 'int', 'timestamptz', 'uuid', 'boolean', 'text', 'text', 'bigint'];
// An array per row travels as its literal: arrays of arrays would have to be of one length.
const upsertGoldens = (from: number) =>
  `INSERT INTO registry.golden (golden_id, version, updated_at, replaced_by, deleted, organisations, shared_with, binding)
   SELECT id, version, at, replaced, deleted, organisations::uuid[], shared::uuid[], binding
   FROM ${columns(from, GOLDEN_TYPES)} AS g(id, version, at, replaced, deleted, organisations, shared, binding)
   ON CONFLICT (golden_id) DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at,
     replaced_by = excluded.replaced_by, deleted = excluded.deleted, organisations = excluded.organisations,
     shared_with = excluded.shared_with, binding = excluded.binding`;
const goldenColumns = (rows: readonly GoldenRow[]): SqlValue[] => [
  rows.map((row) => row.golden_id),
  rows.map((row) => row.version),
  rows.map((row) => row.updated_at),
  rows.map((row) => row.replaced_by),
  rows.map((row) => row.deleted),
  rows.map((row) => `{${row.organisations.join(',')}}`),
  rows.map((row) => `{${row.shared_with.join(',')}}`),
  rows.map((row) => row.binding),
];
const putGoldens = statement('registry.put-goldens', upsertGoldens(1));

export async function writeGoldens(tx: Transaction, rows: readonly GoldenRow[]): Promise<void> {
  if (rows.length > 0) await tx.run(putGoldens, goldenColumns(rows));
}

const LEDGER_TYPES = ['uuid', 'uuid', 'text', 'timestamptz', 'uuid', 'uuid', 'uuid', 'bytea'];
const insertLedger = (from: number) =>
  `INSERT INTO registry.ledger (golden_id, entry_id, kind, at, source_id, other_source_id, other_golden_id, detail)
   SELECT * FROM ${columns(from, LEDGER_TYPES)}`;
const ledgerColumns = (rows: readonly LedgerRow[]): SqlValue[] => [
  rows.map((row) => row.golden_id),
  rows.map((row) => row.entry_id),
  rows.map((row) => row.kind),
  rows.map((row) => row.at),
  rows.map((row) => row.source_id),
  rows.map((row) => row.other_source_id),
  rows.map((row) => row.other_golden_id),
  rows.map((row) => row.detail),
];
const putLedger = statement('registry.insert-ledger', insertLedger(1));

export async function appendLedger(tx: Transaction, rows: readonly LedgerRow[]): Promise<void> {
  if (rows.length > 0) await tx.run(putLedger, ledgerColumns(rows));
}

export type NewReview = Pick<
  ReviewRow,
  'review_id' | 'a' | 'b' | 'cause' | 'score' | 'grade' | 'model_version' | 'created_at'
>;

const REVIEW_TYPES = ['uuid', 'uuid', 'uuid', 'text', 'real', 'text', 'text', 'timestamptz'];
const insertReviews = (from: number) =>
  `INSERT INTO registry.review (review_id, a, b, state, cause, score, grade, model_version, created_at)
   SELECT r.id, r.a, r.b, 'open', r.cause, r.score, r.grade, r.model, r.at
   FROM ${columns(from, REVIEW_TYPES)} AS r(id, a, b, cause, score, grade, model, at)
   ON CONFLICT DO NOTHING`;
const reviewColumns = (rows: readonly NewReview[]): SqlValue[] => [
  rows.map((row) => row.review_id),
  rows.map((row) => row.a),
  rows.map((row) => row.b),
  rows.map((row) => row.cause),
  rows.map((row) => row.score),
  rows.map((row) => row.grade),
  rows.map((row) => row.model_version),
  rows.map((row) => row.created_at),
];
const putReviews = statement('registry.insert-reviews', insertReviews(1));

/** Opens reviews; pairs that wait already are left as they are. */
export async function openReviews(tx: Transaction, rows: readonly NewReview[]): Promise<void> {
  if (rows.length > 0) await tx.run(putReviews, reviewColumns(rows));
}

const FIRST_KEY = 1 + SOURCE_TYPES.length;
const FIRST_GOLDEN = FIRST_KEY + KEY_TYPES.length;
const FIRST_REVIEW = FIRST_GOLDEN + GOLDEN_TYPES.length;
const FIRST_ENTRY = FIRST_REVIEW + REVIEW_TYPES.length;
const insertNew = statement(
  'registry.insert-new',
  `WITH new_source AS (${insertSources(1)}),
     new_key AS (${insertKeys(FIRST_KEY)}),
     new_golden AS (${upsertGoldens(FIRST_GOLDEN)}),
     new_review AS (${insertReviews(FIRST_REVIEW)})
   ${insertLedger(FIRST_ENTRY)}`,
);

export interface NewRows {
  readonly sources: readonly SourceRow[];
  readonly keys: readonly BlockingRow[];
  readonly goldens: readonly GoldenRow[];
  readonly reviews: readonly NewReview[];
  readonly ledger: readonly LedgerRow[];
}

/** Records that were not there before, with all that belongs to them: whoever has no keys yet needs no check for those that are there. */
export async function writeNew(tx: Transaction, rows: NewRows): Promise<void> {
  if (rows.sources.length + rows.goldens.length + rows.ledger.length === 0) return;
  await tx.run(insertNew, [
    ...sourceColumns(rows.sources),
    ...keyColumns(rows.keys),
    ...goldenColumns(rows.goldens),
    ...reviewColumns(rows.reviews),
    ...ledgerColumns(rows.ledger),
  ]);
}

/** The same, with its columns laid out already (packed-rows.ts). */
export async function writeNewPacked(tx: Transaction, columnsOfNew: readonly Uint8Array[]): Promise<void> {
  await tx.run(insertNew, columnsOfNew);
}

/** Reviews between two records that now stand for one person, or of a record that is gone, need nobody any more. */
const settleReviews = statement(
  'registry.settle-reviews',
  // From the members to their reviews, one look-up each: planned while there were few reviews, a join would read them all for ever.
  `WITH member AS MATERIALIZED (SELECT source_id, golden_id FROM registry.source WHERE golden_id = ANY($1::uuid[])),
   within AS MATERIALIZED (
     SELECT waiting.review_id FROM member AS x
     CROSS JOIN LATERAL (
       SELECT review_id, b FROM registry.review WHERE a = x.source_id AND state <> 'decided' AND cause NOT IN ('record-changed', 'linked-doubtful', 'overlay') OFFSET 0
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
