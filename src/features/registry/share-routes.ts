/** Sharing of clients with other organisations, for the client's page. */
import { z } from 'zod';
import type { OrganisationId, ResourceId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import { instant } from '../../kernel/time.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/route.ts';
import { clientNotFound, shareUnknown } from './problems.ts';
import type { RoundDeps } from './round-loading.ts';
import { shareClient, sharesOf, unshareClient } from './shares.ts';
import * as wire from './wire-shares.ts';

const none = z.object({});
const byId = z.object({ id: z.string() });
const doors = ['users'] as const;
const WRITE = { bodyBytesMax: 4_096, perMinute: 240 } as const;

const clientId = (text: string): ResourceId => {
  const id = parseId<ResourceId>(text);
  if (!id) throw clientNotFound();
  return id;
};

export function shareRoutes(deps: RoundDeps): RouteDeclaration[] {
  async function known(text: string): Promise<OrganisationId> {
    const id = parseId<OrganisationId>(text);
    const names = id === undefined ? undefined : await deps.organisationNames?.([id]);
    if (id === undefined || names?.has(id) === false) throw shareUnknown();
    return id;
  }
  return [
    route({
      doors,
      method: 'GET',
      path: '/api/clients/:id/shares',
      access: permission('client.read'),
      audit: event('client.shares'),
      input: { params: byId, query: none, body: 'none' },
      output: wire.sharesReply,
      limits: { bodyBytesMax: 0, perMinute: 600 },
      async handle({ actor, params }) {
        const id = clientId(params.id);
        const { shares, mayShare } = await sharesOf(deps, actor, id);
        const names = await deps.organisationNames?.(shares.map((one) => one.organisationId));
        const audited = await deps.audit.recordNow([
          { actor, event: 'client.shares', action: 'R', outcome: 'success', patients: [`Patient/${id}`] },
        ]);
        const body = {
          mayShare,
          shares: shares.map((one) => ({
            organisation: { id: one.organisationId, name: names?.get(one.organisationId) ?? '' },
            at: instant(one.sharedMs),
            by: one.by.name,
            reason: one.reason,
          })),
        };
        return { status: 200, body, audited };
      },
    }),
    route({
      doors,
      method: 'POST',
      path: '/api/clients/:id/shares',
      access: permission('client.share'),
      audit: event('client.share'),
      input: { params: byId, query: none, body: wire.shareRequest },
      output: 'none',
      limits: WRITE,
      async handle({ actor, params, body }) {
        const organisationId = await known(body.organisationId);
        const what = { goldenId: clientId(params.id), organisationId, reason: body.reason };
        return { status: 204, audited: await shareClient(deps, actor, what) };
      },
    }),
    route({
      doors,
      method: 'POST',
      path: '/api/clients/:id/shares/end',
      access: permission('client.share'),
      audit: event('client.unshare'),
      input: { params: byId, query: none, body: wire.shareRequest },
      output: 'none',
      limits: WRITE,
      async handle({ actor, params, body }) {
        const organisationId = await known(body.organisationId);
        const what = { goldenId: clientId(params.id), organisationId, reason: body.reason };
        return { status: 204, audited: await unshareClient(deps, actor, what) };
      },
    }),
  ];
}
