import { createServer, type Server } from 'node:https';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOutbound } from '../../src/platform/outbound/index.ts';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type NodesDoor, nodesDoor } from '../support/nodes-door.ts';
import { operator } from '../support/nodes.ts';
import { testAuthority, testLeaf } from '../support/tls.ts';

/**
 * P39: a token only narrows what its node's certificate gives, for five minutes, on that certificate; and nobody gets one
 * without the node's own key.
 */
const TOKEN_URL = 'https://careseal.example.org:8444/oauth/token';
type Keys = Awaited<ReturnType<typeof generateKeyPair>>;
let door: NodesDoor;
let keyServer: Server;
let keyServerPort: number;
let served: string;
beforeAll(async () => {
  const authority = await testAuthority('Keys');
  const { certificate, key } = await testLeaf(authority, { usage: 'server' });
  keyServer = createServer({ cert: certificate, key }, (_request, response) => response.end(served));
  await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
  const at = keyServer.address();
  keyServerPort = typeof at === 'object' && at !== null ? at.port : 0;
  door = await nodesDoor({
    outbound: createOutbound({ allowedNetworks: ['127.0.0.0/8'], authoritiesPem: authority.ca }),
  });
});
afterAll(async () => {
  await door.close();
  keyServer.close();
});

interface Client {
  readonly id: string;
  readonly identity: KeyMaterial;
  readonly keys: Keys;
}

const jwksOf = async ({ publicKey }: Keys, kid = 'k1') =>
  JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'ES384', use: 'sig' }] });

async function client(): Promise<Client> {
  const { node, identity } = await door.newNode();
  const keys = await generateKeyPair('ES384', { extractable: true });
  await door.fixture.nodes.keys.set(operator, { id: node.id }, { jwks: await jwksOf(keys) });
  return { id: node.id, identity, keys };
}

let counter = 0;
interface Wishes {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: Keys['privateKey'] | Uint8Array;
}
function assertion({ id, keys }: Client, { claims = {}, header = {}, key }: Wishes = {}): Promise<string> {
  const now = Math.floor(door.fixture.clock.nowMs() / 1_000);
  const all = { iss: id, sub: id, aud: TOKEN_URL, exp: now + 240, jti: `j${++counter}`, ...claims };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(kept).setProtectedHeader({ alg: 'ES384', kid: 'k1', ...header }).sign(key ?? keys.privateKey);
}

function ask(identity: KeyMaterial, signed: string, more: Readonly<Record<string, string>> = {}) {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: signed,
    scope: 'system/Patient.rs',
    ...more,
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return door.send({ method: 'POST', path: '/oauth/token', headers, body: form.toString() }, identity);
}

async function tokenOf(of: Client, scope = 'system/Patient.rs'): Promise<string> {
  const answer = await ask(of.identity, await assertion(of), { scope });
  expect(answer.status, answer.text).toBe(200);
  return answer.json<{ access_token: string }>().access_token;
}

const read = (identity: KeyMaterial | undefined, token: string) =>
  door.send({ path: '/fhir/Patient/1', headers: { authorization: `Bearer ${token}` } }, identity);
const feed = (identity: KeyMaterial, token?: string) =>
  door.send(
    {
      method: 'POST',
      path: '/fhir/Patient',
      body: '{}',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    },
    identity,
  );

describe('a token', () => {
  test('lets its node read, and narrows what the certificate gives', async () => {
    const one = await client();
    const token = await tokenOf(one);
    expect((await read(one.identity, token)).status).toBe(200);
    expect((await feed(one.identity)).status).toBe(201);
    const narrowed = await feed(one.identity, token);
    expect([narrowed.status, narrowed.text.includes('scope-missing')]).toEqual([403, true]);
    expect(narrowed.text).toContain('feed');
  });

  test('of node A with the certificate of node B opens nothing; nor without any certificate', async () => {
    const [a, b] = [await client(), await client()];
    const token = await tokenOf(a);
    expect((await read(b.identity, token)).text).toContain('token-invalid');
    expect((await read(undefined, token)).text).toContain('certificate-missing');
  });

  test('is bound to the certificate it was given on, not to the node alone (RFC 8705)', async () => {
    const one = await client();
    const token = await tokenOf(one);
    const { files } = await door.fixture.nodes.certificates.issue(operator, { id: one.id as never }, undefined);
    const other = { certificate: files['node.crt'], key: files['node.key'] ?? '' };
    expect((await read(other, token)).status).toBe(401);
    expect((await read(one.identity, token)).status).toBe(200);
  });

  test('ends after five minutes, and any changed character ends it at once', async () => {
    const one = await client();
    const token = await tokenOf(one);
    for (const at of [4, 20, 60, token.length - 2]) {
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      expect((await read(one.identity, changed)).status).toBe(401);
    }
    for (const rubbish of ['', 'x', 'cs1.', 'eyJhbGciOiJub25lIn0.e30.'])
      expect((await read(one.identity, rubbish)).status).toBe(401);
    door.fixture.clock.forward(301_000);
    expect((await read(one.identity, token)).text).toContain('token-invalid');
  });

  test('gives nothing that its node lost meanwhile', async () => {
    const one = await client();
    const token = await tokenOf(one);
    await door.fixture.nodes.changeSettings(operator, { id: one.id as never }, { scopes: ['feed'] });
    expect((await read(one.identity, token)).text).toContain('scope-missing');
    await door.fixture.nodes.suspendNode(operator, { id: one.id as never }, 'audit');
    expect((await read(one.identity, token)).text).toContain('node-suspended');
  });
});

test('a node that needs a token gets nothing by its certificate alone, but the token', async () => {
  const one = await client();
  await door.fixture.nodes.changeSettings(operator, { id: one.id as never }, { tokenRequired: true });
  const bare = await door.read(one.identity);
  expect([bare.status, bare.text.includes('token-missing')]).toEqual([401, true]);
  expect((await read(one.identity, await tokenOf(one))).status).toBe(200);
});

describe('no token for', () => {
  const refused = async (of: Client, signed: string, error = 'invalid_client') => {
    const answer = await ask(of.identity, signed);
    expect([answer.status, answer.json()['error']], answer.text).toEqual([
      error === 'invalid_client' ? 401 : 400,
      error,
    ]);
  };

  test('a replayed assertion, even ten at once', async () => {
    const one = await client();
    const signed = await assertion(one);
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(one.identity, signed)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    await refused(one, signed);
  });

  test('alg none, a shared secret, and a public key used as a secret', async () => {
    const one = await client();
    const [, payload = ''] = (await assertion(one)).split('.');
    const none = Buffer.from('{"alg":"none","kid":"k1"}').toString('base64url');
    await refused(one, `${none}.${payload}.`);
    await refused(one, `${none}.${payload}.AAAA`);
    const spki = new TextEncoder().encode(JSON.stringify(await exportJWK(one.keys.publicKey)));
    await refused(one, await assertion(one, { header: { alg: 'HS256' }, key: spki }));
  });

  test('another key, another node’s assertion, a key in the header', async () => {
    const [one, two] = [await client(), await client()];
    await refused(one, await assertion(one, { key: two.keys.privateKey }));
    await refused(one, await assertion(two));
    const jwk = await exportJWK(two.keys.publicKey);
    await refused(one, await assertion(one, { key: two.keys.privateKey, header: { jwk } }));
    await refused(one, await assertion(one, { key: two.keys.privateKey, header: { kid: 'k2' } }));
  });

  test.each([
    ['another audience', { aud: 'https://elsewhere.example/token' }],
    ['no audience', { aud: undefined }],
    ['another issuer', { iss: 'somebody' }],
    ['no subject', { sub: undefined }],
    ['an end long ago', { exp: 1_000_000_000 }],
    ['an end in a year', { exp: 4_000_000_000 }],
    ['no end', { exp: undefined }],
    ['no jti', { jti: undefined }],
  ])('an assertion with %s', async (_what, claims) => {
    const one = await client();
    await refused(one, await assertion(one, { claims }));
  });

  test('text that is no JWT, parameters given twice, scopes it does not have', async () => {
    const one = await client();
    for (const bad of ['', 'x', 'a.b.c', '..', 'é'.repeat(100)]) await refused(one, bad);
    const body = `grant_type=client_credentials&grant_type=client_credentials&client_assertion=${await assertion(one)}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const twice = await door.send({ method: 'POST', path: '/oauth/token', headers, body }, one.identity);
    expect([twice.status, twice.json()['error']]).toEqual([400, 'invalid_request']);
    for (const scope of ['', 'user/Patient.rs', 'system/Patient.sr', 'ITI-94', 'system/AuditEvent.rs', 'openid']) {
      const answer = await ask(one.identity, await assertion(one), { scope });
      expect([scope, answer.status, answer.json()['error']]).toEqual([scope, 400, 'invalid_scope']);
    }
  });
});

test('IHE’s and SMART’s scopes are what they say', async () => {
  const one = await client();
  const granted = async (scope: string) => (await ask(one.identity, await assertion(one), { scope })).json()['scope'];
  expect(await granted('ITI-78 ITI-83 ITI-104 ITI-119 ITI-94')).toBe('ITI-78 ITI-83 ITI-104 ITI-119');
  expect(await granted('system/Patient.cruds')).toBe('system/Patient.cruds');
  expect(await granted('system/Patient.read')).toBe('system/Patient.rs');
  expect((await read(one.identity, await tokenOf(one, 'ITI-104'))).text).toContain('scope-missing');
  expect((await feed(one.identity, await tokenOf(one, 'ITI-104'))).status).toBe(201);
});

describe('key sets by address', () => {
  test('are fetched, and fetched again when the node has changed its key', async () => {
    const one = await client();
    served = await jwksOf(one.keys);
    const jwksUrl = `https://localhost:${keyServerPort}/keys`;
    await door.fixture.nodes.keys.set(operator, { id: one.id as never }, { jwksUrl });
    await tokenOf(one);
    const next = { ...one, keys: await generateKeyPair('ES384', { extractable: true }) };
    served = await jwksOf(next.keys, 'k2');
    door.fixture.clock.forward(31_000);
    const answer = await ask(next.identity, await assertion(next, { header: { kid: 'k2' } }));
    expect(answer.status, answer.text).toBe(200);
  });

  test.each([
    '',
    'not json',
    '{"keys":[]}',
    '{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"k1"}]}',
    `{"keys":"${'x'.repeat(100_000)}"}`,
  ])('that are no public keys are refused (%#)', async (document) => {
    const one = await client();
    served = document;
    const jwksUrl = `https://localhost:${keyServerPort}/${++counter}`;
    await door.fixture.nodes.keys.set(operator, { id: one.id as never }, { jwksUrl });
    const answer = await ask(one.identity, await assertion(one));
    expect([answer.status, answer.json()['error']]).toEqual([401, 'invalid_client']);
  });

  test('private keys are not accepted where public ones belong', async () => {
    const one = await client();
    const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(one.keys.privateKey)), kid: 'k1' }] });
    await expect(door.fixture.nodes.keys.set(operator, { id: one.id as never }, { jwks })).rejects.toMatchObject({
      code: 'keys-unusable',
    });
  });

  test.each([
    'https://127.0.0.1/keys',
    'https://[::1]/keys',
    'https://10.0.0.7/keys',
    'https://169.254.169.254/latest',
    'https://localhost/keys',
    'https://[::ffff:10.0.0.7]/',
    'http://example.org/keys',
    'https://user:x@example.org/',
  ])('leading to this machine or a private network are refused: %s', async (jwksUrl) => {
    const guarded = await nodesDoor();
    const { node } = await guarded.newNode();
    await expect(guarded.fixture.nodes.keys.set(operator, { id: node.id }, { jwksUrl })).rejects.toMatchObject({
      code: /^outbound-/,
    });
    await guarded.close();
  });
});
