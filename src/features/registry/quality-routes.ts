import { z } from 'zod';
import { parseId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/route.ts';
import type { AuditInput } from '../audit/index.ts';
import { pairView } from './client-pages.ts';
import type { RegistryDeps } from './deps.ts';
import { linkCheckNotFound } from './problems.ts';
import { createQuality } from './quality.ts';
import { type LinkCheckId, qualityStore } from './quality-store.ts';
import type { RoundDeps } from './round-loading.ts';
import * as wire from './wire-quality.ts';

const none = z.object({});
const byId = z.object({ id: z.string() });
const doors = ['users'] as const;

/** Counts over everything and pairs of all organisations: for people whose reach is everything. */
export function qualityRoutes(deps: RegistryDeps, rounds: RoundDeps): RouteDeclaration[] {
  const quality = createQuality(rounds);
  const audited = (actor: Actor, input: Pick<AuditInput, 'event' | 'action'> & Partial<AuditInput>) =>
    deps.audit.recordNow([{ actor, outcome: 'success', ...input }]);
  const looks = permission('review.read', { everywhere: true });
  const judges = permission('review.decide', { everywhere: true });
  return [
    route({
      ...{ doors, access: looks, method: 'GET', path: '/api/quality', audit: event('quality.read') },
      input: { params: none, query: none, body: 'none' },
      output: wire.qualityReply,
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor }) {
        const body = await quality.read();
        return { status: 200, body, audited: await audited(actor, { event: 'quality.read', action: 'R' }) };
      },
    }),
    route({
      ...{ doors, access: judges, method: 'POST', path: '/api/quality/checks', audit: event('quality.draw') },
      input: { params: none, query: none, body: wire.drawChecksRequest },
      output: wire.drawChecksReply,
      limits: { bodyBytesMax: 256, perMinute: 20 },
      async handle({ actor, body }) {
        const drawn = await quality.draw(body.size);
        const detail = { drawn: String(drawn) };
        return {
          status: 201,
          body: { drawn },
          audited: await audited(actor, { event: 'quality.draw', action: 'C', detail }),
        };
      },
    }),
    route({
      ...{ doors, access: judges, method: 'GET', path: '/api/quality/checks/next', audit: event('quality.look') },
      input: { params: none, query: none, body: 'none' },
      output: wire.linkCheckReply,
      limits: { bodyBytesMax: 0, perMinute: 240 },
      async handle({ actor }) {
        const check = await nextCheck(rounds);
        const patients = check ? [...new Set([check.a.clientId, check.b.clientId])].map((id) => `Patient/${id}`) : [];
        const waiting = await qualityStore.waiting(deps.database);
        return {
          status: 200,
          body: { ...(check && { check }), waiting },
          audited: await audited(actor, { event: 'quality.look', action: 'R', patients }),
        };
      },
    }),
    route({
      ...{ doors, access: judges, method: 'POST', path: '/api/quality/checks/:id', audit: event('quality.judge') },
      input: { params: byId, query: none, body: wire.linkVerdictRequest },
      output: wire.linkVerdictReply,
      limits: { bodyBytesMax: 256, perMinute: 240 },
      async handle({ actor, params, body }) {
        const id = parseId<LinkCheckId>(params.id);
        if (!id) throw linkCheckNotFound();
        await quality.judge(actor, id, body.verdict);
        const detail = { check: id, verdict: body.verdict };
        return {
          status: 200,
          body: { waiting: await qualityStore.waiting(deps.database) },
          audited: await audited(actor, { event: 'quality.judge', action: 'U', detail }),
        };
      },
    }),
  ];
}

/** The next link that still stands; what was parted or deleted since needs no look and is put aside. */
async function nextCheck(rounds: RoundDeps): Promise<wire.LinkCheckReply['check']> {
  for (;;) {
    const row = await qualityStore.next(rounds.database);
    if (row === undefined) return undefined;
    const pair = await pairView(rounds, row.a, row.b);
    if (pair !== undefined && pair.a.clientId === pair.b.clientId) return { id: row.check_id, ...pair };
    const at = new Date(rounds.clock.nowMs());
    await rounds.database.transaction((tx) =>
      qualityStore.judge(tx, row.check_id, { verdict: 'gone', by: undefined, at }),
    );
  }
}
