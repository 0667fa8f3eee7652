import { z } from 'zod';
import { parseId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/route.ts';
import type { AuditEventName } from '../audit/index.ts';
import { acceptNext, beginBulk, found, undoNext } from './bulk.ts';
import { type BulkId, type BulkRow, bulkStore } from './bulk-store.ts';
import type { RegistryDeps } from './deps.ts';
import { bulkNotFound } from './problems.ts';
import type { RoundDeps } from './round-loading.ts';
import { userOf } from './second-person.ts';
import * as wire from './wire.ts';

const none = z.object({});
const byId = z.object({ id: z.string() });
const doors = ['users'] as const;
/** People who decide everywhere: a group mixes pairs of all organisations. */
const access = permission('review.decide', { everywhere: true });

type BulkEvent = Extract<AuditEventName, `review.bulk-${string}`>;

export function bulkRoutes(deps: RegistryDeps, rounds: RoundDeps): RouteDeclaration[] {
  const audited = (actor: Actor, name: BulkEvent, action: 'C' | 'R' | 'U', detail: Readonly<Record<string, string>>) =>
    deps.audit.recordNow([{ actor, event: name, action, outcome: 'success', detail }]);
  return [
    route({
      ...{ doors, access, method: 'GET', path: '/api/review-groups', audit: event('review.bulk-list') },
      input: { params: none, query: none, body: 'none' },
      output: wire.bulksReply,
      limits: { bodyBytesMax: 0, perMinute: 120 },
      async handle({ actor }) {
        const rows = await bulkStore.newest(deps.database);
        const bulks = await Promise.all(rows.map((row) => viewOf(deps, row, actor)));
        return { status: 200, body: { bulks }, audited: await audited(actor, 'review.bulk-list', 'R', {}) };
      },
    }),
    route({
      ...{ doors, access, method: 'POST', path: '/api/review-groups', audit: event('review.bulk-begin') },
      input: { params: none, query: none, body: wire.bulkRequest },
      output: wire.bulkReply,
      limits: { bodyBytesMax: 1_024, perMinute: 20 },
      async handle({ actor, body }) {
        const row = await beginBulk(rounds, actor, body);
        const detail = { group: row.bulk_id, scoreFrom: String(body.scoreFrom), total: String(row.total) };
        const receipt = await audited(actor, 'review.bulk-begin', 'C', detail);
        return { status: 201, body: { bulk: await viewOf(deps, row, actor) }, audited: receipt };
      },
    }),
    ...progressRoutes(rounds, audited),
  ];
}

function progressRoutes(
  rounds: RoundDeps,
  audited: (
    actor: Actor,
    name: BulkEvent,
    action: 'U',
    detail: Readonly<Record<string, string>>,
  ) => ReturnType<RegistryDeps['audit']['recordNow']>,
): RouteDeclaration[] {
  const acts = [
    { path: '/api/review-groups/:id/accept', name: 'review.bulk-accept', act: acceptNext },
    { path: '/api/review-groups/:id/undo', name: 'review.bulk-undo', act: undoNext },
  ] as const;
  return acts.map(({ path, name, act }) =>
    route({
      ...{ doors, access, method: 'POST', path, audit: event(name) },
      input: { params: byId, query: none, body: 'none' },
      output: wire.bulkProgress,
      limits: { bodyBytesMax: 0, perMinute: 600 },
      async handle({ actor, params }) {
        const id = parseId<BulkId>(params.id);
        if (!id) throw bulkNotFound();
        await found(rounds, id);
        const progress = await act(rounds, actor, id);
        const detail = { group: id, done: String(progress.done), skipped: String(progress.skipped) };
        return { status: 200, body: progress, audited: await audited(actor, name, 'U', detail) };
      },
    }),
  );
}

async function viewOf(deps: RegistryDeps, row: BulkRow, { principal }: Actor): Promise<wire.BulkView> {
  const [sample, names] = await Promise.all([
    bulkStore.sampled(deps.database, row.sample),
    deps.userNames?.([row.created_by]),
  ]);
  return {
    id: row.bulk_id,
    state: row.state,
    createdAt: instant(row.created_at.getTime()),
    createdBy: { name: names?.get(row.created_by) ?? 'a colleague', isMe: row.created_by === userOf(principal) },
    scoreFrom: row.score_from,
    total: row.total,
    accepted: row.accepted,
    skipped: row.skipped,
    sample: sample.map((one) => ({
      id: one.review_id,
      state: one.state,
      score: one.score,
      ...(one.decision === null ? {} : { decision: one.decision }),
    })),
  };
}
