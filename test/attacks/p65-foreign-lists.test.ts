import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readListFigures } from '../../src/features/nodes/index.ts';
import { statement } from '../../src/platform/db/index.ts';
import { createOutbound } from '../../src/platform/outbound/index.ts';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { operator } from '../support/nodes.ts';
import { opensslIn } from '../support/openssl.ts';
import { has } from '../support/programs.ts';

/**
 * P65: what an authority of somebody else revoked stays out as soon as its list says so, fetched from where it publishes it; whoever
 * stands between, or answers in its place, makes no list, takes none back, and leads the server nowhere.
 */
const folder = mkdtempSync(join(tmpdir(), 'careseal-p65-'));
const HOUR_MS = 3_600_000;
let door: NodesDoor;
let publisher: Server;
let base: string;
interface Given {
  readonly status: number;
  readonly body: string | Buffer;
}
/** What the authorities' addresses answer now. */
const answers = new Map<string, Given>();
const at = (ca: string) => `${base}/${ca}`;

beforeAll(async () => {
  door = await nodesDoor({ outbound: createOutbound({ allowedNetworks: ['127.0.0.0/8'] }) });
  door.fixture.clock.forward(600_000);
  publisher = createServer((request, response) => {
    const { status, body } = answers.get(request.url?.slice(1) ?? '') ?? { status: 404, body: '' };
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => publisher.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(publisher.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await door.close();
  await new Promise((resolve) => publisher.close(resolve));
  rmSync(folder, { recursive: true });
});

const { openssl, text, identityOf, authority, signed } = opensslIn(folder);
const code = async (identity: KeyMaterial) => {
  const { status, text: said } = await door.read(identity);
  return status === 200 ? 'in' : String(/"diagnostics":"([a-z-]+) /.exec(said)?.[1]);
};

let number = 0;
/** An authority with one name rule, a node, and a certificate that comes in by it. */
async function ministry(options: { readonly crlRequired?: boolean } = {}) {
  const ca = `ca${++number}`;
  await authority(ca);
  writeFileSync(join(folder, `${ca}.index`), '');
  writeFileSync(join(folder, `${ca}.cnf`), `[ca]\ndefault_ca=d\n[d]\ndatabase=${ca}.index\ndefault_md=sha256\n`);
  const { foreign } = door.fixture.nodes;
  const wanted = {
    name: ca,
    certificate: text(`${ca}.crt`),
    acceptLong: false,
    crlRequired: options.crlRequired ?? false,
  };
  const { authorities } = await foreign.add(operator, wanted);
  const id = authorities.find((one) => one.name === ca)?.id ?? '';
  const { node } = await door.fixture.nodes.addNodeWithoutCertificate(operator, {
    name: `N ${ca}`,
    domain: `urn:p65:${ca}`,
  });
  await foreign.addRule(operator, { authorityId: id, nodeId: node.id, attribute: 'cn', value: `lab-${ca}` });
  return { ca, id, cn: `lab-${ca}` };
}
const leaf = (ca: string, cn: string, ...wishes: string[]): Promise<string> =>
  signed(ca, `/CN=${cn}`, 'extendedKeyUsage=clientAuth\n', ...wishes);
async function list(ca: string, revoke?: string, days = '1'): Promise<Buffer> {
  const config = ['-config', `${ca}.cnf`, '-cert', `${ca}.crt`, '-keyfile', `${ca}.key`];
  if (revoke !== undefined) await openssl('ca', '-revoke', `${revoke}.crt`, ...config);
  // Lists of one second look equally old.
  await new Promise((resolve) => setTimeout(resolve, 1_050));
  await openssl('ca', '-gencrl', '-crldays', days, ...config, '-out', 'list.pem');
  await openssl('crl', '-in', 'list.pem', '-outform', 'DER', '-out', 'list.crl');
  return readFileSync(join(folder, 'list.crl'));
}
const refresh = () => door.fixture.nodes.refreshLists();
const shown = async (id: string) =>
  (await door.fixture.nodes.foreign.list(operator)).authorities.find((one) => one.id === id);

describe.skipIf(!has('openssl'))('lists by address', () => {
  test('a certificate is refused from the next fetch on that names it; others of the authority come in', async () => {
    const { ca, id, cn } = await ministry();
    const [bad, good] = [await leaf(ca, cn), await leaf(ca, cn)];
    answers.set(ca, { status: 200, body: await list(ca) });
    await door.fixture.nodes.foreign.setCrlUrl(operator, id, at(ca));
    expect([await code(identityOf(bad)), await code(identityOf(good))]).toEqual(['in', 'in']);
    answers.set(ca, { status: 200, body: await list(ca, bad) });
    await refresh();
    expect(await code(identityOf(bad)), 'not looked for before its time').toBe('in');
    door.fixture.clock.forward(HOUR_MS);
    expect(await refresh()).toEqual([]);
    expect([await code(identityOf(bad)), await code(identityOf(good))]).toEqual(['certificate-revoked', 'in']);
  });

  test('an older list, another’s, a changed one, a page of words, an error: the list before stays in use, and it is told once', async () => {
    const { ca, id, cn } = await ministry();
    const other = await ministry();
    const bad = await leaf(ca, cn);
    const old = await list(ca);
    const now = await list(ca, bad, '30');
    answers.set(ca, { status: 200, body: now });
    await door.fixture.nodes.foreign.setCrlUrl(operator, id, at(ca));
    const changed = Buffer.from(now);
    changed[60] = (changed[60] ?? 0) ^ 1;
    const wrong: [string, Given][] = [
      ['crl-stale', { status: 200, body: old }],
      ['crl-signature', { status: 200, body: await list(other.ca) }],
      ['crl-malformed', { status: 200, body: '<html>Under construction</html>' }],
      ['crl-', { status: 200, body: changed }],
      ['crl-not-fetched', { status: 503, body: '' }],
      ['outbound-too-large', { status: 200, body: Buffer.alloc(9_000_000) }],
    ];
    for (const [reason, given] of wrong) {
      answers.set(ca, given);
      door.fixture.clock.forward(HOUR_MS);
      expect(await refresh()).toEqual([
        { authority: ca, what: 'fetch-failed', code: expect.stringContaining(reason) as string },
      ]);
      expect((await shown(id))?.crlFailure).toContain(reason);
      door.fixture.clock.forward(HOUR_MS);
      expect(await refresh(), `${reason} is told once`).toEqual([]);
      expect(await code(identityOf(bad))).toBe('certificate-revoked');
    }
    answers.set(ca, { status: 200, body: now });
    door.fixture.clock.forward(HOUR_MS);
    await refresh();
    expect((await shown(id))?.crlFailure).toBeUndefined();
  });

  test('a list that ran out: everybody is refused where lists are required, a warning elsewhere; a fresh one heals both', async () => {
    const strict = await ministry({ crlRequired: true });
    const lax = await ministry();
    const [a, b] = [identityOf(await leaf(strict.ca, strict.cn)), identityOf(await leaf(lax.ca, lax.cn))];
    for (const one of [strict, lax]) {
      answers.set(one.ca, { status: 200, body: await list(one.ca) });
      await door.fixture.nodes.foreign.setCrlUrl(operator, one.id, at(one.ca));
    }
    expect([await code(a), await code(b)]).toEqual(['in', 'in']);
    for (const { ca } of [strict, lax]) answers.set(ca, { status: 500, body: '' });
    const figures = () => readListFigures(door.db.database, door.fixture.clock.nowMs());
    const before = await figures();
    door.fixture.clock.forward(25 * HOUR_MS);
    const warned = await refresh();
    for (const { ca } of [strict, lax]) expect(warned).toContainEqual({ authority: ca, what: 'list-over' });
    expect([await code(a), await code(b)]).toEqual(['crl-stale', 'in']);
    const over = await figures();
    expect(over.required - before.required).toBe(1);
    // Lists of the tests before may end here too.
    expect(over.others).toBeGreaterThan(before.others);
    expect((await refresh()).filter(({ what }) => what === 'list-over')).toEqual([]);
    answers.set(strict.ca, { status: 200, body: await list(strict.ca, undefined, '60') });
    door.fixture.clock.forward(300_000);
    await refresh();
    expect(await code(a)).toBe('in');
    door.fixture.clock.forward(-25 * HOUR_MS - 300_000);
  });

  test('an address that leads inside, to a file, or gives no list is refused, and nothing is kept', async () => {
    const { ca, id } = await ministry();
    const { foreign } = door.fixture.nodes;
    for (const wrong of [
      'http://10.0.0.1/ca.crl',
      'http://169.254.169.254/latest',
      'https://[::1]/x',
      'file:///etc/passwd',
      'ldap://ca/x',
      'http://user:pw@ca.example/x',
    ])
      await expect(foreign.setCrlUrl(operator, id, wrong), wrong).rejects.toMatchObject({
        code: /^outbound-(forbidden|url|unreachable)$/,
      });
    answers.set(ca, { status: 200, body: 'not a list' });
    await expect(foreign.setCrlUrl(operator, id, at(ca))).rejects.toMatchObject({ code: /^crl-/ });
    expect((await shown(id))?.crlUrl).toBeUndefined();
  });

  test('an address that somebody wrote into the database is not asked, and its authority lets nobody in', async () => {
    const { ca, id, cn } = await ministry();
    const one = identityOf(await leaf(ca, cn));
    expect(await code(one)).toBe('in');
    const write = statement('test.write-url', 'UPDATE nodes.foreign_authority SET crl_url = $2 WHERE id = $1::uuid');
    await door.db.ownerDatabase.run(write, [id, at(ca)]);
    door.fixture.clock.forward(2_000);
    answers.set(ca, { status: 200, body: await list(ca) });
    await refresh();
    expect((await shown(id))?.hasCrl).toBe(false);
    expect(await code(one)).toBe('certificate-unknown');
  });
});

describe.skipIf(!has('openssl'))('other certificates of a trusted authority that stay out', () => {
  test('signed with SHA-1, with a short RSA key, expired, and not yet valid', async () => {
    const { ca, cn } = await ministry();
    const sha1 = await leaf(ca, cn, '-sha1', '-days', '300');
    expect(['certificate-hash-weak', 'certificate-unknown']).toContain(await code(identityOf(sha1)));
    const short = await leaf(ca, cn, '-days', '2');
    door.fixture.clock.forward(3 * 24 * HOUR_MS);
    expect(await code(identityOf(short))).toBe('certificate-not-valid');
    door.fixture.clock.forward(-5 * 24 * HOUR_MS);
    expect(await code(identityOf(short))).toBe('certificate-not-valid');
    door.fixture.clock.forward(2 * 24 * HOUR_MS);
    expect(await code(identityOf(short))).toBe('in');
    await openssl(
      'req',
      '-new',
      '-nodes',
      '-newkey',
      'rsa:1024',
      '-keyout',
      'short.key',
      '-out',
      'short.csr',
      '-subj',
      `/CN=${cn}`,
    );
    await openssl(
      'x509',
      '-req',
      '-in',
      'short.csr',
      '-CA',
      `${ca}.crt`,
      '-CAkey',
      `${ca}.key`,
      '-CAcreateserial',
      '-days',
      '300',
      '-out',
      'short.crt',
    );
    const weak = await code(identityOf('short')).catch((error: unknown) => String(error));
    expect(weak).toMatch(/certificate-(key-weak|unknown)|ERR_SSL|too small/);
  });
});
