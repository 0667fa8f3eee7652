import type { UserId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import { instant } from '../../kernel/time.ts';
import { event, permission, type RouteDeclaration, type RouteReply, route } from '../../platform/http/route.ts';
import { userUnknown } from './errors.ts';
import type { User } from './model.ts';
import type { ChangeUser } from './user-acts.ts';
import type { UserOutcome, Users } from './users.ts';
import * as wire from './wire.ts';

const ACTS: readonly Exclude<ChangeUser, { kind: 'roles' }>['kind'][] = ['disable', 'enable', 'reset', 'invite-again'];

/** Administrators' management of users. */
export function userRoutes(users: Users): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/users',
      access: permission('user.read'),
      audit: event('user.list'),
      input: { params: wire.NoParams, query: wire.NoQuery, body: 'none' },
      output: wire.UsersAnswer,
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor }) {
        const { users: listed, audited } = await users.list(actor);
        return { status: 200, body: { users: listed.map(userEntry) }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/users',
      access: permission('user.manage'),
      audit: event('user.add'),
      input: { params: wire.NoParams, query: wire.NoQuery, body: wire.UserAddRequest },
      output: wire.UserLinkAnswer,
      limits: { bodyBytesMax: 8_192, perMinute: 60 },
      handle: async ({ actor, body, baseUrl }) => withLink(await users.add(actor, body, baseUrl), 201),
    }),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/users/:id/roles',
      access: permission('user.manage'),
      audit: event('user.roles'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: wire.RolesRequest },
      output: wire.UserAnswer,
      limits: { bodyBytesMax: 8_192, perMinute: 60 },
      async handle({ actor, params, body, baseUrl }) {
        const act: ChangeUser = { kind: 'roles', roles: body.roles };
        return plain(await users.change(actor, userId(params.id), act, baseUrl));
      },
    }),
    ...ACTS.map((kind) => actRoute(users, kind)),
  ];
}

function actRoute(users: Users, kind: (typeof ACTS)[number]): RouteDeclaration {
  const givesLink = kind === 'reset' || kind === 'invite-again';
  const declaration = {
    doors: ['users'],
    method: 'POST',
    path: `/api/users/:id/${kind}`,
    access: permission('user.manage'),
    audit: event(`user.${kind}`),
    input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
    limits: { bodyBytesMax: 0, perMinute: 60 },
  } as const;
  if (givesLink) {
    return route({
      ...declaration,
      output: wire.UserLinkAnswer,
      handle: async ({ actor, params, baseUrl }) =>
        withLink(await users.change(actor, userId(params.id), { kind }, baseUrl), 200),
    });
  }
  return route({
    ...declaration,
    output: wire.UserAnswer,
    handle: async ({ actor, params, baseUrl }) =>
      plain(await users.change(actor, userId(params.id), { kind }, baseUrl)),
  });
}

/** A user as pages and the command line show them. */
export function userEntry(user: User): wire.UserEntry {
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    roles: [...user.roles],
    state: user.state,
    secondFactor: user.secondFactor,
    ...(user.lastSignInMs === undefined ? {} : { lastSignInAt: instant(user.lastSignInMs) }),
  };
}

/** The answer of acts that give out a link. */
export function userLinkAnswer({ user, link }: UserOutcome): wire.UserLinkAnswer {
  if (link === undefined) throw new Error('This act gives out a link');
  return { user: userEntry(user), link: link.url, expiresAt: instant(link.expiresMs) };
}

function withLink(outcome: UserOutcome, status: number): RouteReply<wire.UserLinkAnswer> {
  return { status, body: userLinkAnswer(outcome), audited: outcome.audited };
}

function plain({ user, audited }: UserOutcome): RouteReply<wire.UserAnswer> {
  return { status: 200, body: { user: userEntry(user) }, audited };
}

/** zod takes upper-case UUIDs, our ids are lower case: anything else is nobody's. */
function userId(text: string): UserId {
  const id = parseId<UserId>(text);
  if (id === undefined) throw userUnknown();
  return id;
}
