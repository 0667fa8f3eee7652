import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';

/**
 * P66: a system, or whoever has its certificate, that sends its requests drop by drop on many connections holds none of them for long,
 * keeps nobody else out, and is on record with its certificate.
 */
let door: NodesDoor;
let node: KeyMaterial;
beforeAll(async () => {
  const connectionLimits = {
    headersTimeoutMs: 1_000,
    bodyTimeoutMs: 1_000,
    idleTimeoutMs: 2_000,
    connectionsPerAddressMax: 40,
  };
  door = await nodesDoor({ connectionLimits });
  node = (await door.newNode()).identity;
});
afterAll(() => door.close());

const open = () =>
  new Promise<TLSSocket>((resolve, reject) => {
    const { key, certificate: cert } = node;
    const socket = connect({ host: '127.0.0.1', port: door.port, ca: door.ca, servername: 'localhost', key, cert });
    socket.once('secureConnect', () => resolve(socket)).once('error', reject);
  });
async function dripped(socket: TLSSocket, start: string, drop: string): Promise<number> {
  const from = Date.now();
  socket.on('error', () => undefined).resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(start);
  const drip = setInterval(() => socket.writable && socket.write(drop), 50);
  await closed;
  clearInterval(drip);
  return Date.now() - from;
}

test.each([
  ['headers', 'GET /fhir/Patient/1 HTTP/1.1\r\nHost: localhost\r\n', 'X-A: b\r\n', 'request-too-slow'],
  [
    'a body',
    'POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\nContent-Length: 900\r\n\r\n{',
    ' ',
    'body-too-slow',
  ],
])(
  '%s drop by drop on twenty connections: all cut, on record with the certificate, and others are served',
  async (_what, start, drop, reason) => {
    door.refusals.length = 0;
    // Each begins as soon as it is connected: the time that a connection has for its request runs from then on.
    const lives = Promise.all(Array.from({ length: 20 }, async () => dripped(await open(), start, drop)));
    expect((await door.read(node)).status).toBe(200);
    for (const ms of await lives) expect(ms).toBeLessThan(15_000);
    // Those of unknown callers are counted; those of a node that is known by now are written one by one, bounded by its limit.
    await expect.poll(() => door.refusals.length).toBe(reason === 'body-too-slow' ? 20 : 1);
    const [told] = door.refusals;
    expect(told).toMatchObject({ status: 408, actor: { origin: { door: 'nodes', address: '127.0.0.1' } } });
    expect(told?.problem.code).toBe(reason);
    expect(told?.certificateSha256).toMatch(/^[0-9a-f]{64}$/);
    expect((await door.read(node)).status).toBe(200);
  },
);
