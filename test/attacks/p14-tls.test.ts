import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueLeaf, openDoorTls } from '../../src/platform/tls/index.ts';
import { type TestDoor, testDoor, testRoute } from '../support/door.ts';
import { type TestAuthority, testAuthority, testLeaf } from '../support/tls.ts';

/** P14: what the two doors agree to on the wire. */
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const folder = mkdtempSync(join(tmpdir(), 'careseal-p14-'));
let authority: TestAuthority;
const sign = async (spki: Uint8Array<ArrayBuffer>, names: readonly string[]) => {
  const common = { usage: 'server', commonName: 'x', spki, names, days: 397, nowMs: Date.now() } as const;
  return (await issueLeaf(authority.issuing, common)).pem + authority.issuing.certificate.pem;
};
beforeAll(async () => {
  authority = await testAuthority();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the doors’ profiles', () => {
  const doors: TestDoor[] = [];
  let users: TestDoor;
  let nodes: TestDoor;
  beforeAll(async () => {
    users = await testDoor([testRoute({})], { name: 'users' }, authority);
    nodes = await testDoor([testRoute({})], { name: 'nodes' }, authority);
    doors.push(users, nodes);
  });
  afterAll(() => Promise.all(doors.map((door) => door.close())));

  const shake = (door: TestDoor, options: ConnectionOptions = {}) =>
    new Promise<TLSSocket>((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        servername: 'localhost',
        port: door.port,
        ca: authority.ca,
        ...options,
      });
      socket.once('secureConnect', () => resolve(socket));
      socket.once('error', reject);
    });

  test('TLS 1.3 with the post-quantum group first, TLS 1.2 with ECDHE, nothing older', async () => {
    for (const door of doors) {
      const modern = await shake(door);
      expect([modern.getProtocol(), modern.getEphemeralKeyInfo()]).toMatchObject([
        'TLSv1.3',
        { name: 'X25519MLKEM768' },
      ]);
      modern.destroy();
      const older = await shake(door, { maxVersion: 'TLSv1.2' });
      expect([older.getProtocol(), older.getCipher().name]).toEqual(['TLSv1.2', expect.stringMatching(/^ECDHE-ECDSA/)]);
      older.destroy();
      for (const version of ['TLSv1', 'TLSv1.1'] as const)
        await expect(
          shake(door, { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }),
        ).rejects.toThrow(/protocol version|alert|wrong version/i);
    }
  });

  test.each(['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'DHE-RSA-AES128-GCM-SHA256'])(
    'the users’ door does not speak %s',
    async (ciphers) => {
      await expect(shake(users, { maxVersion: 'TLSv1.2', ciphers })).rejects.toThrow(/handshake failure|no cipher/i);
    },
  );

  test('only the nodes’ door asks for a client certificate', async () => {
    const client = await testLeaf(authority, { usage: 'client' });
    // A client sends its certificate (about a kilobyte, encrypted or not) exactly when it is asked for one.
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const sent = async (door: TestDoor, own: object) => await handshakeBytes(door, { maxVersion, ...own });
      const own = { cert: client.certificate, key: client.key };
      expect(Math.abs((await sent(users, own)) - (await sent(users, {})))).toBeLessThan(200);
      expect((await sent(nodes, own)) - (await sent(nodes, {}))).toBeGreaterThan(600);
    }
  });

  async function handshakeBytes(door: TestDoor, options: ConnectionOptions): Promise<number> {
    const wire = connectTcp({ host: '127.0.0.1', port: door.port });
    const socket = await shake(door, { ...options, socket: wire });
    socket.write('GET /api/test HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toContain('200 OK');
    return wire.bytesWritten;
  }

  test('the nodes’ door resumes no session and renegotiates nothing', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await shake(nodes, { maxVersion });
      const sessions: Buffer[] = [];
      socket.on('session', (session) => sessions.push(session));
      socket.write('GET /api/test HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      for await (const chunk of socket) expect(chunk.length).toBeGreaterThan(0);
      const again = await shake(nodes, { maxVersion, ...(sessions[0] === undefined ? {} : { session: sessions[0] }) });
      expect([maxVersion, again.isSessionReused()]).toEqual([maxVersion, false]);
      again.destroy();
    }
    const socket = await shake(nodes, { maxVersion: 'TLSv1.2' });
    const outcome = await new Promise((resolve) => {
      socket.on('error', (error) => resolve(error.message));
      socket.on('close', () => resolve('closed'));
      socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error?.message ?? 'renegotiated'));
    });
    expect(outcome).not.toBe('renegotiated');
    socket.destroy();
  });

  test('DHE-RSA works on the nodes’ door with the RSA certificate it has for that', async () => {
    const directory = join(folder, 'dhe');
    const opened = await openDoorTls({
      directory,
      names: ['localhost'],
      sign,
      clientAuthorities: async () => [authority.ca],
      log,
      clock: { nowMs: Date.now },
    });
    const door = await testDoor([testRoute({})], { name: 'nodes', tls: opened.nodes }, authority);
    const socket = await shake(door, { maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES256-GCM-SHA384' });
    expect(socket.getCipher().name).toBe('DHE-RSA-AES256-GCM-SHA384');
    socket.destroy();
    const usual = await shake(door);
    expect(usual.getPeerX509Certificate()?.publicKey.asymmetricKeyType).toBe('ec');
    usual.destroy();
    await door.close();
    opened.stop();
  });
});
