import {
  event,
  noneBecause,
  publicBecause,
  type RouteDeclaration,
  route,
  signedInBecause,
} from '../../platform/http/route.ts';
import type { OwnAccount } from './own-account.ts';
import { answer, browserOf, NOTHING } from './route-parts.ts';
import { SESSION_COOKIE } from './sessions.ts';
import * as wire from './wire.ts';

/** Who one is, and where one is signed in. */
export function ownRoutes(ownAccount: OwnAccount): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/session',
      access: publicBecause('The page asks whether anybody is signed in; a stranger learns that nobody is'),
      audit: noneBecause('Tells people about themselves only, many times a minute'),
      input: { ...NOTHING, body: 'none' },
      output: wire.SessionAnswer,
      limits: { bodyBytesMax: 0, perMinute: 240 },
      handle: async (request) => answer(await ownAccount.session(request.actor.principal, browserOf(request)), null),
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/sign-out',
      access: signedInBecause('Everybody may end their own session'),
      audit: event('sign-out'),
      input: { ...NOTHING, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor }) {
        const audited = await ownAccount.signOut(actor);
        return { status: 204, audited, cookies: [{ name: SESSION_COOKIE, value: null }] };
      },
    }),
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/sessions',
      access: signedInBecause('Everybody may see where they are signed in'),
      audit: event('session.list'),
      input: { ...NOTHING, body: 'none' },
      output: wire.SessionsAnswer,
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor }) {
        const { sessions, audited } = await ownAccount.sessions(actor);
        return answer({ sessions }, audited);
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/sessions',
      access: signedInBecause('Everybody may end their own sessions, nobody else’s', { stepUp: true }),
      audit: event('session.end-all'),
      input: { ...NOTHING, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      handle: async ({ actor }) => ({ status: 204, audited: await ownAccount.endOthers(actor) }),
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/sessions/:id',
      access: signedInBecause('Everybody may end their own sessions, nobody else’s', { stepUp: true }),
      audit: event('session.end'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      handle: async ({ actor, params }) => ({ status: 204, audited: await ownAccount.endSession(actor, params.id) }),
    }),
  ];
}
