/** Calls the FHIR routes as a door does, without a socket: matches the route, asks for the permission, maps refusals. */
import type { AuditInput } from '../../src/features/audit/index.ts';
import { type FhirRouteDeps, fhirRoutes, type ServedRoute } from '../../src/features/registry/index.ts';
import { printFhirXml } from '../../src/fhir/index.ts';
import type { Actor } from '../../src/kernel/principal.ts';
import { Problem } from '../../src/kernel/problem.ts';
import {
  operationOutcome,
  problemStatus,
  type RouteDeclaration,
  type RouteRequest,
} from '../../src/platform/http/index.ts';
import { wantsXml } from '../../src/platform/http/problem-reply.ts';
import type { RegistryFixture } from './registry.ts';
import { handled } from './handled.ts';

export const BASE = 'https://registry.test:8444';

export interface FhirAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  // Answers are looked into freely by tests.
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what it expects
  readonly json: any;
}

export interface FhirClient {
  call(
    method: string,
    url: string,
    options?: { body?: unknown; headers?: Record<string, string> },
  ): Promise<FhirAnswer>;
  get(url: string, headers?: Record<string, string>): Promise<FhirAnswer>;
  post(url: string, body: unknown, headers?: Record<string, string>): Promise<FhirAnswer>;
  put(url: string, body: unknown, headers?: Record<string, string>): Promise<FhirAnswer>;
  delete(url: string, headers?: Record<string, string>): Promise<FhirAnswer>;
}

export interface FhirFixture {
  readonly routes: readonly RouteDeclaration[];
  /** What reads and searches gave to the audit log, in order. */
  readonly recorded: AuditInput[];
  as(actor: Actor): FhirClient;
}

export function fhirFixture(
  fixture: RegistryFixture,
  more: Partial<FhirRouteDeps> = {},
  others: readonly ServedRoute[] = [],
): FhirFixture {
  const recorded: AuditInput[] = [];
  const routes = fhirRoutes(
    {
      registry: fixture.registry,
      audit: {
        recordNow(inputs) {
          recorded.push(...inputs);
          return fixture.audit.recordNow(inputs);
        },
      },
      keyRing: fixture.keyRing,
      domains: fixture.nodes.domains,
      clock: fixture.clock,
      softwareVersion: '0.0.0-test',
      ...more,
    },
    others,
  );
  return { routes, recorded, as: (actor) => clientOf(routes, actor) };
}

function clientOf(routes: readonly RouteDeclaration[], actor: Actor): FhirClient {
  const call: FhirClient['call'] = (method, url, options = {}) => answer(routes, actor, { method, url, ...options });
  return {
    call,
    get: (url, headers = {}) => call('GET', url, { headers }),
    post: (url, body, headers = {}) => call('POST', url, { body, headers }),
    put: (url, body, headers = {}) => call('PUT', url, { body, headers }),
    delete: (url, headers = {}) => call('DELETE', url, { headers }),
  };
}

interface Call {
  readonly method: string;
  readonly url: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

async function answer(routes: readonly RouteDeclaration[], actor: Actor, call: Call): Promise<FhirAnswer> {
  const [path, query] = splitUrl(call.url);
  const found = find(routes, call.method, path);
  if (!found) throw new Error(`no FHIR route for ${call.method} ${path}`);
  const headers = new Map(Object.entries(call.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  if (call.body !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/fhir+json');
  const { access } = found.route;
  const request = {
    actor,
    method: call.method,
    url: call.url,
    baseUrl: BASE,
    params: found.params,
    query,
    body: call.body === undefined ? undefined : bytesOf(call.body),
    header: (name: string) => headers.get(name.toLowerCase()),
    cookie: () => undefined,
    signal: new AbortController().signal,
  } as unknown as RouteRequest<never, never, never>;
  try {
    if (access.kind === 'permission' && !actor.principal.permissions.has(access.permission)) {
      throw new Problem('forbidden', 'access-denied', 'no');
    }
    const reply = await handled(found.route, request);
    return toAnswer(reply.status, reply.headers ?? {}, bodyBytes(reply.body), reply.contentType);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const outcome = operationOutcome(error, 'r');
    // As the door does: src/platform/http/refuse.ts.
    if (wantsXml(call.url, headers.get('accept')))
      return toAnswer(problemStatus(error), {}, bytesOf(asXml(outcome)), 'application/fhir+xml');
    return toAnswer(problemStatus(error), {}, bytesOf(outcome), 'application/fhir+json');
  }
}

function toAnswer(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | undefined,
  contentType: string | undefined,
): FhirAnswer {
  const text = body === undefined ? '' : new TextDecoder().decode(body);
  const json: unknown = /^[{[]/.test(text) ? JSON.parse(text) : undefined;
  return { status, headers: { ...headers, ...(contentType ? { 'content-type': contentType } : {}) }, text, json };
}

/** FHIR routes answer bytes, others values. */
function bodyBytes(body: unknown): Uint8Array | undefined {
  return body === undefined ? undefined : bytesOf(body);
}

function splitUrl(url: string): [string, string] {
  const local = url.replace(BASE, '');
  const mark = local.indexOf('?');
  return mark < 0 ? [local, ''] : [local.slice(0, mark), local.slice(mark + 1)];
}

function find(routes: readonly RouteDeclaration[], method: string, path: string) {
  const all = routes
    .filter((route) => route.method === method)
    .map((route) => ({
      route,
      match: new RegExp(`^${route.path.replaceAll('$', '\\$').replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`).exec(path),
    }))
    .filter(({ match }) => match !== null)
    // A written-out segment wins over a parameter, as in the router.
    .sort((a, b) => a.route.path.split(':').length - b.route.path.split(':').length);
  const first = all[0];
  return first ? { route: first.route, params: { ...first.match?.groups } } : undefined;
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
}

export const asXml = (resource: object): string => new TextDecoder().decode(printFhirXml(resource as never));
