import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestAuthority, testAuthority, testLeaf } from '../../../test/support/tls.ts';
import { addressRules, createOutbound } from './index.ts';

describe('addresses', () => {
  const rules = addressRules([]);
  test.each([
    '127.0.0.1 127.255.0.3 10.0.0.1 172.16.5.5 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1',
    '255.255.255.255 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd12:3456::1 ff02::1 ::ffff:127.0.0.1 ::ffff:7f00:1',
    '::ffff:a9fe:a9fe 64:ff9b::7f00:1 2002:7f00:1:: 2001::1 2001:db8::1 100::1 not-an-address 127.1 0x7f000001',
  ])('%s are refused', (list) => {
    for (const address of list.split(' ')) expect(rules.isAllowed(address), address).toBe(false);
  });
  test('public ones are let through, private ones where they are named', () => {
    for (const address of ['1.1.1.1', '172.32.0.1', '192.169.0.1', '2606:4700::1111', '::ffff:8.8.8.8'])
      expect(rules.isAllowed(address), address).toBe(true);
    const own = addressRules(['10.20.0.0/16', 'fd00::/8']);
    expect(['10.20.3.4', '10.21.0.1', 'fd01::1', '127.0.0.1'].map((one) => own.isAllowed(one))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
  test.each(['10.0.0.0', '10.0.0.0/33', 'x/8', '::/129'])('%s is no network', (text) => {
    expect(() => addressRules([text])).toThrow(RangeError);
  });
});

describe('a request', () => {
  let server: Server;
  let authority: TestAuthority;
  let url: string;
  let seen = 0;
  beforeAll(async () => {
    authority = await testAuthority();
    const { certificate, key } = await testLeaf(authority, { usage: 'server', names: ['localhost', '127.0.0.1'] });
    server = createServer({ cert: certificate, key }, (request, response) => {
      seen += 1;
      if (request.url === '/slow') return;
      if (request.url === '/large') return void response.end(Buffer.alloc(2_000_000));
      if (request.url === '/away') return void response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end();
      response.end('hello');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://localhost:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const trusting = () => createOutbound({ allowedNetworks: ['127.0.0.0/8'], authoritiesPem: authority.ca });

  test('reaches an allowed network, and says a redirect instead of following it', async () => {
    const outbound = trusting();
    const answer = await outbound.request({ method: 'GET', url });
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([200, 'hello']);
    expect((await outbound.request({ method: 'GET', url: `${url}/away` })).status).toBe(302);
    outbound.close();
  });

  test('is refused before a connection where the address is private', async () => {
    const before = seen;
    const outbound = createOutbound({ allowedNetworks: [], authoritiesPem: authority.ca });
    for (const bad of [url, url.replace('localhost', '127.0.0.1'), url.replace('localhost', '[::ffff:127.0.0.1]')])
      await expect(outbound.request({ method: 'GET', url: bad })).rejects.toMatchObject({ code: 'outbound-forbidden' });
    expect(seen).toBe(before);
  });

  test.each([
    'http://example.org/',
    'https://user:secret@example.org/',
    'ftp://example.org',
    'nonsense',
    'https://a#b',
  ])('%s is no address for this', (bad) =>
    expect(() => trusting().assertAllowed(bad)).toThrow(expect.objectContaining({ code: 'outbound-url' })),
  );

  test('is bounded in time and size, and never goes on without a good certificate', async () => {
    const outbound = trusting();
    await expect(outbound.request({ method: 'GET', url: `${url}/slow`, timeoutMs: 150 })).rejects.toMatchObject({
      code: 'outbound-timeout',
    });
    await expect(outbound.request({ method: 'GET', url: `${url}/large` })).rejects.toMatchObject({
      code: 'outbound-too-large',
    });
    await expect(outbound.request({ method: 'GET', url: 'https://127.0.0.1:1/' })).rejects.toMatchObject({
      code: 'outbound-unreachable',
    });
    const strangers = createOutbound({ allowedNetworks: ['127.0.0.0/8'] });
    await expect(strangers.request({ method: 'GET', url })).rejects.toMatchObject({ code: 'outbound-tls' });
  });
});
