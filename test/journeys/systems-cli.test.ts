import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portSettings } from '../support/journey.ts';
import { askAsNode, shell } from '../support/node-client.ts';
import { has, run as runProgram } from '../support/programs.ts';
import { careseal, startTestServer, type TestServer, testHome } from '../support/server.ts';
import { setUpServer } from '../support/set-up.ts';

/** Systems, authorities and audit repositories from the command line, beside a running server whose doors take it over at once. */
let home: Awaited<ReturnType<typeof testHome>>;
let server: TestServer;
let folder: string;

beforeAll(async () => {
  home = await testHome();
  folder = await mkdtemp(join(tmpdir(), 'careseal-systems-'));
  server = await startTestServer({ home: home.path, settings: await portSettings() });
  await setUpServer(server, {
    organisation: 'Lakeside Programme',
    name: 'Amina Okello',
    email: 'amina@example.org',
    password: 'seven herons over the lake',
  });
});
afterAll(async () => {
  await server?.end('SIGTERM');
  await home.dispose();
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string) => join(folder, name);
// oxlint-disable-next-line typescript/no-explicit-any -- answers of many shapes
async function run(...words: readonly string[]): Promise<any> {
  const ran = await careseal([...words, '--json'], { home: home.path });
  expect(ran, words.join(' ')).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(ran.stdout);
}
async function refused(...words: readonly string[]): Promise<string> {
  const ran = await careseal([...words, '--json'], { home: home.path });
  // 2: what was asked cannot be meant; 1: it could not be done.
  expect([1, 2], words.join(' ')).toContain(ran.code);
  return JSON.parse(ran.stdout).error.code;
}
const openssl = async (...words: string[]) => {
  const ran = await runProgram('openssl', words, folder);
  if (ran.code !== 0) throw new Error(ran.stderr);
};
const asked = async (directory: string) =>
  (await askAsNode({ folder: at(directory), url: `${server.nodesUrl}/fhir/metadata` })).status;

describe('a node', () => {
  it('is added, suspended, resumed, given a second certificate, and revoked; the door follows', async () => {
    const { node } = await run('node', 'add', 'Clinic 7', '--domain', 'urn:cli:7', '--out', at('clinic'));
    expect(node).toMatchObject({ name: 'Clinic 7', state: 'active', domains: ['urn:cli:7'] });
    for (const name of ['node.key', 'node.crt', 'node.p12', 'ca.crt'])
      expect(existsSync(at(`clinic/${name}`))).toBe(true);
    expect(await asked('clinic')).toBe(200);
    expect((await run('node', 'suspend', 'Clinic 7', '--reason', 'machine is moved')).node.state).toBe('suspended');
    await expect.poll(() => asked('clinic')).toBe(403);
    expect((await run('node', 'resume', 'Clinic 7')).node.state).toBe('active');
    await expect.poll(() => asked('clinic')).toBe(200);
    await run('node', 'certificate', 'Clinic 7', '--out', at('clinic-next'));
    expect([await asked('clinic-next'), await asked('clinic')]).toEqual([200, 200]);
    expect(await refused('node', 'revoke', 'Clinic 8', '--reason', 'not there')).toBe('node-unknown');
    expect((await run('node', 'revoke', 'Clinic 7', '--reason', 'laptop stolen')).node.state).toBe('revoked');
    await expect.poll(() => asked('clinic')).toBe(403);
    expect(await asked('clinic-next')).toBe(403);
    const { nodes } = await run('node', 'list');
    expect(nodes).toMatchObject([{ name: 'Clinic 7', state: 'revoked' }]);
  });

  it('renews its certificate itself; the former one goes on meanwhile', async () => {
    await run('node', 'add', 'Clinic 9', '--domain', 'urn:cli:9', '--out', at('renewing'));
    const next = [
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=clinic-9',
    ];
    await openssl(...next, '-keyout', 'next.key', '-out', 'next.csr');
    const curl = `curl --silent --fail --cacert renewing/ca.crt --cert renewing/node.crt --key renewing/node.key`;
    const renewed = await shell(`${curl} --data-binary @next.csr ${server.nodesUrl}/renew`, folder);
    expect(renewed.code, renewed.stderr).toBe(0);
    expect(renewed.stdout).toContain('-----BEGIN CERTIFICATE-----');
    expect(await asked('renewing')).toBe(200);
    const { nodes } = await run('node', 'list');
    expect(nodes.find(({ name }: { name: string }) => name === 'Clinic 9').certificates).toHaveLength(2);
  });
});

describe.skipIf(!has('openssl'))('an authority of somebody else', () => {
  it('is trusted with a name, its list taken over, and trusted no longer', async () => {
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    await openssl(
      'req',
      '-x509',
      ...ec,
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-subj',
      '/CN=Ministry',
      '-days',
      '900',
    );
    await openssl('req', '-new', ...ec, '-keyout', 'node.key', '-out', 'node.csr', '-subj', '/CN=lab-1');
    await writeFile(at('client.ext'), 'extendedKeyUsage=clientAuth\n');
    const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '300', '-extfile', 'client.ext'];
    await openssl('x509', '-req', '-in', 'node.csr', ...signed, '-out', 'node.crt');
    await run('node', 'add', 'Laboratory', '--domain', 'urn:cli:lab', '--later', '--out', at('lab'));
    for (const name of ['node.key', 'node.crt']) await writeFile(at(`lab/${name}`), await readFile(at(name)));
    expect(await asked('lab')).toBe(401);
    await run('trust', 'add', 'Ministry', '--certificate', at('ca.crt'));
    await run('trust', 'rule', 'Ministry', '--node', 'Laboratory', '--cn', 'lab-1');
    await expect.poll(() => asked('lab')).toBe(200);
    expect((await run('trust', 'list')).authorities).toMatchObject([{ name: 'Ministry', rules: [{ value: 'lab-1' }] }]);
    await writeFile(at('index.txt'), '');
    await writeFile(
      at('ca.cnf'),
      '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=7\n',
    );
    const config = ['-config', 'ca.cnf', '-cert', 'ca.crt', '-keyfile', 'ca.key'];
    await openssl('ca', '-revoke', 'node.crt', ...config);
    await openssl('ca', '-gencrl', ...config, '-out', 'list.crl');
    expect(await refused('trust', 'crl', 'Ministry', 'http://127.0.0.1:9/ca.crl')).toBe('outbound-forbidden');
    await run('trust', 'crl', 'Ministry', at('list.crl'));
    await expect.poll(() => asked('lab')).toBe(403);
    await run('trust', 'remove', 'Ministry', '--reason', 'contract ended');
    expect((await run('trust', 'list')).authorities).toEqual([]);
    expect(await refused('trust', 'remove', 'Ministry', '--reason', 'again')).toBe('authority-unknown');
  });
});

describe('Careseal’s own authority', () => {
  it('shows itself, gives its root away, and is renewed with it; its nodes come in as before', async () => {
    await run('node', 'add', 'Before', '--domain', 'urn:cli:before', '--out', at('before'));
    const kinds = async () =>
      (await run('ca', 'status')).authorities.map(({ kind, keyIsHere }: { kind: string; keyIsHere: boolean }) => [
        kind,
        keyIsHere,
      ]);
    expect(await kinds()).toEqual(
      expect.arrayContaining([
        ['root', true],
        ['issuing', true],
      ]),
    );
    await writeFile(at('short.txt'), 'short\n');
    await writeFile(at('words.txt'), 'four quiet herons at dawn\n');
    await writeFile(at('wrong.txt'), 'five quiet herons at dawn\n');
    expect(await refused('ca', 'take-root-away', at('root.pem'), '--passphrase-file', at('short.txt'))).toBe('usage');
    await run('ca', 'take-root-away', at('root.pem'), '--passphrase-file', at('words.txt'));
    expect(await readFile(at('root.pem'), 'utf8')).toContain('ENCRYPTED PRIVATE KEY');
    expect(await kinds()).toContainEqual(['root', false]);
    expect(await refused('ca', 'take-root-away', at('root.pem'), '--passphrase-file', at('words.txt'))).toBe(
      'files-exist',
    );
    await refused('ca', 'renew', '--root-key', at('root.pem'), '--passphrase-file', at('wrong.txt'));
    const issuing = (await kinds()).filter(([kind]: [string]) => kind === 'issuing').length;
    await run('ca', 'renew', '--root-key', at('root.pem'), '--passphrase-file', at('words.txt'));
    expect((await kinds()).filter(([kind]: [string]) => kind === 'issuing')).toHaveLength(issuing + 1);
    await run('node', 'add', 'After', '--domain', 'urn:cli:after', '--out', at('after'));
    expect(await asked('before')).toBe(200);
    await expect.poll(() => asked('after')).toBe(200);
  });
});

describe('audit repositories', () => {
  it('are added, listed and removed; what is not understood is refused', async () => {
    const { target } = await run(
      'forwarding',
      'add',
      'National',
      '--to',
      'tls://atna.example.org:6514',
      '--event',
      'client.*',
      '--failures',
    );
    expect(target).toMatchObject({
      name: 'National',
      protocol: 'tls',
      host: 'atna.example.org',
      port: 6514,
      filter: { events: ['client.*'], outcome: 'failure' },
    });
    expect((await run('forwarding', 'add', 'FHIR', '--to', 'https://ars.example.org/fhir')).target).toMatchObject({
      protocol: 'fhir',
      port: 443,
      path: '/fhir',
    });
    expect((await run('forwarding', 'list')).targets).toHaveLength(2);
    expect(await refused('forwarding', 'add', 'X', '--to', 'ftp://atna.example.org')).toBe('usage');
    for (const name of ['national', 'FHIR']) await run('forwarding', 'remove', name);
    expect((await run('forwarding', 'list')).targets).toEqual([]);
    expect(await refused('forwarding', 'remove', 'National')).toBe('target-not-found');
  });
});
