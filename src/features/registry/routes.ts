/** The registry's user API: clients, links and reviews for the pages. */
import { z } from 'zod';
import { type LinkEntryId, parseId, type ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/route.ts';
import type { AuditInput } from '../audit/index.ts';
import { clientDetail, clientHistory } from './client-pages.ts';
import type { BuiltCore } from './core.ts';
import type { RegistryDeps } from './deps.ts';
import { parseQuickSearch } from './quick-search.ts';
import { qualityRoutes } from './quality-routes.ts';
import { reviewRoutes } from './review-routes.ts';
import { clientId } from './route-ids.ts';
import { clientNotFound } from './problems.ts';
import { merge, neverLink, unlink, unmerge } from './stewardship.ts';
import { undoEntry } from './undo-entry.ts';
import { shareRoutes } from './share-routes.ts';
import { summaryOf } from './views.ts';
import * as wire from './wire.ts';

const none = z.object({});
const byId = z.object({ id: z.string() });
const doors = ['users'] as const;
const READ = { bodyBytesMax: 0, perMinute: 600 } as const;
const QUERY = { bodyBytesMax: 4_096, perMinute: 600 } as const;
const WRITE = { bodyBytesMax: 8_192, perMinute: 240 } as const;

export function registryRoutes(deps: RegistryDeps, built: BuiltCore): RouteDeclaration[] {
  return [
    searchRoute(deps, built),
    ...clientRoutes(deps, built),
    ...shareRoutes(built.roundDeps),
    ...stewardRoutes(built),
    undoRoute(built),
    ...reviewRoutes(deps, built),
    ...qualityRoutes(deps, built.roundDeps),
  ];
}

function read(actor: Actor, name: 'client.read' | 'client.history', id: ResourceId): AuditInput {
  return { actor, event: name, action: 'R', outcome: 'success', interaction: 'read', patients: [`Patient/${id}`] };
}

function searchRoute(deps: RegistryDeps, built: BuiltCore): RouteDeclaration {
  return route({
    doors,
    method: 'POST',
    path: '/api/clients/search',
    access: permission('client.read'),
    audit: event('client.search'),
    input: { params: none, query: none, body: wire.clientSearchRequest },
    output: wire.clientSearchReply,
    limits: QUERY,
    async handle({ actor, body }) {
      const quick = parseQuickSearch(body.q);
      const core = built.as(actor.principal);
      const found = await core.search({
        kind: 'golden',
        ...quick,
        everything: quick.terms.length === 0,
        order: quick.terms.length === 0 ? 'last-updated-descending' : 'id',
        limit: body.limit,
        total: 'quick',
        caller: actor.principal.kind === 'user' ? `user ${actor.principal.userId}` : actor.principal.kind,
        // The cursor is one of ours or search refuses it.
        ...(body.cursor ? { after: body.cursor as NonNullable<Parameters<typeof core.search>[0]['after']> } : {}),
      });
      const audited = await deps.audit.recordNow([
        {
          actor,
          event: 'client.search',
          action: 'E',
          outcome: 'success',
          query: body.q,
          patients: found.records.map((record) => `Patient/${record.id}`),
        },
      ]);
      const known = found.total === undefined ? {} : { total: found.total };
      const total = found.atLeast === undefined ? known : { total: found.atLeast, totalIsAtLeast: true };
      const next = found.next ? { next: found.next as string } : {};
      return { status: 200, body: { clients: found.records.map(summaryOf), ...total, ...next }, audited };
    },
  });
}

function clientRoutes(deps: RegistryDeps, { roundDeps }: BuiltCore): RouteDeclaration[] {
  return [
    route({
      doors,
      method: 'GET',
      path: '/api/clients/:id',
      access: permission('client.read'),
      audit: event('client.read'),
      input: { params: byId, query: none, body: 'none' },
      output: wire.clientDetailReply,
      limits: READ,
      async handle({ actor, params }) {
        const body = await clientDetail(roundDeps, actor.principal, clientId(params.id));
        return {
          status: 200,
          body,
          audited: await deps.audit.recordNow([read(actor, 'client.read', clientId(params.id))]),
        };
      },
    }),
    route({
      doors,
      method: 'GET',
      path: '/api/clients/:id/history',
      access: permission('client.read'),
      audit: event('client.history'),
      input: { params: byId, query: none, body: 'none' },
      output: wire.clientHistoryReply,
      limits: READ,
      async handle({ actor, params }) {
        const entries = await clientHistory(roundDeps, actor.principal, clientId(params.id));
        const audited = await deps.audit.recordNow([read(actor, 'client.history', clientId(params.id))]);
        return { status: 200, body: { entries }, audited };
      },
    }),
  ];
}

/** Takes a hand-made separation or never-link back. */
function undoRoute({ roundDeps }: BuiltCore): RouteDeclaration {
  return route({
    doors,
    method: 'POST',
    path: '/api/clients/:id/undo',
    access: permission('review.decide'),
    audit: event('client.undo'),
    input: { params: byId, query: none, body: wire.undoEntryRequest },
    output: wire.undoEntryReply,
    limits: WRITE,
    async handle({ actor, params, body }) {
      const entryId = parseId<LinkEntryId>(body.entryId);
      if (!entryId) throw clientNotFound();
      const what = { goldenId: clientId(params.id), entryId, reason: body.reason };
      const { result, audited } = await undoEntry(roundDeps, actor, what);
      return { status: 200, body: result, audited };
    },
  });
}

function stewardRoutes({ roundDeps }: BuiltCore): RouteDeclaration[] {
  return [
    route({
      doors,
      method: 'POST',
      path: '/api/clients/:id/unlink',
      access: permission('review.decide'),
      audit: event('client.unlink'),
      input: { params: byId, query: none, body: wire.unlinkRequest },
      output: wire.unlinkReply,
      limits: WRITE,
      async handle({ actor, params, body }) {
        const what = { goldenId: clientId(params.id), sourceId: clientId(body.sourceId), reason: body.reason };
        const { result, audited } = await unlink(roundDeps, actor, what);
        return { status: 200, body: result, audited };
      },
    }),
    route({
      doors,
      method: 'POST',
      path: '/api/clients/merge',
      access: permission('review.decide'),
      audit: event('client.merge'),
      input: { params: none, query: none, body: wire.mergeRequest },
      output: wire.mergeReply,
      limits: WRITE,
      async handle({ actor, body }) {
        const what = { survivor: clientId(body.survivor), other: clientId(body.other), reason: body.reason };
        const { result, audited } = await merge(roundDeps, actor, what);
        return { status: 200, body: result, audited };
      },
    }),
    route({
      doors,
      method: 'POST',
      path: '/api/clients/:id/unmerge',
      access: permission('review.decide'),
      audit: event('client.unmerge'),
      input: { params: byId, query: none, body: wire.unmergeRequest },
      output: wire.unmergeReply,
      limits: WRITE,
      async handle({ actor, params, body }) {
        const what = { goldenId: clientId(params.id), reason: body.reason };
        const { result, audited } = await unmerge(roundDeps, actor, what);
        return { status: 200, body: result, audited };
      },
    }),
    route({
      doors,
      method: 'POST',
      path: '/api/never-link',
      access: permission('review.decide'),
      audit: event('client.never-link'),
      input: { params: none, query: none, body: wire.neverLinkRequest },
      output: wire.neverLinkReply,
      limits: WRITE,
      async handle({ actor, body }) {
        const what = { a: clientId(body.a), b: clientId(body.b), reason: body.reason };
        const { result, audited } = await neverLink(roundDeps, actor, what);
        return { status: 200, body: result, audited };
      },
    }),
  ];
}
