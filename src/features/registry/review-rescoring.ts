/** Reviews that wait while another model takes over: what they say of their two records is what the present model says. */
import type { ResourceId, ReviewId } from '../../kernel/ids.ts';
import { statement, type Transaction } from '../../platform/db/sql.ts';
import type { RoundDeps } from './round-loading.ts';
import { readSources, type SourceRow } from './store.ts';

const scoredBefore = statement<{ readonly review_id: ReviewId; readonly a: ResourceId; readonly b: ResourceId }>(
  'registry.reviews-scored-before',
  `SELECT review_id, a, b FROM registry.review WHERE a = ANY($1::uuid[]) AND state <> 'decided' AND model_version <> $2`,
);
const scoreAnew = statement(
  'registry.score-reviews',
  `UPDATE registry.review AS r SET score = n.score, grade = n.grade, model_version = $4
   FROM unnest($1::uuid[], $2::real[], $3::text[]) AS n(id, score, grade) WHERE r.review_id = n.id`,
);

/**
 * Gives the waiting reviews of these records the score, grade and version of the model that decides now. A review is met once in a
 * walk over all records, at the first of its two. It stays open whatever the score: why somebody was asked has not been answered.
 */
export async function scoreReviewsAnew(
  { matcher, records }: Pick<RoundDeps, 'matcher' | 'records'>,
  tx: Transaction,
  rows: readonly SourceRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const waiting = await tx.rows(scoredBefore, [rows.map((row) => row.source_id), matcher.modelVersion]);
  if (waiting.length === 0) return;
  const known = new Map(rows.map((row) => [row.source_id, row]));
  const missing = new Set(waiting.map(({ b }) => b).filter((id) => !known.has(id)));
  for (const row of await readSources(tx, missing)) known.set(row.source_id, row);
  const scored = waiting.flatMap(({ review_id, a, b }) => {
    const [left, right] = [known.get(a), known.get(b)];
    if (!left || !right) return [];
    return [{ id: review_id, ...matcher.compare(records.prepared(left), records.prepared(right)) }];
  });
  await tx.run(scoreAnew, [
    scored.map(({ id }) => id),
    scored.map(({ score }) => score),
    scored.map(({ grade }) => grade),
    matcher.modelVersion,
  ]);
}
