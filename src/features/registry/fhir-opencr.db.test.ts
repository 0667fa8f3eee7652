import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FhirClient, fhirFixture } from '../../../test/support/fhir-client.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';

let f: RegistryFixture;
let openmrs: FhirClient;
let plain: FhirClient;
beforeAll(async () => {
  f = await registryFixture();
  const actor = await f.node('openmrs', 'urn:openmrs');
  await f.node('dhis2', 'urn:dhis2');
  openmrs = fhirFixture(f, { openCrCalls: true }).as(actor);
  plain = fhirFixture(f).as(actor);
});
afterAll(() => f.close());

const john = (key: string, more: object = {}) => ({
  ...person({ key: ['urn:openmrs', key], given: 'John', family: `Doe${key}`, birthDate: '1980-01-01' }),
  ...more,
});
const bundle = (...resources: object[]) => ({
  resourceType: 'Bundle',
  type: 'collection',
  entry: resources.map((resource) => ({ resource })),
});

describe('calls of OpenCR’s clients', () => {
  it('POST /fhir/Patient creates, and revises what is here; Location and LocationCRUID come with it', async () => {
    const made = await openmrs.post('/fhir/Patient', john('a'));
    expect([made.status, made.headers['locationcruid']]).toEqual([
      201,
      expect.stringMatching(/^Patient\/[0-9a-f-]{36}$/),
    ]);
    const again = await openmrs.post('/fhir/Patient', john('a', { gender: 'male' }));
    expect([again.status, again.json.id, again.json.meta.versionId]).toEqual([200, made.json.id, '2']);
    expect((await plain.post('/fhir/Patient', john('a'))).status).toBe(409);
  });
  it('PUT names an id of the client’s own, or one of ours', async () => {
    const made = await openmrs.put('/fhir/Patient/own-17', john('b', { id: 'own-17' }));
    expect(made.status).toBe(201);
    expect((await openmrs.put('/fhir/Patient/own-17', john('b', { id: 'own-17', gender: 'male' }))).json.id).toBe(
      made.json.id,
    );
    expect(
      (await openmrs.put(`/fhir/Patient/${made.json.id}`, john('b', { id: made.json.id, gender: 'female' }))).json.meta
        .versionId,
    ).toBe('3');
    expect(
      (
        await openmrs.put('/fhir/Patient/own-18', {
          resourceType: 'Patient',
          id: 'own-18',
          name: [{ family: 'Nameless' }],
        })
      ).status,
    ).toBe(404);
    expect((await plain.put('/fhir/Patient/own-17', john('b', { id: 'own-17' }))).status).toBe(404);
  });
  it('POST /fhir takes Bundles without requests, each Patient by itself', async () => {
    const answer = await openmrs.post('/fhir', bundle(john('c'), john('d', { gender: 'x' }), john('e')));
    expect(answer.status).toBe(200);
    const list = JSON.parse(answer.text);
    expect(list.map((entry: { response: { status: string } }) => entry.response.status)).toEqual([
      '201 Created',
      '400',
      '201 Created',
    ]);
    expect(JSON.parse(String(answer.headers['location']))).toHaveLength(2);
    expect(JSON.parse(String(answer.headers['locationcruid']))).toHaveLength(2);
    expect((await plain.post('/fhir', bundle(john('f')))).status).toBe(400);
  });
  it('write no more than other calls: records of others are refused', async () => {
    const foreign = person({ key: ['urn:dhis2', '1'], family: 'Foreign' });
    expect((await openmrs.post('/fhir/Patient', foreign)).status).toBe(403);
    const answer = await openmrs.post('/fhir', bundle(foreign, john('g')));
    expect(JSON.parse(answer.text).map((entry: { response: { status: string } }) => entry.response.status)).toEqual([
      '403',
      '201 Created',
    ]);
  });
});
