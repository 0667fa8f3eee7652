import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { statement } from '../../src/platform/db/sql.ts';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type FhirDoor, fhirDoor } from '../support/fhir-door.ts';
import { person } from '../support/registry.ts';

/** P11: while the audit log cannot be written, no answer carries client data and nothing is changed. */
let door: FhirDoor;
let node: KeyMaterial;
let id: string;
let goldenId: string;
const headers = { 'content-type': 'application/fhir+json' };
const amina = person({ key: ['urn:clinic', 'a-1'], given: 'Amina', family: 'Okello', birthDate: '1984-03-12' });
const parameters = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: amina }] };

const COUNT = statement<{ n: bigint }>('p11.count', 'SELECT count(*) AS n FROM store.resource');
const EVENTS = statement<{ n: bigint }>('p11.events', 'SELECT coalesce(sum(events), 0)::bigint AS n FROM audit.batch');
const count = async (): Promise<bigint> => (await door.fixture.db.ownerDatabase.rows(COUNT))[0]?.n ?? 0n;
const events = async (): Promise<bigint> => (await door.fixture.db.ownerDatabase.rows(EVENTS))[0]?.n ?? 0n;

beforeAll(async () => {
  door = await fhirDoor();
  node = await door.newNode('urn:clinic');
  const made = await door.send(node, { method: 'POST', path: '/fhir/Patient', headers, body: JSON.stringify(amina) });
  if (made.status !== 201) throw new Error('The record could not be made');
  id = String(made.json()['id']);
  goldenId = String(made.headers['locationcruid']).replace('Patient/', '');
});
afterAll(() => door.close());

const requests: [string, () => { method?: string; path: string; body?: object }][] = [
  ['read a source record', () => ({ path: `/fhir/Patient/${id}` })],
  ['read a golden record', () => ({ path: `/fhir/Patient/${goldenId}` })],
  ['read a version', () => ({ path: `/fhir/Patient/${id}/_history/1` })],
  ['read a history', () => ({ path: `/fhir/Patient/${id}/_history` })],
  ['search', () => ({ path: '/fhir/Patient?family=okello' })],
  ['match', () => ({ method: 'POST', path: '/fhir/Patient/$match', body: parameters })],
  [
    'create',
    () => ({
      method: 'POST',
      path: '/fhir/Patient',
      body: { ...amina, identifier: [{ system: 'urn:clinic', value: 'a-2' }] },
    }),
  ],
  ['update', () => ({ method: 'PUT', path: `/fhir/Patient/${id}`, body: { ...amina, id, gender: 'female' } })],
  ['delete', () => ({ method: 'DELETE', path: `/fhir/Patient/${id}` })],
];

const ask = (what: { method?: string; path: string; body?: object }) =>
  door.send(node, {
    ...(what.method === undefined ? {} : { method: what.method }),
    path: what.path,
    headers,
    ...(what.body === undefined ? {} : { body: JSON.stringify(what.body) }),
  });

describe('with a log that refuses every event', () => {
  beforeAll(async () => {
    await door.fixture.db.ownerDatabase.run(
      statement('p11.close', 'REVOKE INSERT (id, events, sealed) ON audit.batch FROM careseal_app'),
    );
  });
  afterAll(async () => {
    const grant = `GRANT INSERT (id, events, sealed) ON audit.batch TO careseal_app`;
    await door.fixture.db.ownerDatabase.run(statement('p11.open', grant));
  });

  test.each(requests)('%s fails, shows nothing and changes nothing', async (_name, request) => {
    const before = await count();
    const answer = await ask(request());
    expect(answer.status).toBeGreaterThanOrEqual(500);
    // Long enough that the random id of a request does not hold it by chance.
    expect(answer.text).not.toMatch(/Okello|Amina|1984-03-12|urn:clinic/);
    expect(await count()).toBe(before);
  });
});

test.each(requests)('%s works again once the log does, and is in it', async (_name, request) => {
  const before = await events();
  expect((await ask(request())).status).toBeLessThan(300);
  expect(await events()).toBeGreaterThan(before);
});
