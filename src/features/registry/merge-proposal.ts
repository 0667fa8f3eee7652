/** A merge that needs a second person becomes a review, which somebody else decides. */
import { newId } from '../../crypto/index.ts';
import type { ResourceId, ReviewId } from '../../kernel/ids.ts';
import { statement } from '../../platform/db/sql.ts';
import { orderedPair } from './batch-state.ts';
import { type QueuedReview, REVIEW_COLUMNS } from './review-queue.ts';
import { openReviews } from './round-store.ts';
import { agreedByTwo, needsSecondPerson } from './second-person.ts';
import type { Decision } from './decision.ts';

const between = statement<QueuedReview>(
  'registry.review-between',
  `SELECT ${REVIEW_COLUMNS} FROM registry.review WHERE state <> 'decided'
     AND ((a = ANY ($1::uuid[]) AND b = ANY ($2::uuid[])) OR (a = ANY ($2::uuid[]) AND b = ANY ($1::uuid[])))
   ORDER BY proposed_by IS NULL, review_id LIMIT 1 FOR UPDATE`,
);

/** Undefined: the merge may be made now. Otherwise the review that waits for a second person. */
export async function proposeMerge(
  decision: Decision,
  what: { readonly survivor: ResourceId; readonly other: ResourceId },
): Promise<ReviewId | undefined> {
  const { deps, tx, state, nowMs, actor } = decision;
  const staying = [...state.golden(what.survivor).members];
  const moving = [...state.golden(what.other).members];
  const sizes = [staying.length, moving.length] as const;
  if (!(await needsSecondPerson(deps, tx, actor.principal, sizes))) return undefined;
  const waiting = (await tx.rows(between, [staying, moving]))[0];
  const review = waiting ?? newReview(decision, staying, moving);
  if (review === undefined) return undefined;
  if (waiting === undefined) await openReviews(tx, [review]);
  return (await agreedByTwo(deps, tx, { review, principal: actor.principal, sizes, nowMs }))
    ? undefined
    : review.review_id;
}

/** The most alike pair of records stands for the two people: what a second person will want to see. */
function newReview(
  { deps, state, nowMs }: Decision,
  staying: readonly ResourceId[],
  moving: readonly ResourceId[],
): QueuedReview | undefined {
  let best: QueuedReview | undefined;
  for (const x of staying.slice(0, LOOKED_AT_MAX)) {
    for (const y of moving.slice(0, LOOKED_AT_MAX)) {
      const [a, b] = orderedPair(x, y);
      const [left, right] = [state.sources.get(a)?.prepared, state.sources.get(b)?.prepared];
      if (left === undefined || right === undefined) continue;
      const { score, grade, modelVersion } = deps.matcher.explain(left, right);
      if (best !== undefined && best.score >= score) continue;
      best = {
        review_id: newId<ReviewId>(),
        a,
        b,
        state: 'open',
        cause: 'merge-proposed',
        score,
        grade,
        model_version: modelVersion,
        created_at: new Date(nowMs),
        decided_at: null,
        decision: null,
        entry_id: null,
        assignee: null,
        proposed_by: null,
      };
    }
  }
  return best;
}

const LOOKED_AT_MAX = 20;
