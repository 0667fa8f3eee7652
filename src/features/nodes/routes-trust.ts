import { event, permission, type RouteDeclaration, route } from '../../platform/http/index.ts';
import type { ForeignAuthority } from './foreign.ts';
import type { NodeParts } from './parts.ts';
import { A_FILE, BY_ID, NOTHING, type RouteDeps, SMALL } from './route-parts.ts';
import { wireTrust } from './views.ts';
import {
  addAuthorityRequestSchema,
  addRuleRequestSchema,
  crlUrlRequestSchema,
  removeAuthorityRequestSchema,
  trustSchema,
} from './wire-trust.ts';

/** A list of some 100,000 revoked certificates. */
const A_LIST = { bodyBytesMax: 8_388_608, perMinute: 20 } as const;

/** Authorities of others and their name rules. Each change answers the whole list anew. */
export function trustRoutes(deps: RouteDeps): RouteDeclaration[] {
  return [...authorityRoutes(deps), ...listRoutes(deps), ...ruleRoutes(deps)];
}

const showing = (parts: NodeParts) => async (authorities: readonly ForeignAuthority[]) =>
  wireTrust(await parts.authorities.status(), authorities, parts.publicUrl);
/** Ending access must never wait for a proof. */
const ENDS = permission('node.manage', { everywhere: true });
const manage = {
  doors: ['users'],
  method: 'POST',
  // Who is trusted comes in after the session that trusted them is over.
  access: permission('node.manage', { everywhere: true, stepUp: true }),
  output: trustSchema,
} as const;

function authorityRoutes({ parts, foreign }: RouteDeps): RouteDeclaration[] {
  const shown = showing(parts);
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/trust',
      access: permission('node.read', { everywhere: true }),
      audit: event('trust.list'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: trustSchema,
      limits: { bodyBytesMax: 0, perMinute: 120 },
      async handle({ actor }) {
        const { authorities, audited } = await foreign.list(actor);
        return { status: 200, body: await shown(authorities), audited };
      },
    }),
    route({
      ...manage,
      path: '/api/trust/authorities',
      audit: event('trust.add'),
      input: { params: NOTHING, query: NOTHING, body: addAuthorityRequestSchema },
      limits: A_FILE,
      async handle({ actor, body }) {
        const { authorities, audited } = await foreign.add(actor, body);
        return { status: 201, body: await shown(authorities), audited };
      },
    }),
    route({
      ...manage,
      access: ENDS,
      path: '/api/trust/authorities/:id/remove',
      audit: event('trust.remove'),
      input: { params: BY_ID, query: NOTHING, body: removeAuthorityRequestSchema },
      limits: SMALL,
      async handle({ actor, params, body }) {
        const { authorities, audited } = await foreign.remove(actor, params.id, body.reason);
        return { status: 200, body: await shown(authorities), audited };
      },
    }),
    route({
      ...manage,
      access: ENDS,
      path: '/api/trust/authorities/:id/crl',
      audit: event('trust.crl'),
      input: { params: BY_ID, query: NOTHING, body: 'bytes' },
      limits: A_LIST,
      async handle({ actor, params, body }) {
        const { authorities, audited } = await foreign.setCrl(actor, params.id, asList(body));
        return { status: 200, body: await shown(authorities), audited };
      },
    }),
  ];
}

function listRoutes({ parts, foreign }: RouteDeps): RouteDeclaration[] {
  const shown = showing(parts);
  return [
    route({
      ...manage,
      path: '/api/trust/authorities/:id/crl-url',
      audit: event('trust.crl'),
      input: { params: BY_ID, query: NOTHING, body: crlUrlRequestSchema },
      limits: SMALL,
      async handle({ actor, params, body }) {
        const { authorities, audited } = await foreign.setCrlUrl(actor, params.id, body.url);
        return { status: 200, body: await shown(authorities), audited };
      },
    }),
  ];
}

function ruleRoutes({ parts, foreign }: RouteDeps): RouteDeclaration[] {
  const shown = showing(parts);
  return [
    route({
      ...manage,
      path: '/api/trust/rules',
      audit: event('trust.add'),
      input: { params: NOTHING, query: NOTHING, body: addRuleRequestSchema },
      limits: SMALL,
      async handle({ actor, body }) {
        const { authorities, audited } = await foreign.addRule(actor, body);
        return { status: 201, body: await shown(authorities), audited };
      },
    }),
    route({
      ...manage,
      access: ENDS,
      path: '/api/trust/rules/:id/remove',
      audit: event('trust.remove'),
      input: { params: BY_ID, query: NOTHING, body: 'none' },
      limits: { bodyBytesMax: 0, perMinute: 20 },
      async handle({ actor, params }) {
        const { authorities, audited } = await foreign.removeRule(actor, params.id);
        return { status: 200, body: await shown(authorities), audited };
      },
    }),
  ];
}

/** PEM is text, DER is not; both begin differently. */
function asList(body: Uint8Array): string | Uint8Array {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return text.subarray(0, 64).includes('-----BEGIN') ? text.toString('latin1') : body;
}
