/** The user API of models. Everything here concerns all organisations at once: it is for people whose reach is everything. */
import { z } from 'zod';
import { utf8Encode } from '../../kernel/bytes.ts';
import { parseId, type ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/route.ts';
import type { AuditInput } from '../audit/index.ts';
import type { ActivationId } from '../registry/index.ts';
import type { ModelsDeps } from './deps.ts';
import { exampleNotFound, modelNotFound, studyNotFound } from './errors.ts';
import { assertEvaluable } from './evaluation.ts';
import type { InForce } from './in-force.ts';
import { modelRow } from './library.ts';
import type { ModelId, StudyId } from './model.ts';
import { cancelRelink, promote, relinkAgain, rollBack } from './promotion.ts';
import { pairOf, shownReport } from './reports.ts';
import type { ModelsService } from './service.ts';
import type { Shadow } from './shadow.ts';
import type { Studies } from './studies.ts';
import * as wire from './wire.ts';

export interface ModelRoutesDeps extends ModelsDeps {
  readonly service: ModelsService;
  readonly studies: Studies;
  readonly inForce: InForce;
  readonly shadow: Shadow;
}

const none = z.object({});
const emptyBody = z.strictObject({});
const byId = z.object({ id: z.string() });
const doors = ['users'] as const;
const looks = permission('review.read', { everywhere: true });
const works = permission('review.decide', { everywhere: true });
const decides = permission('settings.manage', { everywhere: true, stepUp: true });
const READ = { bodyBytesMax: 0, perMinute: 240 } as const;
const BARE = { bodyBytesMax: 0, perMinute: 30 } as const;
const ACT = { bodyBytesMax: 4_096, perMinute: 30 } as const;
/** A document with 2,000 names of each kind has some 200 kB. */
const DOCUMENT_BYTES_MAX = 1_048_576;

export function modelRoutes(deps: ModelRoutesDeps): RouteDeclaration[] {
  return [
    ...readRoutes(deps),
    ...libraryRoutes(deps),
    ...studyRoutes(deps),
    ...reportRoutes(deps),
    ...promotionRoutes(deps),
    ...shadowRoutes(deps),
  ];
}

const modelId = (text: string): ModelId => {
  const id = parseId<ModelId>(text);
  if (!id) throw modelNotFound();
  return id;
};
const studyId = (text: string): StudyId => {
  const id = parseId<StudyId>(text);
  if (!id) throw studyNotFound();
  return id;
};

function recorder({ audit }: ModelsDeps) {
  return (actor: Actor, input: Pick<AuditInput, 'event' | 'action'> & Partial<AuditInput>) =>
    audit.recordNow([{ actor, outcome: 'success', ...input }]);
}

function readRoutes(deps: ModelRoutesDeps): RouteDeclaration[] {
  const audited = recorder(deps);
  return [
    route({
      ...{ doors, access: looks, method: 'GET', path: '/api/models', audit: event('model.list') },
      input: { params: none, query: none, body: 'none' },
      output: wire.modelsReply,
      limits: READ,
      async handle({ actor }) {
        const body = await deps.service.overview(actor);
        return { status: 200, body, audited: await audited(actor, { event: 'model.list', action: 'R' }) };
      },
    }),
    route({
      ...{ doors, access: looks, method: 'GET', path: '/api/models/:id', audit: event('model.read') },
      input: { params: byId, query: none, body: 'none' },
      output: wire.modelDetail,
      limits: READ,
      async handle({ actor, params }) {
        const body = await deps.service.detail(actor, modelId(params.id));
        const detail = { model: body.model.version };
        return { status: 200, body, audited: await audited(actor, { event: 'model.read', action: 'R', detail }) };
      },
    }),
    route({
      ...{ doors, access: works, method: 'GET', path: '/api/models/:id/document', audit: event('model.export') },
      input: { params: byId, query: none, body: 'none' },
      output: 'bytes',
      limits: { bodyBytesMax: 0, perMinute: 30 },
      async handle({ actor, params }) {
        const document = await deps.service.document(modelId(params.id));
        return {
          status: 200,
          body: utf8Encode(`${JSON.stringify(document, null, 2)}\n`),
          contentType: 'application/json',
          headers: { 'content-disposition': `attachment; filename="${document.version}.json"` },
          audited: await audited(actor, { event: 'model.export', action: 'R', detail: { model: document.version } }),
        };
      },
    }),
  ];
}

function libraryRoutes(deps: ModelRoutesDeps): RouteDeclaration[] {
  return [
    route({
      ...{ doors, access: works, method: 'POST', path: '/api/models', audit: event('model.add') },
      input: { params: none, query: none, body: wire.uploadRequest },
      output: wire.addedReply,
      limits: { bodyBytesMax: DOCUMENT_BYTES_MAX, perMinute: 12 },
      async handle({ actor, body }) {
        const { model, audited } = await deps.service.add(actor, { ...body, origin: 'uploaded' });
        return { status: 201, body: { model }, audited };
      },
    }),
    route({
      ...{ doors, access: works, method: 'POST', path: '/api/models/:id/adjust', audit: event('model.add') },
      input: { params: byId, query: none, body: wire.adjustRequest },
      output: wire.addedReply,
      limits: ACT,
      async handle({ actor, params, body }) {
        const { model, audited } = await deps.service.adjust(actor, modelId(params.id), body);
        return { status: 201, body: { model }, audited };
      },
    }),
  ];
}

function studyRoutes(deps: ModelRoutesDeps): RouteDeclaration[] {
  const begins = {
    doors,
    access: works,
    method: 'POST',
    audit: event('model.study'),
    output: wire.studyReply,
    limits: ACT,
  } as const;
  return [
    route({
      ...{ ...begins, path: '/api/models/train' },
      input: { params: none, query: none, body: wire.trainRequest },
      async handle({ actor, body }) {
        const begun = await deps.studies.begin(actor, { kind: 'training', request: body, model: body.version });
        return { status: 202, body: { study: begun.study }, audited: begun.audited };
      },
    }),
    route({
      ...{ ...begins, path: '/api/models/simulate' },
      input: { params: none, query: none, body: wire.simulateRequest },
      async handle({ actor, body }) {
        const row = await modelRow(deps.database, modelId(body.modelId));
        const asked = { kind: 'simulation', modelId: row.model_id, request: body, model: row.version } as const;
        const begun = await deps.studies.begin(actor, asked);
        return { status: 202, body: { study: begun.study }, audited: begun.audited };
      },
    }),
    route({
      ...{ ...begins, path: '/api/models/evaluate' },
      limits: { bodyBytesMax: 65_536, perMinute: 12 },
      input: { params: none, query: none, body: wire.evaluateRequest },
      async handle({ actor, body }) {
        const row = body.modelId === undefined ? undefined : await modelRow(deps.database, modelId(body.modelId));
        await assertEvaluable(deps, actor, body);
        const asked = { kind: 'evaluation', request: body } as const;
        const begun = await deps.studies.begin(
          actor,
          row ? { ...asked, modelId: row.model_id, model: row.version } : asked,
        );
        return { status: 202, body: { study: begun.study }, audited: begun.audited };
      },
    }),
    route({
      ...{ ...begins, path: '/api/models/check-groups' },
      input: { params: none, query: none, body: emptyBody },
      async handle({ actor }) {
        const begun = await deps.studies.begin(actor, { kind: 'clusters', request: {} });
        return { status: 202, body: { study: begun.study }, audited: begun.audited };
      },
    }),
  ];
}

function reportRoutes(deps: ModelRoutesDeps): RouteDeclaration[] {
  const audited = recorder(deps);
  return [
    route({
      ...{ doors, access: works, method: 'POST', path: '/api/models/studies/:id/cancel' },
      audit: event('model.study-cancel'),
      input: { params: byId, query: none, body: 'none' },
      output: wire.studyReply,
      limits: BARE,
      async handle({ actor, params }) {
        const id = studyId(params.id);
        const receipt = await deps.studies.cancel(actor, id);
        return { status: 200, body: { study: await deps.studies.view(id) }, audited: receipt };
      },
    }),
    route({
      ...{ doors, access: looks, method: 'GET', path: '/api/models/studies/:id', audit: event('model.report') },
      input: { params: byId, query: none, body: 'none' },
      output: wire.studyReportReply,
      limits: READ,
      async handle({ actor, params }) {
        const id = studyId(params.id);
        const { row, report } = await deps.studies.report(id);
        const body = { study: await deps.studies.view(id), report: shownReport(row, report) };
        const detail = { study: id, kind: row.kind };
        return { status: 200, body, audited: await audited(actor, { event: 'model.report', action: 'R', detail }) };
      },
    }),
    route({
      ...{ doors, access: works, method: 'GET', path: '/api/models/studies/:id/examples/:at' },
      audit: event('model.example'),
      input: {
        params: z.object({ id: z.string(), at: z.coerce.number().int().min(0).max(10_000) }),
        query: none,
        body: 'none',
      },
      output: wire.exampleReply,
      limits: READ,
      async handle({ actor, params }) {
        const { row, report } = await deps.studies.report(studyId(params.id));
        const { a, b, through } = pairOf(row, report, params.at);
        const pair = await deps.registry.pair(a, b);
        if (!pair) throw exampleNotFound();
        const patients = [...new Set([pair.a.clientId, pair.b.clientId])].map((one) => `Patient/${one}`);
        return {
          status: 200,
          body: { pair: { ...pair, comparison: [...pair.comparison] }, ...(through ? { through } : {}) },
          audited: await audited(actor, { event: 'model.example', action: 'R', patients }),
        };
      },
    }),
  ];
}

function promotionRoutes(deps: ModelRoutesDeps): RouteDeclaration[] {
  const common = { doors, access: decides, method: 'POST', limits: ACT } as const;
  return [
    route({
      ...{ ...common, path: '/api/models/:id/promote', audit: event('model.promote') },
      input: { params: byId, query: none, body: emptyBody },
      output: wire.promoteReply,
      async handle({ actor, params }) {
        const { audited, ...body } = await promote(deps, actor, modelId(params.id));
        await deps.inForce.reload();
        return { status: 'activationId' in body ? 202 : 200, body, audited };
      },
    }),
    route({
      ...{ ...common, path: '/api/models/roll-back', audit: event('model.roll-back') },
      input: { params: none, query: none, body: emptyBody },
      output: wire.rollBackReply,
      async handle({ actor }) {
        const { audited, activationId } = await rollBack(deps, actor);
        await deps.inForce.reload();
        return { status: 202, body: { activationId }, audited };
      },
    }),
    route({
      ...{ ...common, path: '/api/models/re-link', audit: event('model.re-link') },
      input: { params: none, query: none, body: emptyBody },
      output: wire.rollBackReply,
      async handle({ actor }) {
        const { audited, activationId } = await relinkAgain(deps, actor);
        return { status: 202, body: { activationId }, audited };
      },
    }),
    route({
      ...{ ...common, limits: BARE, path: '/api/models/re-link/:id/cancel', audit: event('model.re-link-cancel') },
      input: { params: byId, query: none, body: 'none' },
      output: none,
      async handle({ actor, params }) {
        const id = parseId<ActivationId>(params.id);
        if (!id) throw modelNotFound();
        return { status: 200, body: {}, audited: await cancelRelink(deps, actor, id) };
      },
    }),
  ];
}

function shadowRoutes(deps: ModelRoutesDeps): RouteDeclaration[] {
  const audited = recorder(deps);
  return [
    route({
      ...{ doors, access: looks, method: 'GET', path: '/api/models/shadow', audit: event('model.report') },
      input: { params: none, query: none, body: 'none' },
      output: wire.shadowReply,
      limits: READ,
      async handle({ actor }) {
        const body = await deps.shadow.read();
        const detail = { kind: 'shadow' };
        return { status: 200, body, audited: await audited(actor, { event: 'model.report', action: 'R', detail }) };
      },
    }),
    route({
      ...{ doors, access: decides, method: 'PUT', path: '/api/models/shadow', audit: event('model.shadow') },
      input: { params: none, query: none, body: wire.shadowRequest },
      output: wire.shadowReply,
      limits: ACT,
      async handle({ actor, body }) {
        const receipt = await deps.shadow.set(actor, body.modelId === null ? undefined : modelId(body.modelId));
        await deps.inForce.reload();
        return { status: 200, body: await deps.shadow.read(), audited: receipt };
      },
    }),
    route({
      ...{
        doors,
        access: works,
        method: 'GET',
        path: '/api/models/shadow/examples/:id',
        audit: event('model.example'),
      },
      input: { params: byId, query: none, body: 'none' },
      output: wire.exampleReply,
      limits: READ,
      async handle({ actor, params }) {
        const id = parseId<StudyId>(params.id);
        const found = id && (await deps.shadow.example(id));
        const [a, b] = [parseId<ResourceId>(found?.a), parseId<ResourceId>(found?.b)];
        const pair = a && b && (await deps.registry.pair(a, b));
        if (!pair) throw exampleNotFound();
        const patients = [...new Set([pair.a.clientId, pair.b.clientId])].map((one) => `Patient/${one}`);
        const body = { pair: { ...pair, comparison: [...pair.comparison] } };
        return { status: 200, body, audited: await audited(actor, { event: 'model.example', action: 'R', patients }) };
      },
    }),
  ];
}
