/** FHIR R4 over HTTP, on the users' and the nodes' door: reads, searches, `$match`, bundles, metadata. */
import { parseMatchRequest } from '../../fhir/index.ts';
import { utf8Decode } from '../../kernel/bytes.ts';
import { Problem } from '../../kernel/problem.ts';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/route.ts';
import { capabilityRoutes } from './fhir-capabilities.ts';
import { bundleReply, type Exchange, type FhirDeps, type FhirRouteDeps, rawQuery, seenBy } from './fhir-exchange.ts';
import { answerMatch } from './fhir-match.ts';
import { answerPosted, messageRoutes } from './fhir-message-routes.ts';
import { relatedRoutes } from './fhir-related.ts';
import { mergeRoute } from './fhir-merge-operation.ts';
import { pixRoutes } from './fhir-pix.ts';
import { answerHistory, answerRead } from './fhir-reads.ts';
import {
  A_BUNDLE,
  A_FORM,
  A_MATCH,
  bodyOf,
  byId,
  byVersion,
  doors,
  exchangeOf,
  type FhirRoute,
  type ServedRoute,
  type Incoming,
  NO_BODY,
  none,
  plainExchange,
} from './fhir-route.ts';
import { search } from './fhir-search.ts';
import { openCrMatchRoutes } from './opencr-match.ts';
import { writeRoutes } from './fhir-write-routes.ts';

export type { FhirRouteDeps } from './fhir-exchange.ts';

/** `others`: FHIR routes that other features serve beside these. */
export function fhirRoutes(deps: FhirRouteDeps, others: readonly ServedRoute[] = []): RouteDeclaration[] {
  const served = [
    ...readRoutes(deps),
    ...searchRoutes(deps),
    ...writeRoutes(deps),
    matchRoute(deps),
    ...pixRoutes(deps),
    mergeRoute(deps),
    bundleRoute(deps, '/fhir'),
    bundleRoute(deps, '/fhir/'),
    ...messageRoutes(deps),
  ];
  const related = relatedRoutes(deps);
  return [
    ...[...served, ...related, ...others].map((one) => one.route),
    ...capabilityRoutes(deps, { served, others: [...related, ...others] }),
    ...openCrMatchRoutes(deps),
  ];
}

function readRoutes(deps: FhirRouteDeps): FhirRoute[] {
  const common = {
    doors,
    access: permission('client.read', { scope: 'read' }),
    output: 'fhir',
    limits: NO_BODY,
  } as const;
  return [
    {
      interactions: ['read'],
      conditional: true,
      route: route({
        ...common,
        method: 'GET',
        path: '/fhir/Patient/:id',
        audit: event('client.read'),
        input: { params: byId, query: 'raw', body: 'none' },
        handle(request) {
          const conditions = {
            ifNoneMatch: request.header('if-none-match'),
            ifModifiedSince: request.header('if-modified-since'),
          };
          return answerRead(seenBy(deps, request.actor), plainExchange(request), { id: request.params.id, conditions });
        },
      }),
    },
    {
      interactions: ['vread'],
      route: route({
        ...common,
        method: 'GET',
        path: '/fhir/Patient/:id/_history/:version',
        audit: event('client.vread'),
        input: { params: byVersion, query: 'raw', body: 'none' },
        handle: (request) => answerRead(seenBy(deps, request.actor), plainExchange(request), request.params),
      }),
    },
    {
      interactions: ['history-instance'],
      route: route({
        ...common,
        method: 'GET',
        path: '/fhir/Patient/:id/_history',
        audit: event('client.history'),
        input: { params: byId, query: 'raw', body: 'none' },
        handle: (request) => answerHistory(seenBy(deps, request.actor), exchangeOf(request), request.params.id),
      }),
    },
  ];
}

function searchRoutes(deps: FhirRouteDeps): FhirRoute[] {
  const access = permission('client.read', { scope: 'search' });
  const common = { doors, access, audit: event('client.search'), output: 'fhir' } as const;
  return [
    {
      interactions: ['search-type'],
      route: route({
        ...common,
        method: 'GET',
        path: '/fhir/Patient',
        input: { params: none, query: 'raw', body: 'none' },
        limits: NO_BODY,
        handle: (request) => answerSearch(seenBy(deps, request.actor), exchangeOf(request)),
      }),
    },
    {
      interactions: ['search-type'],
      route: route({
        ...common,
        method: 'POST',
        path: '/fhir/Patient/_search',
        input: { params: none, query: 'raw', body: 'bytes' },
        limits: A_FORM,
        handle: (request) => answerSearch(seenBy(deps, request.actor), exchangeOf(withForm(request))),
      }),
    },
  ];
}

async function answerSearch(deps: FhirDeps, exchange: Exchange) {
  const found = await search(deps, exchange, exchange.query);
  return bundleReply(found.answer, exchange, { audited: await deps.audit.recordNow(found.audits) });
}

/** Parameters of a POST search: those in the address and those in the form, as one query. */
function withForm(request: Incoming): Incoming {
  const type = request.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') {
    throw new Problem(
      'unsupported-media-type',
      'fhir-media-type',
      'A search is sent as application/x-www-form-urlencoded.',
      {
        fhirCode: 'not-supported',
      },
    );
  }
  const query = [rawQuery(request), formText(request.body)].filter((part) => part !== '').join('&');
  return { actor: request.actor, baseUrl: request.baseUrl, query, header: (name) => request.header(name) };
}

function formText(body: Uint8Array = new Uint8Array(0)): string {
  try {
    return utf8Decode(body);
  } catch (cause) {
    throw new Problem('invalid', 'fhir-search', 'The form is not UTF-8.', { cause, fhirCode: 'value' });
  }
}

function matchRoute(deps: FhirRouteDeps): FhirRoute {
  return {
    interactions: ['$match'],
    route: route({
      doors,
      method: 'POST',
      path: '/fhir/Patient/$match',
      access: permission('client.read', { scope: 'match' }),
      audit: event('client.match'),
      input: { params: none, query: 'raw', body: 'bytes' },
      output: 'fhir',
      limits: A_MATCH,
      handle: (request) =>
        answerMatch(seenBy(deps, request.actor), plainExchange(request), parseMatchRequest(bodyOf(request))),
    }),
  };
}

function bundleRoute(deps: FhirRouteDeps, path: string): FhirRoute {
  return {
    interactions: ['batch', 'transaction'],
    route: route({
      doors,
      method: 'POST',
      path,
      // Each entry is asked for its own permission; reading is what all who may come here have.
      access: permission('client.read', { scope: 'by-entry' }),
      audit: event('client.bundle'),
      input: { params: none, query: 'raw', body: 'bytes' },
      output: 'fhir',
      limits: A_BUNDLE,
      handle: (request) => answerPosted(seenBy(deps, request.actor), plainExchange(request), bodyOf(request)),
    }),
  };
}
