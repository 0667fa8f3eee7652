import {
  event,
  noneBecause,
  type RouteDeclaration,
  type RouteLimits,
  route,
  signedInBecause,
} from '../../platform/http/route.ts';
import { browserUser, type OwnFactors } from './own-factors.ts';
import { answer, browserOf, NOTHING, SMALL_BODY_BYTES } from './route-parts.ts';
import type { StepUp } from './step-up.ts';
import * as wire from './wire.ts';
import * as factors from './wire-factors.ts';

const OWN: RouteLimits = { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 60 };
const EMPTY: RouteLimits = { bodyBytesMax: 0, perMinute: 60 };
const PASSKEY: RouteLimits = { bodyBytesMax: 65_536, perMinute: 60 };
const OWN_FACTORS = signedInBecause('Everybody keeps their own second factors', { stepUp: true });

export interface FactorRoutesDeps {
  readonly factors: OwnFactors;
  readonly stepUp: StepUp;
}

/** One's own second factors, recovery codes and trusted devices, and the new proof that changing them needs. */
export function factorRoutes(deps: FactorRoutesDeps): RouteDeclaration[] {
  return [
    listRoute(deps),
    ...authenticatorRoutes(deps),
    ...passkeyRoutes(deps),
    ...changeRoutes(deps),
    ...stepUpRoutes(deps),
  ];
}

function listRoute({ factors: own }: FactorRoutesDeps): RouteDeclaration {
  return route({
    doors: ['users'],
    method: 'GET',
    path: '/api/factors',
    access: signedInBecause('Everybody may see what they sign in with'),
    audit: noneBecause('Tells people about themselves only; no secret is shown'),
    input: { ...NOTHING, body: 'none' },
    output: factors.FactorsAnswer,
    limits: EMPTY,
    handle: async ({ actor }) => answer(await own.list(browserUser(actor).userId), null),
  });
}

function authenticatorRoutes({ factors: own }: FactorRoutesDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/factors/authenticator',
      access: OWN_FACTORS,
      audit: event('factor.begin'),
      input: { ...NOTHING, body: 'none' },
      output: factors.AuthenticatorBeginAnswer,
      limits: EMPTY,
      async handle({ actor }) {
        const { body, cookies, audited } = await own.beginAuthenticator(actor);
        return answer({ totp: body }, audited, cookies);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/factors/authenticator/confirm',
      access: OWN_FACTORS,
      audit: event('factor.add'),
      input: { ...NOTHING, body: factors.AuthenticatorConfirmRequest },
      output: factors.FactorAddedAnswer,
      limits: OWN,
      async handle(request) {
        const given = { ...request.body, browser: browserOf(request) };
        const { body, cookies, audited } = await own.confirmAuthenticator(request.actor, given);
        return answer(body, audited, cookies);
      },
    }),
  ];
}

function passkeyRoutes({ factors: own }: FactorRoutesDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/factors/passkey/options',
      access: OWN_FACTORS,
      audit: noneBecause('Random bytes to sign; what comes of it is recorded'),
      input: { ...NOTHING, body: 'none' },
      output: factors.PasskeyOptionsAnswer,
      limits: EMPTY,
      async handle({ actor, baseUrl }) {
        const { options, cookie } = await own.passkeyQuestion(actor, baseUrl);
        return answer({ options }, null, [cookie]);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/factors/passkey',
      access: OWN_FACTORS,
      audit: event('factor.add'),
      input: { ...NOTHING, body: factors.PasskeyAddRequest },
      output: factors.FactorAddedAnswer,
      limits: PASSKEY,
      async handle(request) {
        const given = { ...request.body, browser: browserOf(request), baseUrl: request.baseUrl };
        const { body, cookies, audited } = await own.addPasskey(request.actor, given);
        return answer(body, audited, cookies);
      },
    }),
  ];
}

function changeRoutes({ factors: own }: FactorRoutesDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/factors/:id',
      access: signedInBecause('Everybody names their own second factors'),
      audit: event('factor.rename'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: factors.FactorRenameRequest },
      output: 'none',
      limits: OWN,
      handle: async ({ actor, params, body }) => ({
        status: 204,
        audited: await own.rename(actor, { id: params.id, name: body.name }),
      }),
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/factors/:id',
      access: OWN_FACTORS,
      audit: event('factor.remove'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
      output: 'none',
      limits: EMPTY,
      handle: async ({ actor, params }) => ({ status: 204, audited: await own.remove(actor, params.id) }),
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/recovery-codes',
      access: OWN_FACTORS,
      audit: event('recovery-codes.make'),
      input: { ...NOTHING, body: 'none' },
      output: factors.RecoveryCodesAnswer,
      limits: EMPTY,
      async handle({ actor }) {
        const { body, audited } = await own.renewRecoveryCodes(actor);
        return answer(body, audited);
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/trusted-devices/:id',
      access: signedInBecause('Everybody may end the trust in their own devices'),
      audit: event('trusted-device.remove'),
      input: { params: wire.IdParams, query: wire.NoQuery, body: 'none' },
      output: 'none',
      limits: EMPTY,
      handle: async ({ actor, params }) => ({ status: 204, audited: await own.removeTrusted(actor, params.id) }),
    }),
  ];
}

function stepUpRoutes({ stepUp }: FactorRoutesDeps): RouteDeclaration[] {
  const access = signedInBecause('Whoever is signed in may prove it again');
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/step-up',
      access,
      audit: noneBecause('Tells people what they can prove themselves with; names and secrets are not among it'),
      input: { ...NOTHING, body: 'none' },
      output: factors.StepUpWaysAnswer,
      limits: EMPTY,
      handle: async ({ actor }) => answer(await stepUp.ways(actor), null),
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/step-up/options',
      access,
      audit: noneBecause('Random bytes to sign; the proof itself is recorded'),
      input: { ...NOTHING, body: 'none' },
      output: factors.PasskeyOptionsAnswer,
      limits: EMPTY,
      async handle({ actor, baseUrl }) {
        const { options, cookie } = await stepUp.passkeyQuestion(actor, baseUrl);
        return answer({ options }, null, [cookie]);
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/step-up',
      access,
      audit: event('step-up'),
      input: { ...NOTHING, body: factors.StepUpRequest },
      output: 'none',
      limits: PASSKEY,
      async handle(request) {
        const given = { given: request.body, browser: browserOf(request), baseUrl: request.baseUrl };
        const { cookies, audited } = await stepUp.prove(request.actor, given);
        return { status: 204, audited, cookies };
      },
    }),
  ];
}
