import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { sha256Hex } from '../../src/crypto/index.ts';
import { utf8Encode } from '../../src/kernel/bytes.ts';
import { composeServices, type Services } from '../../src/main/services.ts';
import { readConfig } from '../../src/platform/config/config.ts';
import { assertRoutes, openApiDocument, operationsRoutes, routeLines } from '../../src/platform/http/index.ts';
import { silentLogger } from '../../src/platform/log/index.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const home = mkdtempSync(join(tmpdir(), 'careseal-routes-'));
let db: TestDatabase;
let services: Services;
beforeAll(async () => {
  db = await testDatabase();
  const config = readConfig({
    home,
    homeSource: 'default',
    workingDirectory: home,
    document: undefined,
    variables: {},
  });
  services = await composeServices({ config, connection: db.connection, log: silentLogger() });
});
afterAll(async () => {
  await services.stop();
  await db.close();
  rmSync(home, { recursive: true });
});

it('every route of the whole application is as test/golden/routes.txt shows it (npm run schema writes it)', async () => {
  const operations = operationsRoutes({ notReady: async () => undefined, metrics: async () => '' });
  const routes = [...services.routes, ...operations];
  assertRoutes(routes);
  await expect(`${routeLines(routes).join('\n')}\n`).toMatchFileSnapshot('../golden/routes.txt');
});

it('no handler sees a field that its body does not declare; what administers systems, people and policy refuses such fields', () => {
  const bodies = services.routes.flatMap(({ method, path, input: { body } }) =>
    typeof body === 'string' ? [] : [{ route: `${method} ${path}`, body }],
  );
  expect(bodies.length).toBeGreaterThan(80);
  const open = (io: 'input' | 'output') =>
    bodies
      .filter(({ body }) => hasOpenObject(z.toJSONSchema(body, { io, unrepresentable: 'any' })))
      .map(({ route }) => route);
  // What an authenticator sends, its library reads; newer ones send more.
  const passkeys = /^POST \/api\/(?:sign-in\/passkey|factors\/passkey|step-up|password-reset)$/;
  expect(open('output').filter((route) => !passkeys.test(route))).toEqual([]);
  // Stewards' pages: dropped, not refused.
  const dropped =
    /^(?:POST|PUT) \/api\/(?:clients|never-link|reviews?|review-rules|review-groups|quality|models)(?:\/|$)/;
  expect(open('input').filter((route) => !passkeys.test(route) && !dropped.test(route))).toEqual([]);
});

/** Whether an object of a JSON schema lets unknown fields through. Records name the shape of all their values: nothing is unknown there. */
function hasOpenObject(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  const { type, properties, additionalProperties } = schema as Readonly<Record<string, unknown>>;
  const isObject = type === 'object' && (additionalProperties === undefined || properties !== undefined);
  return (isObject && additionalProperties !== false) || Object.values(schema).some(hasOpenObject);
}

it('the OpenAPI document is as test/golden/openapi.txt shows it (a digest of each operation), and is served to everybody', async () => {
  const served = services.routes.find((route) => route.path === '/api/openapi.json');
  expect(served?.access.kind).toBe('open');
  const info = { version: '0.0.0', usersUrl: 'https://localhost:8443', nodesUrl: 'https://localhost:8444' };
  const document = openApiDocument(services.routes, info);
  const paths = z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() })));
  const operations = Object.entries(paths.parse(document['paths'])).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ line: `${method} ${path} ${digest(one)}`, id: one.operationId })),
  );
  expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length);
  await expect(`${operations.map(({ line }) => line).join('\n')}\n`).toMatchFileSnapshot('../golden/openapi.txt');
});

it('the OpenAPI document stands an independent validator, and every route that is not FHIR is in it', async () => {
  const info = { version: '0.0.0', usersUrl: 'https://localhost:8443', nodesUrl: 'https://localhost:8444' };
  const document = openApiDocument(services.routes, info);
  const found = await new Validator().validate(structuredClone(document));
  expect(found.errors).toBeUndefined();
  expect(found.valid).toBe(true);
  const broken = { ...structuredClone(document), info: {} };
  expect((await new Validator().validate(broken)).valid).toBe(false);
  const paths = z.record(z.string(), z.record(z.string(), z.unknown())).parse(document['paths']);
  const told = Object.entries(paths).flatMap(([path, one]) =>
    Object.keys(one).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const served = services.routes
    .filter(({ path }) => path !== '/fhir' && !path.startsWith('/fhir/'))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}').replace('*', '{rest}')}`);
  expect(told.toSorted()).toEqual([...new Set(served)].toSorted());
  expect(served.length).toBeGreaterThan(100);
});

function digest(operation: object): string {
  return sha256Hex(utf8Encode(JSON.stringify(operation))).slice(0, 12);
}
