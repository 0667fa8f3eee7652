/**
 * Questions that another decision answers. Two people with several records each may have several open reviews between them: who says
 * of one pair what they are has said it of all. Such reviews are decided without a ledger entry of their own, and are open again as
 * soon as nothing answers them any more.
 */
import type { ResourceId, ReviewId } from '../../kernel/ids.ts';
import { type Sql, statement, type Transaction } from '../../platform/db/sql.ts';
import { pairKey, type RoundState } from './batch-state.ts';
import type { ReviewCause } from './model.ts';
import { uuids } from './store.ts';

/** These ask whether two records that are linked should be. */
export const ABOUT_A_LINK: ReadonlySet<ReviewCause> = new Set(['record-changed', 'linked-doubtful', 'overlay']);

/** Whether a never-link between any of their records keeps two golden records of a round apart. Worked out when first asked. */
export function keptApart(state: RoundState): (x: ResourceId, y: ResourceId) => boolean {
  let pairs: ReadonlySet<string> | undefined;
  return (x, y) => state.neverLinks.size > 0 && (pairs ??= goldensApart(state)).has(pairKey(x, y));
}

function goldensApart({ neverLinks, sources }: RoundState): ReadonlySet<string> {
  const pairs = new Set<string>();
  for (const pair of neverLinks) {
    const [a, b] = pair.split(' ') as [ResourceId, ResourceId];
    const [x, y] = [sources.get(a)?.goldenId, sources.get(b)?.goldenId];
    if (x !== undefined && y !== undefined && x !== y) pairs.add(pairKey(x, y));
  }
  return pairs;
}

export interface Waiting {
  readonly review_id: ReviewId;
  readonly cause: ReviewCause;
}
const between = statement<Waiting>(
  'registry.reviews-waiting-between',
  `SELECT review_id, cause FROM registry.review WHERE state <> 'decided'
     AND ((a = ANY ($1::uuid[]) AND b = ANY ($2::uuid[])) OR (a = ANY ($2::uuid[]) AND b = ANY ($1::uuid[])))
   ORDER BY review_id`,
);
/** Waiting reviews between records of one side and records of the other. */
export const readWaitingBetween = (sql: Sql, left: Iterable<ResourceId>, right: Iterable<ResourceId>) =>
  sql.rows(between, [uuids(left), uuids(right)]);

// Each step is bound to its index (arrays, OFFSET 0): planned while the tables were empty, a join would walk them whole for ever.
const settleApart = statement(
  'registry.settle-reviews-apart',
  `WITH member AS MATERIALIZED (SELECT source_id, golden_id FROM registry.source WHERE golden_id = ANY($1::uuid[])),
   kept AS MATERIALIZED (
     SELECT DISTINCT m.golden_id AS x, far.golden_id AS y FROM member AS m
     CROSS JOIN LATERAL (
       SELECT b AS id FROM registry.never_link WHERE a = m.source_id
       UNION ALL SELECT a FROM registry.never_link WHERE b = m.source_id
     ) AS other
     CROSS JOIN LATERAL (SELECT golden_id FROM registry.source WHERE source_id = other.id OFFSET 0) AS far
     WHERE far.golden_id <> m.golden_id
   ), answered AS MATERIALIZED (
     SELECT waiting.review_id FROM member AS m
     CROSS JOIN LATERAL (
       SELECT review_id, b AS id FROM registry.review WHERE a = m.source_id AND state <> 'decided'
       UNION ALL SELECT review_id, a FROM registry.review WHERE b = m.source_id AND state <> 'decided'
     ) AS waiting
     CROSS JOIN LATERAL (SELECT golden_id FROM registry.source WHERE source_id = waiting.id OFFSET 0) AS far
     JOIN kept ON kept.x = m.golden_id AND kept.y = far.golden_id
     WHERE EXISTS (SELECT FROM kept)
   )
   UPDATE registry.review SET state = 'decided', decision = 'different', decided_at = $2, proposed_by = NULL, proposed_at = NULL
   WHERE review_id = ANY(ARRAY(SELECT review_id FROM answered))`,
);
/** What waits between one of these golden records and one that a never-link keeps apart from it could only be refused: it is answered. */
export async function settleReviewsApart(tx: Transaction, goldenIds: Iterable<ResourceId>, at: Date): Promise<void> {
  const ids = uuids(goldenIds);
  if (ids.length > 0) await tx.run(settleApart, [ids, at]);
}

const reopenSettled = statement(
  'registry.reopen-settled-reviews',
  `UPDATE registry.review SET state = 'open', decision = NULL, decided_at = NULL
   WHERE review_id = ANY(ARRAY(
     SELECT DISTINCT ON (r.a, r.b) r.review_id
     FROM registry.review AS r JOIN registry.source AS x ON x.source_id = r.a JOIN registry.source AS y ON y.source_id = r.b
     WHERE (r.a = ANY($1::uuid[]) OR r.b = ANY($1::uuid[])) AND r.state = 'decided' AND r.entry_id IS NULL
       AND CASE WHEN x.golden_id = y.golden_id
         THEN r.decision = 'different' AND r.cause IN ('record-changed', 'linked-doubtful', 'overlay')
         ELSE NOT EXISTS (
           SELECT FROM registry.source AS m
           CROSS JOIN LATERAL (
             SELECT b AS id FROM registry.never_link WHERE a = m.source_id
             UNION ALL SELECT a FROM registry.never_link WHERE b = m.source_id
           ) AS other
           JOIN registry.source AS far ON far.source_id = other.id
           WHERE m.golden_id = x.golden_id AND far.golden_id = y.golden_id
         ) END
       AND NOT EXISTS (SELECT FROM registry.review AS o WHERE o.a = r.a AND o.b = r.b AND o.state <> 'decided')
     ORDER BY r.a, r.b, r.review_id DESC
   ))`,
);
/** Reviews about these records that a decision answered on its way and that nothing answers any more. */
export async function reopenSettledReviews(tx: Transaction, sourceIds: readonly ResourceId[]): Promise<void> {
  if (sourceIds.length > 0) await tx.run(reopenSettled, [sourceIds]);
}

const reopenOf = statement(
  'registry.reopen-reviews-of-entry',
  `UPDATE registry.review AS r SET state = 'open', decision = NULL, decided_at = NULL, entry_id = NULL
   WHERE r.entry_id = $1 AND (r.a = ANY($2::uuid[]) OR r.b = ANY($2::uuid[]))
     AND NOT EXISTS (SELECT FROM registry.review AS o WHERE o.a = r.a AND o.b = r.b AND o.state <> 'decided')`,
);
/** The reviews that this entry of the ledger decided, about these records: the entry was taken back. */
export async function reopenReviewsOf(
  tx: Transaction,
  entryId: string,
  sourceIds: readonly ResourceId[],
): Promise<void> {
  await tx.run(reopenOf, [entryId, sourceIds]);
}
