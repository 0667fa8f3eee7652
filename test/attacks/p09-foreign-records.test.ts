import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type FhirDoor, fhirDoor } from '../support/fhir-door.ts';
import { person } from '../support/registry.ts';

/** P09: a node with a valid certificate cannot change another sender's records, speak for its domains, or change golden records. */
let door: FhirDoor;
let victim: KeyMaterial;
let attacker: KeyMaterial;
let source: { id: string };
let goldenId: string;
let before: string;
const JSON_TYPE = { 'content-type': 'application/fhir+json' };

beforeAll(async () => {
  door = await fhirDoor();
  victim = await door.newNode('urn:victim');
  attacker = await door.newNode('urn:attacker');
  const made = await door.send(victim, {
    method: 'POST',
    path: '/fhir/Patient',
    headers: JSON_TYPE,
    body: JSON.stringify(
      person({ key: ['urn:victim', 'v-1'], given: 'Amina', family: 'Okello', birthDate: '1984-03-12' }),
    ),
  });
  if (made.status !== 201) throw new Error(made.text);
  source = made.json();
  goldenId = String(made.headers['locationcruid']).replace('Patient/', '');
  before = await everything();
});
afterAll(() => door.close());

/** The victim's records as the victim sees them, byte by byte. */
async function everything(): Promise<string> {
  const paths = [`/fhir/Patient/${source.id}`, `/fhir/Patient/${source.id}/_history`, `/fhir/Patient/${goldenId}`];
  const answers = await Promise.all(paths.map((path) => door.send(victim, { path })));
  return answers.map(({ status, text }) => `${status} ${text}`).join('\n');
}

const changed = (rest: object = {}) => ({ ...source, name: [{ family: 'Changed' }], ...rest });
const foreign = (value: string, system = 'urn:victim') =>
  person({ key: [system, value], given: 'X', family: 'Y', birthDate: '2000-01-01' });
const attack = (method: string, path: string, body?: object) =>
  door.send(attacker, { method, path, headers: JSON_TYPE, ...(body ? { body: JSON.stringify(body) } : {}) });

describe('one request at a time', () => {
  test.each<[string, string, () => string, (() => object) | undefined]>([
    ['change it by its id', 'PUT', () => `/fhir/Patient/${source.id}`, () => changed()],
    [
      'take it over with an identifier of its own',
      'PUT',
      () => `/fhir/Patient/${source.id}`,
      () => changed({ identifier: [{ system: 'urn:attacker', value: '1' }] }),
    ],
    ['delete it', 'DELETE', () => `/fhir/Patient/${source.id}`, undefined],
    ['change it by its identifier', 'PUT', () => '/fhir/Patient?identifier=urn:victim%7Cv-1', () => foreign('v-1')],
    ['delete it by its identifier', 'DELETE', () => '/fhir/Patient?identifier=urn:victim%7Cv-1', undefined],
    ['make a new one in its domain', 'POST', () => '/fhir/Patient', () => foreign('v-2')],
    [
      'make a new one in its domain by PUT',
      'PUT',
      () => '/fhir/Patient?identifier=urn:victim%7Cv-2',
      () => foreign('v-2'),
    ],
    [
      'carry its identifier as a second one',
      'POST',
      () => '/fhir/Patient',
      () => ({
        ...foreign('a-1', 'urn:attacker'),
        identifier: [
          { system: 'urn:attacker', value: 'a-1' },
          { system: 'urn:victim', value: 'v-1' },
        ],
      }),
    ],
    [
      'carry its identifier as an old one',
      'POST',
      () => '/fhir/Patient',
      () => ({
        ...foreign('a-2', 'urn:attacker'),
        identifier: [
          { system: 'urn:attacker', value: 'a-2' },
          { use: 'old', system: 'urn:victim', value: 'v-1' },
        ],
      }),
    ],
    ['change the golden record', 'PUT', () => `/fhir/Patient/${goldenId}`, () => ({ ...changed(), id: goldenId })],
    ['delete the golden record', 'DELETE', () => `/fhir/Patient/${goldenId}`, undefined],
  ])('cannot %s', async (_what, method, path, body) => {
    const answer = await attack(method, path(), body?.());
    expect([403, 422]).toContain(answer.status);
    expect(answer.json()['resourceType']).toBe('OperationOutcome');
    // Where a request names a domain of somebody else's, so does the refusal.
    if (method === 'POST' || path().includes('identifier=')) expect(answer.text).toContain('urn:victim');
    expect(await everything()).toBe(before);
  });
});

describe('in a bundle', () => {
  const entry = (method: string, url: string, resource?: object) => ({
    ...(resource ? { resource } : {}),
    request: { method, url },
  });
  const entries = () => [
    entry('PUT', `Patient/${source.id}`, changed()),
    entry('DELETE', `Patient/${source.id}`),
    entry('PUT', 'Patient?identifier=urn:victim%7Cv-1', foreign('v-1')),
    entry('POST', 'Patient', foreign('v-3')),
    entry('DELETE', `Patient/${goldenId}`),
    entry('PUT', `Patient/${goldenId}`, { ...changed(), id: goldenId }),
  ];

  test('a batch refuses each of them', async () => {
    const answer = await attack('POST', '/fhir', { resourceType: 'Bundle', type: 'batch', entry: entries() });
    expect(answer.status).toBe(200);
    const responses = answer
      .json<{ entry: { response: { status: string } }[] }>()
      .entry.map(({ response }) => response.status);
    expect(responses).toEqual(['403', '403', '403', '403', '422', '403']);
    expect(await everything()).toBe(before);
  });

  test('a transaction falls with any of them, its own record included', async () => {
    for (const bad of entries()) {
      const own = entry('POST', 'Patient', foreign('own-1', 'urn:attacker'));
      const answer = await attack('POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry: [own, bad] });
      expect([403, 422]).toContain(answer.status);
    }
    const left = await attack('GET', '/fhir/Patient?identifier=urn:attacker%7Cown-1');
    expect(left.json()['total']).toBe(0);
    expect(await everything()).toBe(before);
  });
});

test('the attempts are in the audit log', async () => {
  const rows = await door.fixture.db.ownerDatabase.rows<{ n: bigint }>({
    name: 'test.refusals',
    text: 'SELECT coalesce(sum(events), 0)::bigint AS n FROM audit.batch',
  });
  expect(Number(rows[0]?.n)).toBeGreaterThan(20);
});
