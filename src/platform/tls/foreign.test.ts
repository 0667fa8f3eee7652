import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestAuthority, testAuthority, testLeaf } from '../../../test/support/tls.ts';
import { makeCrl, readCrl } from './crl.ts';
import { assertFitForAuthority, assertFitForNode, inspectCertificate } from './inspect.ts';
import { makePkcs12 } from './pkcs12.ts';

const folder = mkdtempSync(join(tmpdir(), 'careseal-foreign-'));
afterAll(() => rmSync(folder, { recursive: true }));
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
const read = (name: string) => readFileSync(join(folder, name));
let authority: TestAuthority;
beforeAll(async () => {
  authority = await testAuthority('Foreign');
});

/** A self-signed certificate made by openssl with these wishes. */
function selfSigned(name: string, ...wishes: string[]): string {
  openssl('req', '-x509', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${name}`, ...wishes);
  return read(`${name}.crt`).toString();
}
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

describe('certificates of others', () => {
  test('PEM and DER read alike', () => {
    const facts = inspectCertificate(
      selfSigned('good', ...EC, '-days', '700', '-addext', 'subjectAltName=DNS:a.example,URI:urn:x'),
    );
    openssl('x509', '-in', 'good.crt', '-outform', 'der', '-out', 'good.der');
    expect(inspectCertificate(read('good.der'))).toEqual(facts);
    expect(facts).toMatchObject({ isSelfSigned: true, names: { cn: ['good'], dns: ['a.example'], uri: ['urn:x'] } });
    expect(() => assertFitForNode(facts, { acceptLong: false })).not.toThrow();
  });

  test.each([
    ['SHA-1', ['-newkey', 'rsa:2048', '-sha1', '-days', '300'], 'certificate-hash-weak'],
    ['a short key', ['-newkey', 'rsa:1024', '-days', '300'], 'certificate-key-weak'],
    [
      'an odd curve',
      ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1', '-days', '300'],
      'certificate-key-weak',
    ],
    ['server use only', [...EC, '-days', '300', '-addext', 'extendedKeyUsage=serverAuth'], 'certificate-usage-wrong'],
    ['a hundred years', [...EC, '-days', '36500'], 'certificate-too-long'],
  ])('%s is refused by name', (what, wishes, code) => {
    const facts = inspectCertificate(selfSigned(`bad${what.length}`, ...wishes));
    expect(() => assertFitForNode(facts, { acceptLong: false })).toThrow(expect.objectContaining({ code }));
  });

  test('text, keys and cut certificates are no certificates; a leaf is no authority', async () => {
    const good = authority.ca;
    for (const bad of ['hello', '', good.slice(0, 200), Buffer.from([0x30, 0x82, 0xff, 0xff])])
      expect(() => inspectCertificate(bad)).toThrow(expect.objectContaining({ code: 'certificate-malformed' }));
    const { leaf } = await testLeaf(authority, { usage: 'client' });
    expect(() => assertFitForAuthority(inspectCertificate(leaf.pem))).toThrow(/not a certificate authority/);
    expect(() => assertFitForNode(inspectCertificate(authority.issuing.certificate.pem), { acceptLong: true })).toThrow(
      expect.objectContaining({ code: 'certificate-is-authority' }),
    );
  });
});

describe('lists of revoked certificates', () => {
  const make = (serials: string[], nowMs = Date.now()) =>
    makeCrl({
      authority: authority.issuing,
      revoked: serials.map((serial) => ({ serial, revokedAtMs: nowMs, reason: 'keyCompromise' })),
      number: 7,
      nowMs,
      validMs: 86_400_000,
    });

  test('openssl refuses a listed certificate and takes another', async () => {
    const [bad, good] = [
      await testLeaf(authority, { usage: 'client' }),
      await testLeaf(authority, { usage: 'client' }),
    ];
    const der = await make([bad.leaf.serial]);
    writeFileSync(join(folder, 'list.der'), der);
    openssl('crl', '-inform', 'der', '-in', 'list.der', '-out', 'list.pem');
    expect(openssl('crl', '-in', 'list.pem', '-noout', '-crlnumber')).toMatch(/0x0*7\b/);
    writeFileSync(join(folder, 'ca.pem'), authority.ca + authority.issuing.certificate.pem);
    const verify = (pem: string) => {
      writeFileSync(join(folder, 'leaf.pem'), pem);
      return openssl('verify', '-x509_strict', '-crl_check', '-CAfile', 'ca.pem', '-CRLfile', 'list.pem', 'leaf.pem');
    };
    expect(verify(good.leaf.pem)).toContain('OK');
    expect(() => verify(bad.leaf.pem)).toThrow(/revoked/);
    const issuer = authority.issuing.certificate.pem;
    expect((await readCrl(der, issuer)).serials).toEqual(new Set([bad.leaf.serial]));
  });

  test('a list that was changed, or that another authority signed, is refused', async () => {
    const der = await make(['0a0b0c']);
    const issuer = authority.issuing.certificate.pem;
    // The signed part: what is around it carries no meaning of its own.
    const signed = 4 + 3 + (der[6] ?? 0);
    for (let at = 4; at < signed; at += 5) {
      const changed = der.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(readCrl(changed, issuer), `byte ${at}`).rejects.toMatchObject({ code: /^crl-/ });
    }
    const other = await testAuthority('Foreign'); // the same names, another key
    await expect(readCrl(der, other.issuing.certificate.pem)).rejects.toMatchObject({ code: 'crl-signature' });
  });
});

test('a PKCS #12 bundle opens in openssl with its password and in no other way', async () => {
  const { certificate, key } = await testLeaf(authority, { usage: 'client' });
  const bundle = await makePkcs12({
    keyPem: key,
    chainPem: certificate,
    alias: 'Clinic 7',
    password: 'correct horse 1',
  });
  writeFileSync(join(folder, 'node.p12'), bundle);
  const open = (password: string) => openssl('pkcs12', '-in', 'node.p12', '-nodes', '-passin', `pass:${password}`);
  const opened = open('correct horse 1');
  expect(opened).toContain('friendlyName: Clinic 7');
  expect(opened.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  expect(opened).toContain('BEGIN PRIVATE KEY');
  expect(() => open('wrong')).toThrow(/invalid password/);
  expect(
    openssl('pkcs12', '-in', 'node.p12', '-info', '-noout', '-passin', 'pass:correct horse 1') ?? '',
  ).toBeDefined();
});
