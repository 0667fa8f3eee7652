import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Actor } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import type { Database } from '../../platform/db/index.ts';
import {
  event,
  noneBecause,
  permission,
  type RouteDeclaration,
  type RouteLimits,
  route,
} from '../../platform/http/route.ts';
import type { Audit, AuditInput } from '../audit/index.ts';
import type { Activity } from './activity.ts';
import type { SavedSearches } from './saved-searches.ts';
import type { Members, UserActions } from './user-actions.ts';
import {
  ActivityQuery,
  ActivityReply,
  ActorsReply,
  OrganisationsReply,
  ReportFileQuery,
  ReportQuery,
  ReportReply,
  SavedParams,
  SavedReply,
  SavedSearch,
  SaveSearch,
} from './wire.ts';

export interface ReportRoutesDeps {
  readonly database: Database;
  readonly audit: Pick<Audit, 'record' | 'recordNow'>;
  readonly activity: Activity;
  readonly actions: UserActions;
  readonly saved: SavedSearches;
  readonly members: Members;
  readonly organisations: () => Promise<readonly { readonly id: string; readonly name: string }[]>;
}

const NOTHING = z.strictObject({});
const access = permission('audit.read');
const limits = (perMinute: number, bodyBytesMax = 0): RouteLimits => ({ bodyBytesMax, perMinute });
const BODY = 16_384;

export const FILE_TYPES = { csv: 'text/csv; charset=utf-8', pdf: 'application/pdf' } as const;

/** The use of the log, told with what was asked: it is itself a search over people. */
function used(actor: Actor, name: AuditInput['event'], asked: unknown, client?: string): AuditInput {
  return {
    actor,
    event: name,
    action: 'E',
    outcome: 'success',
    query: JSON.stringify(asked),
    ...(client === undefined ? {} : { patients: [`Patient/${client.replace(/^Patient\//, '')}`] }),
  };
}

export function reportRoutes(deps: ReportRoutesDeps): RouteDeclaration[] {
  return [...activityRoutes(deps), ...actionRoutes(deps), ...savedRoutes(deps)];
}

function activityRoutes({ audit, activity, members, organisations }: ReportRoutesDeps): RouteDeclaration[] {
  const shared = { doors: ['users'], method: 'GET', access } as const;
  return [
    route({
      ...shared,
      path: '/api/audit/activity',
      audit: event('audit.activity'),
      input: { params: NOTHING, query: ActivityQuery, body: 'none' },
      output: ActivityReply,
      limits: limits(120),
      async handle({ actor, query }) {
        const body = await activity.read(query, await members.within(actor));
        return { status: 200, body, audited: await audit.recordNow([used(actor, 'audit.activity', query)]) };
      },
    }),
    route({
      ...shared,
      path: '/api/audit/actors',
      audit: event('audit.activity'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: ActorsReply,
      limits: limits(120),
      async handle({ actor }) {
        const body = await activity.actors(await members.within(actor));
        return { status: 200, body, audited: await audit.recordNow([used(actor, 'audit.activity', 'actors')]) };
      },
    }),
    route({
      ...shared,
      path: '/api/audit/organisations',
      audit: noneBecause('Names of organisations are no personal data'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: OrganisationsReply,
      limits: limits(120),
      async handle({ actor }) {
        const reach = reachOf(actor.principal, 'audit.read');
        const all = await organisations();
        const shown = reach === 'all' ? all : all.filter(({ id }) => (reach as readonly string[]).includes(id));
        return { status: 200, body: { organisations: [...shown] }, audited: null };
      },
    }),
  ];
}

function actionRoutes({ audit, actions }: ReportRoutesDeps): RouteDeclaration[] {
  // POST: what is asked may name a client, and addresses end up in histories.
  const shared = { doors: ['users'], method: 'POST', access } as const;
  return [
    route({
      ...shared,
      path: '/api/audit/report',
      audit: event('audit.report'),
      input: { params: NOTHING, query: NOTHING, body: ReportQuery },
      output: ReportReply,
      limits: limits(240, BODY),
      async handle({ actor, body: query }) {
        const body = await actions.page(actor, query);
        return {
          status: 200,
          body,
          audited: await audit.recordNow([used(actor, 'audit.report', query, query.client)]),
        };
      },
    }),
    route({
      ...shared,
      path: '/api/audit/report/file',
      audit: event('audit.export'),
      input: { params: NOTHING, query: NOTHING, body: ReportFileQuery },
      output: 'bytes',
      limits: limits(20, BODY),
      async handle({ actor, body: query }) {
        const { bytes } = await actions.file(actor, query);
        const audited = await audit.recordNow([used(actor, 'audit.export', query, query.client)]);
        return {
          status: 200,
          body: bytes instanceof Uint8Array ? bytes : Readable.from(bytes, { objectMode: false }),
          contentType: FILE_TYPES[query.format],
          headers: { 'content-disposition': `attachment; filename="careseal-user-actions.${query.format}"` },
          audited,
        };
      },
    }),
  ];
}

/** Of people only: a system keeps its own searches. */
const userIdOf = ({ principal }: Actor): string => (principal.kind === 'user' ? principal.userId : NOBODY);
const NOBODY = '00000000-0000-0000-0000-000000000000';

function savedRoutes({ audit, database, saved }: ReportRoutesDeps): RouteDeclaration[] {
  const shared = { doors: ['users'], access, audit: event('audit.saved') } as const;
  const told = (actor: Actor, action: AuditInput['action'], id?: string): AuditInput => ({
    actor,
    event: 'audit.saved',
    action,
    outcome: 'success',
    ...(id === undefined ? {} : { entities: [{ reference: `Search/${id}`, role: 'query' }] }),
  });
  return [
    route({
      ...shared,
      method: 'GET',
      path: '/api/audit/searches',
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: SavedReply,
      limits: limits(120),
      async handle({ actor }) {
        const searches = await saved.list(database, userIdOf(actor));
        return { status: 200, body: { searches }, audited: await audit.recordNow([told(actor, 'R')]) };
      },
    }),
    route({
      ...shared,
      method: 'POST',
      path: '/api/audit/searches',
      input: { params: NOTHING, query: NOTHING, body: SaveSearch },
      output: SavedSearch,
      limits: limits(60, BODY),
      async handle({ actor, body }) {
        return await database.transaction(async (tx) => {
          const id = await saved.save(tx, userIdOf(actor), body);
          return { status: 201, body: { id, ...body }, audited: await audit.record(tx, [told(actor, 'C', id)]) };
        });
      },
    }),
    route({
      ...shared,
      method: 'DELETE',
      path: '/api/audit/searches/:id',
      input: { params: SavedParams, query: NOTHING, body: 'none' },
      output: 'none',
      limits: limits(60),
      async handle({ actor, params }) {
        return await database.transaction(async (tx) => {
          await saved.remove(tx, userIdOf(actor), params.id);
          return { status: 204, audited: await audit.record(tx, [told(actor, 'D', params.id)]) };
        });
      },
    }),
  ];
}
