/** The user API of reviews: the queue, one pair, decisions, who works on what. */
import { z } from 'zod';
import type { Actor } from '../../kernel/principal.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/route.ts';
import { bulkRoutes } from './bulk-routes.ts';
import { reviewDetail, reviewPage, summarise } from './client-pages.ts';
import type { BuiltCore } from './core.ts';
import { openCursor, sealCursor } from './cursor.ts';
import type { RegistryDeps } from './deps.ts';
import { reviewNotFound } from './problems.ts';
import { decideReview, undoReview } from './review-decisions.ts';
import { type QueueView, readQueueNeighbours } from './review-queue.ts';
import { readReview, readReviewCounts } from './review-store.ts';
import { reviewWorkRoutes } from './review-work.ts';
import { clientId, reviewId } from './route-ids.ts';
import { userOf } from './second-person.ts';
import { withinReach } from './visibility.ts';
import * as wire from './wire.ts';

const none = z.object({});
const byId = z.object({ id: z.string() });
const doors = ['users'] as const;
const READ = { bodyBytesMax: 0, perMinute: 600 } as const;
const WRITE = { bodyBytesMax: 8_192, perMinute: 240 } as const;

export function reviewRoutes(deps: RegistryDeps, built: BuiltCore): RouteDeclaration[] {
  return [
    ...reviewReadRoutes(deps, built),
    ...reviewDecisionRoutes(deps, built),
    ...reviewWorkRoutes(deps),
    ...bulkRoutes(deps, built.roundDeps),
  ];
}

/** How this person sees the queue. */
async function viewFor(
  deps: RegistryDeps,
  actor: Actor,
  asked: z.infer<typeof wire.reviewView>,
): Promise<Omit<QueueView, 'state'>> {
  const within = await withinReach(deps, actor.principal, 'review.read');
  return { ...asked, within, user: userOf(actor.principal) };
}

/** Numbers above the queue; "today" begins at midnight UTC. */
async function reviewCounts(
  deps: RegistryDeps,
  { within, user }: Pick<QueueView, 'within' | 'user'>,
): Promise<z.infer<typeof wire.reviewCounts>> {
  const todayFrom = new Date(new Date(deps.clock.nowMs()).setUTCHours(0, 0, 0, 0));
  const { oldest: _oldest, ...counts } = await readReviewCounts(deps.database, todayFrom, within, user);
  return counts;
}

function reviewReadRoutes(deps: RegistryDeps, { roundDeps }: BuiltCore): RouteDeclaration[] {
  const reviewed = (
    actor: Actor,
    name: 'review.list' | 'review.read',
    entities: readonly string[],
    patients: readonly string[],
  ) =>
    deps.audit.recordNow([
      {
        actor,
        event: name,
        action: 'R',
        outcome: 'success',
        entities: entities.map((reference) => ({ reference, role: 'job' as const })),
        patients: [...new Set(patients)],
      },
    ]);
  return [
    route({
      doors,
      method: 'GET',
      path: '/api/reviews',
      access: permission('review.read'),
      audit: event('review.list'),
      input: { params: none, query: wire.reviewListQuery, body: 'none' },
      output: wire.reviewListReply,
      limits: READ,
      async handle({ actor, query }) {
        const { state, order, whose, cursor, limit } = query;
        const purpose = `reviews:${state}:${order}:${whose}`;
        const at = cursor === undefined ? undefined : openCursor(deps.keyRing, purpose, cursor);
        const after = at && { id: reviewId(at.id), score: scoreOf(at.lastUpdatedMs) };
        const view = await viewFor(deps, actor, { order, whose });
        const page = await reviewPage(roundDeps, { ...view, state }, { after, limit });
        const patients = page.reviews.flatMap((one) => [`Patient/${one.a.clientId}`, `Patient/${one.b.clientId}`]);
        const next =
          page.next &&
          sealCursor(deps.keyRing, purpose, {
            lastUpdatedMs: scoreBits(page.next.score),
            id: clientId(page.next.id),
          });
        return {
          status: 200,
          body: { counts: await reviewCounts(deps, view), reviews: page.reviews, ...(next ? { next } : {}) },
          audited: await reviewed(actor, 'review.list', [], patients),
        };
      },
    }),
    route({
      doors,
      method: 'GET',
      path: '/api/reviews/:id',
      access: permission('review.read'),
      audit: event('review.read'),
      input: { params: byId, query: wire.reviewView, body: 'none' },
      output: wire.reviewDetailReply,
      limits: READ,
      async handle({ actor, params, query }) {
        const view = await viewFor(deps, actor, query);
        const detail = await reviewDetail(roundDeps, reviewId(params.id), view);
        const patients = [`Patient/${detail.review.a.clientId}`, `Patient/${detail.review.b.clientId}`];
        return {
          status: 200,
          body: { ...detail, counts: await reviewCounts(deps, view) },
          audited: await reviewed(actor, 'review.read', [`Review/${params.id}`], patients),
        };
      },
    }),
  ];
}

// A position of the queue is a score and an id; the sealed position has a place for a whole number and an id. A 32-bit score
// fits exactly, and any id does.
const scratch = new DataView(new ArrayBuffer(4));
function scoreBits(score: number): number {
  scratch.setFloat32(0, score);
  return scratch.getUint32(0);
}
function scoreOf(bits: number): number {
  scratch.setUint32(0, bits);
  return scratch.getFloat32(0);
}
function reviewDecisionRoutes(deps: RegistryDeps, { roundDeps }: BuiltCore): RouteDeclaration[] {
  return [
    route({
      doors,
      method: 'POST',
      path: '/api/reviews/:id/decision',
      access: permission('review.decide'),
      audit: event('review.decide'),
      input: { params: byId, query: wire.reviewView, body: wire.reviewDecisionRequest },
      output: wire.reviewDecisionReply,
      limits: WRITE,
      async handle({ actor, params, query, body }) {
        const id = reviewId(params.id);
        const verdict = { reviewId: id, decision: body.decision, ...(body.reason ? { reason: body.reason } : {}) };
        const { result: decided, audited } = await decideReview(roundDeps, actor, verdict);
        const { answers = [], ...result } = decided;
        // Asked afterwards: the decision answers every other review between the same two people as well.
        const view = await viewFor(deps, actor, query);
        const score = (await readReview(deps.database, id))?.score ?? 0;
        const { next } = await readQueueNeighbours(deps.database, { ...view, state: 'open' }, { id, score });
        return { status: 200, body: { ...result, alsoAnswered: answers.length, ...(next ? { next } : {}) }, audited };
      },
    }),
    route({
      doors,
      method: 'POST',
      path: '/api/reviews/:id/undo',
      access: permission('review.decide'),
      audit: event('review.undo'),
      input: { params: byId, query: none, body: 'none' },
      output: wire.reviewUndoReply,
      limits: { ...WRITE, bodyBytesMax: 0 },
      async handle({ actor, params }) {
        const { result, audited } = await undoReview(roundDeps, actor, { reviewId: reviewId(params.id) });
        const review = (await summarise(roundDeps, [result], userOf(actor.principal)))[0];
        if (!review) throw reviewNotFound();
        return { status: 200, body: { review }, audited };
      },
    }),
  ];
}
