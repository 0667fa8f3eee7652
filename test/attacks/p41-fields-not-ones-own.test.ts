import { generateKeyPair, exportJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type Programme, programme } from '../support/organisations.ts';
import { testAuthority, testLeaf } from '../support/tls.ts';

/**
 * P41, P55: what a system is (its id, owner, state, certificates, times) is set by what is done, never by a field that somebody sends
 * along: each is refused by its name, and nothing of that request is done.
 */
let p: Programme;
let laptop: { readonly id: string; readonly identity: KeyMaterial };
const WHO = 'centre administrator';
const NEW = { name: 'Laptop', domain: 'urn:centre:laptop', scopes: ['feed', 'read', 'subscribe'] };

beforeAll(async () => {
  p = await programme();
  const made = await p.ask(WHO, 'POST', '/api/nodes', NEW);
  if (made.status !== 201) throw new Error(made.text);
  const { node, files } = made.json<{ node: { id: string }; files: Record<string, string> }>();
  laptop = { id: node.id, identity: { certificate: files['node.crt'] ?? '', key: files['node.key'] ?? '' } };
}, 120_000);
afterAll(() => p.close());

/** The record, but for when it was last seen. */
async function record(): Promise<unknown> {
  const { node } = (await p.ask(WHO, 'GET', `/api/nodes/${laptop.id}`)).json<{
    node: Record<string, unknown> & { certificates: readonly Record<string, unknown>[] };
  }>();
  const certificates = node.certificates.map(({ lastSeenAt: _seen, ...rest }) => rest);
  return { ...node, certificates, lastSeenAt: undefined };
}
const names = async (): Promise<string[]> =>
  (await p.ask(WHO, 'GET', '/api/nodes')).json<{ nodes: { name: string }[] }>().nodes.map(({ name }) => name);

const FIELDS: readonly (readonly [string, () => unknown])[] = [
  ['id', () => '0198f3a0-0000-7000-8000-00000000000f'],
  ['organisationId', () => p.organisations.north],
  ['organisation', () => 'North clinic'],
  ['organisation_id', () => p.organisations.north],
  ['owner', () => p.organisations.north],
  ['ownerNodeId', () => laptop.id],
  ['state', () => 'active'],
  ['intact', () => true],
  ['certificates', () => []],
  ['activatedAt', () => '2026-01-01T00:00:00Z'],
  ['createdAt', () => '2020-01-01T00:00:00Z'],
  ['lastSeenAt', () => '2020-01-01T00:00:00Z'],
  ['suspendedAt', () => null],
  ['revokedAt', () => null],
  ['revokedReason', () => ''],
  ['hasJwks', () => true],
  ['jwks', () => '{"keys":[]}'],
  ['jwksUrl', () => 'https://example.org/keys'],
  ['binding', () => 'AAAA'],
  ['version', () => 1],
  ['permissions', () => ['client.read']],
  ['roles', () => ['administrator']],
  ['constructor', () => ({ prototype: { perMinute: 1_000_000 } })],
];

const WHEN_MADE = new Set(
  'id organisationId state intact certificates createdAt revokedAt jwksUrl binding permissions owner'.split(' '),
);

describe('of a system', () => {
  test.each(FIELDS)('%s is not set by naming it', async (field, value) => {
    const before = await record();
    const changed = await p.ask(WHO, 'PATCH', `/api/nodes/${laptop.id}`, { contact: 'Amina', [field]: value() });
    expect([changed.status, changed.json()['code']]).toEqual([400, 'input-invalid']);
    expect(await record()).toEqual(before);
    // Adding is bounded to twenty a minute; what is refused above is refused here by the same list.
    if (!WHEN_MADE.has(field)) return;
    const made = await p.ask(WHO, 'POST', '/api/nodes', {
      ...NEW,
      name: 'Second',
      domain: 'urn:x:2',
      [field]: value(),
    });
    expect([made.status, made.json()['code']]).toEqual([400, 'input-invalid']);
    expect(await names()).not.toContain('Second');
  });

  test('neither is anything by way of __proto__, or by a field that is given twice', async () => {
    const before = await record();
    for (const text of ['{"contact":"x","__proto__":{"perMinute":1}}', '{"perMinute":5,"perMinute":1000000}']) {
      const headers = { cookie: p.cookie(WHO), 'x-careseal': '1', 'content-type': 'application/json' };
      const answer = await p.send({ method: 'PATCH', path: `/api/nodes/${laptop.id}`, headers, body: text });
      expect([text, answer.status]).toEqual([text, 400]);
    }
    expect(await record()).toEqual(before);
  });

  test('every other act on it takes its own fields and no more', async () => {
    const certificate = (await testLeaf(await testAuthority(), { usage: 'client' })).leaf.pem;
    const acts: readonly (readonly [string, string, object])[] = [
      ['PUT', 'keys', { jwksUrl: 'https://example.org/keys' }],
      ['POST', 'certificates', {}],
      ['POST', 'trusted-certificates', { certificate, acceptLong: false }],
      ['POST', 'suspend', { reason: 'not now' }],
      ['POST', 'revoke', { reason: 'not now' }],
    ];
    const before = await record();
    for (const [method, act, body] of acts)
      for (const more of [
        { state: 'active' },
        { nodeId: laptop.id },
        { commonName: 'root' },
        { days: 3_650 },
        { notAfter: '2099-01-01T00:00:00Z' },
        { usage: 'server' },
        { origin: 'issued' },
      ]) {
        const answer = await p.ask(WHO, method, `/api/nodes/${laptop.id}/${act}`, { ...body, ...more });
        expect([act, more, answer.status]).toEqual([act, more, 400]);
      }
    expect(await record()).toEqual(before);
  });
});

test('of a token: what is sent along makes it neither another node’s, nor wider, nor longer', async () => {
  const keys = await generateKeyPair('ES384', { extractable: true });
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES384' }] });
  expect((await p.ask(WHO, 'PUT', `/api/nodes/${laptop.id}/keys`, { jwks })).status).toBe(200);
  const { token_endpoint: aud } = (
    await p.sendAsNode(laptop.identity, { path: '/fhir/.well-known/smart-configuration' })
  ).json<{ token_endpoint: string }>();
  const extra = { scope: 'system/*.*', client_id: 'somebody', cnf: { 'x5t#S256': 'A'.repeat(43) }, roles: ['audit'] };
  const assertion = await new SignJWT(extra)
    .setProtectedHeader({ alg: 'ES384', kid: 'k1' })
    .setIssuer(laptop.id)
    .setSubject(laptop.id)
    .setAudience(aud)
    .setExpirationTime('4m')
    .setJti('only-once')
    .sign(keys.privateKey);
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    scope: 'system/Patient.rs',
    client_id: '0198f3a0-0000-7000-8000-00000000000f',
    node: 'somebody',
    certificate: 'AAAA',
    expires_in: '86400',
    interactions: 'audit',
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await p.sendAsNode(laptop.identity, {
    method: 'POST',
    path: '/oauth/token',
    headers,
    body: form.toString(),
  });
  expect(answer.status, answer.text).toBe(200);
  const token = answer.json<{ access_token: string; expires_in: number; scope: string }>();
  // It may read and not search: of `rs` that is `r`.
  expect([token.expires_in, token.scope]).toEqual([300, 'system/Patient.r']);
  const bearer = { authorization: `Bearer ${token.access_token}` };
  expect((await p.sendAsNode(laptop.identity, { path: '/fhir/Subscription', headers: bearer })).status).toBe(403);
});

test('of a subscription: id, state, version and failure are the registry’s', async () => {
  const wanted = {
    resourceType: 'Subscription',
    id: 'mine',
    meta: { versionId: '99', lastUpdated: '2020-01-01T00:00:00Z' },
    status: 'requested',
    error: 'none at all',
    reason: 'changes of clients',
    contact: [{ system: 'email', value: 'it@example.org' }],
    criteria: 'Patient',
    channel: { type: 'message', endpoint: 'https://subscriber.example.org/', payload: 'application/fhir+json' },
  };
  const send = (method: string, path: string, body: object) =>
    p.sendAsNode(laptop.identity, {
      method,
      path,
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(body),
    });
  const made = await send('POST', '/fhir/Subscription', wanted);
  expect(made.status, made.text).toBe(201);
  const stored = made.json<{ id: string; meta: { versionId: string; lastUpdated: string }; error?: string }>();
  expect(stored.id).not.toBe('mine');
  expect(stored.meta.versionId).not.toBe('99');
  expect(stored.meta.lastUpdated).not.toMatch(/^2020/);
  expect(stored.error).toBeUndefined();
  for (const more of [{ status: 'active' }, { status: 'error' }, { nodeId: 'x' }, { owner: 'x' }, { failures: 0 }])
    expect([400, 422]).toContain((await send('POST', '/fhir/Subscription', { ...wanted, ...more })).status);
  expect((await send('PUT', '/fhir/Subscription/mine', wanted)).status).toBeGreaterThanOrEqual(400);
  const other = await send('PUT', `/fhir/Subscription/${stored.id}`, { ...wanted, id: 'another' });
  expect([400, 422]).toContain(other.status);
  const listed = await p.sendAsNode(laptop.identity, { path: '/fhir/Subscription' });
  expect(listed.json<{ entry: { resource: { id: string } }[] }>().entry.map(({ resource }) => resource.id)).toEqual([
    stored.id,
  ]);
});
