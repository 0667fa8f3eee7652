import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { NO_INPUT, type TestDoor, testDoor, testRoute } from '../support/door.ts';
import { type Client, send } from '../support/tls.ts';

/** P16 at the door: clients that are slow, silent, many, or do not speak HTTP get a bounded share of it. */
let door: TestDoor;
beforeAll(async () => {
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
      connectionLimits: {
        // Long enough that a busy machine does what a quick client does within them.
        headersTimeoutMs: 1_000,
        bodyTimeoutMs: 1_000,
        idleTimeoutMs: 1_500,
        handshakeTimeoutMs: 1_200,
        keepAliveTimeoutMs: 600,
        connectionsPerAddressMax: 20,
      },
    },
  );
});
afterAll(() => door.close());

/** The limits above are a fraction of it, without them it would be minutes; a machine with other work is given the rest. */
const BOUND_MS = 15_000;

/** What was told to the audit log. */
const reasons = () => door.refusals.map(({ problem }) => problem.code);
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
    expect(ms).toBeLessThan(BOUND_MS);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(reasons()).toContain('request-too-slow');
  });

  test('a body that drips is cut off with a clear answer', async () => {
    const socket = await open();
    socket.write(
      'POST /api/change HTTP/1.1\r\nHost: localhost\r\nX-Careseal: 1\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{',
    );
    const drip = setInterval(() => socket.writable && socket.write(' '), 50);
    const { text, ms } = await lifeOf(socket);
    clearInterval(drip);
    expect(ms).toBeLessThan(BOUND_MS);
    expect(text).toMatch(/^HTTP\/1\.1 408 [\s\S]*body-too-slow/);
    expect(reasons()).toContain('body-too-slow');
  });

  test('silence is cut off, before and after the handshake and between requests', async () => {
    const bare = connectTcp({ host: '127.0.0.1', port: door.port });
    expect((await lifeOf(bare)).ms).toBeLessThan(BOUND_MS);
    expect((await lifeOf(await open())).ms).toBeLessThan(BOUND_MS);
    const kept = await open();
    kept.write('GET /api/test HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const { text, ms } = await lifeOf(kept);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(ms).toBeLessThan(BOUND_MS);
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
    expect(reasons()).toEqual(expect.arrayContaining(['headers-too-large', 'request-broken']));
  });
});

test('the door still serves after all this', async () => {
  const client: Client = door.client;
  expect((await send(client, { path: '/api/test' })).status).toBe(200);
});
