import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDoor, testDoor, testRoute } from '../../../test/support/door.ts';
import { send, type TestAuthority, testAuthority, testLeaf } from '../../../test/support/tls.ts';
import { parseCertificateRequest } from './certificate-request.ts';
import { answeredNames, type DoorTls, openDoorTls } from './door-tls.ts';
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
