/** The queue of reviews as one steward sees it: in which order, and whose. */
import type { ResourceId, ReviewId, UserId } from '../../kernel/ids.ts';
import { type Sql, statement } from '../../platform/db/sql.ts';
import type { ReviewState } from './model.ts';
import type { ReviewRow } from './store.ts';
import type { Within } from './within.ts';

/** A review with who works on it. */
export interface QueuedReview extends ReviewRow {
  readonly assignee: UserId | null;
  /** Who decided that it is one person, where a second person has to agree. */
  readonly proposed_by: UserId | null;
}

export const REVIEW_COLUMNS =
  'review_id, a, b, state, cause, score, grade, model_version, created_at, decided_at, decision, entry_id, assignee, proposed_by';

/**
 * Both records of a pair (`r`) are of domains in reach, where the reach is bounded: who decides about a pair sees both whole, so
 * pairs across organisations wait for the central ones.
 */
export const PAIR_WITHIN = (domains: string) => `(${domains}::int[] IS NULL OR (
     EXISTS (SELECT FROM registry.source s WHERE s.source_id = r.a AND s.domain_id = ANY (${domains}))
     AND EXISTS (SELECT FROM registry.source s WHERE s.source_id = r.b AND s.domain_id = ANY (${domains}))))`;
export const pairBounds = (within: Within | undefined) => within?.domainIds ?? null;

/** `waiting-for-second`: links that somebody else proposed and that need one's own agreement. */
export type Whose = 'all' | 'mine' | 'nobodys' | 'waiting-for-second';
/** Waiting reviews: the oldest first, or the most alike first. Decided ones are always newest first. */
export type QueueOrder = 'oldest' | 'likeliest';

export interface QueueView {
  readonly state: ReviewState;
  readonly order: QueueOrder;
  readonly whose: Whose;
  /** Who asks; undefined for the command line, which has nothing of its own. */
  readonly user: UserId | undefined;
  readonly within: Within | undefined;
}

export interface QueuePosition {
  readonly id: ReviewId;
  readonly score: number;
}

const VIEW = `r.state = $1 AND ${PAIR_WITHIN('$2')} AND (
     $3 = 'all' OR ($3 = 'mine' AND r.assignee = $4) OR ($3 = 'nobodys' AND r.assignee IS NULL)
     OR ($3 = 'waiting-for-second' AND r.proposed_by IS NOT NULL AND r.proposed_by IS DISTINCT FROM $4::uuid))`;
const viewOf = ({ state, within, whose, user }: QueueView) => [state, pairBounds(within), whose, user ?? null];

type Direction = 'oldest' | 'newest' | 'likeliest';
const AFTER: Readonly<Record<Direction, string>> = {
  oldest: 'r.review_id > $5',
  newest: 'r.review_id < $5',
  likeliest: '(r.score, r.review_id) < ($6::real, $5::uuid)',
};
const BEFORE: Readonly<Record<Direction, string>> = {
  oldest: 'r.review_id < $5',
  newest: 'r.review_id > $5',
  likeliest: '(r.score, r.review_id) > ($6::real, $5::uuid)',
};
const FORWARD: Readonly<Record<Direction, string>> = {
  oldest: 'r.review_id',
  newest: 'r.review_id DESC',
  likeliest: 'r.score DESC, r.review_id DESC',
};
const BACKWARD: Readonly<Record<Direction, string>> = {
  oldest: 'r.review_id DESC',
  newest: 'r.review_id',
  likeliest: 'r.score, r.review_id',
};

// PostgreSQL wants every parameter used: the orders by id name the score's place without asking it.
const UNUSED_SCORE = 'AND ($6::real IS NOT NULL)';
const page = (direction: Direction) =>
  statement<QueuedReview>(
    `registry.review-queue-${direction}`,
    `SELECT ${REVIEW_COLUMNS} FROM registry.review r WHERE ${VIEW} AND ${AFTER[direction]} ${UNUSED_SCORE}
     ORDER BY ${FORWARD[direction]} LIMIT $7`,
  );
const PAGES = { oldest: page('oldest'), newest: page('newest'), likeliest: page('likeliest') } as const;

const neighbours = (direction: Direction) =>
  statement<{ next: ReviewId | null; previous: ReviewId | null }>(
    `registry.review-neighbours-${direction}`,
    `SELECT (SELECT review_id FROM registry.review r WHERE ${VIEW} AND ${AFTER[direction]} ${UNUSED_SCORE}
             ORDER BY ${FORWARD[direction]} LIMIT 1) AS next,
            (SELECT review_id FROM registry.review r WHERE ${VIEW} AND ${BEFORE[direction]}
             ORDER BY ${BACKWARD[direction]} LIMIT 1) AS previous`,
  );
const NEIGHBOURS = {
  oldest: neighbours('oldest'),
  newest: neighbours('newest'),
  likeliest: neighbours('likeliest'),
} as const;

const FIRST = '00000000-0000-0000-0000-000000000000' as ReviewId;
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff' as ReviewId;
const BEGINNING: Readonly<Record<Direction, QueuePosition>> = {
  oldest: { id: FIRST, score: 0 },
  newest: { id: LAST, score: 0 },
  likeliest: { id: LAST, score: 2 },
};

const directionOf = ({ state, order }: QueueView): Direction => (state === 'decided' ? 'newest' : order);

/** Up to `limit` reviews after a position, in the view's order. */
export function readQueue(
  sql: Sql,
  view: QueueView,
  { after, limit }: { readonly after?: QueuePosition | undefined; readonly limit: number },
): Promise<readonly QueuedReview[]> {
  const direction = directionOf(view);
  const { id, score } = after ?? BEGINNING[direction];
  return sql.rows(PAGES[direction], [...viewOf(view), id, score, limit]);
}

/** The reviews before and after one in a view, whether it is itself still in it or not. */
export async function readQueueNeighbours(sql: Sql, view: QueueView, at: QueuePosition) {
  const rows = await sql.rows(NEIGHBOURS[directionOf(view)], [...viewOf(view), at.id, at.score]);
  return rows[0] ?? { next: null, previous: null };
}

const assign = statement<{ review_id: ReviewId; a: ResourceId; b: ResourceId }>(
  'registry.assign-reviews',
  `UPDATE registry.review r SET assignee = $2 WHERE review_id = ANY ($1::uuid[]) AND state <> 'decided' AND ${PAIR_WITHIN('$3')}
   RETURNING review_id, a, b`,
);

/** Hands waiting reviews to somebody, or (undefined) back to everybody. Returns those that were handed over. */
export function assignReviews(
  sql: Sql,
  ids: readonly ReviewId[],
  to: { readonly assignee: UserId | undefined; readonly within: Within | undefined },
) {
  return sql.rows(assign, [ids, to.assignee ?? null, pairBounds(to.within)]);
}
