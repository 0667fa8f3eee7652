import { z } from 'zod';
import {
  event,
  noneBecause,
  permission,
  type RouteDeclaration,
  type RouteLimits,
  route,
} from '../../platform/http/route.ts';
import type { Actor } from '../../kernel/principal.ts';
import { EVENTS } from './events.ts';
import type { LogExport } from './export.ts';
import type { LogReader } from './log-reader.ts';
import type { Recorder } from './recorder.ts';
import { clientId } from './sealed-event.ts';
import {
  AuditEventParams,
  AuditEventReply,
  AuditListQuery,
  AuditListReply,
  AuditNamesReply,
  AuditStatusReply,
} from './wire.ts';

const limits = (perMinute: number): RouteLimits => ({ bodyBytesMax: 0, perMinute });
const NOTHING = z.strictObject({});
const access = permission('audit.read');
/** What is about every organisation at once: for auditors of all of them. Those of one see what its people and systems did. */
const wholeLog = permission('audit.read', { everywhere: true });
const NAMES = Object.entries(EVENTS).map(([name, { title }]) => ({ event: name, title }));

/** The log for people who may read it, and the tree for machines that check it. */
export function auditRoutes(parts: Parts): RouteDeclaration[] {
  return [...eventRoutes(parts), exportRoute(parts), ...treeRoutes(parts.reader)];
}

interface Parts {
  readonly reader: LogReader;
  readonly recorder: Recorder;
  readonly exported: LogExport;
  /** Ids of the only ones whose acts this one may see; undefined: everybody's. */
  readonly within: (actor: Actor) => Promise<readonly string[] | undefined>;
}

/** One event with its proof, as a file for somebody outside. */
function exportRoute({ recorder, exported, within }: Parts): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'GET',
    access,
    path: '/api/audit/events/:id/export',
    audit: event('audit.export'),
    input: { params: AuditEventParams, query: NOTHING, body: 'none' },
    output: 'bytes',
    limits: limits(60),
    async handle({ actor, params }) {
      const text = await exported.event(params.id, await within(actor));
      const entities = [{ reference: `AuditEvent/${params.id}` }];
      const audited = await recorder.recordNow([
        { actor, event: 'audit.export', action: 'R', outcome: 'success', entities },
      ]);
      return {
        status: 200,
        headers: { 'content-disposition': `attachment; filename="audit-event-${params.id}.json"` },
        body: new TextEncoder().encode(text),
        contentType: 'application/json',
        audited,
      };
    },
  });
}

function eventRoutes({ reader, recorder, within }: Parts): RouteDeclaration[] {
  const shared = { doors: ['users'], method: 'GET', access } as const;
  return [
    route({
      ...shared,
      path: '/api/audit/events',
      audit: event('audit.list'),
      input: { params: NOTHING, query: AuditListQuery, body: 'none' },
      output: AuditListReply,
      limits: limits(240),
      async handle({ actor, query, url }) {
        const body = await reader.list(query, await within(actor));
        const audited = await recorder.recordNow([
          {
            actor,
            event: 'audit.list',
            action: 'E',
            outcome: 'success',
            query: `GET ${url}`,
            ...(query.client === undefined ? {} : { patients: [`Patient/${clientId(query.client)}`] }),
          },
        ]);
        return { status: 200, body, audited };
      },
    }),
    route({
      ...shared,
      path: '/api/audit/events/:id',
      audit: event('audit.read'),
      input: { params: AuditEventParams, query: NOTHING, body: 'none' },
      output: AuditEventReply,
      limits: limits(240),
      async handle({ actor, params }) {
        const body = await reader.one(params.id, await within(actor));
        const audited = await recorder.recordNow([
          {
            actor,
            event: 'audit.read',
            action: 'R',
            outcome: 'success',
            entities: [{ reference: `AuditEvent/${params.id}`, role: 'security-resource' }],
          },
        ]);
        return { status: 200, body, audited };
      },
    }),
    route({
      ...shared,
      path: '/api/audit/names',
      audit: noneBecause('A constant list of the kinds of events there are'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: AuditNamesReply,
      limits: limits(240),
      handle: () => Promise.resolve({ status: 200, body: { names: NAMES }, audited: null }),
    }),
    route({
      ...shared,
      path: '/api/audit/status',
      audit: noneBecause('Size and signed head of the tree; tells nothing of any event'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: AuditStatusReply,
      limits: limits(240),
      handle: async () => ({ status: 200, body: await reader.status(), audited: null }),
    }),
  ];
}

const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';
const COMMITMENTS = noneBecause('Commitments and hashes that name nobody; monitors fetch them over and over');

/** C2SP tlog-tiles under `/audit/log/`. */
function treeRoutes(reader: LogReader): RouteDeclaration[] {
  const shared = { doors: ['users'], method: 'GET', access: wholeLog, output: 'bytes' } as const;
  return [
    route({
      ...shared,
      path: '/audit/log/checkpoint',
      audit: COMMITMENTS,
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      limits: limits(600),
      async handle() {
        const body = new TextEncoder().encode(await reader.checkpoint());
        return { status: 200, body, contentType: TEXT, audited: null };
      },
    }),
    route({
      ...shared,
      path: '/audit/log/witnessed',
      audit: COMMITMENTS,
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      limits: limits(600),
      async handle() {
        const body = new TextEncoder().encode(await reader.witnessed());
        return { status: 200, body, contentType: TEXT, audited: null };
      },
    }),
    route({
      ...shared,
      path: '/audit/log/tile/*',
      audit: COMMITMENTS,
      input: { params: z.object({ '*': z.string().max(100) }), query: NOTHING, body: 'none' },
      limits: limits(6_000),
      async handle({ params }) {
        const body = await reader.tile(`tile/${params['*']}`);
        return { status: 200, body, contentType: BYTES, audited: null };
      },
    }),
  ];
}
