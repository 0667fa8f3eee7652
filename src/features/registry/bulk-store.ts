/** SQL of accepting many alike reviews together. */
import type { Branded, ReviewId, UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { ReviewState } from './model.ts';
import { PAIR_WITHIN, pairBounds } from './review-queue.ts';
import type { Within } from './within.ts';

export type BulkId = Branded<'BulkId'>;
export type BulkState = 'sampling' | 'accepting' | 'done' | 'given-up';

export interface BulkRow {
  readonly bulk_id: BulkId;
  readonly state: BulkState;
  readonly created_at: Date;
  readonly created_by: UserId;
  readonly score_from: number;
  readonly sample: readonly ReviewId[];
  readonly total: number;
  readonly accepted: number;
  readonly skipped: number;
  readonly creator_binding: Uint8Array | null;
  /** Of the scores that the sample was drawn by; null in groups of earlier versions. */
  readonly model_version: string | null;
}

export interface SampledReview {
  readonly review_id: ReviewId;
  readonly state: ReviewState;
  readonly decision: 'link' | 'different' | null;
  readonly score: number;
}

const COLUMNS =
  'bulk_id, state, created_at, created_by, score_from, sample, total, accepted, skipped, creator_binding, model_version';
/** Only what a score alone holds back: contradictions, twins and changed records want a person each. $1 score, $2 domains. */
const ALIKE = `r.state = 'open' AND r.cause = 'between-thresholds' AND r.proposed_by IS NULL AND r.score >= $1
   AND ${PAIR_WITHIN('$2')}`;

const countAlike = statement<{ n: number }>(
  'registry.bulk-count',
  `SELECT count(*)::int AS n FROM registry.review r WHERE ${ALIKE}`,
);
const drawSample = statement<{ review_id: ReviewId }>(
  'registry.bulk-sample',
  `SELECT review_id FROM registry.review r WHERE ${ALIKE} ORDER BY random() LIMIT $3`,
);
const insertBulk = statement(
  'registry.bulk-insert',
  `INSERT INTO registry.bulk (bulk_id, state, created_at, created_by, score_from, sample, total, creator_binding,
     model_version)
   VALUES ($1, 'sampling', $2, $3, $4, $5, $6, $7, $8)`,
);
const bulkById = statement<BulkRow>('registry.bulk', `SELECT ${COLUMNS} FROM registry.bulk WHERE bulk_id = $1`);
const newestBulks = statement<BulkRow>(
  'registry.bulks',
  `SELECT ${COLUMNS} FROM registry.bulk ORDER BY created_at DESC, bulk_id LIMIT 20`,
);
const sampled = statement<SampledReview>(
  'registry.bulk-sampled',
  'SELECT review_id, state, decision, score FROM registry.review WHERE review_id = ANY ($1::uuid[]) ORDER BY review_id',
);
const nextToAccept = statement<{ review_id: ReviewId }>(
  'registry.bulk-next',
  `SELECT review_id FROM registry.review r WHERE ${ALIKE} AND created_at <= $3 AND NOT bulk_skipped
   ORDER BY review_id LIMIT $4`,
);
const countAccepted = statement(
  'registry.bulk-count-accepted',
  `UPDATE registry.bulk SET accepted = accepted + 1 WHERE bulk_id = $1 AND state <> 'given-up'`,
);
const markAccepted = statement(
  'registry.bulk-mark-accepted',
  'UPDATE registry.review SET bulk_id = $2 WHERE review_id = $1',
);
const markSkipped = statement(
  'registry.bulk-mark-skipped',
  'UPDATE registry.review SET bulk_skipped = true WHERE review_id = ANY ($1::uuid[])',
);
/** Given up stays given up, whatever was under way beside it. */
const setProgress = statement(
  'registry.bulk-progress',
  `UPDATE registry.bulk SET state = CASE state WHEN 'given-up' THEN state ELSE $2 END, skipped = skipped + $3 WHERE bulk_id = $1`,
);
const giveUp = statement('registry.bulk-give-up', `UPDATE registry.bulk SET state = 'given-up' WHERE bulk_id = $1`);
const acceptedBy = statement<{ review_id: ReviewId }>(
  'registry.bulk-accepted',
  `SELECT review_id FROM registry.review WHERE bulk_id = $1 AND state = 'decided'
   ORDER BY review_id DESC LIMIT $2`,
);
const clearBulk = statement(
  'registry.bulk-clear',
  'UPDATE registry.review SET bulk_id = NULL WHERE review_id = ANY ($1::uuid[])',
);

interface Alike {
  readonly scoreFrom: number;
  readonly within: Within | undefined;
}

export const bulkStore = {
  async count(sql: Sql, { scoreFrom, within }: Alike): Promise<number> {
    return (await sql.rows(countAlike, [scoreFrom, pairBounds(within)]))[0]?.n ?? 0;
  },
  async draw(sql: Sql, { scoreFrom, within }: Alike, size: number): Promise<ReviewId[]> {
    return (await sql.rows(drawSample, [scoreFrom, pairBounds(within), size])).map((row) => row.review_id);
  },
  async insert(
    tx: Transaction,
    bulk: Pick<
      BulkRow,
      'bulk_id' | 'created_at' | 'created_by' | 'score_from' | 'sample' | 'total' | 'creator_binding' | 'model_version'
    >,
  ) {
    await tx.run(insertBulk, [
      bulk.bulk_id,
      bulk.created_at,
      bulk.created_by,
      bulk.score_from,
      bulk.sample,
      bulk.total,
      bulk.creator_binding,
      bulk.model_version,
    ]);
  },
  async find(sql: Sql, id: BulkId): Promise<BulkRow | undefined> {
    return (await sql.rows(bulkById, [id]))[0];
  },
  newest: (sql: Sql) => sql.rows(newestBulks),
  sampled: (sql: Sql, ids: readonly ReviewId[]) => sql.rows(sampled, [ids]),
  async next(sql: Sql, bulk: BulkRow, within: Within | undefined, limit: number): Promise<ReviewId[]> {
    const rows = await sql.rows(nextToAccept, [bulk.score_from, pairBounds(within), bulk.created_at, limit]);
    return rows.map((row) => row.review_id);
  },
  /** Enters a review that is being linked now as the group's. False: the group was given up meanwhile. */
  async join(tx: Transaction, id: BulkId, reviewId: ReviewId): Promise<boolean> {
    if ((await tx.run(countAccepted, [id])) === 0) return false;
    await tx.run(markAccepted, [reviewId, id]);
    return true;
  },
  async progress(
    tx: Transaction,
    id: BulkId,
    made: { readonly state: BulkState; readonly skipped: readonly ReviewId[] },
  ): Promise<void> {
    if (made.skipped.length > 0) await tx.run(markSkipped, [made.skipped]);
    await tx.run(setProgress, [id, made.state, made.skipped.length]);
  },
  async giveUp(sql: Sql, id: BulkId): Promise<void> {
    await sql.run(giveUp, [id]);
  },
  async accepted(sql: Sql, id: BulkId, limit: number): Promise<ReviewId[]> {
    return (await sql.rows(acceptedBy, [id, limit])).map((row) => row.review_id);
  },
  async forget(tx: Transaction, ids: readonly ReviewId[]): Promise<void> {
    await tx.run(clearBulk, [ids]);
  },
} as const;
