import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDoor, testDoor, testRoute } from '../../../test/support/door.ts';
import { send, sendPlain } from '../../../test/support/tls.ts';
import { newId, randomToken } from '../../crypto/index.ts';
import { createDoor, createRedirectDoor, loadSite, operationsRoutes } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'careseal-site-'));
let door: TestDoor;
beforeAll(async () => {
  mkdirSync(join(folder, 'web', 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'outside');
  writeFileSync(join(folder, 'web', 'index.html'), '<!doctype html><title>Careseal</title>');
  mkdirSync(join(folder, 'web', 'verify'));
  writeFileSync(join(folder, 'web', 'verify', 'careseal-verify.html'), '<!doctype html><script>alert(1)</script>');
  writeFileSync(join(folder, 'web', 'assets', 'app-1a2b.js'), 'export const x = 1;\n'.repeat(200));
  const site = loadSite({ directory: join(folder, 'web'), makeNonce: () => randomToken(128) });
  door = await testDoor([testRoute({})], { site });
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await door.close();
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
    for (const path of ['/api/x', '/fhir/x', '/audit/log/x', '/assets/gone.js', '/robots.txt'])
      expect([path, (await send(door.client, { path })).status]).toEqual([path, 404]);
  });

  test('files to take away are saved, and are no pages of this address', async () => {
    const file = await send(door.client, { path: '/verify/careseal-verify.html' });
    expect(file.status).toBe(200);
    expect(file.headers).toMatchObject({
      'content-disposition': 'attachment; filename="careseal-verify.html"',
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
      'content-security-policy': expect.stringMatching(/^default-src 'none'/),
    });
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

test('a page that wants a nonce gets a new one each time, in the policy and in the text', async () => {
  const directory = join(folder, 'nonce');
  mkdirSync(directory);
  writeFileSync(join(directory, 'index.html'), '<meta name="csp-nonce" content="__CSP_NONCE__">');
  const site = loadSite({ directory, makeNonce: () => randomToken(128) });
  const other = await testDoor([testRoute({})], { site });
  const pages = [await send(other.client, { path: '/' }), await send(other.client, { path: '/' })];
  const nonces = pages.map((page) => /content="([\w-]{22})"/.exec(page.text)?.[1]);
  expect(new Set(nonces).size).toBe(2);
  for (const [i, page] of pages.entries())
    expect(page.headers['content-security-policy']).toContain(`style-src 'self' 'nonce-${nonces[i]}'`);
  await other.close();
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
