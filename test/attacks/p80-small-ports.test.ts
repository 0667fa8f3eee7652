import { connect, type Socket } from 'node:net';
import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { openSyslogDoors } from '../../src/features/atna/doors.ts';
import type { Incoming } from '../../src/features/atna/receiver.ts';
import { startSmallServer } from '../../src/platform/small-http/index.ts';
import { receiveOverTls } from '../../src/platform/syslog/index.ts';
import { nodesTls } from '../../src/platform/tls/profiles.ts';
import { fixedTls, testAuthority, testLeaf } from '../support/tls.ts';

/**
 * P80: who reaches the port of a witness or of the audit repository, without a certificate, cannot end the process behind it, hold
 * its file handles or its memory, or fill the log with refusals.
 */
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** What a raw request is answered, to the end of the connection. */
function sent(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (bytes) => (answer += bytes.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

describe('a witness', () => {
  test.each(['//', '///x', 'http://[', 'http://a:99999/', '/%', '*', '//add-checkpoint?//'])(
    'is asked for %s, and goes on serving',
    async (target) => {
      const server = await startSmallServer({
        host: '127.0.0.1',
        port: 0,
        handle: ({ path }) =>
          path === '/broken' ? Promise.reject(new Error('broken')) : Promise.resolve({ status: 200, body: path }),
      });
      ends.push(() => server.close());
      const ask = (what: string) =>
        sent(server.port, `GET ${what} HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      expect(await ask(target)).toMatch(/^HTTP\/1\.1 \d{3} /);
      expect(await ask('/broken')).toMatch(/^HTTP\/1\.1 500 /);
      expect(await ask('/add-checkpoint?x')).toMatch(/^HTTP\/1\.1 200 [^]*\/add-checkpoint\r\n/);
    },
  );
});

async function tls() {
  const authority = await testAuthority();
  const server = await testLeaf(authority, { usage: 'server' });
  return fixedTls(nodesTls([server], [authority.ca]));
}

describe('the audit repository over TLS', () => {
  test('silent connections end at the deadline of the handshake, and no address has more than its share', async () => {
    const refused: string[] = [];
    const receiver = await receiveOverTls({
      ...{ host: '127.0.0.1', port: 0, tls: await tls(), sizeBytesMax: 1_000, idleTimeoutMs: 60_000 },
      ...{ connectionsMax: 40, connectionsPerAddressMax: 8, handshakeTimeoutMs: 300 },
      admit: () => Promise.reject(new Error('nobody')),
      take: () => Promise.resolve(),
      refused: (_source, because) => void refused.push(because),
    });
    ends.push(() => receiver.close());
    const closed = await Promise.all(
      Array.from({ length: 20 }, () => {
        const socket = connect(receiver.port, '127.0.0.1');
        const from = Date.now();
        socket.on('error', () => undefined).resume();
        return new Promise<number>((resolve) => socket.once('close', () => resolve(Date.now() - from)));
      }),
    );
    // Two minutes each without the bound, and as many as the machine has file handles.
    for (const ms of closed) expect(ms).toBeLessThan(10_000);
  });

  test('connections beyond what is taken at all are dropped before a handshake, and told of', async () => {
    const refused: string[] = [];
    const receiver = await receiveOverTls({
      ...{ host: '127.0.0.1', port: 0, tls: await tls(), sizeBytesMax: 1_000, idleTimeoutMs: 60_000 },
      ...{ connectionsMax: 3, connectionsPerAddressMax: 100, handshakeTimeoutMs: 60_000 },
      admit: () => Promise.reject(new Error('nobody')),
      take: () => Promise.resolve(),
      refused: (_source, because) => void refused.push(because),
    });
    const sockets: Socket[] = [];
    ends.push(
      () => receiver.close(),
      () => sockets.forEach((socket) => socket.destroy()),
    );
    for (let i = 0; i < 6; i++) {
      const socket = connect(receiver.port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      sockets.push(socket);
      await new Promise((resolve) => socket.once('connect', resolve));
    }
    await expect.poll(() => refused.filter((one) => one === 'too-many').length).toBe(3);
  });
});

test('datagrams that wait for the database are bounded in bytes, and taken again when there is room', async () => {
  const batches: number[] = [];
  let go = (): void => undefined;
  const blocked = new Promise<void>((resolve) => (go = resolve));
  const probe = createSocket('udp4');
  await new Promise<void>((resolve) => probe.bind(0, '127.0.0.1', resolve));
  const udpPort = probe.address().port;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  const doors = await openSyslogDoors({
    ...{ host: '127.0.0.1', tlsPort: undefined, udpPort, tls: await tls() },
    authenticateNode: () => Promise.reject(new Error('nobody')),
    repository: {
      keep: async (_actor: unknown, incoming: readonly Incoming[]) => {
        batches.push(incoming.reduce((sum, one) => sum + ('message' in one ? one.message.byteLength : 0), 0));
        await blocked;
        return { kept: [], audited: undefined as never };
      },
    } as never,
    audit: { recordNow: () => Promise.resolve(undefined as never) },
    onFailure: () => undefined,
  });
  const socket = createSocket('udp4');
  const datagram = Buffer.alloc(60_000, 'x');
  // 60 MB, slowly enough for the loopback to bring most of it.
  for (let i = 0; i < 1_000; i++) {
    await new Promise((resolve) => socket.send(datagram, udpPort, '127.0.0.1', resolve));
    if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  go();
  await doors.close();
  socket.close();
  // The first was with the database already; what waited behind it is bounded.
  const [, ...waited] = batches;
  const bytes = waited.reduce((sum, one) => sum + one, 0);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(16_777_216);
});
