import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type FhirDoor, fhirDoor } from '../support/fhir-door.ts';
import { person } from '../support/registry.ts';

/** P16 over FHIR: one request, however large or twisted, is refused in bounded time and memory, and says which limit it hit. */
let door: FhirDoor;
let node: KeyMaterial;
beforeAll(async () => {
  door = await fhirDoor();
  node = await door.newNode('urn:clinic');
});
afterAll(() => door.close());

const TIME_MAX_MS = 3_000;
const MEMORY_MAX_BYTES = 250_000_000;
const many = <T>(n: number, make: (index: number) => T): T[] => Array.from({ length: n }, (_, index) => make(index));
const bundle = (entry: unknown[], type = 'batch') => JSON.stringify({ resourceType: 'Bundle', type, entry });
const patient = (rest: object) => JSON.stringify({ ...person({ key: ['urn:clinic', 'x'] }), ...rest });
const get = { request: { method: 'GET', url: 'Patient?family=a' } };

test.each<[string, () => { path: string; body: string; type?: string }, number]>([
  [
    'a Patient beyond 1 MB',
    () => ({ path: '/fhir/Patient', body: patient({ name: [{ family: 'x'.repeat(1_200_000) }] }) }),
    413,
  ],
  [
    'a bundle beyond 10 MB',
    () => ({
      path: '/fhir',
      body: bundle(
        many(500, () => ({ ...get, resource: { resourceType: 'Patient', name: [{ family: 'x'.repeat(25_000) }] } })),
      ),
    }),
    413,
  ],
  ['a bundle of 1,001 entries', () => ({ path: '/fhir', body: bundle(many(1001, () => get)) }), 413],
  [
    'a search form beyond 4 kB',
    () => ({
      path: '/fhir/Patient/_search',
      body: `family=${'x'.repeat(5000)}`,
      type: 'application/x-www-form-urlencoded',
    }),
    413,
  ],
  [
    'a match beyond 256 kB',
    () => ({ path: '/fhir/Patient/$match', body: patient({ name: [{ family: 'x'.repeat(300_000) }] }) }),
    413,
  ],
  ['JSON nested 100,000 deep', () => ({ path: '/fhir/Patient', body: '['.repeat(100_000) + ']'.repeat(100_000) }), 400],
  [
    'extensions nested 50 deep',
    () => ({ path: '/fhir/Patient', body: `${'{"extension":['.repeat(50)}${']}'.repeat(50)}` }),
    400,
  ],
  [
    'XML nested 1,000 deep',
    () => ({
      path: '/fhir/Patient',
      body: `<Patient xmlns="http://hl7.org/fhir">${'<extension url="u">'.repeat(1000)}`,
      type: 'application/fhir+xml',
    }),
    400,
  ],
  [
    'an XML element of 60,000 attributes',
    () => ({
      path: '/fhir/Patient',
      body: `<Patient xmlns="http://hl7.org/fhir" ${many(60_000, (i) => `a${i}="1"`).join(' ')}/>`,
      type: 'application/fhir+xml',
    }),
    400,
  ],
  [
    '50,000 wrong elements',
    () => ({ path: '/fhir/Patient', body: patient({ name: many(50_000, () => ({ a: 1 })) }) }),
    400,
  ],
  [
    '10,000 identifiers',
    () => ({
      path: '/fhir/Patient',
      body: patient({ identifier: many(10_000, (i) => ({ system: 'urn:clinic', value: `i${i}` })) }),
    }),
    422,
  ],
  [
    '10,000 given names',
    () => ({ path: '/fhir/Patient', body: patient({ name: [{ given: many(10_000, (i) => `g${i}`) }] }) }),
    422,
  ],
  [
    'a name of 200,000 words',
    () => ({
      path: '/fhir/Patient',
      body: patient({
        name: [
          {
            family: many(200_000, (i) => `w${i % 9000}`)
              .join(' ')
              .slice(0, 1_000_000),
          },
        ],
      }),
    }),
    422,
  ],
  [
    'a match of 10,000 identifiers',
    () => ({
      path: '/fhir/Patient/$match',
      body: patient({ identifier: many(6_000, (i) => ({ system: 'urn:a', value: `i${i}` })) }),
    }),
    422,
  ],
])('%s', async (_what, make, status) => {
  const { path, body, type = 'application/fhir+json' } = make();
  const before = process.memoryUsage().rss;
  const from = process.cpuUsage();
  const answer = await door.send(node, { method: 'POST', path, body, headers: { 'content-type': type } });
  expect(answer.status).toBe(status);
  expect(answer.json()['resourceType']).toBe('OperationOutcome');
  // What this process has worked: other work of the machine does not count.
  const { user, system } = process.cpuUsage(from);
  expect((user + system) / 1_000).toBeLessThan(TIME_MAX_MS);
  expect(process.memoryUsage().rss - before).toBeLessThan(MEMORY_MAX_BYTES);
});

test('a bundle of broad searches does fifty of them and says so of the others', async () => {
  const answer = await door.send(node, {
    method: 'POST',
    path: '/fhir',
    body: bundle(many(200, () => get)),
    headers: { 'content-type': 'application/fhir+json' },
  });
  const statuses = answer
    .json<{ entry: { response: { status: string } }[] }>()
    .entry.map(({ response }) => response.status);
  expect(statuses.filter((status) => status === '413')).toHaveLength(150);
});

test.each(['_count=100000', '_count=1001', `_id=${many(300, String).join(',')}`])('a search of %s', async (query) => {
  const answer = await door.send(node, { path: `/fhir/Patient?${query}` });
  expect(answer.status).toBe(400);
});
