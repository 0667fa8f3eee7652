import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { operator } from '../support/nodes.ts';
import { has, run } from '../support/programs.ts';

/** P38: an enrolment token works once, for its node, until it ends; without one, the door without a certificate gives nothing. */
let door: NodesDoor;
let csr: string;
const folder = mkdtempSync(join(tmpdir(), 'careseal-p38-'));
const text = (name: string) => readFileSync(join(folder, name), 'utf8');
beforeAll(async () => {
  door = await nodesDoor();
  await run(
    'openssl',
    [
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'node.key',
      '-out',
      'node.csr',
      '-subj',
      '/CN=somebody else',
    ],
    folder,
  );
  csr = text('node.csr');
});
afterAll(async () => {
  await door.close();
  rmSync(folder, { recursive: true });
});

let number = 0;
async function invited() {
  number += 1;
  return await door.fixture.nodes.inviteNode(operator, { name: `Invited ${number}`, domain: `urn:p38:${number}` });
}
const enrol = (token: string, body = csr) =>
  door.send({
    method: 'POST',
    path: '/enrol',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/pkcs10' },
    body,
  });

test('a token gives its node a certificate, once; the name in the request counts for nothing', async () => {
  const { node, invitation } = await invited();
  expect(node.state).toBe('invited');
  const answer = await enrol(invitation.token);
  expect(answer.status).toBe(201);
  const identity = { certificate: answer.text, key: text('node.key') };
  expect((await door.read(identity)).json()).toEqual({ who: node.name });
  const again = await enrol(invitation.token);
  expect([again.status, again.text.includes('enrolment-refused')]).toEqual([403, true]);
});

test('the same token sent ten times at once gives one certificate', async () => {
  const { node, invitation } = await invited();
  const answers = await Promise.all(Array.from({ length: 8 }, () => enrol(invitation.token)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  const { nodes } = await door.fixture.nodes.listNodes(operator);
  expect(nodes.find(({ id }) => id === node.id)?.certificates).toHaveLength(1);
});

describe('refused, all in the same words', () => {
  const refused = async (token: string) => {
    const { clock } = door.fixture;
    clock.forward(61_000); // the limit of this address is not what is tried here
    const answer = await enrol(token);
    expect([answer.status, answer.json()['code']]).toEqual([403, 'enrolment-refused']);
  };

  test('unknown, made up, or another installation’s', async () => {
    await refused('x'.repeat(43));
    await refused('0');
  });
  test('one that has run out', async () => {
    const { invitation } = await invited();
    door.fixture.clock.forward(73 * 3_600_000);
    await refused(invitation.token);
  });
  test('one that a newer one has replaced', async () => {
    const { node, invitation } = await invited();
    await door.fixture.nodes.enrolment.invite(operator, { id: node.id });
    await refused(invitation.token);
  });
  test('one of a node that was suspended or revoked meanwhile', async () => {
    const [first, second] = [await invited(), await invited()];
    await door.fixture.nodes.suspendNode(operator, { id: first.node.id }, 'not now');
    await door.fixture.nodes.revokeNode(operator, { id: second.node.id }, 'never');
    await refused(first.invitation.token);
    await refused(second.invitation.token);
  });
});

test('what cannot be certified does not cost the token, and a token in the address is not looked at', async () => {
  const { invitation } = await invited();
  door.fixture.clock.forward(61_000);
  for (const bad of ['', 'hello', csr.slice(0, 200), csr + csr])
    expect((await enrol(invitation.token, bad)).status).toBe(400);
  const inAddress = await door.send({ method: 'POST', path: `/enrol?token=${invitation.token}`, body: csr });
  expect(inAddress.status).toBe(401);
  expect((await enrol(invitation.token)).status).toBe(201);
});

test('guessing is slowed down: ten tries a minute from one address', async () => {
  door.fixture.clock.forward(120_000);
  const statuses = [];
  for (let i = 0; i < 14; i++) statuses.push((await enrol(`guess-${i}`)).status);
  expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 403));
  expect(statuses.slice(-2)).toEqual([429, 429]);
  door.fixture.clock.forward(120_000);
});

test('enrolment is the only act that asks for no certificate', async () => {
  for (const path of ['/fhir/Patient/1', '/fhir/metadata', '/renew', '/oauth/token', '/enrol/x'])
    for (const method of ['GET', 'POST']) {
      const answer = await door.send({ method, path, headers: { authorization: 'Bearer x' } });
      expect([method, path, answer.status, answer.text.includes('certificate-missing')]).toEqual([
        method,
        path,
        401,
        true,
      ]);
    }
  expect((await door.send({ path: '/fhir/.well-known/smart-configuration' })).status).toBe(200);
});

test.skipIf(!has('curl') || !has('openssl'))(
  'the whole way with openssl and curl, and no program of ours',
  async () => {
    const { node, invitation } = await invited();
    door.fixture.clock.forward(61_000);
    writeFileSync(join(folder, 'ca.crt'), door.ca);
    const base = `https://localhost:${door.port}`;
    const enrolled = await run(
      'curl',
      [
        '--silent',
        '--fail',
        '--cacert',
        'ca.crt',
        '-H',
        `Authorization: Bearer ${invitation.token}`,
        '--data-binary',
        '@node.csr',
        '-o',
        'node.crt',
        `${base}/enrol`,
      ],
      folder,
    );
    expect(enrolled.code).toBe(0);
    const own = ['--silent', '--fail', '--cacert', 'ca.crt', '--cert', 'node.crt', '--key', 'node.key'];
    expect((await run('curl', [...own, `${base}/fhir/Patient/1`], folder)).stdout).toContain(node.name);
    await run(
      'openssl',
      ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'next.key', '-out', 'next.csr', '-subj', '/CN=x'],
      folder,
    );
    const renewed = await run(
      'curl',
      [...own, '--data-binary', '@next.csr', '-o', 'next.crt', `${base}/renew`],
      folder,
    );
    expect(renewed.code).toBe(0);
    const next = ['--silent', '--fail', '--cacert', 'ca.crt', '--cert', 'next.crt', '--key', 'next.key'];
    expect((await run('curl', [...next, `${base}/fhir/Patient/1`], folder)).stdout).toContain(node.name);
    const [issuing] = (await door.fixture.nodes.authorities.status()).filter(({ kind }) => kind === 'issuing');
    const list = await run(
      'curl',
      ['--silent', '--fail', '--cacert', 'ca.crt', '-o', 'list.crl', `${base}/pki/${issuing?.id ?? ''}.crl`],
      folder,
    );
    expect(list.code).toBe(0);
    const shown = await run('openssl', ['crl', '-inform', 'der', '-in', 'list.crl', '-noout', '-text'], folder);
    expect(shown.stdout).toContain('Revoked Certificates');
  },
);
