import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newId, randomToken } from '../../src/crypto/index.ts';
import { createDoor, createRedirectDoor, loadSite, operationsRoutes } from '../../src/platform/http/index.ts';
import { NO_INPUT, type TestDoor, testDoor, testRoute } from '../support/door.ts';
import { type Client, OWN_PAGE, send, sendPlain } from '../support/tls.ts';

/** Threat: a client that plays by no rules holds the door, learns what it should not, or acts for somebody else. */
const folder = mkdtempSync(join(tmpdir(), 'careseal-site-'));
let door: TestDoor;
beforeAll(async () => {
  mkdirSync(join(folder, 'web', 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'outside');
  writeFileSync(join(folder, 'web', 'index.html'), '<!doctype html><title>Careseal</title>');
  writeFileSync(join(folder, 'web', 'assets', 'app-1a2b.js'), 'export const x = 1;\n'.repeat(200));
  door = await testDoor(
    [
      testRoute({}),
      testRoute({
        method: 'POST',
        path: '/api/change',
        input: { ...NO_INPUT, body: z.object({}) },
        limits: { bodyBytesMax: 1000, perMinute: 1000 },
      }),
    ],
    {
      site: loadSite({ directory: join(folder, 'web'), makeNonce: () => randomToken(128) }),
      connectionLimits: {
        headersTimeoutMs: 300,
        bodyTimeoutMs: 300,
        idleTimeoutMs: 700,
        handshakeTimeoutMs: 300,
        keepAliveTimeoutMs: 300,
        connectionsPerAddressMax: 20,
      },
    },
  );
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await door.close();
});

const open = () =>
  new Promise<TLSSocket>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: door.port, ca: door.client.ca, servername: 'localhost' });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });

/** What the server said until it closed the connection, and how long that took. */
async function lifeOf(socket: Socket): Promise<{ text: string; ms: number }> {
  const from = Date.now();
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  await new Promise((resolve) => socket.once('close', resolve).on('error', () => undefined));
  return { text, ms: Date.now() - from };
}

describe('slow clients', () => {
  test('headers that drip are cut off', async () => {
    const socket = await open();
    socket.write('GET /api/test HTTP/1.1\r\nHost: localhost\r\n');
    const drip = setInterval(() => socket.writable && socket.write('X-A: b\r\n'), 50);
    const { text, ms } = await lifeOf(socket);
    clearInterval(drip);
    expect(ms).toBeLessThan(2_000);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('a body that drips is cut off with a clear answer', async () => {
    const socket = await open();
    socket.write(
      'POST /api/change HTTP/1.1\r\nHost: localhost\r\nX-Careseal: 1\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{',
    );
    const drip = setInterval(() => socket.writable && socket.write(' '), 50);
    const { text, ms } = await lifeOf(socket);
    clearInterval(drip);
    expect(ms).toBeLessThan(2_000);
    expect(text).toMatch(/^HTTP\/1\.1 408 [\s\S]*body-too-slow/);
  });

  test('silence is cut off, before and after the handshake and between requests', async () => {
    const bare = connectTcp({ host: '127.0.0.1', port: door.port });
    expect((await lifeOf(bare)).ms).toBeLessThan(2_000);
    expect((await lifeOf(await open())).ms).toBeLessThan(2_000);
    const kept = await open();
    kept.write('GET /api/test HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const { text, ms } = await lifeOf(kept);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(ms).toBeLessThan(2_500);
  });

  test('connections of one address are capped, and room is made when they end', async () => {
    const crowd = await Promise.allSettled(Array.from({ length: 60 }, open));
    const inside = crowd.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(inside.length).toBeLessThanOrEqual(20);
    for (const socket of inside) socket.destroy();
    await expect
      .poll(() =>
        send(door.client, { path: '/api/test' }).then(
          (answer) => answer.status,
          () => 0,
        ),
      )
      .toBe(200);
  });
});

describe('requests that are none', () => {
  const raw = async (text: string) => {
    const socket = await open();
    socket.write(text);
    return (await lifeOf(socket)).text;
  };

  test.each([
    ['rubbish', 'hello\r\n\r\n'],
    ['two lengths', 'POST /api/change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 5\r\n\r\nx'],
    [
      'length and chunks at once',
      'POST /api/change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['no host', 'GET /api/test HTTP/1.1\r\n\r\n'],
    ['a bare line feed in a header', 'GET /api/test HTTP/1.1\r\nHost: localhost\r\nX: a\nY: b\r\n\r\n'],
    ['a name with a blank', 'GET /api/test HTTP/1.1\r\nHost: localhost\r\nX-A : b\r\n\r\n'],
  ])('%s: 400 and the connection ends', async (_what, text) => {
    expect(await raw(text)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('headers without end: 431', async () => {
    expect(await raw(`GET /api/test HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
  });
});

describe('other sites', () => {
  const change = (headers: Record<string, string>) =>
    send(door.client, {
      method: 'POST',
      path: '/api/change',
      body: '{}',
      headers: { 'content-type': 'application/json', ...headers },
    });

  test('cannot change anything, our own pages can', async () => {
    expect((await change(OWN_PAGE)).status).toBe(200);
    expect((await change({})).status).toBe(403);
    expect((await change({ ...OWN_PAGE, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await change({ 'x-careseal': '1', origin: 'https://evil.example' })).status).toBe(403);
  });

  test('cannot pose as this host (DNS rebinding)', async () => {
    const answer = await send(door.client, { path: '/', headers: { host: 'evil.example' } });
    expect(answer.status).toBe(421);
    expect(answer.text).not.toContain('evil.example');
  });

  test('get no CORS permission', async () => {
    const answer = await send(door.client, { path: '/api/test', headers: { origin: 'https://evil.example' } });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('the web application', () => {
  test('pages come with the strict policy, assets for ever, and the application for page addresses only', async () => {
    const page = await send(door.client, { path: '/clients/0198f3a0-0000-7000-8000-00000000000a' });
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(page.headers).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cache-control': 'no-store',
      'permissions-policy': expect.stringContaining('camera=()'),
    });
    const asset = await send(door.client, { path: '/assets/app-1a2b.js', headers: { 'accept-encoding': 'gzip' } });
    expect(asset.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-encoding': 'gzip',
      'content-type': 'text/javascript; charset=utf-8',
    });
    const again = await send(door.client, {
      path: '/assets/app-1a2b.js',
      headers: { 'if-none-match': String(asset.headers['etag']) },
    });
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await send(door.client, { path: '/audit' })).status).toBe(200);
    for (const path of ['/api/x', '/fhir/x', '/audit/x', '/assets/gone.js', '/robots.txt'])
      expect([path, (await send(door.client, { path })).status]).toEqual([path, 404]);
  });

  test.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '//etc/passwd',
    '/assets/%00.js',
  ])('%s shows nothing from outside', async (path) => {
    const answer = await send(door.client, { path });
    expect(answer.text).not.toContain('outside');
    expect(answer.text).not.toContain('root:');
  });
});

describe('the operations and redirect doors', () => {
  test('operations refuses every address but loopback, and other host names', async () => {
    const make = () =>
      createDoor({
        name: 'operations',
        routes: operationsRoutes({ notReady: async () => 'the database', metrics: async () => 'x 1\n' }),
        hostNames: ['127.0.0.1', 'localhost'],
        authenticate: () => ({ kind: 'anonymous', permissions: new Set() }),
        decideAccess: () => undefined,
        recordRefusal: async () => undefined,
        clock: { nowMs: Date.now },
        newRequestId: newId,
        log: console,
      });
    for (const host of ['0.0.0.0', '::', '192.0.2.1', '127.0.0.2.example'])
      await expect(make().listen({ host, port: 0 })).rejects.toThrow(/loopback/);
    const operations = make();
    const { port } = await operations.listen({ host: '127.0.0.1', port: 0 });
    expect((await sendPlain(port, { path: '/healthz' })).text).toBe('ok\n');
    expect(await sendPlain(port, { path: '/readyz' })).toMatchObject({
      status: 503,
      text: 'not ready: the database\n',
    });
    expect((await sendPlain(port, { path: '/metrics' })).text).toBe('x 1\n');
    expect((await sendPlain(port, { path: '/metrics', headers: { host: 'evil.example' } })).status).toBe(421);
    expect((await sendPlain(port, { path: '/api/nodes' })).status).toBe(404);
    await operations.close(100);
  });

  test('redirect answers 308 to a configured name and nothing else', async () => {
    const redirect = createRedirectDoor(['registry.example', '::1'], 8443);
    const { port } = await redirect.listen({ host: '127.0.0.1', port: 0 });
    const to = async (path: string, host: string, method = 'GET') => {
      const answer = await sendPlain(port, { method, path, headers: { host } });
      expect([answer.status, answer.text]).toEqual([308, '']);
      return answer.headers.location;
    };
    expect(await to('/clients?x=1', 'registry.example')).toBe('https://registry.example:8443/clients?x=1');
    expect(await to('/', '[::1]:8080', 'POST')).toBe('https://[::1]:8443/');
    expect(await to('/', 'evil.example')).toBe('https://registry.example:8443/');
    expect(await to('//evil.example/', 'registry.example')).toBe('https://registry.example:8443/');
    expect(await to('/\\evil.example', 'registry.example')).toBe('https://registry.example:8443/');
    await redirect.close();
  });
});

test('the door still serves after all this', async () => {
  const client: Client = door.client;
  expect((await send(client, { path: '/api/test' })).status).toBe(200);
});
