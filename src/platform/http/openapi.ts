import { z } from 'zod';
import type { RouteDeclaration } from './route.ts';

/**
 * OpenAPI 3.1 of everything that is not FHIR (that has its CapabilityStatement), made of the route declarations themselves: what
 * a door checks is what the document says.
 */
export interface OpenApiInfo {
  readonly version: string;
  readonly usersUrl: string;
  /** `https://host:port` of the nodes' door. */
  readonly nodesUrl: string;
}

type Json = Readonly<Record<string, unknown>>;

export function openApiDocument(routes: readonly RouteDeclaration[], info: OpenApiInfo): Json {
  const paths: Record<string, Record<string, Json>> = {};
  const told = routes.filter((route) => !/^\/fhir(?:\/|$)/.test(route.path) && !route.doors.includes('operations'));
  for (const route of [...told].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}').replace('*', '{rest}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route, info);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Careseal',
      version: info.version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'Everything but FHIR, which describes itself at /fhir/metadata. Refusals are problem+json (RFC 9457) with a stable code.',
    },
    servers: [{ url: info.usersUrl, description: 'for people' }],
    paths,
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: '__Host-session', description: 'A signed-in person' },
        certificate: { type: 'mutualTLS', description: 'A registered node, at the nodes’ door' },
      },
      schemas: { Problem: PROBLEM },
    },
  };
}

function operation(route: RouteDeclaration, info: OpenApiInfo): Json {
  const onlyNodes = !route.doors.includes('users');
  const body = requestBody(route);
  return {
    operationId: operationId(route),
    summary: summary(route),
    ...(onlyNodes ? { servers: [{ url: info.nodesUrl, description: 'for systems' }] } : {}),
    security: security(route),
    ...(route.access.kind === 'permission' ? { 'x-permission': route.access.permission } : {}),
    'x-requests-per-minute': route.limits.perMinute,
    parameters: parameters(route),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: {
      '2XX': { description: 'Done', ...content(route) },
      default: {
        description: 'Refused or failed; nothing was done unless the answer says so',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

/** `POST /api/nodes/:id/revoke` → `postApiNodesIdRevoke`. */
function operationId({ method, path }: RouteDeclaration): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function summary({ audit, access }: RouteDeclaration): string {
  if (audit.kind === 'event') return `Recorded as ${audit.event}`;
  return `Not recorded: ${audit.because}${access.kind === 'permission' ? '' : `. Open since ${access.because}`}`;
}

function security({ access, doors }: RouteDeclaration): Json[] {
  if (access.kind === 'open' || (access.kind === 'public' && doors.includes('users'))) return [];
  const schemes = { users: { session: [] }, nodes: { certificate: [] }, operations: {} } as const;
  return doors.map((door) => schemes[door]);
}

function parameters(route: RouteDeclaration): Json[] {
  const list: Json[] = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const { query } = route.input;
  if (query === 'raw') list.push({ name: 'query', in: 'query', required: false, schema: { type: 'string' } });
  else {
    const { properties = {}, required = [] } = objectSchema(query);
    for (const [name, schema] of Object.entries(properties))
      list.push({ name, in: 'query', required: required.includes(name), schema });
  }
  if (route.method !== 'GET' && route.doors.includes('users') && route.access.kind !== 'open')
    list.push({ name: 'X-Careseal', in: 'header', required: true, schema: { const: '1' } });
  return list;
}

function objectSchema(schema: z.ZodType): { readonly properties?: Json; readonly required?: readonly string[] } {
  return asJsonSchema(schema, 'input');
}

function requestBody({ input, limits }: RouteDeclaration): Json | undefined {
  const { body } = input;
  if (body === 'none') return undefined;
  const note = { description: `At most ${limits.bodyBytesMax} bytes`, required: true };
  if (typeof body === 'string')
    return { ...note, content: { '*/*': { schema: { type: 'string', format: 'binary' } } } };
  return { ...note, content: { 'application/json': { schema: asJsonSchema(body, 'input') } } };
}

function content({ output }: RouteDeclaration): Json {
  if (output === 'none') return {};
  if (typeof output === 'string') return { content: { '*/*': { schema: { type: 'string', format: 'binary' } } } };
  return { content: { 'application/json': { schema: asJsonSchema(output, 'output') } } };
}

function asJsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

const PROBLEM: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'Plain words: what failed, and what to do' },
    code: { type: 'string', description: 'Stable; programs decide by this' },
    requestId: { type: 'string' },
    issues: {
      type: 'array',
      items: { type: 'object', properties: { detail: { type: 'string' }, path: { type: 'string' } } },
    },
  },
};
