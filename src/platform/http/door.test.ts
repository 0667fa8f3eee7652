import { Agent, request } from 'node:https';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { audited, EVENT, NO_INPUT, PLENTY, type TestDoor, testDoor, testRoute } from '../../../test/support/door.ts';
import { OWN_PAGE, send } from '../../../test/support/tls.ts';
import { Problem } from '../../kernel/problem.ts';
import { event, permission } from './route.ts';

const body = z.strictObject({ name: z.string().max(5), age: z.int().optional() });
const bodyRoute = {
  method: 'POST',
  input: { ...NO_INPUT, body },
  limits: { bodyBytesMax: 200, perMinute: 1000 },
} as const;

const streamed: number[] = [];
let streaming = 0;
const broken: unknown[] = [];
const routes = [
  testRoute({}),
  testRoute({
    path: '/api/things/:id',
    input: { ...NO_INPUT, params: z.object({ id: z.string().regex(/^\d+$/, 'must be a number') }) },
    output: z.object({ id: z.string() }),
    handle: async ({ params }) => ({ status: 200, body: params, audited: null }),
  }),
  testRoute({ ...bodyRoute, path: '/api/people' }),
  testRoute({ ...bodyRoute, path: '/fhir/Patient', output: 'fhir' }),
  testRoute({ path: '/api/crash', handle: async () => Promise.reject(new Error('Jane Doe, NIN CM123')) }),
  testRoute({ path: '/fhir/crash', handle: async () => Promise.reject(new Error('Jane Doe, NIN CM123')) }),
  testRoute({
    path: '/api/audited',
    audit: EVENT,
    handle: async () => ({ status: 200, body: { ok: true }, audited: audited() }),
  }),
  testRoute({
    path: '/api/forgot',
    audit: EVENT,
    handle: async () => ({ status: 200, body: { ok: true }, audited: null }),
  }),
  testRoute({
    path: '/api/forged',
    audit: EVENT,
    // A receipt of one's own making: right type, never issued.
    handle: async () => ({ status: 200, body: { ok: true }, audited: {} as ReturnType<typeof audited> }),
  }),
  testRoute({ path: '/api/wrong-shape', handle: async () => ({ status: 200, body: { ok: 'yes' }, audited: null }) }),
  testRoute({ path: '/api/few', limits: { ...PLENTY, perMinute: 3 } }),
  testRoute({ path: '/api/secret', access: permission('audit.read', { scope: 'read' }), audit: event('audit.list') }),
  testRoute({
    path: '/api/cookies',
    handle: async (request) => ({
      status: 200,
      body: { ok: request.cookie('session') === 'abc' },
      cookies: [
        { name: 'session', value: 'new', maxAgeSeconds: 60 },
        { name: 'old', value: null },
      ],
      audited: null,
    }),
  }),
  testRoute({
    path: '/api/raw',
    input: { ...NO_INPUT, query: 'raw' },
    output: 'bytes',
    handle: async ({ query, baseUrl }) => ({
      status: 200,
      body: Buffer.from(`${baseUrl} ${String(query)}`),
      audited: null,
    }),
  }),
  testRoute({
    method: 'POST',
    path: '/api/stream',
    input: { ...NO_INPUT, body: 'stream' },
    limits: { bodyBytesMax: 1_000_000, perMinute: 1000 },
    output: z.object({ bytes: z.number() }),
    handle: async ({ body: stream }) => {
      let bytes = 0;
      try {
        for await (const chunk of stream as Readable) {
          if (bytes === 0) streaming += 1;
          bytes += (chunk as Buffer).length;
        }
      } catch (error) {
        broken.push(error);
        throw error;
      }
      streamed.push(bytes);
      return { status: 200, body: { bytes }, audited: null };
    },
  }),
];

let door: TestDoor;
beforeAll(async () => {
  door = await testDoor(routes, {
    decideAccess: (_principal, access) =>
      access.kind === 'public' ? undefined : new Problem('unauthenticated', 'sign-in-needed', 'Sign in first.'),
  });
});
afterAll(() => door.close());
const get = (path: string, headers = {}) => send(door.client, { path, headers });
const post = (path: string, text: string, headers = {}) =>
  send(door.client, {
    method: 'POST',
    path,
    body: text,
    headers: { ...OWN_PAGE, 'content-type': 'application/json', ...headers },
  });

describe('a request', () => {
  test('is answered with the security headers and a request id', async () => {
    const answer = await get('/api/test');
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ ok: true });
    expect(answer.headers).toMatchObject({
      'strict-transport-security': 'max-age=63072000',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers['x-powered-by']).toBeUndefined();
    expect(answer.headers['server']).toBeUndefined();
  });

  test('keeps a well-formed request id and replaces any other', async () => {
    expect((await get('/api/test', { 'x-request-id': 'clinic-7.42' })).headers['x-request-id']).toBe('clinic-7.42');
    for (const bad of ['short', 'with blank inside', `${'x'.repeat(65)}`, 'inject"}{"'])
      expect((await get('/api/test', { 'x-request-id': bad })).headers['x-request-id']).not.toBe(bad);
  });

  test('has its path, query and body parsed by the route, and faults name the field without its value', async () => {
    expect((await get('/api/things/7')).json()).toEqual({ id: '7' });
    const badPath = await get('/api/things/Jane');
    expect(badPath.status).toBe(400);
    expect(badPath.json()).toMatchObject({
      code: 'input-invalid',
      issues: [{ path: 'path.id', detail: 'path.id: must be a number' }],
    });
    const badBody = await post('/api/people', '{"name":"Josephine","SecretField":1}');
    expect(badBody.status).toBe(400);
    expect(badBody.text).toContain('body.name');
    expect(badBody.text).not.toMatch(/Josephine|SecretField/);
    expect((await get('/api/raw?name=J%C3%B6rg&name=b')).text).toBe(
      `https://localhost:${door.port} name=J%C3%B6rg&name=b`,
    );
  });

  test('with broken or ambiguous JSON is refused without echo', async () => {
    for (const text of ['{"name":"Jane"', '{"name":"a","name":"Jane"}', '', '\u0000Jane', `${'['.repeat(90)}`]) {
      const answer = await post('/api/people', text);
      expect(answer.status, text).toBe(400);
      expect(answer.text).not.toContain('Jane');
    }
    expect((await post('/api/people', 'name=Jane', { 'content-type': 'text/plain' })).status).toBe(415);
  });

  test('is refused when its body is too large or not expected', async () => {
    const large = await post('/api/people', `{"name":"${'x'.repeat(300)}"}`);
    expect([large.status, large.json()['code']]).toEqual([413, 'body-too-large']);
    const chunked = await send(door.client, {
      method: 'POST',
      path: '/api/people',
      headers: { ...OWN_PAGE, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      body: `{"name":"${'x'.repeat(300)}"}`,
    });
    expect(chunked.status).toBe(413);
    expect((await send(door.client, { path: '/api/test', body: 'x', headers: { 'content-length': '1' } })).status).toBe(
      400,
    );
  });

  test('streams where the route takes a stream', async () => {
    const answer = await post('/api/stream', 'x'.repeat(500_000), { 'content-type': 'text/csv' });
    expect(answer.json()).toEqual({ bytes: 500_000 });
    const announced = await post('/api/stream', 'x'.repeat(1_000_001), { 'content-type': 'text/csv' }).catch(
      () => 'cut',
    );
    if (announced !== 'cut') expect(announced).toMatchObject({ status: 413 });
    const headers = { 'content-type': 'text/csv', 'transfer-encoding': 'chunked' };
    const unannounced = await post('/api/stream', 'x'.repeat(1_000_001), headers).catch(() => 'cut');
    if (unannounced !== 'cut') expect(unannounced).toMatchObject({ status: 413 });
    await expect.poll(() => broken.length).toBe(1);
    expect(streamed).toEqual([500_000]);
    const before = streaming;
    const half = request({
      ...{ host: '127.0.0.1', port: door.port, ca: door.authority.ca, servername: 'localhost', agent: false },
      ...{
        method: 'POST',
        path: '/api/stream',
        headers: { ...OWN_PAGE, 'content-type': 'text/csv', host: 'localhost' },
      },
    });
    half.on('error', () => undefined);
    half.write('x'.repeat(1000));
    await expect.poll(() => streaming).toBe(before + 1);
    half.destroy();
    await expect.poll(() => broken.length).toBe(2);
  });

  test('reads and writes cookies as __Host- cookies only', async () => {
    const answer = await get('/api/cookies', { cookie: 'a=b; __Host-session=abc' });
    expect(answer.json()).toEqual({ ok: true });
    expect(answer.headers['set-cookie']).toEqual([
      '__Host-session=new; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60',
      '__Host-old=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0',
    ]);
    expect((await get('/api/cookies', { cookie: 'session=abc' })).status).toBe(200);
    expect((await get('/api/cookies', { cookie: 'session=abc' })).json()).toEqual({ ok: false });
  });
});

describe('refusals', () => {
  test('are problem+json under /api and OperationOutcome under /fhir', async () => {
    const api = await get('/api/nothing');
    expect(api.status).toBe(404);
    expect(api.headers['content-type']).toContain('application/problem+json');
    expect(api.json()).toMatchObject({ status: 404, code: 'route-unknown', requestId: api.headers['x-request-id'] });
    const fhir = await get('/fhir/Nothing');
    expect(fhir.headers['content-type']).toContain('application/fhir+json');
    expect(fhir.json()).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', code: 'not-found' }],
    });
  });

  test('a wrong method says which are right', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await send(door.client, { method, path: '/api/things/1', headers: OWN_PAGE });
      expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, 'GET']);
    }
  });

  test('an unknown error is a 500 with an id and nothing else, and the log does not quote it', async () => {
    for (const path of ['/api/crash', '/fhir/crash']) {
      const answer = await get(path);
      expect(answer.status).toBe(500);
      expect(answer.text).not.toMatch(/Jane|CM123|Error:|at |node_modules|\.ts/);
      expect(answer.text).toContain(String(answer.headers['x-request-id']));
    }
    const lines = JSON.stringify(door.logged);
    expect(lines).not.toMatch(/Jane|CM123/);
    expect(lines).toContain('/api/crash');
  });

  test('a route that declared an event cannot answer without a genuine receipt', async () => {
    expect((await get('/api/audited')).status).toBe(200);
    for (const path of ['/api/forgot', '/api/forged']) {
      const answer = await get(path);
      expect(answer.status).toBe(500);
      expect(answer.text).not.toContain('"ok"');
    }
  });

  test('an answer of the wrong shape does not pass in tests', async () => {
    expect((await get('/api/wrong-shape')).status).toBe(500);
    expect(JSON.stringify(door.logged)).toContain('broke its output schema at ok');
  });

  test('too many requests are told when to come back', async () => {
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await get('/api/few')).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect(Number((await get('/api/few')).headers['retry-after'])).toBeGreaterThan(0);
  });

  test('access is asked for before anything is read, and the refusal is reported with the event it prevented', async () => {
    const answer = await get('/api/secret');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Session');
    expect(door.refusals.find((refusal) => refusal.route === '/api/secret')).toMatchObject({
      status: 401,
      event: 'audit.list',
      stage: 'request',
      count: 1,
    });
  });

  test('an impossible URL is refused without an echo', async () => {
    const answer = await get('/api/things/%zz');
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('%zz');
  });
});

describe('closing', () => {
  test('lets the request under way finish, refuses new connections, and aborts what outlasts the drain', async () => {
    let started = 0;
    let aborted = false;
    let finish = (): void => undefined;
    const mayFinish = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const slow = await testDoor([
      testRoute({
        handle: async () => {
          started += 1;
          await mayFinish;
          return { status: 200, body: { ok: true }, audited: null };
        },
      }),
      testRoute({
        path: '/api/stuck',
        handle: async ({ signal }) => {
          started += 1;
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          aborted = true;
          return { status: 200, body: { ok: true }, audited: null };
        },
      }),
    ]);
    const agent = new Agent({ keepAlive: true });
    const first = send({ ...slow.client, agent }, { path: '/api/test' });
    const stuck = send(slow.client, { path: '/api/stuck' }).catch(() => 'cut');
    await expect.poll(() => started, { interval: 5 }).toBe(2);
    const closed = slow.handle.close(1_000);
    finish();
    expect((await first).status).toBe(200);
    await expect(send(slow.client, { path: '/api/test' })).rejects.toThrow(/ECONNREFUSED/);
    await closed;
    expect(await stuck).toBe('cut');
    await expect.poll(() => aborted).toBe(true);
    agent.destroy();
  });
});
