import type { z } from 'zod';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import { parseId } from '../../kernel/ids.ts';
import { instant } from '../../kernel/time.ts';
import { event, permission, type RouteDeclaration, type RouteReply, route } from '../../platform/http/route.ts';
import { organisationUnknown, userUnknown } from './errors.ts';
import type { User } from './model.ts';
import type { ChangeUser } from './user-acts.ts';
import type { ListedUser, UserListQuery, UserOutcome, UserPage, Users } from './users.ts';
import * as wire from './wire.ts';

const ACTS = [
  'disable',
  'enable',
  'retire',
  'sessions-end',
  'reset',
  'reset-factor',
  'invite-again',
  'link-identity',
] as const;
const LINK_ACTS: readonly string[] = ['reset', 'reset-factor', 'invite-again', 'link-identity'];

/** Administrators' management of users. */
export function userRoutes(users: Users): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/users',
      access: permission('user.read'),
      audit: event('user.list'),
      input: { params: wire.NoParams, query: wire.UsersQuery, body: 'none' },
      output: wire.UsersAnswer,
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor, query }) {
        return usersReply(await users.list(actor, listQuery(query)));
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/users/search',
      access: permission('user.read'),
      audit: event('user.list'),
      input: { params: wire.NoParams, query: wire.NoQuery, body: wire.UsersSearchRequest },
      output: wire.UsersAnswer,
      limits: { bodyBytesMax: 2_048, perMinute: 240 },
      handle: async ({ actor, body }) => usersReply(await users.list(actor, { ...listQuery(body), text: body.text })),
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/users',
      access: permission('user.manage', { stepUp: true }),
      audit: event('user.add'),
      input: { params: wire.NoParams, query: wire.NoQuery, body: wire.UserAddRequest },
      output: wire.UserLinkAnswer,
      limits: { bodyBytesMax: 8_192, perMinute: 60 },
      async handle({ actor, body, baseUrl }) {
        const { organisationId, ...person } = body;
        const place = organisationId === undefined ? {} : { organisationId: organisationOf(organisationId) };
        return withLink(await users.add(actor, { ...person, ...place }, baseUrl), 201);
      },
    }),
    oneUserRoute(users),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/users/:id/roles',
      access: permission('user.manage', { stepUp: true }),
      audit: event('user.roles'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: wire.RolesRequest },
      output: wire.UserAnswer,
      limits: { bodyBytesMax: 8_192, perMinute: 60 },
      async handle({ actor, params, body, baseUrl }) {
        const place = body.organisationId === undefined ? {} : { organisationId: organisationOf(body.organisationId) };
        const act: ChangeUser = { kind: 'roles', roles: body.roles, ...place };
        return plain(await users.change(actor, userId(params.id), act, baseUrl));
      },
    }),
    ...membershipRoutes(users),
    ...ACTS.map((kind) => actRoute(users, kind)),
  ];
}

/** Joining and leaving organisations. */
function membershipRoutes(users: Users): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/users/:id/memberships',
      access: permission('user.manage', { stepUp: true }),
      audit: event('user.join'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: wire.MembershipRequest },
      output: wire.UserAnswer,
      limits: { bodyBytesMax: 8_192, perMinute: 60 },
      async handle({ actor, params, body, baseUrl }) {
        const organisationId = organisationOf(body.organisationId);
        const act: ChangeUser = { kind: 'join', organisationId, roles: body.roles };
        return plain(await users.change(actor, userId(params.id), act, baseUrl));
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/users/:id/memberships/:organisation',
      access: permission('user.manage', { stepUp: true }),
      audit: event('user.leave'),
      input: { params: wire.MembershipParams, query: wire.NoQuery, body: 'none' },
      output: wire.UserAnswer,
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor, params, baseUrl }) {
        const act: ChangeUser = { kind: 'leave', organisationId: organisationOf(params.organisation) };
        return plain(await users.change(actor, userId(params.id), act, baseUrl));
      },
    }),
  ];
}

function oneUserRoute(users: Users): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'GET',
    path: '/api/users/:id',
    access: permission('user.read'),
    audit: event('user.list'),
    input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
    output: wire.UserAnswer,
    limits: { bodyBytesMax: 0, perMinute: 240 },
    handle: async ({ actor, params }) => plain(await users.find(actor, userId(params.id))),
  });
}

function actRoute(users: Users, kind: (typeof ACTS)[number]): RouteDeclaration {
  const givesLink = LINK_ACTS.includes(kind);
  // Ending access must never wait for a proof; giving it must.
  const ends = kind === 'disable' || kind === 'sessions-end';
  const declaration = {
    doors: ['users'],
    method: 'POST',
    path: `/api/users/:id/${kind}`,
    access: permission('user.manage', ends ? {} : { stepUp: true }),
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

/** A user as pages and the command line show them: of memberships, those whose organisation's name is known to who asks. */
export function userEntry(user: User, names: ReadonlyMap<OrganisationId, string>): wire.UserEntry {
  const memberships = user.memberships.flatMap(({ organisationId, central, roles }) => {
    const name = names.get(organisationId);
    return name === undefined
      ? []
      : [
          {
            organisation: { id: organisationId, name },
            roles: roles.map((role) => role.id),
            central,
          },
        ];
  });
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    roles: memberships[0]?.roles ?? [],
    memberships,
    elsewhere: memberships.length < user.memberships.length,
    state: user.state,
    secondFactor: user.secondFactor,
    ...(user.lastSignInMs === undefined ? {} : { lastSignInAt: instant(user.lastSignInMs) }),
  };
}

/** The answer of acts that give out a link. */
export function userLinkAnswer({ user, organisations, link, mailed }: UserOutcome): wire.UserLinkAnswer {
  if (link === undefined) throw new Error('This act gives out a link');
  return { user: userEntry(user, organisations), link: link.url, expiresAt: instant(link.expiresMs), mailed };
}

function withLink(outcome: UserOutcome, status: number): RouteReply<wire.UserLinkAnswer> {
  return { status, body: userLinkAnswer(outcome), audited: outcome.audited };
}

function plain({ user, organisations, audited }: ListedUser): RouteReply<wire.UserAnswer> {
  return { status: 200, body: { user: userEntry(user, organisations) }, audited };
}

/** zod takes upper-case UUIDs, our ids are lower case: anything else is nobody's. */
export function userId(text: string): UserId {
  const id = parseId<UserId>(text);
  if (id === undefined) throw userUnknown();
  return id;
}

export function organisationOf(text: string): OrganisationId {
  const id = parseId<OrganisationId>(text);
  if (id === undefined) throw organisationUnknown();
  return id;
}

function listQuery(asked: z.output<typeof wire.UsersQuery>): UserListQuery {
  const { state, organisation, after, limit } = asked;
  return {
    state,
    limit,
    ...(organisation === undefined ? {} : { organisationId: organisationOf(organisation) }),
    ...(after === undefined ? {} : { after: userId(after) }),
  };
}

function usersReply({ users, total, next, organisations, audited }: UserPage): RouteReply<wire.UsersAnswer> {
  const body = { users: users.map((user) => userEntry(user, organisations)), total, ...(next ? { next } : {}) };
  return { status: 200, body, audited };
}
