import { parseId, type UserId } from '../../kernel/ids.ts';
import { instant } from '../../kernel/time.ts';
import {
  event,
  noneBecause,
  permission,
  type RouteDeclaration,
  route,
  signedInBecause,
} from '../../platform/http/route.ts';
import type { IdentityParts } from './compose.ts';
import { userUnknown } from './errors.ts';
import type { Notices } from './notices.ts';
import { browserUser, type OwnFactors } from './own-factors.ts';
import { isBuiltIn } from './rights.ts';
import { answer, NOTHING, SMALL_BODY_BYTES } from './route-parts.ts';
import { userEntity } from './sign-in.ts';
import { importUsers } from './user-import.ts';
import type { Users } from './users.ts';
import * as wire from './wire.ts';
import { FactorsAnswer } from './wire-factors.ts';
import * as policies from './wire-policy.ts';

const READ = { bodyBytesMax: 0, perMinute: 60 };

export interface PeopleRoutesDeps {
  readonly parts: IdentityParts;
  readonly users: Users;
  readonly factors: OwnFactors;
  readonly notices: Notices;
}

/** What administrators see and do of other people's sign-in, and the notices everybody reads. */
export function peopleRoutes(deps: PeopleRoutesDeps): RouteDeclaration[] {
  return [...lookRoutes(deps), importRoute(deps), ...noticeRoutes(deps), ...noticeAdminRoutes(deps)];
}

function lookRoutes({ parts, users, factors }: PeopleRoutesDeps): RouteDeclaration[] {
  const declaration = {
    doors: ['users'],
    method: 'GET',
    access: permission('user.manage'),
    input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
    limits: READ,
  } as const;
  return [
    route({
      ...declaration,
      path: '/api/users/:id/factors',
      audit: event('factor.list'),
      output: FactorsAnswer,
      async handle({ actor, params }) {
        const { id } = await users.visible(actor, userId(params.id));
        const entities = [userEntity(id)];
        const audited = await parts.audit.recordNow([
          { actor, event: 'factor.list', action: 'R', outcome: 'success', entities },
        ]);
        return answer(await factors.list(id), audited);
      },
    }),
    route({
      ...declaration,
      path: '/api/users/:id/sessions',
      audit: event('user.sessions'),
      output: policies.UserSessionsAnswer,
      async handle({ actor, params }) {
        const { id } = await users.visible(actor, userId(params.id));
        const entities = [userEntity(id)];
        const audited = await parts.audit.recordNow([
          { actor, event: 'user.sessions', action: 'R', outcome: 'success', entities },
        ]);
        const sessions = (await parts.sessions.ofUser(id)).map((session) => ({
          id: session.id,
          method: session.method,
          startedAt: instant(session.startedMs),
          lastSeenAt: instant(session.lastSeenMs),
          ...(session.address === undefined ? {} : { address: session.address }),
          ...(session.userAgent === undefined ? {} : { userAgent: session.userAgent }),
        }));
        return answer({ sessions }, audited);
      },
    }),
  ];
}

function importRoute({ parts, users }: PeopleRoutesDeps): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'POST',
    path: '/api/users/import',
    access: permission('user.manage', { stepUp: true }),
    audit: event('user.import'),
    input: { ...NOTHING, body: policies.UserImportRequest },
    output: policies.UserImportAnswer,
    limits: { bodyBytesMax: 1_200_000, perMinute: 10 },
    async handle({ actor, body, baseUrl }) {
      const isRole = (text: string): boolean => isBuiltIn(text) || parseId(text) !== undefined;
      const done = await importUsers({ users, audit: parts.audit, isRole }, { actor, ...body, baseUrl });
      return answer(done.body, done.audited);
    },
  });
}

function noticeRoutes({ parts, notices }: PeopleRoutesDeps): RouteDeclaration[] {
  const access = signedInBecause('Everybody reads what is meant for them');
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/notices/pending',
      access,
      audit: noneBecause('Tells people what they have still to read; reading it is recorded when they acknowledge it'),
      input: { ...NOTHING, body: 'none' },
      output: policies.PendingNoticesAnswer,
      limits: { bodyBytesMax: 0, perMinute: 120 },
      handle: async ({ actor }) =>
        answer({ notices: await notices.pending(parts.database, browserUser(actor).userId) }, null),
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/notices/:id/acknowledge',
      access,
      audit: event('notice.acknowledge'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
      output: 'none',
      limits: READ,
      handle: async ({ actor, params }) => ({ status: 204, audited: await notices.acknowledge(actor, params.id) }),
    }),
  ];
}

function noticeAdminRoutes({ notices }: PeopleRoutesDeps): RouteDeclaration[] {
  const access = permission('settings.manage');
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/notices',
      access,
      audit: event('notice.list'),
      input: { params: NOTHING.params, query: policies.NoticesQuery, body: 'none' },
      output: policies.NoticesAnswer,
      limits: READ,
      async handle({ actor, query }) {
        const { body, audited } = await notices.list(actor, query);
        return answer(body, audited);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/notices',
      access,
      audit: event('notice.add'),
      input: { ...NOTHING, body: policies.NoticeRequest },
      output: 'none',
      limits: { bodyBytesMax: 2 * SMALL_BODY_BYTES, perMinute: 30 },
      handle: async ({ actor, body }) => ({ status: 204, audited: await notices.publish(actor, body) }),
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/notices/:id',
      access,
      audit: event('notice.withdraw'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
      output: 'none',
      limits: READ,
      handle: async ({ actor, params }) => ({ status: 204, audited: await notices.withdraw(actor, params.id) }),
    }),
  ];
}

function userId(text: string): UserId {
  const id = parseId<UserId>(text);
  if (id === undefined) throw userUnknown();
  return id;
}
