import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { newId } from '../../src/crypto/index.ts';
import { type Programme, programme } from '../support/organisations.ts';

/**
 * P59: whoever finds an open session of an administrator cannot make of it an access that outlives it (a system, its key, an
 * authority that is trusted), nor have the log sent elsewhere or its alerts silenced, without a fresh proof of the person.
 */
let p: Programme;
let node = '';
const WHO = 'centre administrator';
const reason = 'a reason long enough';
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';
const ELEVEN_MINUTES_MS = 11 * 60_000;

beforeAll(async () => {
  p = await programme();
  const made = await p.ask(WHO, 'POST', '/api/nodes', { name: 'Hospital', domain: 'urn:hospital' });
  node = made.json<{ node: { id: string } }>().node.id;
}, 120_000);
afterAll(() => p.close());

/** Longer than a proof is fresh (ten minutes), shorter than a session may be idle (fifteen). */
beforeEach(() => {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: now + ELEVEN_MINUTES_MS });
});
afterEach(() => vi.useRealTimers());

const GIVES: readonly (readonly [method: string, path: string, body?: object])[] = [
  ['POST', '/api/nodes', { name: 'Laptop', domain: 'urn:laptop' }],
  ['PATCH', '/api/nodes/:node', { scopes: ['read', 'audit'] }],
  ['PUT', '/api/nodes/:node/keys', {}],
  ['POST', '/api/nodes/:node/certificates', {}],
  ['POST', '/api/nodes/:node/invitation'],
  ['POST', '/api/nodes/:node/trusted-certificates', { certificate: CERTIFICATE, acceptLong: true }],
  ['POST', '/api/nodes/:node/resume'],
  ['POST', '/api/trust/authorities', { name: 'Mine', certificate: CERTIFICATE }],
  ['POST', '/api/trust/rules', {}],
  ['POST', '/api/forwarding', {}],
  ['PUT', `/api/forwarding/${newId()}`, {}],
  ['DELETE', `/api/forwarding/${newId()}`],
  ['PUT', '/api/alerts/rules/export', {}],
  ['PUT', '/api/alerts/recipients', { recipients: [] }],
  ['POST', '/api/personal-tokens', { label: 'x', permissions: ['client.read'], days: 90 }],
  ['POST', '/api/users', { name: 'X', email: 'x@example.org', roles: ['administrator'] }],
  ['PUT', '/api/review-rules', { secondPerson: 'never' }],
];

describe('without a fresh proof', () => {
  test.each(GIVES.map(([method, path, body]) => ({ method, path, body })))('$method $path is not done', async (one) => {
    const { method, path, body } = one;
    const answer = await p.ask(WHO, method, path.replace(':node', node), body);
    expect([answer.status, answer.json()['code']]).toEqual([403, 'step-up-needed']);
  });

  test('reading goes on, and access can be ended', async () => {
    expect((await p.ask(WHO, 'GET', '/api/nodes')).status).toBe(200);
    expect((await p.ask(WHO, 'POST', `/api/nodes/${node}/suspend`, { reason })).status).toBe(200);
    expect((await p.ask(WHO, 'POST', `/api/nodes/${node}/revoke`, { reason })).status).toBe(200);
  });
});
