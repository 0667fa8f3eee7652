import { parseId, type UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { event, permission, type RouteDeclaration, route, signedInBecause } from '../../platform/http/route.ts';
import type { Emergencies, EmergencyId } from './emergencies.ts';
import { emergencyUnknown, tokenUnknown, userUnknown } from './errors.ts';
import type { OwnAccount } from './own-account.ts';
import type { PersonalTokens, TokenId } from './personal-tokens.ts';
import { NOTHING, SMALL_BODY_BYTES } from './route-parts.ts';
import { organisationOf } from './user-routes.ts';
import * as wire from './wire-organisations.ts';
import type { Users } from './users.ts';
import { IdParams, NoQuery, TokenOfUserParams } from './wire.ts';

/** Breaking the glass, mending it, and looking at it afterwards. */
export function emergencyRoutes(emergencies: Emergencies): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/emergency',
      access: permission('client.break-glass'),
      audit: event('emergency.start'),
      input: { ...NOTHING, body: wire.EmergencyRequest },
      output: wire.EmergencyAnswer,
      limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 10 },
      async handle({ actor, body }) {
        const { audited, ...answer } = await emergencies.start(actor, body);
        return { status: 201, body: answer, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/emergency',
      access: permission('client.break-glass'),
      audit: event('emergency.end'),
      input: { ...NOTHING, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      handle: async ({ actor }) => ({ status: 204, audited: await emergencies.end(actor) }),
    }),
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/emergencies',
      access: permission('user.manage'),
      audit: event('emergency.list'),
      input: { params: NOTHING.params, query: wire.EmergenciesQuery, body: 'none' },
      output: wire.EmergenciesAnswer,
      limits: { bodyBytesMax: 0, perMinute: 240 },
      async handle({ actor, query }) {
        const { audited, ...body } = await emergencies.list(actor, query);
        return { status: 200, body, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/emergencies/:id/review',
      access: permission('user.manage'),
      audit: event('emergency.review'),
      input: { params: IdParams, query: NoQuery, body: wire.EmergencyReview },
      output: 'none',
      limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 60 },
      async handle({ actor, params, body }) {
        const id = parseId<EmergencyId>(params.id);
        if (id === undefined) throw emergencyUnknown();
        return { status: 204, audited: await emergencies.review(actor, id, body) };
      },
    }),
  ];
}

/** Tokens of other people's scripts, for who administers those people. */
export function tokenAdministrationRoutes(tokens: PersonalTokens, users: Users): RouteDeclaration[] {
  const somebody = async (actor: Actor, text: string) => {
    const id = parseId<UserId>(text);
    if (id === undefined) throw userUnknown();
    return await users.visible(actor, id);
  };
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/users/:id/personal-tokens',
      access: permission('user.manage'),
      audit: event('personal-token.list'),
      input: { params: IdParams, query: NoQuery, body: 'none' },
      output: wire.TokensAnswer,
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor, params }) {
        const { tokens: listed, audited } = await tokens.listOf(actor, await somebody(actor, params.id));
        return { status: 200, body: { tokens: listed }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/users/:id/personal-tokens/:token',
      // Ending access never waits for a proof.
      access: permission('user.manage'),
      audit: event('personal-token.revoke'),
      input: { params: TokenOfUserParams, query: NoQuery, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor, params }) {
        const id = parseId<TokenId>(params.token);
        if (id === undefined) throw tokenUnknown();
        return { status: 204, audited: await tokens.revokeOf(actor, await somebody(actor, params.id), id) };
      },
    }),
  ];
}

/** Tokens for one's scripts, and the organisation one is at work in. */
export function personalTokenRoutes(tokens: PersonalTokens, ownAccount: OwnAccount): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/personal-tokens',
      access: signedInBecause('Everybody may see the tokens of their own scripts'),
      audit: event('personal-token.list'),
      input: { ...NOTHING, body: 'none' },
      output: wire.TokensAnswer,
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor }) {
        const { tokens: listed, audited } = await tokens.list(actor);
        return { status: 200, body: { tokens: listed }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/personal-tokens',
      access: signedInBecause('Who may do a thing may let a script do it, for a time', { stepUp: true }),
      audit: event('personal-token.make'),
      input: { ...NOTHING, body: wire.TokenWanted },
      output: wire.TokenMade,
      limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 20 },
      async handle({ actor, body }) {
        const { audited, ...made } = await tokens.make(actor, body);
        return { status: 201, body: made, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/personal-tokens/:id',
      access: signedInBecause('Everybody may end their own tokens, nobody else’s'),
      audit: event('personal-token.revoke'),
      input: { params: IdParams, query: NoQuery, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor, params }) {
        const id = parseId<TokenId>(params.id);
        if (id === undefined) throw tokenUnknown();
        return { status: 204, audited: await tokens.revoke(actor, id) };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/session/organisation',
      access: signedInBecause('Who belongs to several organisations chooses in which one they are at work'),
      audit: event('session.act-in'),
      input: { ...NOTHING, body: wire.ActIn },
      output: 'none',
      limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 60 },
      async handle({ actor, body }) {
        return { status: 204, audited: await ownAccount.actIn(actor, organisationOf(body.organisationId)) };
      },
    }),
  ];
}
