/** SQL for what stewards read and decide: reviews, never-links and the ledger. */
import type { LinkEntryId, ResourceId, ReviewId, UserId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import type { ReviewState } from './model.ts';
import { PAIR_WITHIN, pairBounds, type QueuedReview, REVIEW_COLUMNS } from './review-queue.ts';
import type { LedgerRow, ReviewRow } from './store.ts';
import type { Within } from './within.ts';

const LEDGER_COLUMNS = 'golden_id, entry_id, kind, at, source_id, other_source_id, other_golden_id, detail';

const reviewById = statement<QueuedReview>(
  'registry.review-by-id',
  `SELECT ${REVIEW_COLUMNS} FROM registry.review WHERE review_id = $1`,
);
const reviewByIdLocked = statement<QueuedReview>(
  'registry.review-by-id-locked',
  `SELECT ${REVIEW_COLUMNS} FROM registry.review r WHERE review_id = $1 AND ${PAIR_WITHIN('$2')} FOR UPDATE`,
);

export async function readReview(sql: Sql, id: ReviewId): Promise<QueuedReview | undefined> {
  return (await sql.rows(reviewById, [id]))[0];
}

/** Undefined as well where one of the two records is out of reach. */
export async function lockReview(
  tx: Transaction,
  id: ReviewId,
  within: Within | undefined,
): Promise<QueuedReview | undefined> {
  return (await tx.rows(reviewByIdLocked, [id, pairBounds(within)]))[0];
}

const reviewCounts = statement<{
  open: bigint;
  later: bigint;
  mine: bigint;
  second: bigint;
  decided_today: bigint;
  oldest: Date | null;
}>(
  'registry.review-counts',
  `SELECT count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state = 'later') AS later,
          count(*) FILTER (WHERE assignee = $3 AND state = 'open') AS mine,
          count(*) FILTER (WHERE proposed_by IS NOT NULL AND proposed_by IS DISTINCT FROM $3::uuid) AS second,
          (SELECT count(*) FROM registry.review r WHERE decided_at >= $1 AND entry_id IS NOT NULL AND ${PAIR_WITHIN('$2')})
            AS decided_today,
          min(created_at) FILTER (WHERE state = 'open') AS oldest
   FROM registry.review r WHERE state IN ('open', 'later') AND ${PAIR_WITHIN('$2')}`,
);
export async function readReviewCounts(sql: Sql, todayFrom: Date, within: Within | undefined, user?: UserId) {
  const row = (await sql.rows(reviewCounts, [todayFrom, pairBounds(within), user ?? null]))[0];
  return {
    open: Number(row?.open ?? 0n),
    later: Number(row?.later ?? 0n),
    mine: Number(row?.mine ?? 0n),
    waitingForSecond: Number(row?.second ?? 0n),
    decidedToday: Number(row?.decided_today ?? 0n),
    oldest: row?.oldest ?? undefined,
  };
}

const waitingBetween = statement<QueuedReview>(
  'registry.reviews-of-sources',
  `SELECT ${REVIEW_COLUMNS} FROM registry.review r WHERE state <> 'decided' AND (a = ANY($1::uuid[]) OR b = ANY($1::uuid[]))
     AND ${PAIR_WITHIN('$2')}`,
);
export const readWaitingReviewsOf = (sql: Sql, sourceIds: readonly ResourceId[], within: Within | undefined) =>
  sql.rows(waitingBetween, [sourceIds, pairBounds(within)]);

const setReview = statement(
  'registry.set-review',
  `UPDATE registry.review SET state = $2, decision = $3, decided_at = $4, entry_id = $5, proposed_by = NULL, proposed_at = NULL
   WHERE review_id = $1`,
);
export async function markReview(
  tx: Transaction,
  id: ReviewId,
  mark: { state: ReviewState; decision?: 'link' | 'different'; decidedAt?: Date; entryId?: LinkEntryId },
): Promise<void> {
  await tx.run(setReview, [id, mark.state, mark.decision ?? null, mark.decidedAt ?? null, mark.entryId ?? null]);
}

const closePair = statement(
  'registry.close-review-of-pair',
  `UPDATE registry.review SET state = 'decided', decision = 'different', decided_at = $3, entry_id = $4
   WHERE a = $1 AND b = $2 AND state <> 'decided'`,
);
export async function closeReviewOfPair(
  tx: Transaction,
  pair: { a: ResourceId; b: ResourceId; at: Date; entryId: LinkEntryId },
): Promise<void> {
  await tx.run(closePair, [pair.a, pair.b, pair.at, pair.entryId]);
}

const dropTwins = statement(
  'registry.drop-other-reviews-of-pair',
  `DELETE FROM registry.review WHERE a = $1 AND b = $2 AND review_id <> $3 AND state <> 'decided'`,
);
/** A pair waits once: before a review opens again, one that was opened meanwhile goes. */
export async function dropOtherReviewsOfPair(
  tx: Transaction,
  review: Pick<ReviewRow, 'a' | 'b' | 'review_id'>,
): Promise<void> {
  await tx.run(dropTwins, [review.a, review.b, review.review_id]);
}

const insertNeverLinks = statement(
  'registry.insert-never-links',
  `INSERT INTO registry.never_link (a, b, entry_id) SELECT a, b, $3 FROM unnest($1::uuid[], $2::uuid[]) AS pair(a, b)
   ON CONFLICT DO NOTHING`,
);
const deleteNeverLinks = statement(
  'registry.delete-never-links',
  'DELETE FROM registry.never_link WHERE entry_id = $1',
);

export async function addNeverLinks(
  tx: Transaction,
  pairs: readonly (readonly [ResourceId, ResourceId])[],
  entryId: LinkEntryId,
): Promise<void> {
  if (pairs.length > 0)
    await tx.run(insertNeverLinks, [pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1]), entryId]);
}

/** Takes back the never-links that one decision made. */
export async function removeNeverLinksOf(tx: Transaction, entryId: LinkEntryId): Promise<void> {
  await tx.run(deleteNeverLinks, [entryId]);
}

const ledgerOf = statement<LedgerRow>(
  'registry.ledger-of',
  `SELECT ${LEDGER_COLUMNS} FROM registry.ledger WHERE golden_id = ANY($1::uuid[])
   UNION SELECT ${LEDGER_COLUMNS} FROM registry.ledger WHERE other_golden_id = ANY($1::uuid[])
   UNION SELECT ${LEDGER_COLUMNS} FROM registry.ledger WHERE source_id = ANY($2::uuid[])
   ORDER BY entry_id`,
);

/** Entries that name one of these golden or source records, oldest first. */
export const readLedger = (sql: Sql, goldenIds: readonly ResourceId[], sourceIds: readonly ResourceId[]) =>
  sql.rows(ledgerOf, [goldenIds, sourceIds]);

const formerGolden = statement<{ golden_id: ResourceId }>(
  'registry.former-golden-of-source',
  `SELECT g.golden_id FROM registry.ledger AS l JOIN registry.golden AS g ON g.golden_id = l.golden_id
   WHERE l.source_id = $1 AND l.kind = 'created' AND g.replaced_by = $2
     AND NOT EXISTS (SELECT FROM registry.ledger AS o WHERE o.golden_id = g.golden_id AND o.source_id <> $1)
   LIMIT 1`,
);

/** The golden record that this source record alone once made and that now redirects to `goldenId`. */
export async function readFormerGolden(
  tx: Transaction,
  sourceId: ResourceId,
  goldenId: ResourceId,
): Promise<ResourceId | undefined> {
  return (await tx.rows(formerGolden, [sourceId, goldenId]))[0]?.golden_id;
}
