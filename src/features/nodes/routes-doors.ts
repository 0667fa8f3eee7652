import { z } from 'zod';
import { utf8Decode } from '../../kernel/bytes.ts';
import { Problem } from '../../kernel/problem.ts';
import {
  event,
  noneBecause,
  openBecause,
  publicBecause,
  type RouteDeclaration,
  route,
  signedInBecause,
} from '../../platform/http/index.ts';
import { nodeProblem } from './errors.ts';
import { BY_ID, NOTHING, type RouteDeps } from './route-parts.ts';
import { SUPPORTED_SCOPES } from './token-scopes.ts';
import { wireDomains } from './views.ts';
import { domainListSchema } from './wire.ts';

const PEM = 'application/x-pem-file';
const A_REQUEST = { bodyBytesMax: 16_384, perMinute: 10 } as const;

/** What nodes do themselves at their door, and what anybody may read before being one. */
export function doorRoutes(deps: RouteDeps): RouteDeclaration[] {
  return [enrolRoute(deps), renewRoute(deps), tokenRoute(deps), ...discoveryRoutes(deps), ...publicRoutes(deps)];
}

/** RFC 7030's simpleenroll in plain words: the token as Bearer, the request as PEM, the chain as PEM. */
function enrolRoute({ enrolment }: RouteDeps): RouteDeclaration {
  return route({
    doors: ['users', 'nodes'],
    method: 'POST',
    path: '/enrol',
    access: openBecause('a node has no certificate yet; a one-time token of 256 random bits is asked instead'),
    audit: event('node.enrol'),
    input: { params: NOTHING, query: NOTHING, body: 'bytes' },
    output: 'bytes',
    limits: A_REQUEST,
    async handle(request) {
      const { actor, body } = request;
      const token = /^Bearer ([\w-]{1,200})$/i.exec(request.header('authorization') ?? '')?.[1];
      if (token === undefined)
        throw nodeProblem(
          'unauthenticated',
          'enrolment-refused',
          'Give the one-time token as "Authorization: Bearer TOKEN".',
        );
      const { chain, audited } = await enrolment.enrol(actor, token, text(body));
      return { status: 201, body: Buffer.from(chain), contentType: PEM, audited };
    },
  });
}

/** RFC 7030's simplereenroll: over the connection that the present certificate proved. */
function renewRoute({ certificates }: RouteDeps): RouteDeclaration {
  return route({
    doors: ['nodes'],
    method: 'POST',
    path: '/renew',
    access: publicBecause(
      'every node may renew its own certificate, whatever its scopes; this door admits nodes alone',
    ),
    audit: event('node.renew'),
    input: { params: NOTHING, query: NOTHING, body: 'bytes' },
    output: 'bytes',
    limits: A_REQUEST,
    async handle({ actor, body }) {
      if (actor.principal.kind !== 'node')
        throw nodeProblem('forbidden', 'node-only', 'Only a node renews its certificate.');
      const { chain, audited } = await certificates.renew(actor, actor.principal, text(body));
      return { status: 201, body: Buffer.from(chain), contentType: PEM, audited };
    },
  });
}

const tokenAnswerSchema = z.union([
  z.object({ access_token: z.string(), token_type: z.literal('bearer'), expires_in: z.int(), scope: z.string() }),
  z.object({ error: z.string(), error_description: z.string() }),
]);

function tokenRoute({ tokenEndpoint }: RouteDeps): RouteDeclaration {
  return route({
    doors: ['nodes'],
    method: 'POST',
    path: '/oauth/token',
    access: publicBecause('every node may ask for a token; it gets no more than its scopes, and needs its key besides'),
    audit: event('token.issue'),
    input: { params: NOTHING, query: NOTHING, body: 'bytes' },
    output: tokenAnswerSchema,
    limits: { bodyBytesMax: 16_384, perMinute: 120 },
    async handle(request) {
      const { actor, body } = request;
      if (
        request.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded'
      )
        throw new Problem(
          'unsupported-media-type',
          'content-type-unsupported',
          'This address takes application/x-www-form-urlencoded.',
        );
      const { status, body: answer, audited } = await tokenEndpoint.answer(actor, new URLSearchParams(text(body)));
      return { status, body: answer, headers: { 'cache-control': 'no-store' }, audited };
    },
  });
}

const smartSchema = z.object({
  token_endpoint: z.url(),
  token_endpoint_auth_methods_supported: z.array(z.string()),
  token_endpoint_auth_signing_alg_values_supported: z.array(z.string()),
  grant_types_supported: z.array(z.string()),
  scopes_supported: z.array(z.string()),
  tls_client_certificate_bound_access_tokens: z.boolean(),
  capabilities: z.array(z.string()),
});

/** SMART App Launch 2.2 §2.4 (Backend Services) and RFC 8414, RFC 8705 names. */
function discoveryRoutes({ tokenUrl }: RouteDeps): RouteDeclaration[] {
  const document = {
    token_endpoint: tokenUrl,
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384', 'ES256', 'RS256', 'PS256', 'PS384', 'EdDSA'],
    grant_types_supported: ['client_credentials'],
    scopes_supported: [...SUPPORTED_SCOPES],
    tls_client_certificate_bound_access_tokens: true,
    capabilities: ['client-confidential-asymmetric', 'permission-v2'],
  };
  return ['/.well-known/smart-configuration', '/fhir/.well-known/smart-configuration'].map((path) =>
    route({
      doors: ['nodes'],
      method: 'GET',
      path,
      access: openBecause('says where tokens are asked for, and nothing about anybody'),
      audit: noneBecause('holds no personal data'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: smartSchema,
      limits: { bodyBytesMax: 0, perMinute: 60 },
      handle: async () => ({ status: 200, body: document, audited: null }),
    }),
  );
}

function publicRoutes({ parts, domains }: RouteDeps): RouteDeclaration[] {
  const { authorities } = parts;
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/ca.crt',
      access: publicBecause('the certificate that everybody has to trust before they can connect is no secret'),
      audit: noneBecause('holds no personal data'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: 'bytes',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle() {
        return {
          status: 200,
          body: Buffer.from(await authorities.rootsPem()),
          contentType: PEM,
          headers: { 'content-disposition': 'attachment; filename="ca.crt"' },
          audited: null,
        };
      },
    }),
    route({
      doors: ['users', 'nodes'],
      method: 'GET',
      path: '/pki/:id',
      access: openBecause('lists of revoked certificates are for everybody who checks certificates'),
      audit: noneBecause('holds serial numbers of certificates, and nothing about anybody'),
      input: { params: BY_ID, query: NOTHING, body: 'none' },
      output: 'bytes',
      limits: { bodyBytesMax: 0, perMinute: 60 },
      async handle({ params }) {
        const [, id] = /^([0-9a-f-]{36})\.crl$/.exec(params.id) ?? [];
        const crl = id === undefined ? undefined : await authorities.crl(id);
        if (crl === undefined)
          throw nodeProblem(
            'not-found',
            'authority-unknown',
            'There is no list of revoked certificates at this address.',
          );
        return { status: 200, body: crl, contentType: 'application/pkix-crl', audited: null };
      },
    }),
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/domains',
      access: signedInBecause('every role sees which system a record came from'),
      audit: noneBecause('names of identifier systems are no personal data'),
      input: { params: NOTHING, query: NOTHING, body: 'none' },
      output: domainListSchema,
      limits: { bodyBytesMax: 0, perMinute: 240 },
      handle: async () => ({ status: 200, body: await wireDomains(domains), audited: null }),
    }),
  ];
}

function text(body: Uint8Array): string {
  try {
    return utf8Decode(body);
  } catch (cause) {
    throw new Problem('invalid', 'input-invalid', 'The request body is not text in UTF-8.', { cause });
  }
}
