import { z } from 'zod';
import type { Actor } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import { event, permission, type RouteDeclaration, type RouteLimits, route } from '../../platform/http/route.ts';
import type { Audit } from '../audit/index.ts';
import { makeClientFile } from './client-files.ts';
import type { ClientViews } from './client-views.ts';
import { clientUnknown } from './errors.ts';
import { FILE_TYPES } from './routes.ts';
import {
  AccessesQuery,
  ClientFileQuery,
  ClientParams,
  DisclosuresQuery,
  DisclosuresReply,
  OwnViewReply,
  ReportReply,
  Recorded,
  RecordDisclosure,
} from './wire.ts';

export interface ClientRoutesDeps {
  readonly audit: Pick<Audit, 'recordNow' | 'status'>;
  readonly views: ClientViews;
  /** Whether the client, or source record, is there for somebody. */
  readonly sees: (actor: Actor, clientId: string) => Promise<boolean>;
  readonly nowMs: () => number;
}

const NOTHING = z.strictObject({});
const limits = (perMinute: number, bodyBytesMax = 0): RouteLimits => ({ bodyBytesMax, perMinute });
const BODY = 8_192;
/** What a page tells that a person did with what it shows. */
const HANDLED = [
  ['copied', 'client.copy'],
  ['printed', 'client.print'],
  ['saved', 'client.export'],
] as const;

/** What the log says about one client, and what is added to it there. */
export function clientRoutes(deps: ClientRoutesDeps): RouteDeclaration[] {
  return [...viewRoutes(deps), fileRoute(deps), ...actRoutes(deps)];
}

function viewRoutes({ audit, views }: ClientRoutesDeps): RouteDeclaration[] {
  const shared = {
    doors: ['users'],
    method: 'GET',
    access: permission('audit.read'),
    audit: event('audit.client'),
  } as const;
  return [
    route({
      ...shared,
      path: '/api/clients/:id/accesses',
      input: { params: ClientParams, query: AccessesQuery, body: 'none' },
      output: ReportReply,
      limits: limits(240),
      async handle({ actor, params: { id }, query }) {
        const body = await views.accesses(actor, id, query.cursor);
        return { status: 200, body, audited: await audit.recordNow([looked(actor, id, 'accesses')]) };
      },
    }),
    route({
      ...shared,
      path: '/api/clients/:id/disclosures',
      input: { params: ClientParams, query: DisclosuresQuery, body: 'none' },
      output: DisclosuresReply,
      limits: limits(60),
      async handle({ actor, params: { id }, query }) {
        const body = await views.disclosures(actor, id, query.years);
        return { status: 200, body, audited: await audit.recordNow([looked(actor, id, 'disclosures')]) };
      },
    }),
    route({
      ...shared,
      path: '/api/clients/:id/own-view',
      input: { params: ClientParams, query: DisclosuresQuery, body: 'none' },
      output: OwnViewReply,
      limits: limits(60),
      async handle({ actor, params: { id }, query }) {
        const body = await views.ownView(actor, id, query.years);
        return { status: 200, body, audited: await audit.recordNow([looked(actor, id, 'own-view')]) };
      },
    }),
  ];
}

function fileRoute({ audit, views, nowMs }: ClientRoutesDeps): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: '/api/clients/:id/files',
    access: permission('audit.read'),
    audit: event('client.own-view'),
    input: { params: ClientParams, query: NOTHING, body: ClientFileQuery },
    output: 'bytes',
    limits: limits(20, BODY),
    async handle({ actor, params: { id }, body: asked }) {
      const body = await makeClientFile({ audit, views, nowMs, actor }, id, asked);
      const audited = await audit.recordNow([
        {
          actor,
          event: 'client.own-view',
          action: 'R',
          outcome: 'success',
          patients: [`Patient/${id}`],
          detail: { kind: asked.kind, format: asked.format },
        },
      ]);
      return {
        status: 200,
        body,
        contentType: FILE_TYPES[asked.format],
        headers: { 'content-disposition': `attachment; filename="careseal-${asked.kind}.${asked.format}"` },
        audited,
      };
    },
  });
}

function looked(actor: Parameters<Audit['recordNow']>[0][number]['actor'], id: string, what: string) {
  return {
    actor,
    event: 'audit.client',
    action: 'E',
    outcome: 'success',
    patients: [`Patient/${id}`],
    detail: { what },
  } as const;
}

function actRoutes(deps: ClientRoutesDeps): RouteDeclaration[] {
  const { audit, nowMs } = deps;
  const shared = { doors: ['users'], method: 'POST', access: permission('client.read') } as const;
  return [
    route({
      ...shared,
      path: '/api/clients/:id/disclosures',
      audit: event('client.disclose'),
      input: { params: ClientParams, query: NOTHING, body: RecordDisclosure },
      output: Recorded,
      limits: limits(60, BODY),
      async handle({ actor, params: { id }, body: { to, what, why, on } }) {
        await assertSees(deps, actor, id);
        const audited = await audit.recordNow([
          {
            actor,
            event: 'client.disclose',
            action: 'R',
            outcome: 'success',
            patients: [`Patient/${id}`],
            reason: why,
            detail: { to, what, on: on ?? instant(nowMs()).slice(0, 10) },
          },
        ]);
        return { status: 201, body: { recorded: true as const }, audited };
      },
    }),
    ...HANDLED.map(([path, name]) => handled(deps, path, name)),
  ];
}

/** What is put on a client's record says that somebody had it before them: who does not reach it cannot have. */
async function assertSees({ sees }: ClientRoutesDeps, actor: Actor, id: string): Promise<void> {
  if (!(await sees(actor, id))) throw clientUnknown();
}

function handled(
  deps: ClientRoutesDeps,
  path: (typeof HANDLED)[number][0],
  name: (typeof HANDLED)[number][1],
): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: `/api/clients/:id/${path}`,
    access: permission('client.read'),
    audit: event(name),
    input: { params: ClientParams, query: NOTHING, body: 'none' },
    output: 'none',
    limits: limits(240),
    async handle({ actor, params: { id } }) {
      await assertSees(deps, actor, id);
      const audited = await deps.audit.recordNow([
        { actor, event: name, action: 'R', outcome: 'success', patients: [`Patient/${id}`] },
      ]);
      return { status: 204, audited };
    },
  });
}
