import 'reflect-metadata';
import { constants, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDoor, testDoor, testRoute } from '../../../test/support/door.ts';
import { send, type TestAuthority, testAuthority, testLeaf } from '../../../test/support/tls.ts';
import { parseCertificateRequest } from './certificate-request.ts';
import { answeredNames, type DoorTls, openDoorTls } from './door-tls.ts';
import { NO_RENEGOTIATION, NO_TICKET } from './profiles.ts';
import { ensureServerCertificate } from './server-certificate.ts';
import { x509Crypto } from './web-crypto.ts';
import { issueLeaf, newLeafKey } from './x509.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const folder = mkdtempSync(join(tmpdir(), 'careseal-tls-'));
let authority: TestAuthority;
const sign = async (spki: Uint8Array<ArrayBuffer>, names: readonly string[]) => {
  const common = { usage: 'server', commonName: 'x', spki, names, days: 397, nowMs: Date.now() } as const;
  return (await issueLeaf(authority.issuing, common)).pem + authority.issuing.certificate.pem;
};
beforeAll(async () => {
  authority = await testAuthority();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('made certificates', () => {
  test('chain, names, lifetime and constraints are as browsers and ITI-19 want them', async () => {
    const { leaf } = await testLeaf(authority, {
      usage: 'server',
      names: ['a.example', '192.0.2.1', '::1'],
      days: 397,
    });
    const server = new X509Certificate(leaf.pem);
    const issuing = new X509Certificate(authority.issuing.certificate.pem);
    const root = new X509Certificate(authority.ca);
    expect([server.checkIssued(issuing), server.verify(issuing.publicKey)]).toEqual([true, true]);
    expect([issuing.checkIssued(root), issuing.verify(root.publicKey), root.verify(root.publicKey)]).toEqual([
      true,
      true,
      true,
    ]);
    expect([server.ca, issuing.ca, root.ca]).toEqual([false, true, true]);
    expect(server.checkHost('a.example')).toBe('a.example');
    expect(server.checkIP('192.0.2.1')).toBe('192.0.2.1');
    expect(server.checkIP('::1')).toBe('::1');
    expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect((leaf.notAfterMs - leaf.notBeforeMs) / 86_400_000).toBeLessThanOrEqual(397);
    expect(server.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  test('a leaf never outlives its issuer', async () => {
    const { leaf } = await testLeaf(authority, { usage: 'client', days: 10_000 });
    expect(leaf.notAfterMs).toBe(authority.issuing.certificate.notAfterMs);
  });
});

describe('certificate requests', () => {
  const ec = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const make = async (algorithm: object, signing: object, changes = (der: Uint8Array) => der) => {
    const keys = await x509Crypto.subtle.generateKey(algorithm as EcKeyGenParams, true, ['sign', 'verify']);
    const request = await Pkcs10CertificateRequestGenerator.create(
      { name: 'CN=clinic', keys, signingAlgorithm: signing as EcdsaParams },
      x509Crypto,
    );
    const der = changes(new Uint8Array(request.rawData.slice(0)));
    return `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  };
  const rsa = (modulusLength: number, exponent: number[]) => ({
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength,
    publicExponent: new Uint8Array(exponent),
  });

  test('a good one gives key and name', async () => {
    const request = await parseCertificateRequest(await make(ec, ec));
    expect(request.commonName).toBe('clinic');
    expect(request.spki.length).toBe(91);
    const large = rsa(2048, [1, 0, 1]);
    expect((await parseCertificateRequest(await make(large, large))).spki.length).toBeGreaterThan(270);
  });

  test('any changed byte is detected', async () => {
    const good = await make(ec, ec);
    const der = Buffer.from(good.replace(/-----[^-]+-----/g, ''), 'base64');
    for (let i = 0; i < der.length; i += 7) {
      const bad = Buffer.from(der);
      bad[i] = (bad[i] ?? 0) ^ 1;
      const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${bad.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
      await expect(parseCertificateRequest(pem), `byte ${i}`).rejects.toMatchObject({ kind: 'invalid' });
    }
  });

  test.each([
    ['text', async () => 'hello'],
    ['two requests', async () => (await make(ec, ec)) + (await make(ec, ec))],
    ['a certificate', async () => authority.ca],
    ['rubbish in PEM', async () => '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----'],
    ['a short RSA key', async () => make(rsa(1024, [1, 0, 1]), rsa(1024, [1, 0, 1]))],
    ['RSA with exponent 3', async () => make(rsa(2048, [3]), rsa(2048, [3]))],
    ['SHA-1', async () => make({ ...rsa(2048, [1, 0, 1]), hash: 'SHA-1' }, { ...rsa(2048, [1, 0, 1]), hash: 'SHA-1' })],
    ['an Ed25519 key', async () => make({ name: 'Ed25519' }, { name: 'Ed25519' })],
  ])('%s is refused', async (_what, pem) => {
    await expect(parseCertificateRequest(await pem())).rejects.toMatchObject({
      kind: 'invalid',
      code: expect.stringMatching(/^csr-/),
    });
  });
});

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

  test('the constants are OpenSSL’s', () => {
    expect(NO_TICKET).toBe(constants.SSL_OP_NO_TICKET);
    expect(NO_RENEGOTIATION).toBe(constants.SSL_OP_NO_RENEGOTIATION);
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

describe('the server’s certificate files', () => {
  const own = (file: string, names: string[], nowMs = Date.now()) =>
    ensureServerCertificate({ file, kind: 'ec', names, sign, clock: { nowMs: () => nowMs } });

  test('are made once, private, and made anew for other names, in time before the end, and when damaged', async () => {
    const file = join(folder, 'own', 'server.pem');
    expect(await own(file, ['a.example'])).toBe('made');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'own')).mode & 0o777).toBe(0o700);
    expect(await own(file, ['a.example'])).toBe('kept');
    expect(await own(file, ['a.example', '192.0.2.1', '::1'])).toBe('made');
    expect(await own(file, ['a.example', '192.0.2.1', '::1'])).toBe('kept');
    expect(await own(file, ['a.example'], Date.now() + 300 * 86_400_000)).toBe('kept');
    expect(await own(file, ['a.example'], Date.now() + 340 * 86_400_000)).toBe('made');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 500));
    expect(await own(file, ['a.example'])).toBe('made');
  });

  test('are followed while the door is open; a broken new pair changes nothing', async () => {
    const files = { certificateFile: join(folder, 'site.crt'), keyFile: join(folder, 'site.key') };
    const put = ({ certificate, key }: { certificate: string; key: string }) => {
      writeFileSync(`${files.keyFile}.new`, key);
      renameSync(`${files.keyFile}.new`, files.keyFile);
      writeFileSync(`${files.certificateFile}.new`, certificate);
      renameSync(`${files.certificateFile}.new`, files.certificateFile);
    };
    const [first, second] = [
      await testLeaf(authority, { usage: 'server' }),
      await testLeaf(authority, { usage: 'server' }),
    ];
    put(first);
    const errors: object[] = [];
    const opened: DoorTls = await openDoorTls({
      directory: join(folder, 'unused'),
      names: ['localhost'],
      ownUsers: files,
      ownNodes: files,
      sign,
      clientAuthorities: async () => [],
      log: { ...log, error: (fields) => void errors.push(fields) },
      clock: { nowMs: Date.now },
      pollMs: 20,
    });
    const door = await testDoor([testRoute({})], { name: 'users', tls: opened.users }, authority);
    expect(await shown(door)).toBe(first.leaf.sha256);
    writeFileSync(files.certificateFile, second.certificate); // the key is still the old one
    await expect.poll(() => errors.length).toBeGreaterThan(0);
    expect(JSON.stringify(errors)).toMatch(/mismatch/);
    expect(await shown(door)).toBe(first.leaf.sha256);
    put(second);
    await expect.poll(() => shown(door)).toBe(second.leaf.sha256);
    writeFileSync(files.certificateFile, 'not a certificate');
    await expect.poll(() => errors.length).toBeGreaterThan(1);
    expect((await send(door.client, { path: '/api/test' })).status).toBe(200);
    await door.close();
    opened.stop();
  });

  async function shown(door: TestDoor): Promise<string> {
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', port: door.port, ca: authority.ca });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    const print = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase() ?? '';
    socket.destroy();
    return print;
  }
});

test('a door answers under the configured names and the machine’s own', async () => {
  expect(answeredNames(['Registry.example'])).toEqual(['registry.example', 'localhost', '127.0.0.1', '::1']);
  expect(answeredNames(['localhost']).slice(0, 3)).toEqual(['localhost', '127.0.0.1', '::1']);
  expect((await newLeafKey('rsa')).pem).toContain('BEGIN PRIVATE KEY');
});
