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
  it('POST /match/matches: who resembles a record, in OpenCR’s shape; nothing is written', async () => {
    await openmrs.post('/fhir/Patient', john('m1'));
    const asked = { ...john('m2'), name: [{ use: 'official', family: 'Doem1', given: ['John'] }] };
    const { status, json } = await openmrs.post('/match/matches', asked);
    expect([status, Object.keys(json)]).toEqual([200, ['parent', 'auto', 'potential', 'conflict']]);
    const [parent] = json.parent;
    expect(parent).toMatchObject({ given: 'John', family: 'Doem1', source_id: 'm2', uid: null });
    const found = [...json.auto, ...json.potential, ...json.conflict];
    expect(found.map(({ source_id: id }: { source_id: string }) => id)).toContain('m1');
    expect(parent.scores['m1']).toBeGreaterThan(0);
    expect(found[0]['identifier_urn:openmrs']).toBeDefined();
    expect((await openmrs.get('/fhir/Patient?identifier=urn:openmrs|m2')).json.total).toBe(0);
    expect((await openmrs.post('/match/matches', { resourceType: 'Patient', gender: 'X' })).status).toBe(400);
  });
  it('GET /match/potential-matches: those that resemble a record that is here, without itself', async () => {
    const made = await openmrs.post('/fhir/Patient', john('p1'));
    const { status, json } = await openmrs.get(`/match/potential-matches/${made.json.id}`);
    expect(status).toBe(200);
    const ids = json.map(({ id }: { id: string }) => id);
    expect([ids[0], ids.filter((id: string) => id === made.json.id).length]).toEqual([made.json.id, 1]);
    expect(json[0].uid).toBe(made.headers['locationcruid']?.replace('Patient/', ''));
    expect((await openmrs.get('/match/potential-matches/nobody')).status).toBe(404);
  });
  it('decisions about links are refused with where they are made, and without the setting nothing is there', async () => {
    for (const call of ['resolve-match-issue', 'break-match', 'unbreak-match']) {
      const answer = await openmrs.post(`/match/${call}`, {});
      expect([answer.status, answer.json.issue[0].diagnostics]).toEqual([
        403,
        expect.stringMatching(/^opencr-decision/),
      ]);
    }
    expect((await openmrs.get('/match/count-match-issues')).status).toBe(403);
    expect((await plain.post('/match/matches', john('m1'))).status).toBe(404);
  });
});
