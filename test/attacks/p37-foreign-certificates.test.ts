import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { operator } from '../support/nodes.ts';
import { EC, opensslIn } from '../support/openssl.ts';
import { has, run } from '../support/programs.ts';

/**
 * P37: certificates that were made elsewhere let in only whom an administrator named: by fingerprint, or by an authority with
 * a name rule; never expired, not yet valid, revoked, weak, too long, or made for something else.
 */
let door: NodesDoor;
const folder = mkdtempSync(join(tmpdir(), 'careseal-p37-'));
beforeAll(async () => {
  door = await nodesDoor();
  // The fixture's clock stands still; openssl goes by the machine's.
  door.fixture.clock.forward(600_000);
});
afterAll(async () => {
  await door.close();
  rmSync(folder, { recursive: true });
});

const { openssl, text, identityOf, authority, signed } = opensslIn(folder);
let number = 0;

async function selfSigned(...wishes: string[]): Promise<string> {
  const name = `self${++number}`;
  await openssl(
    'req',
    '-x509',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.crt`,
    '-subj',
    `/CN=${name}`,
    ...wishes,
  );
  return name;
}

const CLIENT = 'extendedKeyUsage=clientAuth\n';

async function bareNode() {
  number += 1;
  const { nodes } = door.fixture;
  const { node } = await nodes.addNodeWithoutCertificate(operator, {
    name: `Own ${number}`,
    domain: `urn:p37:${number}`,
  });
  return node;
}

const code = async (identity: KeyMaterial) => {
  const answer = await door.read(identity);
  return answer.status === 200 ? 'in' : String(/"diagnostics":"([a-z-]+) /.exec(answer.text)?.[1]);
};

describe('trusted for itself', () => {
  test('a self-signed certificate comes in once an administrator has named it, and no more after it is revoked', async () => {
    const { nodes } = door.fixture;
    const name = await selfSigned(...EC, '-days', '400');
    const node = await bareNode();
    expect(await code(identityOf(name))).toBe('certificate-unknown');
    const trusted = { certificate: text(`${name}.crt`), acceptLong: false };
    const { node: after } = await nodes.certificates.trust(operator, { id: node.id }, trusted);
    expect(await code(identityOf(name))).toBe('in');
    const sha256 = after.certificates[0]?.sha256 ?? '';
    await nodes.certificates.revoke(operator, { id: node.id }, { sha256, why: 'keyCompromise', reason: 'lost' });
    expect(await code(identityOf(name))).toBe('certificate-revoked');
  });

  test('one with the same name and another key stays out', async () => {
    const node = await bareNode();
    const name = await selfSigned(...EC, '-days', '400');
    await door.fixture.nodes.certificates.trust(
      operator,
      { id: node.id },
      { certificate: text(`${name}.crt`), acceptLong: false },
    );
    await openssl(
      'req',
      '-x509',
      '-nodes',
      ...EC,
      '-keyout',
      'twin.key',
      '-out',
      'twin.crt',
      '-subj',
      `/CN=${name}`,
      '-days',
      '400',
    );
    expect(await code(identityOf('twin'))).toBe('certificate-unknown');
  });

  test.each([
    ['expired', [...EC, '-not_before', '20200101000000Z', '-not_after', '20210101000000Z'], 'certificate-not-valid'],
    ['SHA-1', ['-newkey', 'rsa:2048', '-sha1', '-days', '300'], 'certificate-hash-weak'],
    ['for servers', [...EC, '-days', '300', '-addext', 'extendedKeyUsage=serverAuth'], 'certificate-usage-wrong'],
    ['too long', [...EC, '-days', '36500'], 'certificate-too-long'],
  ])('%s: is not even registered', async (what, wishes, refusal) => {
    const node = await bareNode();
    if (what === 'expired') return expiredIsRefused(node.id);
    const name = await selfSigned(...wishes);
    const trusted = { certificate: text(`${name}.crt`), acceptLong: false };
    await expect(door.fixture.nodes.certificates.trust(operator, { id: node.id }, trusted)).rejects.toMatchObject({
      code: refusal,
    });
    expect(await code(identityOf(name))).toBe('certificate-unknown');
  });

  async function expiredIsRefused(id: Awaited<ReturnType<typeof bareNode>>['id']): Promise<void> {
    const name = await selfSigned(...EC, '-days', '1');
    const { clock, nodes } = door.fixture;
    await nodes.certificates.trust(operator, { id }, { certificate: text(`${name}.crt`), acceptLong: false });
    clock.forward(2 * 86_400_000);
    expect(await code(identityOf(name))).toBe('certificate-not-valid');
    const again = nodes.certificates.trust(operator, { id }, { certificate: text(`${name}.crt`), acceptLong: false });
    await expect(again).rejects.toMatchObject({ code: 'certificate-not-valid' });
    clock.forward(-2 * 86_400_000);
  }

  test('not yet valid: waits for its day', async () => {
    const node = await bareNode();
    const name = await selfSigned(...EC, '-days', '300');
    await door.fixture.nodes.certificates.trust(
      operator,
      { id: node.id },
      { certificate: text(`${name}.crt`), acceptLong: false },
    );
    door.fixture.clock.forward(-2 * 86_400_000);
    expect(await code(identityOf(name))).toBe('certificate-not-valid');
    door.fixture.clock.forward(2 * 86_400_000);
    expect(await code(identityOf(name))).toBe('in');
  });
});

describe('of an authority with a name rule', () => {
  async function trusted(options: { readonly crlRequired?: boolean } = {}) {
    const ca = `ca${++number}`;
    await authority(ca);
    const { foreign } = door.fixture.nodes;
    const wanted = {
      name: ca,
      certificate: text(`${ca}.crt`),
      acceptLong: false,
      crlRequired: options.crlRequired ?? false,
    };
    const { authorities } = await foreign.add(operator, wanted);
    const id = authorities.find((one) => one.name === ca)?.id ?? '';
    const node = await bareNode();
    await foreign.addRule(operator, { authorityId: id, nodeId: node.id, attribute: 'cn', value: 'lab-9' });
    return { ca, id, node };
  }

  test('the named one comes in and is put on record; others of the same authority do not', async () => {
    const { ca, node } = await trusted();
    const named = await signed(ca, '/O=Ministry/CN=lab-9', CLIENT);
    expect(await code(identityOf(named))).toBe('in');
    const { nodes } = await door.fixture.nodes.listNodes(operator);
    const [certificate] = nodes.find((one) => one.id === node.id)?.certificates ?? [];
    expect(certificate).toMatchObject({ origin: 'foreign', intact: true });
    for (const subject of ['/CN=lab-10', '/CN=lab-9.evil', '/O=lab-9', '/CN=x/OU=lab-9'])
      expect(await code(identityOf(await signed(ca, subject, CLIENT)))).toBe('certificate-unknown');
  });

  test('the wrong usage, a life that is too long, and an intermediate that nobody trusted stay out', async () => {
    const { ca } = await trusted();
    const server = await signed(ca, '/CN=lab-9', 'extendedKeyUsage=serverAuth\n');
    expect(await code(identityOf(server))).toBe('certificate-unknown');
    const long = await signed(ca, '/CN=lab-9', CLIENT, '-days', '36500');
    const answer = await door.read(identityOf(long));
    expect([answer.status, answer.text.includes('certificate-too-long')]).toEqual([422, true]);
    const between = await signed(ca, '/CN=between', 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n');
    const below = await signed(between, '/CN=lab-9', CLIENT);
    const chain = { certificate: text(`${below}.crt`) + text(`${between}.crt`), key: text(`${below}.key`) };
    expect(await code(chain)).toBe('certificate-unknown');
  });

  /** With dates that `openssl x509` cannot be told in all its versions. */
  async function signedBetween(ca: string, from: string, to: string): Promise<string> {
    const name = `dated${++number}`;
    const ways =
      '[ca]\ndefault_ca=d\n[d]\ndatabase=dates.txt\nnew_certs_dir=.\nserial=dates.srl\npolicy=p\n[p]\ncommonName=supplied\n';
    writeFileSync(join(folder, 'dates.cnf'), ways);
    writeFileSync(join(folder, 'dates.txt'), '');
    writeFileSync(join(folder, 'dates.srl'), '01\n');
    writeFileSync(join(folder, 'dates.ext'), CLIENT);
    await openssl(
      'req',
      '-new',
      '-nodes',
      ...EC,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      '/CN=lab-9',
    );
    const by = ['-config', 'dates.cnf', '-cert', `${ca}.crt`, '-keyfile', `${ca}.key`, '-md', 'sha256'];
    const dates = ['-startdate', from, '-enddate', to, '-extfile', 'dates.ext', '-batch', '-notext'];
    await openssl('ca', ...by, ...dates, '-in', `${name}.csr`, '-out', `${name}.crt`);
    return name;
  }

  test.each<[string, (ca: string) => Promise<string>, RegExp]>([
    [
      'expired',
      (ca) => signedBetween(ca, '20250101000000Z', '20260101000000Z'),
      /^401 certificate-not-valid .* ended on 2026-01-01/,
    ],
    [
      'not yet valid',
      (ca) => signedBetween(ca, '20990101000000Z', '20991231000000Z'),
      /^401 certificate-not-valid .* not valid before 2099-01-01/,
    ],
    [
      'signed with SHA-1',
      (ca) => signed(ca, '/CN=lab-9', CLIENT, '-days', '300', '-sha1'),
      /^(401 certificate-unknown|422 certificate-hash-weak)/,
    ],
  ])('the right name on one that is %s stays out, and the refusal names the certificate', async (_what, made, told) => {
    const { ca } = await trusted();
    const named = identityOf(await made(ca));
    const before = door.handled();
    const answer = await door.read(named);
    const [issue] = answer.json<{ issue: { details: { text: string }; diagnostics: string }[] }>().issue;
    expect(`${answer.status} ${issue?.diagnostics} ${issue?.details.text}`).toMatch(told);
    expect(issue?.details.text).toMatch(/[0-9a-f]{16}…|CN=lab-9/);
    expect(door.handled()).toBe(before);
  });

  test('the right name on a key of 1024 bits stays out', async () => {
    const { ca } = await trusted();
    const request = ['-newkey', 'rsa:1024', '-keyout', 'weak.key', '-out', 'weak.csr', '-subj', '/CN=lab-9'];
    await openssl('req', '-new', '-nodes', ...request);
    const authority = ['-CA', `${ca}.crt`, '-CAkey', `${ca}.key`, '-CAcreateserial'];
    await openssl('x509', '-req', '-in', 'weak.csr', ...authority, '-out', 'weak.crt', '-days', '300');
    const before = door.handled();
    // A careful client does not even show it; this one has to.
    expect(await lax(text('weak.crt'), text('weak.key'))).not.toMatch(/^HTTP\/1\.1 200/);
    expect(door.handled()).toBe(before);
  });

  /** What the door says to a client that takes weak keys: all of it, or why there was nothing. */
  function lax(cert: string, key: string): Promise<string> {
    return new Promise((resolve) => {
      const where = { host: '127.0.0.1', servername: 'localhost', port: door.port, ca: door.ca };
      const socket = connect({ ...where, cert, key, ciphers: 'DEFAULT:@SECLEVEL=0' });
      let said = '';
      socket.on('data', (chunk) => (said += String(chunk)));
      socket.once('error', (error) => resolve(error.message)).once('close', () => resolve(said));
      socket.write('GET /fhir/Patient/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    });
  }

  test('its list of revoked certificates counts from the next request on; a changed or older list is refused', async () => {
    const { ca, id } = await trusted();
    const [bad, good] = [await signed(ca, '/CN=lab-9', CLIENT), await signed(ca, '/CN=lab-9', CLIENT)];
    expect([await code(identityOf(bad)), await code(identityOf(good))]).toEqual(['in', 'in']);
    writeFileSync(join(folder, 'index.txt'), '');
    writeFileSync(
      join(folder, 'ca.cnf'),
      '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=7\n',
    );
    const config = ['-config', 'ca.cnf', '-cert', `${ca}.crt`, '-keyfile', `${ca}.key`];
    await openssl('ca', '-gencrl', ...config, '-out', 'empty.crl');
    await openssl('ca', '-revoke', `${bad}.crt`, ...config);
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // lists of one second look equally old
    await openssl('ca', '-gencrl', ...config, '-out', 'one.crl');
    const { foreign } = door.fixture.nodes;
    await foreign.setCrl(operator, id, text('one.crl'));
    expect([await code(identityOf(bad)), await code(identityOf(good))]).toEqual(['certificate-revoked', 'in']);
    await expect(foreign.setCrl(operator, id, text('empty.crl'))).rejects.toMatchObject({ code: 'crl-stale' });
    const der = Buffer.from(text('one.crl').replace(/-----[^-]+-----/g, ''), 'base64');
    der[40] = (der[40] ?? 0) ^ 1;
    await expect(foreign.setCrl(operator, id, der)).rejects.toMatchObject({ code: /^crl-/ });
    expect(await code(identityOf(bad))).toBe('certificate-revoked');
  });

  test('where lists are required, none, or one that has run out, keeps everybody of that authority out', async () => {
    const { ca } = await trusted({ crlRequired: true });
    expect(await code(identityOf(await signed(ca, '/CN=lab-9', CLIENT)))).toBe('crl-stale');
  });

  test('an authority that is removed takes its nodes along, on open connections too', async () => {
    const { ca, id } = await trusted();
    const named = identityOf(await signed(ca, '/CN=lab-9', CLIENT));
    expect(await code(named)).toBe('in');
    await door.fixture.nodes.foreign.remove(operator, id, 'contract ended');
    expect(await code(named)).toBe('certificate-unknown');
  });
});

/** The three commands of OpenCR's security page, as they stand there. */
describe.skipIf(!has('openssl') || !has('curl'))('OpenCR’s openssl recipe', () => {
  const recipe = [
    'req -newkey rsa:4096 -keyout dhis2_key.pem -out dhis2_csr.pem -nodes -days 365 -subj /CN=dhis2',
    'x509 -req -in dhis2_csr.pem -CA server_cert.pem -CAkey server_key.pem -out dhis2_cert.pem -set_serial 01 -days 36500',
    'pkcs12 -export -in dhis2_cert.pem -inkey dhis2_key.pem -out dhis2.p12 -passout pass:',
  ].map((line) => line.split(' '));

  test('makes a bundle that curl comes in with, once its authority and name are trusted', async () => {
    await openssl(
      'req',
      '-x509',
      '-nodes',
      ...EC,
      '-keyout',
      'server_key.pem',
      '-out',
      'server_cert.pem',
      '-subj',
      '/CN=localhost',
      '-days',
      '365',
    );
    for (const command of recipe) await openssl(...command);
    writeFileSync(join(folder, 'ca.crt'), door.ca);
    const curl = [
      '--silent',
      '--cacert',
      'ca.crt',
      '--cert-type',
      'P12',
      '--cert',
      'dhis2.p12:',
      `https://localhost:${door.port}/fhir/Patient/1`,
    ];
    const before = await run('curl', curl, folder);
    expect(before.stdout).toContain('certificate-unknown');
    const { foreign } = door.fixture.nodes;
    // A hundred years: taken by exception, and ended after two all the same.
    const wanted = { name: 'OpenCR', certificate: text('server_cert.pem'), acceptLong: true, crlRequired: false };
    const { authorities } = await foreign.add(operator, wanted);
    const authorityId = authorities.find((one) => one.name === 'OpenCR')?.id ?? '';
    const node = await bareNode();
    await foreign.addRule(operator, { authorityId, nodeId: node.id, attribute: 'cn', value: 'dhis2' });
    expect((await run('curl', curl, folder)).stdout).toContain(node.name);
    const { nodes } = await door.fixture.nodes.listNodes(operator);
    const [certificate] = nodes.find((one) => one.id === node.id)?.certificates ?? [];
    expect((certificate?.endsAtMs ?? 0) - door.fixture.clock.nowMs()).toBeLessThanOrEqual(731 * 86_400_000);
  });

  test('its request also becomes a certificate of Careseal’s own authority', async () => {
    const { nodes } = door.fixture;
    const { files } = await nodes.addNode(operator, {
      name: 'DHIS2',
      domain: 'urn:p37:dhis2',
      csr: text('dhis2_csr.pem'),
    });
    writeFileSync(join(folder, 'dhis2_cert.pem'), files['node.crt']);
    await openssl(...(recipe[2] ?? []));
    const curl = [
      '--silent',
      '--cacert',
      'ca.crt',
      '--cert-type',
      'P12',
      '--cert',
      'dhis2.p12:',
      `https://localhost:${door.port}/fhir/Patient/1`,
    ];
    expect((await run('curl', curl, folder)).stdout).toContain('DHIS2');
  });
});
