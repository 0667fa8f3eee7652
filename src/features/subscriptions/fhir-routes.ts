/** `/fhir/Subscription` on the nodes' door: create, read, update, delete, and a search of one's own. */
import type { Bundle, Resource, Subscription } from '@medplum/fhirtypes';
import { z } from 'zod';
import {
  bodyFormat,
  etag,
  type FormPairs,
  httpDate,
  MEDIA_TYPES,
  negotiate,
  parseBody,
  parseForm,
  printForm,
  printResource,
  validResource,
} from '../../fhir/index.ts';
import { Problem } from '../../kernel/problem.ts';
import { instant } from '../../kernel/time.ts';
import {
  type AuditReceipt,
  event,
  permission,
  type RouteDeclaration,
  type RouteReply,
  route,
} from '../../platform/http/index.ts';
import type { Audit } from '../audit/index.ts';
import type { ServedRoute } from '../registry/index.ts';
import type { StoredSubscription } from './model.ts';
import type { SubscriptionService } from './service.ts';

interface RouteDeps {
  readonly service: SubscriptionService;
  readonly audit: Pick<Audit, 'recordNow'>;
}

interface Incoming {
  readonly baseUrl: string;
  readonly query: unknown;
  readonly body?: Uint8Array | undefined;
  header(name: string): string | undefined;
}

const none = z.object({});
const byId = z.object({ id: z.string() });
const access = permission('client.read', { scope: 'subscribe' });
const common = { doors: ['nodes'], access, output: 'fhir' } as const;
const WITH_BODY = { bodyBytesMax: 65_536, perMinute: 600 } as const;
const WITHOUT = { bodyBytesMax: 0, perMinute: 6_000 } as const;

export function subscriptionFhirRoutes(deps: RouteDeps): ServedRoute[] {
  const served = (interaction: ServedRoute['interaction'], declared: RouteDeclaration): ServedRoute => ({
    type: 'Subscription',
    interaction,
    route: declared,
  });
  return [
    served('create', createRoute(deps)),
    served('read', readRoute(deps)),
    served('update', updateRoute(deps)),
    served('delete', deleteRoute(deps)),
    served('search-type', searchRoute(deps)),
  ];
}

function createRoute({ service }: RouteDeps): RouteDeclaration {
  return route({
    ...common,
    method: 'POST',
    path: '/fhir/Subscription',
    audit: event('subscription.create'),
    input: { params: none, query: 'raw', body: 'bytes' },
    limits: WITH_BODY,
    async handle(request) {
      const answer = opened(request);
      const { stored, audited } = await service.create(request.actor, subscriptionIn(request));
      const location = `${answer.base}/Subscription/${stored.id}`;
      return answer.one(stored, { status: 201, headers: { location }, audited });
    },
  });
}

function readRoute({ service, audit }: RouteDeps): RouteDeclaration {
  return route({
    ...common,
    method: 'GET',
    path: '/fhir/Subscription/:id',
    audit: event('subscription.read'),
    input: { params: byId, query: 'raw', body: 'none' },
    limits: WITHOUT,
    async handle(request) {
      const { actor } = request;
      const answer = opened(request);
      const stored = await service.read(actor, request.params.id);
      const entities = [{ reference: `Subscription/${stored.id}`, role: 'job' as const }];
      const audited = await audit.recordNow([
        { actor, event: 'subscription.read', action: 'R', outcome: 'success', entities },
      ]);
      return answer.one(stored, { status: 200, headers: {}, audited });
    },
  });
}

function updateRoute({ service }: RouteDeps): RouteDeclaration {
  return route({
    ...common,
    method: 'PUT',
    path: '/fhir/Subscription/:id',
    audit: event('subscription.update'),
    input: { params: byId, query: 'raw', body: 'bytes' },
    limits: WITH_BODY,
    async handle(request) {
      const answer = opened(request);
      const resource = subscriptionIn(request);
      if (resource.id !== request.params.id)
        throw refused('The resource carries the same id as the address.', 'Subscription.id');
      const { stored, audited } = await service.update(request.actor, request.params.id, resource);
      return answer.one(stored, { status: 200, headers: {}, audited });
    },
  });
}

function deleteRoute({ service }: RouteDeps): RouteDeclaration {
  return route({
    ...common,
    method: 'DELETE',
    path: '/fhir/Subscription/:id',
    audit: event('subscription.delete'),
    input: { params: byId, query: 'raw', body: 'none' },
    limits: WITHOUT,
    async handle(request) {
      opened(request);
      return { status: 204, audited: await service.remove(request.actor, request.params.id) };
    },
  });
}

function searchRoute({ service, audit }: RouteDeps): RouteDeclaration {
  return route({
    ...common,
    method: 'GET',
    path: '/fhir/Subscription',
    audit: event('subscription.search'),
    input: { params: none, query: 'raw', body: 'none' },
    limits: WITHOUT,
    async handle(request) {
      const { actor } = request;
      const answer = opened(request);
      const { used, accepts } = criteria(answer.query);
      const found = (await service.own(actor)).filter(accepts);
      const query = `Subscription?${printForm(answer.query)}`;
      const audited = await audit.recordNow([
        { actor, event: 'subscription.search', action: 'E', outcome: 'success', interaction: 'search-type', query },
      ]);
      const self = used.length === 0 ? '' : `?${printForm(used)}`;
      const bundle: Bundle = {
        resourceType: 'Bundle',
        type: 'searchset',
        total: found.length,
        link: [{ relation: 'self', url: `${answer.base}/Subscription${self}` }],
        ...(found.length === 0
          ? {}
          : {
              entry: found.map((stored) => ({
                fullUrl: `${answer.base}/Subscription/${stored.id}`,
                resource: asResource(stored),
                search: { mode: 'match' },
              })),
            }),
      };
      return answer.resource(bundle, { status: 200, headers: {}, audited });
    },
  });
}

/** `_id`, `status`, `type`, `url`, `criteria`, `payload` by equality; what is not known is ignored and missing in the self link. */
function criteria(query: FormPairs): { readonly used: FormPairs; accepts(stored: StoredSubscription): boolean } {
  const read: Readonly<Record<string, (stored: StoredSubscription) => string | undefined>> = {
    _id: ({ id }) => id,
    status: ({ status }) => status,
    type: ({ resource }) => resource.channel.type,
    url: ({ resource }) => resource.channel.endpoint,
    criteria: ({ resource }) => resource.criteria,
    payload: ({ resource }) => resource.channel.payload,
  };
  const used = query.filter(([name]) => Object.hasOwn(read, name));
  return {
    used,
    accepts: (stored) => used.every(([name, value]) => value.split(',').includes(read[name]?.(stored) ?? '')),
  };
}

function subscriptionIn(request: Incoming): Subscription {
  const value = parseBody(request.body ?? new Uint8Array(0), bodyFormat(request.header('content-type')));
  return validResource<Subscription>(value, 'Subscription');
}

/** The resource as its node reads it: what was sent, with what became of it. */
export function asResource({
  id,
  version,
  updatedAtMs,
  status,
  resource,
  lastFailure,
  failures,
}: StoredSubscription): Subscription {
  const { resourceType: _type, status: _status, ...rest } = resource;
  return {
    resourceType: 'Subscription',
    id,
    meta: { versionId: String(version), lastUpdated: instant(updatedAtMs) },
    status,
    ...rest,
    ...(failures > 0 || status === 'off' ? (lastFailure === undefined ? {} : { error: lastFailure }) : {}),
  };
}

interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly audited: AuditReceipt;
}

interface Answering {
  readonly base: string;
  readonly query: FormPairs;
  one(stored: StoredSubscription, head: Head): RouteReply<never>;
  resource(resource: Resource, head: Head): RouteReply<never>;
}

/** Throws 406 before anything is done for a client that could not read the answer. */
function opened(request: Incoming): Answering {
  const query = parseForm(typeof request.query === 'string' ? request.query : '');
  const negotiated = negotiate(query, request.header('accept'));
  const resource: Answering['resource'] = (value, head) => ({
    ...head,
    body: printResource(value, negotiated),
    contentType: MEDIA_TYPES[negotiated.format],
  });
  return {
    base: `${request.baseUrl}/fhir`,
    query: query.filter(([name]) => name !== '_format' && name !== '_pretty'),
    resource,
    one(stored, { headers, ...head }) {
      const version = { etag: etag(stored.version), 'last-modified': httpDate(stored.updatedAtMs) };
      return resource(asResource(stored), { ...head, headers: { ...version, ...headers } });
    },
  };
}

const refused = (detail: string, expression: string): Problem =>
  new Problem('invalid', 'fhir-id', detail, { fhirCode: 'value', expression: [expression] });
