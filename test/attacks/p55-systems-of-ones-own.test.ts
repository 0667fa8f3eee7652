import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operator } from '../../src/main/services.ts';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type Programme, programme } from '../support/organisations.ts';
import { testAuthority, testLeaf } from '../support/tls.ts';

/**
 * P55: who administers the systems of one organisation cannot reach other organisations' clients, or the log, by a system of
 * their own: not by adding one, widening one, or getting a key to one that the central administration has let in.
 */
let p: Programme;
let south: { readonly source: string; readonly golden: string };
/** A system of the north that the central administration let read everybody. */
let wide = '';
const WHO = 'north administrator';
const WIDE = ['read', 'search', 'pix', 'match', 'subscribe', 'audit'] as const;

beforeAll(async () => {
  p = await programme();
  south = await p.register('south registrar', {
    key: ['urn:south:mrn', 'CM-SOUTH-1'],
    given: 'Zulaika',
    family: 'Nantongo',
    birthDate: '1984-03-12',
  });
  const organisationId = p.organisations.north;
  const wanted = { name: 'Hospital of the north', domain: 'urn:north:hospital', organisationId };
  wide = (await p.services.nodes.addNode(operator(), wanted)).node.id;
}, 120_000);
afterAll(() => p.close());

const addNode = (more: object) =>
  p.ask(WHO, 'POST', '/api/nodes', { name: 'Laptop', domain: 'urn:north:laptop', ...more });

describe('adding', () => {
  test.each(['', ...WIDE, 'feed,read'])('a system with “%s”: refused', async (scopes) => {
    const answer = await addNode(scopes === '' ? {} : { scopes: scopes.split(',') });
    expect([answer.status, answer.json()['code']]).toEqual([403, 'rights-exceed']);
  });

  test.each(['invite', 'later'])('a system that reads, by the way "%s": refused', async (way) => {
    expect((await addNode({ way })).status).toBe(403);
  });

  test('one that only feeds its own records: yes, and it reads nobody', async () => {
    const added = await addNode({ scopes: ['feed'] });
    expect(added.status).toBe(201);
    const { files, node } = added.json<{ files: Record<string, string>; node: { id: string } }>();
    const identity: KeyMaterial = { certificate: files['node.crt'] ?? '', key: files['node.key'] ?? '' };
    for (const path of [
      '/fhir/Patient?family=Nantongo',
      `/fhir/Patient/${south.golden}`,
      `/fhir/Patient/${south.source}/_history`,
      '/fhir/Patient/$ihe-pix?sourceIdentifier=urn:south:mrn|CM-SOUTH-1',
      '/fhir/AuditEvent?date=ge2020-01-01',
      `/fhir/RelatedPerson?patient=${south.golden}`,
      '/fhir/Subscription',
    ]) {
      const answer = await p.sendAsNode(identity, { path });
      expect([answer.status, answer.text.includes('Zulaika')], path).toEqual([403, false]);
    }
    for (const scope of WIDE) {
      const answer = await p.ask(WHO, 'PATCH', `/api/nodes/${node.id}`, { scopes: ['feed', scope] });
      expect([answer.status, answer.json()['code']], scope).toEqual([403, 'rights-exceed']);
    }
    expect((await p.ask(WHO, 'PATCH', `/api/nodes/${node.id}`, { contact: 'Amina' })).status).toBe(200);
  });
});

describe('a system that the central administration let in', () => {
  test('gives the organisation’s administrator no key to it', async () => {
    const certificate = (await testLeaf(await testAuthority(), { usage: 'client' })).leaf.pem;
    const jwks = JSON.stringify({ keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'k', alg: 'EdDSA', x: 'A'.repeat(43) }] });
    for (const [method, path, body] of [
      ['POST', 'certificates', {}],
      ['POST', 'invitation', undefined],
      ['POST', 'trusted-certificates', { certificate, acceptLong: false }],
      ['PUT', 'keys', { jwks }],
    ] as const) {
      const answer = await p.ask(WHO, method, `/api/nodes/${wide}/${path}`, body);
      expect([answer.status, answer.json()['code']], path).toEqual([403, 'rights-exceed']);
    }
  });

  test('may still be narrowed, suspended and revoked by them', async () => {
    const less = { scopes: ['read', 'feed'], networks: ['192.0.2.0/24'] };
    const narrow = await p.ask(WHO, 'PATCH', `/api/nodes/${wide}`, less);
    expect(narrow.status, narrow.text).toBe(200);
    expect((await p.ask(WHO, 'PATCH', `/api/nodes/${wide}`, { scopes: ['read', 'search'] })).status).toBe(403);
    expect((await p.ask(WHO, 'POST', `/api/nodes/${wide}/suspend`, { reason: 'stolen laptop' })).status).toBe(200);
    expect((await p.ask(WHO, 'POST', `/api/nodes/${wide}/revoke`, { reason: 'stolen laptop' })).status).toBe(200);
  });
});
