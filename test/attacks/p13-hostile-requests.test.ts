import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type FhirDoor, fhirDoor } from '../support/fhir-door.ts';
import { person } from '../support/registry.ts';

/** P13 over FHIR: whatever the bytes, the answer is a plain refusal, and nothing of a client reaches an error, a log or a metric. */
let door: FhirDoor;
let node: KeyMaterial;
/** A name that occurs nowhere else: wherever it turns up, data has leaked. */
const CANARY = 'Zulukanary';
const TYPES = {
  json: 'application/fhir+json',
  xml: 'application/fhir+xml',
  form: 'application/x-www-form-urlencoded',
} as const;
const known = person({ key: ['urn:clinic', 'k-1'], given: 'Amina', family: CANARY, birthDate: '1984-03-12' });
const xml = (inner: string): string => `<Patient xmlns="http://hl7.org/fhir">${inner}</Patient>`;

beforeAll(async () => {
  door = await fhirDoor();
  node = await door.newNode('urn:clinic');
  const made = await post('/fhir/Patient', JSON.stringify(known));
  if (made.status !== 201) throw new Error(made.text);
});
afterAll(() => door.close());

const post = (path: string, body: string | Uint8Array, type: keyof typeof TYPES = 'json') =>
  door.send(node, { method: 'POST', path, body, headers: { 'content-type': TYPES[type] } });

function expectPlainRefusal(answer: Awaited<ReturnType<typeof post>>): void {
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.text).not.toContain(CANARY);
  expect(answer.json()['resourceType']).toBe('OperationOutcome');
}

describe('bodies', () => {
  test.each<[string, string | Uint8Array, keyof typeof TYPES]>([
    ['JSON that breaks off', `{"resourceType":"Patient","name":[{"family":"${CANARY}"`, 'json'],
    ['a duplicate name', `{"resourceType":"Patient","name":[{"family":"A","family":"${CANARY}"}]}`, 'json'],
    ['a wrong date', `{"resourceType":"Patient","birthDate":"${CANARY}"}`, 'json'],
    ['a wrong code', `{"resourceType":"Patient","gender":"${CANARY}"}`, 'json'],
    ['a name of an element', `{"resourceType":"Patient","${CANARY} was here":1}`, 'json'],
    ['an element with __proto__', `{"resourceType":"Patient","__proto__":{"family":"${CANARY}"}}`, 'json'],
    ['a wrong type of resource', `{"resourceType":"${CANARY}"}`, 'json'],
    ['a control character', JSON.stringify({ resourceType: 'Patient', name: [{ family: `${CANARY}\u0000` }] }), 'json'],
    ['half of a surrogate pair', `{"resourceType":"Patient","name":[{"family":"${CANARY}\\ud800"}]}`, 'json'],
    [
      'bytes that are no UTF-8',
      Buffer.from(`{"resourceType":"Patient","name":[{"family":"${CANARY}\xff"}]}`, 'latin1'),
      'json',
    ],
    [
      'a modifier extension',
      JSON.stringify({ ...known, modifierExtension: [{ url: CANARY, valueString: CANARY }] }),
      'json',
    ],
    [
      'a script in the narrative',
      JSON.stringify({
        ...known,
        text: {
          status: 'generated',
          div: `<div xmlns="http://www.w3.org/1999/xhtml"><script>${CANARY}</script></div>`,
        },
      }),
      'json',
    ],
    ['XML that breaks off', `<Patient xmlns="http://hl7.org/fhir"><name><family value="${CANARY}"`, 'xml'],
    ['XML with text', xml(CANARY), 'xml'],
    ['XML with an unknown element', xml(`<${CANARY} value="1"/>`), 'xml'],
    [
      'XML with a file as entity',
      `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>${xml('<name><family value="&f;"/></name>')}`,
      'xml',
    ],
    [
      'XML with entities that grow',
      `<!DOCTYPE x [<!ENTITY a "${CANARY}"><!ENTITY b "&a;&a;&a;">]>${xml('<name><family value="&b;"/></name>')}`,
      'xml',
    ],
    ['a record known already', JSON.stringify(known), 'json'],
  ])('%s', async (_what, body, type) => {
    expectPlainRefusal(await post('/fhir/Patient', body, type));
  });

  test.each([
    ['a bundle of another type', `{"resourceType":"Bundle","type":"${CANARY}"}`],
    [
      'an address in a bundle',
      JSON.stringify({
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [{ request: { method: 'GET', url: `Patient/../${CANARY}` } }],
      }),
    ],
    [
      'a reference in a transaction',
      JSON.stringify({
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          {
            resource: { ...known, link: [{ type: 'refer', other: { reference: `urn:uuid:${CANARY}` } }] },
            request: { method: 'POST', url: 'Patient' },
          },
        ],
      }),
    ],
  ])('%s', async (_what, body) => {
    expectPlainRefusal(await post('/fhir', body));
  });
});

describe('addresses', () => {
  test.each([
    `/fhir/Patient/${CANARY}`,
    `/fhir/Patient/${CANARY}%27%3B--`,
    `/fhir/Patient/..%2f..%2f${CANARY}`,
    `/fhir/${CANARY}`,
    `/fhir/Patient?birthdate=${CANARY}`,
    `/fhir/Patient?family:${CANARY}=x`,
    `/fhir/Patient?family=${CANARY}%ff`,
    `/fhir/Patient?_sort=${CANARY}`,
    `/fhir/Patient?_count=${CANARY}`,
    `/fhir/Patient?_cursor=${CANARY}`,
    `/fhir/Patient?_format=${CANARY}`,
    `/fhir/Patient?identifier=${CANARY}%7C`,
  ])('%s', async (path) => {
    expectPlainRefusal(await door.send(node, { path }));
  });

  test('SQL in a search is a text to look for', async () => {
    const sql = "'; DROP TABLE store.resource; --";
    const answer = await door.send(node, {
      path: `/fhir/Patient?family=${encodeURIComponent(sql)}&identifier=${encodeURIComponent(sql)}`,
    });
    expect([answer.status, answer.json()['total']]).toEqual([200, 0]);
    const still = await post('/fhir/Patient/_search', `family=${CANARY}`, 'form');
    expect(still.json()['total']).toBe(1);
  });
});

test('SQL and script in names are kept and given back as they are', async () => {
  const family = "Robert'); DROP TABLE store.resource;--<script>alert(1)</script>";
  const made = await post(
    '/fhir/Patient',
    JSON.stringify(person({ key: ['urn:clinic', 'bobby'], family, given: 'Robert', birthDate: '2001-01-01' })),
  );
  expect(made.status).toBe(201);
  expect(made.json<{ name: { family: string }[] }>().name[0]?.family).toBe(family);
  expect(made.headers['content-type']).toBe('application/fhir+json; charset=utf-8');
  expect(made.headers['x-content-type-options']).toBe('nosniff');
});

test('bytes changed at random are refused or taken, never an error of the server', async () => {
  const original = new TextEncoder().encode(JSON.stringify(known));
  const change = fc.tuple(fc.nat({ max: original.length - 1 }), fc.integer({ min: 0, max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = original.slice();
      for (const [at, value] of changes) bytes[at] = value;
      const answer = await post('/fhir/Patient', bytes);
      expect(answer.status).toBeLessThan(500);
    }),
    { numRuns: 150 },
  );
});

test('nothing of it all is in a log line, a refusal or a metric', () => {
  expect(door.traces().length).toBeGreaterThan(1000);
  expect(door.traces()).not.toContain(CANARY);
  expect(door.traces()).not.toContain('1984-03-12');
});
