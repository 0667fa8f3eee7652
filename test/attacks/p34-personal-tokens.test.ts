import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Programme, programme } from '../support/organisations.ts';
import { person } from '../support/registry.ts';

/**
 * P34: a personal access token does what it names, over FHIR, until it ends; it is worth nothing after it was revoked, after
 * its time, or after its owner's access changed, and never becomes more than its owner is.
 */
let p: Programme;
const WHO = 'north steward';
const clinician = {
  key: ['urn:north:mrn', 'T-1'] as [string, string],
  given: 'Amina',
  family: 'Okello',
  birthDate: '1980-02-02',
};

beforeAll(async () => {
  p = await programme();
  await p.register('north registrar', clinician);
  await p.register('south registrar', {
    key: ['urn:south:mrn', 'S-1'],
    given: 'Zulaika',
    family: 'Nantongo',
    birthDate: '1984-03-12',
  });
}, 120_000);
afterAll(() => p.close());

async function make(permissions: readonly string[], who: Parameters<Programme['ask']>[0] = WHO) {
  const answer = await p.ask(who, 'POST', '/api/personal-tokens', { label: 'nightly export', permissions, days: 7 });
  expect([answer.status, answer.text.length > 0], answer.text).toEqual([201, true]);
  return answer.json<{ secret: string; token: { id: string } }>();
}
const by = (secret: string, method: string, path: string, body?: unknown, more: Record<string, string> = {}) =>
  p.send({
    method,
    path,
    headers: {
      authorization: `Bearer ${secret}`,
      ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
      ...more,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

test('reads what its owner reaches, and nothing else of anybody', async () => {
  const { secret } = await make(['client.read']);
  const all = await by(secret, 'GET', '/fhir/Patient?_total=accurate');
  expect([all.status, all.json<{ total: number }>().total]).toEqual([200, 1]);
  expect(all.text).not.toContain('Nantongo');
  const wanted = person({ ...clinician, key: ['urn:north:mrn', 'T-2'] });
  expect((await by(secret, 'POST', '/fhir/Patient', wanted)).status).toBe(403);
});

test('is for FHIR: no page, no administration, no account opens by it', async () => {
  const { secret } = await make(['client.read', 'client.write', 'client.delete']);
  for (const [method, path] of [
    ['GET', '/api/users'],
    ['GET', '/api/sessions'],
    ['GET', '/api/personal-tokens'],
    ['POST', '/api/personal-tokens'],
    ['POST', '/api/clients/search'],
    ['GET', '/api/reviews'],
    ['GET', '/api/home'],
    ['POST', '/api/emergency'],
    ['POST', '/api/session/organisation'],
    ['POST', '/api/sign-out'],
    ['GET', '/api/audit/events'],
  ] as const) {
    const answer = await by(secret, method, path, undefined, { 'x-careseal': '1' });
    expect([403, 404].includes(answer.status), `${method} ${path}: ${answer.status}`).toBe(true);
  }
  expect((await by(secret, 'GET', '/api/session')).json()).toMatchObject({ state: 'anonymous', permissions: [] });
});

test('writes over FHIR without the header of pages, and lends nothing to a cookie', async () => {
  const { secret } = await make(['client.read', 'client.write']);
  const wanted = person({ ...clinician, key: ['urn:north:mrn', 'T-3'], given: 'Beatrice', family: 'Auma' });
  expect((await by(secret, 'POST', '/fhir/Patient', wanted)).status).toBe(201);
  // With a wrong token beside a right cookie the cookie is not looked at, or the header would be a way around its protection.
  const ridden = await by('careseal_pat_wrong', 'POST', '/fhir/Patient', wanted, { cookie: p.cookie(WHO) });
  expect(ridden.status).toBe(401);
  const other = await p.send({
    method: 'POST',
    path: '/fhir/Patient',
    headers: { authorization: 'Basic x', cookie: p.cookie(WHO), 'content-type': 'application/fhir+json' },
    body: JSON.stringify(wanted),
  });
  expect([401, 403]).toContain(other.status);
});

test('is never more than its owner: neither when it is made nor later', async () => {
  const too = await p.ask('north registrar', 'POST', '/api/personal-tokens', {
    label: 'x',
    permissions: ['client.delete'],
    days: 7,
  });
  expect([too.status, too.json()['code']]).toEqual([403, 'rights-exceed']);
  for (const permissions of [['user.manage'], ['audit.read'], ['client.read', 'client.read'], []]) {
    const answer = await p.ask('centre administrator', 'POST', '/api/personal-tokens', {
      label: 'x',
      permissions,
      days: 7,
    });
    expect(answer.status, permissions.join()).toBe(400);
  }
  expect(
    (await p.ask(WHO, 'POST', '/api/personal-tokens', { label: 'x', permissions: ['client.read'], days: 365 })).status,
  ).toBe(400);
  const { secret } = await make(['client.read', 'client.delete']);
  const id = p.users.get(WHO)?.id;
  const roles = (names: string[]) => p.ask('north administrator', 'PUT', `/api/users/${id}/roles`, { roles: names });
  expect((await roles(['registrar'])).status).toBe(200);
  expect((await by(secret, 'DELETE', '/fhir/Patient/0198f3a0-0000-7000-8000-0000000000aa')).status).toBe(403);
  expect((await by(secret, 'GET', '/fhir/Patient')).status).toBe(200);
  expect((await roles(['auditor'])).status).toBe(200);
  expect((await by(secret, 'GET', '/fhir/Patient')).status).toBe(403);
  expect((await roles(['steward'])).status).toBe(200);
});

test('emergency access is no business of scripts', async () => {
  const { secret } = await make(['client.read'], 'north registrar');
  const reason = 'Unconscious in the emergency room';
  expect((await p.ask('north registrar', 'POST', '/api/emergency', { reason, minutes: 5 })).status).toBe(201);
  expect(
    (await by(secret, 'GET', '/fhir/Patient?family=Nantongo&_total=accurate')).json<{ total: number }>().total,
  ).toBe(0);
  expect((await p.ask('north registrar', 'DELETE', '/api/emergency')).status).toBe(204);
});

test('is worth nothing once it is revoked, has ended, or its owner’s access has', async () => {
  const one = await make(['client.read']);
  const two = await make(['client.read']);
  expect((await by(one.secret, 'GET', '/fhir/Patient')).status).toBe(200);
  // Not by somebody else.
  expect((await p.ask('north administrator', 'DELETE', `/api/personal-tokens/${one.token.id}`)).status).toBe(404);
  expect((await p.ask(WHO, 'DELETE', `/api/personal-tokens/${one.token.id}`)).status).toBe(204);
  expect((await by(one.secret, 'GET', '/fhir/Patient')).status).toBe(401);
  expect((await by(two.secret, 'GET', '/fhir/Patient')).status).toBe(200);
  await p.db.ownerDatabase.rows({
    name: 'test.expire',
    text: 'UPDATE identity.personal_tokens SET expires_at = now()',
  });
  expect((await by(two.secret, 'GET', '/fhir/Patient')).status).toBe(401);
  const three = await make(['client.read']);
  const id = p.users.get(WHO)?.id;
  expect((await p.ask('north administrator', 'POST', `/api/users/${id}/disable`)).status).toBe(200);
  expect((await by(three.secret, 'GET', '/fhir/Patient')).status).toBe(401);
  expect((await p.ask('north administrator', 'POST', `/api/users/${id}/enable`)).status).toBe(200);
  expect((await by(three.secret, 'GET', '/fhir/Patient')).status).toBe(401);
});

test('the database holds no token, and answers of lists none', async () => {
  const { secret } = await make(['client.read'], 'north registrar');
  const rows = await p.db.ownerDatabase.rows<{ text: string }>({
    name: 'test.all',
    text: 'SELECT t::text AS text FROM identity.personal_tokens t',
  });
  expect(rows.some((row) => row.text.includes(secret) || row.text.includes('nightly export'))).toBe(false);
  expect((await p.ask('north registrar', 'GET', '/api/personal-tokens')).text).not.toContain(secret);
});
