/** Who works on which review, and which links need two people. */
import { z } from 'zod';
import { parseId, type UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/route.ts';
import type { RegistryDeps } from './deps.ts';
import { reviewerUnknown, reviewNotFound } from './problems.ts';
import { assignReviews } from './review-queue.ts';
import { reviewId } from './route-ids.ts';
import { readSecondPerson, writeSecondPerson } from './second-person.ts';
import { withinReach } from './visibility.ts';
import * as wire from './wire.ts';

const none = z.object({});
const doors = ['users'] as const;

export function reviewWorkRoutes(deps: RegistryDeps): RouteDeclaration[] {
  return [assignRoute(deps), ...reviewersRoutes(deps), ...ruleRoutes(deps)];
}

function assignRoute(deps: RegistryDeps): RouteDeclaration {
  return route({
    doors,
    method: 'POST',
    path: '/api/reviews/assign',
    access: permission('review.decide'),
    audit: event('review.assign'),
    input: { params: none, query: none, body: wire.reviewAssignRequest },
    output: wire.reviewAssignReply,
    limits: { bodyBytesMax: 16_384, perMinute: 120 },
    async handle({ actor, body }) {
      const within = await withinReach(deps, actor.principal, 'review.decide');
      const assignee = await reviewerOf(deps, actor, body.to);
      const ids = body.reviews.map(reviewId);
      return await deps.database.transaction(async (tx) => {
        const rows = await assignReviews(tx, ids, { assignee, within });
        if (rows.length === 0) throw reviewNotFound();
        const audited = await deps.audit.record(tx, [
          {
            actor,
            event: 'review.assign',
            action: 'U',
            outcome: 'success',
            entities: rows.map((row) => ({ reference: `Review/${row.review_id}`, role: 'job' as const })),
            detail: { to: assignee === undefined ? 'nobody' : `User/${assignee}` },
          },
        ]);
        return { status: 200, body: { assigned: rows.map((row) => row.review_id) }, audited };
      });
    },
  });
}

/** Reviews are handed to oneself, or to somebody who may decide them. */
async function reviewerOf(
  deps: RegistryDeps,
  { principal }: Actor,
  to: string | undefined,
): Promise<UserId | undefined> {
  if (to === undefined) return undefined;
  const id = parseId<UserId>(to);
  if (id !== undefined && principal.kind === 'user' && principal.userId === id) return id;
  if (id === undefined) throw reviewerUnknown();
  const known = await deps.reviewers?.(reachOf(principal, 'review.decide'), { id });
  if (!known?.people.some((one) => one.id === id)) throw reviewerUnknown();
  return id;
}

function reviewersRoutes(deps: RegistryDeps): RouteDeclaration[] {
  const common = {
    doors,
    access: permission('review.decide'),
    audit: event('review.reviewers'),
    output: wire.reviewersReply,
  } as const;
  async function reply(actor: Actor, text: string) {
    const found = await deps.reviewers?.(reachOf(actor.principal, 'review.decide'), { text });
    const audited = await deps.audit.recordNow([{ actor, event: 'review.reviewers', action: 'R', outcome: 'success' }]);
    return { status: 200, body: { reviewers: [...(found?.people ?? [])], more: found?.more ?? false }, audited };
  }
  return [
    route({
      ...common,
      method: 'GET',
      path: '/api/reviewers',
      input: { params: none, query: none, body: 'none' },
      limits: { bodyBytesMax: 0, perMinute: 120 },
      handle: ({ actor }) => reply(actor, ''),
    }),
    // Names stay out of addresses, which others write down.
    route({
      ...common,
      method: 'POST',
      path: '/api/reviewers/search',
      input: { params: none, query: none, body: wire.reviewersSearch },
      limits: { bodyBytesMax: 1_024, perMinute: 120 },
      handle: ({ actor, body }) => reply(actor, body.text),
    }),
  ];
}

function ruleRoutes(deps: RegistryDeps): RouteDeclaration[] {
  const common = { doors, path: '/api/review-rules', output: wire.reviewRules } as const;
  return [
    route({
      ...common,
      method: 'GET',
      access: permission('review.read'),
      audit: event('review.rules'),
      input: { params: none, query: none, body: 'none' },
      limits: { bodyBytesMax: 0, perMinute: 120 },
      async handle({ actor }) {
        const secondPerson = await readSecondPerson(deps, deps.database);
        const audited = await deps.audit.recordNow([{ actor, event: 'review.rules', action: 'R', outcome: 'success' }]);
        return { status: 200, body: { secondPerson }, audited };
      },
    }),
    route({
      ...common,
      method: 'PUT',
      access: permission('settings.manage', { stepUp: true, everywhere: true }),
      audit: event('review.rules-change'),
      input: { params: none, query: none, body: wire.reviewRules },
      limits: { bodyBytesMax: 1_024, perMinute: 30 },
      async handle({ actor, body }) {
        return await deps.database.transaction(async (tx) => {
          const from = await readSecondPerson(deps, tx);
          await writeSecondPerson(deps, tx, body.secondPerson, new Date(deps.clock.nowMs()));
          const audited = await deps.audit.record(tx, [
            {
              actor,
              event: 'review.rules-change',
              action: 'U',
              outcome: 'success',
              detail: { what: 'second-person', from, to: body.secondPerson },
            },
          ]);
          return { status: 200, body, audited };
        });
      },
    }),
  ];
}
