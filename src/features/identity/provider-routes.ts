import { parseId } from '../../kernel/ids.ts';
import {
  event,
  noneBecause,
  permission,
  publicBecause,
  type RouteDeclaration,
  route,
  signedInBecause,
} from '../../platform/http/route.ts';
import { providerUnknown } from './errors.ts';
import type { IdentityId, ProviderId } from './provider-store.ts';
import { type Providers, VISIT_COOKIE } from './providers.ts';
import { browserOf, NOTHING, SMALL_BODY_BYTES } from './route-parts.ts';
import * as wire from './wire-organisations.ts';
import { IdParams, NoQuery } from './wire.ts';

const READ = { bodyBytesMax: 0, perMinute: 240 } as const;
const VISIT = { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 60 } as const;
const BEFORE_SIGN_IN = 'Whoever signs in has no session yet';
const NOBODY_YET = noneBecause('Nobody has proved anything yet; the return is recorded, whatever it brings');
const administration = permission('settings.manage', { stepUp: true });

const providerId = (text: string): ProviderId => {
  const id = parseId<ProviderId>(text);
  if (id === undefined) throw providerUnknown();
  return id;
};

/** Signing in from a provider, there and back. */
export function providerSignInRoutes(providers: Providers): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/sign-in/providers',
      access: publicBecause('The sign-in page offers the providers by name'),
      audit: noneBecause('Names of the programme’s own providers'),
      input: { ...NOTHING, body: 'none' },
      output: wire.ProviderChoices,
      limits: READ,
      handle: async () => ({ status: 200, body: { providers: await providers.choices() }, audited: null }),
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/sign-in/provider',
      access: publicBecause(BEFORE_SIGN_IN),
      audit: NOBODY_YET,
      input: { ...NOTHING, body: wire.VisitRequest },
      output: wire.VisitAnswer,
      limits: VISIT,
      async handle({ actor, body, baseUrl }) {
        const { url, cookies } = await providers.signIn({ actor, baseUrl, providerId: providerId(body.providerId) });
        return { status: 200, body: { url }, cookies, audited: null };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/sign-in/provider/return',
      access: publicBecause(BEFORE_SIGN_IN),
      audit: event('sign-in.provider', { or: ['provider.link'] }),
      input: { ...NOTHING, body: wire.VisitReturn },
      output: wire.VisitResult,
      limits: { bodyBytesMax: SMALL_BODY_BYTES, perMinute: 600 },
      async handle(request) {
        const { next, cookies, audited } = await providers.comeBack({
          actor: request.actor,
          browser: browserOf(request),
          visitToken: request.cookie(VISIT_COOKIE),
          came: request.body,
        });
        return { status: 200, body: { next }, cookies, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/identity-link',
      access: publicBecause('The one-time link of 256 random bits is what admits'),
      audit: NOBODY_YET,
      input: { ...NOTHING, body: wire.EnrolVisitRequest },
      output: wire.VisitAnswer,
      limits: VISIT,
      async handle({ actor, body, baseUrl }) {
        const setting = { actor, baseUrl, providerId: providerId(body.providerId) };
        const { url, cookies } = await providers.linkBy(setting, body.token);
        return { status: 200, body: { url }, cookies, audited: null };
      },
    }),
  ];
}

/** One's own identities at providers. */
export function providerRoutes(providers: Providers): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/identities',
      access: signedInBecause('Everybody may see with which identities their own account is linked'),
      audit: event('provider.list'),
      input: { ...NOTHING, body: 'none' },
      output: wire.IdentitiesAnswer,
      limits: READ,
      async handle({ actor }) {
        const { identities, audited } = await providers.ownIdentities(actor);
        return { status: 200, body: { identities }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/identities',
      access: signedInBecause('Everybody may link their own account', { stepUp: true }),
      audit: NOBODY_YET,
      input: { ...NOTHING, body: wire.VisitRequest },
      output: wire.VisitAnswer,
      limits: VISIT,
      async handle({ actor, body, baseUrl }) {
        const { url, cookies } = await providers.linkOwn({ actor, baseUrl, providerId: providerId(body.providerId) });
        return { status: 200, body: { url }, cookies, audited: null };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/identities/:id/confirm',
      access: signedInBecause('Everybody may confirm what was linked with their own account', { stepUp: true }),
      audit: event('provider.confirm'),
      input: { params: IdParams, query: NoQuery, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor, params }) {
        const id = parseId<IdentityId>(params.id);
        if (id === undefined) throw providerUnknown();
        return { status: 204, audited: await providers.confirmOwn(actor, id) };
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/identities/:id',
      access: signedInBecause('Everybody may unlink their own account', { stepUp: true }),
      audit: event('provider.unlink'),
      input: { params: IdParams, query: NoQuery, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ actor, params }) {
        const id = parseId<IdentityId>(params.id);
        if (id === undefined) throw providerUnknown();
        return { status: 204, audited: await providers.unlinkOwn(actor, id) };
      },
    }),
  ];
}

/** The providers themselves: those in use and whether they answer, and changes to them. */
export function providerAdministrationRoutes(providers: Providers): RouteDeclaration[] {
  return [...providerLookRoutes(providers), ...providerChangeRoutes(providers)];
}

function providerLookRoutes(providers: Providers): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/providers',
      access: permission('settings.manage'),
      audit: event('provider.list'),
      input: { ...NOTHING, body: 'none' },
      output: wire.ProvidersAnswer,
      limits: READ,
      async handle({ actor, baseUrl }) {
        const { audited, ...body } = await providers.list(actor, baseUrl);
        return { status: 200, body, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/providers/:id/check',
      access: permission('settings.manage'),
      audit: event('provider.check'),
      input: { params: IdParams, query: NoQuery, body: 'none' },
      output: wire.ProviderCheckAnswer,
      limits: { bodyBytesMax: 0, perMinute: 20 },
      async handle({ actor, params }) {
        const { audited, ...body } = await providers.check(actor, providerId(params.id));
        return { status: 200, body, audited };
      },
    }),
  ];
}

function providerChangeRoutes(providers: Providers): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/providers',
      access: administration,
      audit: event('provider.add'),
      input: { ...NOTHING, body: wire.ProviderWanted },
      output: wire.ProviderAnswer,
      limits: { bodyBytesMax: 65_536, perMinute: 20 },
      async handle({ actor, body, baseUrl }) {
        const { provider, audited } = await providers.add(actor, body, baseUrl);
        return { status: 201, body: { provider }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'PUT',
      path: '/api/providers/:id',
      access: administration,
      audit: event('provider.change'),
      input: { params: IdParams, query: NoQuery, body: wire.ProviderChange },
      output: wire.ProviderAnswer,
      limits: { bodyBytesMax: 65_536, perMinute: 20 },
      async handle({ actor, params, body, baseUrl }) {
        const { provider, audited } = await providers.change(actor, providerId(params.id), body, baseUrl);
        return { status: 200, body: { provider }, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'DELETE',
      path: '/api/providers/:id',
      access: administration,
      audit: event('provider.retire'),
      input: { params: IdParams, query: NoQuery, body: 'none' },
      output: 'none',
      limits: { bodyBytesMax: 0, perMinute: 20 },
      handle: async ({ actor, params }) => ({
        status: 204,
        audited: await providers.retire(actor, providerId(params.id)),
      }),
    }),
  ];
}
