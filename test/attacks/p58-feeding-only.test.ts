import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operator } from '../../src/main/services.ts';
import type { KeyMaterial } from '../../src/platform/tls/index.ts';
import { type Programme, programme } from '../support/organisations.ts';
import { person } from '../support/registry.ts';

/**
 * P58: a system that may feed its own records and nothing else does not learn whether somebody has an identifier that others
 * assigned: not by references, merges, conditional requests or messages. Both answers are the same, to the letter.
 */
let p: Programme;
let feeder: KeyMaterial;
let own = '';
const mine = person({ key: ['urn:feeder', '1'], given: 'Own', family: 'Record', birthDate: '1999-01-01' });

beforeAll(async () => {
  p = await programme();
  const south = await p.services.nodes.addNode(operator(), { name: 'Hospital', domain: 'urn:hospital' });
  const hospital = { certificate: south.files['node.crt'], key: south.files['node.key'] ?? '' };
  const known = person({
    key: ['urn:hospital', 'KNOWN'],
    given: 'Zulaika',
    family: 'Nantongo',
    birthDate: '1984-03-12',
  });
  await fhir(hospital, 'POST', '/fhir/Patient', known);
  await p.register('south registrar', {
    ...{ key: ['urn:south:mrn', 'KNOWN'], given: 'Grace', family: 'Auma', birthDate: '1991-03-12' },
  });
  const scopes = ['feed'] as const;
  const added = await p.services.nodes.addNode(operator(), { name: 'Feeder', domain: 'urn:feeder', scopes });
  feeder = { certificate: added.files['node.crt'], key: added.files['node.key'] ?? '' };
  own = (await fhir(feeder, 'POST', '/fhir/Patient', mine)).json<{ id: string }>().id;
}, 120_000);
afterAll(() => p.close());

function fhir(identity: KeyMaterial, method: string, path: string, body?: unknown) {
  const headers = { 'content-type': 'application/fhir+json' };
  const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
  return p.sendAsNode(identity, { method, path, ...sent });
}

let made = 0;
const another = () =>
  person({ key: ['urn:feeder', `n${++made}`], given: `New${made}`, family: 'Person', birthDate: '2001-01-01' });
const transaction = (resource: object, request: object) => ({
  ...{ resourceType: 'Bundle', type: 'transaction' },
  entry: [{ fullUrl: 'urn:uuid:0198f3a0-0000-7000-8000-00000000000a', resource, request }],
});
const replaced = (other: object) => ({ ...mine, id: own, active: false, link: [{ type: 'replaced-by', other }] });

type Attempt = (identifier: { system: string; value: string }) => ReturnType<typeof fhir>;
const ATTEMPTS: readonly (readonly [string, Attempt])[] = [
  [
    'a reference of a record in a transaction',
    ({ system, value }) => {
      const other = { reference: `Patient?identifier=${system}|${value}` };
      const resource = { ...another(), link: [{ type: 'seealso', other }] };
      return fhir(feeder, 'POST', '/fhir', transaction(resource, { method: 'POST', url: 'Patient' }));
    },
  ],
  ['a survivor by identifier', (identifier) => fhir(feeder, 'PUT', `/fhir/Patient/${own}`, replaced({ identifier }))],
  [
    'a survivor by reference',
    ({ system, value }) =>
      fhir(feeder, 'PUT', `/fhir/Patient/${own}`, replaced({ reference: `Patient?identifier=${system}|${value}` })),
  ],
  ...(['source', 'target'] as const).map(
    (side) =>
      [
        `$merge with the ${side} by identifier`,
        (valueIdentifier: { system: string; value: string }) => {
          const named = side === 'source' ? 'target' : 'source';
          const parameter = [
            { name: `${side}-patient-identifier`, valueIdentifier },
            { name: `${named}-patient`, valueReference: { reference: `Patient/${own}` } },
          ];
          return fhir(feeder, 'POST', '/fhir/Patient/$merge', { resourceType: 'Parameters', parameter });
        },
      ] as const,
  ),
  [
    'a conditional update',
    ({ system, value }) => fhir(feeder, 'PUT', `/fhir/Patient?identifier=${system}|${value}`, another()),
  ],
  [
    'a conditional delete',
    ({ system, value }) => fhir(feeder, 'DELETE', `/fhir/Patient?identifier=${system}|${value}`),
  ],
  [
    'a conditional update in a transaction',
    ({ system, value }) => {
      const url = `Patient?identifier=${system}|${value}`;
      return fhir(feeder, 'POST', '/fhir', transaction(another(), { method: 'PUT', url }));
    },
  ],
  [
    'a conditional create in a transaction',
    ({ system, value }) => {
      const request = { method: 'POST', url: 'Patient', ifNoneExist: `identifier=${system}|${value}` };
      return fhir(feeder, 'POST', '/fhir', transaction(another(), request));
    },
  ],
];
const seen = (text: string): string =>
  text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '#').replaceAll(/New\d+|n\d+/g, 'N');

describe.each(['urn:hospital', 'urn:south:mrn'])('of %s', (system) => {
  test.each(ATTEMPTS)('%s tells nothing', async (_name, attempt) => {
    const known = await attempt({ system, value: 'KNOWN' });
    const nobodys = await attempt({ system, value: 'NOBODY' });
    expect([known.status, seen(known.text)]).toEqual([nobodys.status, seen(nobodys.text)]);
    expect(known.status).toBeGreaterThanOrEqual(400);
    expect(known.status).toBeLessThan(500);
  });
});

test('references to its own records are taken, and broken ones are refused in words', async () => {
  const other = { reference: 'Patient?identifier=urn:feeder|1' };
  const resource = { ...another(), link: [{ type: 'seealso', other }] };
  const taken = await fhir(feeder, 'POST', '/fhir', transaction(resource, { method: 'POST', url: 'Patient' }));
  expect(taken.status, taken.text).toBe(200);
  const broken = await fhir(feeder, 'PUT', `/fhir/Patient/${own}`, replaced({ reference: 'Patient?identifier=%zz' }));
  expect(broken.status, broken.text).toBe(422);
});
