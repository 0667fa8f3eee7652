import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { inputProblem } from './errors.ts';
import type { DoorInput } from './request.ts';
import type { RouteDeclaration } from './route.ts';

type Parse = (value: unknown) => unknown;
type Where = 'path' | 'query' | 'body';

const NOTHING: object = Object.freeze({});

/** Builds, once per route, the function that turns a request into the route's typed input or throws a Problem. */
export function inputParser(route: RouteDeclaration): (request: FastifyRequest) => DoorInput {
  const params = route.path.includes(':') || route.path.includes('*') ? checked('path', route.input.params) : nothing;
  const { query, body } = route.input;
  const parseBody = typeof body === 'string' ? undefined : checked('body', body);
  if (query === 'raw')
    return (request) => ({
      params: params(request.params),
      query: rawQuery(request.url),
      body: bodyOf(request, parseBody, body),
    });
  const parseQuery = isEmptyObject(query) ? nothing : checked('query', query);
  return (request) => ({
    params: params(request.params),
    query: parseQuery(request.query),
    body: bodyOf(request, parseBody, body),
  });
}

function bodyOf(request: FastifyRequest, parse: Parse | undefined, kind: RouteDeclaration['input']['body']): unknown {
  if (parse !== undefined) return parse(request.body);
  if (kind === 'none') return undefined;
  return request.body ?? (kind === 'bytes' ? new Uint8Array(0) : request.raw);
}

function nothing(): unknown {
  return NOTHING;
}

function checked(where: Where, schema: z.ZodType): Parse {
  return (value) => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    throw inputProblem(where, result.error);
  };
}

/** `z.object({})` accepts anything and keeps nothing: no need to run it on every request. `z.strictObject({})` does need. */
function isEmptyObject(schema: z.ZodType): boolean {
  return schema instanceof z.ZodObject && Object.keys(schema.shape).length === 0 && schema.def.catchall === undefined;
}

/** The query string without its question mark, undecoded. */
function rawQuery(url: string): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start + 1);
}
