import { z } from 'zod';
import { noneBecause, openApiDocument, openBecause, type RouteDeclaration, route } from '../platform/http/index.ts';

/** GET /api/openapi.json: what all other routes look like. */
export function openApiRoute(
  routes: readonly RouteDeclaration[],
  info: Parameters<typeof openApiDocument>[1],
): RouteDeclaration {
  let made: string | undefined;
  return route({
    doors: ['users', 'nodes'],
    method: 'GET',
    path: '/api/openapi.json',
    access: openBecause('the shape of the interface is in the source, and integrators need it before anything else'),
    audit: noneBecause('says what the program can do, and nothing about anybody'),
    input: { params: z.object({}), query: z.object({}), body: 'none' },
    output: 'bytes',
    limits: { bodyBytesMax: 0, perMinute: 60 },
    async handle() {
      made ??= JSON.stringify(openApiDocument(routes, info), null, 1);
      return { status: 200, body: Buffer.from(made), contentType: 'application/json', audited: null };
    },
  });
}
