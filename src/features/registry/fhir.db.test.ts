import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asXml, BASE, type FhirClient, type FhirFixture, fhirFixture } from '../../../test/support/fhir-client.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { validateResource } from '../../fhir/index.ts';
import type { Actor } from '../../kernel/principal.ts';

let f: RegistryFixture;
let fhir: FhirFixture;
let clinicActor: Actor;
let clinic: FhirClient;
let hospital: FhirClient;
beforeAll(async () => {
  f = await registryFixture();
  fhir = fhirFixture(f);
  clinicActor = await f.node('clinic', 'urn:clinic', 'urn:clinic:two');
  clinic = fhir.as(clinicActor);
  hospital = fhir.as(await f.node('hospital', 'urn:hospital'));
});
afterAll(() => f.close());

const FHIR_JSON = 'application/fhir+json; charset=utf-8';
const idOf = (location: string | undefined): string => /Patient\/([^/]+)/.exec(location ?? '')?.[1] ?? '';
const codes = (outcome: { issue: { code: string }[] }): string[] => outcome.issue.map(({ code }) => code);
const SOURCE = '_tag=https://careseal.org/fhir/record-kind%7Csource';

let counter = 0;
/** A person who resembles nobody else. */
function stranger(more: Parameters<typeof person>[0] = {}) {
  counter += 1;
  const letters = [...String(counter).padStart(3, '0')].map((digit) => 'bcdfghjklm'[Number(digit)]);
  return person({
    key: ['urn:clinic', `s-${counter}`],
    given: `Z${letters.join('a')}o`,
    family: `Q${letters.join('u')}x`,
    birthDate: `19${10 + (counter % 80)}-0${1 + (counter % 9)}-1${counter % 10}`,
    ...more,
  });
}

describe('create, read, update, delete', () => {
  it('creates with Location, ETag and Last-Modified, and reads what was created', async () => {
    const made = await clinic.post(
      '/fhir/Patient',
      stranger({ more: { extension: [{ url: 'http://x.example/y', valueString: 'kept' }] } }),
    );
    expect(made.status).toBe(201);
    expect(made.headers).toMatchObject({ etag: 'W/"1"', 'content-type': FHIR_JSON });
    expect(made.headers['location']).toMatch(
      /^https:\/\/registry\.test:8444\/fhir\/Patient\/[0-9a-f-]{36}\/_history\/1$/,
    );
    expect(validateResource(made.json)).toEqual([]);
    const read = await clinic.get(`/fhir/Patient/${idOf(made.headers['location'])}`);
    expect(read).toMatchObject({ status: 200, headers: { etag: 'W/"1"' } });
    expect(read.json).toEqual(made.json);
    expect(read.json.extension).toEqual([{ url: 'http://x.example/y', valueString: 'kept' }]);
    const golden = await clinic.get(`/fhir/${made.headers['locationcruid']}`);
    expect(golden.json.meta.tag).toContainEqual({ system: 'https://careseal.org/fhir/record-kind', code: 'golden' });
  });

  it('answers as Prefer asks', async () => {
    const minimal = await clinic.post('/fhir/Patient', stranger(), { prefer: 'return=minimal' });
    expect(minimal).toMatchObject({ status: 201, text: '' });
    const outcome = await clinic.post('/fhir/Patient', stranger(), { prefer: 'return=OperationOutcome' });
    expect(outcome.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'information' }] });
  });

  it('takes and gives XML', async () => {
    const made = await clinic.post('/fhir/Patient?_format=xml', asXml(stranger()), {
      'content-type': 'application/fhir+xml',
    });
    expect(made.status).toBe(201);
    expect(made.headers['content-type']).toBe('application/fhir+xml; charset=utf-8');
    expect(made.text).toContain('<Patient xmlns="http://hl7.org/fhir">');
    const read = await clinic.get(`/fhir/Patient/${idOf(made.headers['location'])}`, {
      accept: 'application/fhir+xml',
    });
    expect(read.text).toBe(made.text);
  });

  it('keeps the text of decimals', async () => {
    const body = JSON.stringify(stranger({ more: { extension: [{ url: 'u', valueDecimal: 12345 }] } })).replace(
      '12345',
      '1.500',
    );
    const made = await clinic.post('/fhir/Patient', body);
    const read = await clinic.get(`/fhir/Patient/${idOf(made.headers['location'])}`);
    expect(read.text).toContain('"valueDecimal":1.500');
    const again = await clinic.put(`/fhir/Patient/${read.json.id}`, read.text);
    expect(again).toMatchObject({ status: 200, headers: { etag: 'W/"1"' } });
  });

  it('updates with If-Match, refuses a stale one, and keeps versions and history', async () => {
    const made = await clinic.post('/fhir/Patient', stranger());
    const id = idOf(made.headers['location']);
    const changed = { ...made.json, telecom: [{ system: 'phone', value: '0772000111' }] };
    const stale = await clinic.put(`/fhir/Patient/${id}`, changed, { 'if-match': 'W/"7"' });
    expect(stale.status).toBe(412);
    const updated = await clinic.put(`/fhir/Patient/${id}`, changed, { 'if-match': 'W/"1"' });
    expect(updated).toMatchObject({ status: 200, headers: { etag: 'W/"2"' } });
    expect((await clinic.get(`/fhir/Patient/${id}/_history/1`)).json.telecom).toBeUndefined();
    expect((await clinic.get(`/fhir/Patient/${id}/_history/2`)).json.telecom).toHaveLength(1);
    expect((await clinic.get(`/fhir/Patient/${id}/_history/3`)).status).toBe(404);
    const first = await clinic.get(`/fhir/Patient/${id}/_history?_count=1`);
    expect(first.json).toMatchObject({
      type: 'history',
      total: 2,
      entry: [{ request: { method: 'PUT' }, response: { etag: 'W/"2"' } }],
    });
    const next = first.json.link.find((link: { relation: string }) => link.relation === 'next').url;
    const second = await clinic.get(next);
    expect(second.json.entry).toMatchObject([
      { request: { method: 'POST', url: 'Patient' }, response: { status: '201' } },
    ]);
    expect(second.json.link.map((link: { relation: string }) => link.relation)).toEqual(['self']);
    expect(validateResource(first.json)).toEqual([]);
  });

  it('answers 304 where nothing has changed', async () => {
    const made = await clinic.post('/fhir/Patient', stranger());
    const url = `/fhir/Patient/${idOf(made.headers['location'])}`;
    expect(await clinic.get(url, { 'if-none-match': 'W/"1"' })).toMatchObject({ status: 304, text: '' });
    expect((await clinic.get(url, { 'if-none-match': 'W/"9"' })).status).toBe(200);
    expect((await clinic.get(url, { 'if-modified-since': made.headers['last-modified'] ?? '' })).status).toBe(304);
  });

  it('deletes: 204, then 410, out of searches, in history', async () => {
    const made = await clinic.post('/fhir/Patient', stranger());
    const id = idOf(made.headers['location']);
    expect(await clinic.delete(`/fhir/Patient/${id}`)).toMatchObject({ status: 204, text: '' });
    const gone = await clinic.get(`/fhir/Patient/${id}`);
    expect(gone.status).toBe(410);
    expect(gone.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'deleted' }] });
    expect((await clinic.get(`/fhir/Patient?_id=${id}`)).json.total).toBe(0);
    const history = await clinic.get(`/fhir/Patient/${id}/_history`);
    expect(history.json.entry[0]).toMatchObject({ request: { method: 'DELETE' }, response: { status: '204' } });
    expect(history.json.entry[0]).not.toHaveProperty('resource');
  });

  it.each([
    ['an unknown id', '0198f3a0-0000-7000-8000-000000009999'],
    ['an id that could not be ours', 'abc'],
  ])('answers 404 not-found to a read of %s', async (_what, id) => {
    const answer = await clinic.get(`/fhir/Patient/${id}`);
    expect(answer.status).toBe(404);
    expect(codes(answer.json)).toEqual(['not-found']);
  });

  it('refuses PUT to an unknown id, another id in the body and none', async () => {
    const id = '0198f3a0-0000-7000-8000-000000009998';
    expect((await clinic.put(`/fhir/Patient/${id}`, { ...stranger(), id })).status).toBe(405);
    expect((await clinic.put(`/fhir/Patient/${id}`, { ...stranger(), id: 'other' })).status).toBe(400);
    const missing = await clinic.put(`/fhir/Patient/${id}`, stranger());
    expect(missing.json.issue[0]).toMatchObject({ code: 'required', expression: ['Patient.id'] });
  });

  it('refuses a change to a golden record', async () => {
    const made = await clinic.post('/fhir/Patient', stranger());
    const golden = (await clinic.get(`/fhir/${made.headers['locationcruid']}`)).json;
    expect((await clinic.put(`/fhir/Patient/${golden.id}`, golden)).status).toBe(422);
    expect((await clinic.delete(`/fhir/Patient/${golden.id}`)).status).toBe(422);
  });
});

describe('conditional requests', () => {
  it('creates, then revises by PUT Patient?identifier=', async () => {
    const url = '/fhir/Patient?identifier=urn:clinic%7Cpix-1';
    const patient = stranger({ key: ['urn:clinic', 'pix-1'] });
    const created = await clinic.put(url, patient);
    expect(created.status).toBe(201);
    expect((await clinic.put(url, patient)).status).toBe(200);
    const revised = await clinic.put(url, { ...patient, active: false }, { 'if-match': 'W/"1"' });
    expect(revised).toMatchObject({ status: 200, headers: { etag: 'W/"2"' } });
    expect(idOf(revised.headers['location'])).toBe(idOf(created.headers['location']));
  });

  it('creates once with If-None-Exist', async () => {
    const patient = stranger({ key: ['urn:clinic', 'once'] });
    const header = { 'if-none-exist': 'identifier=urn:clinic|once' };
    const first = await clinic.post('/fhir/Patient', patient, header);
    const second = await clinic.post('/fhir/Patient', patient, header);
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(idOf(second.headers['location'])).toBe(idOf(first.headers['location']));
  });

  it('refuses a second record of the same identifier without it', async () => {
    const patient = stranger({ key: ['urn:clinic', 'twice'] });
    expect((await clinic.post('/fhir/Patient', patient)).status).toBe(201);
    const second = await clinic.post('/fhir/Patient', patient);
    expect(second.status).toBe(409);
    expect(codes(second.json)).toEqual(['duplicate']);
  });

  it('deletes by identifier', async () => {
    await clinic.post('/fhir/Patient', stranger({ key: ['urn:clinic', 'del'] }));
    expect((await clinic.delete('/fhir/Patient?identifier=urn:clinic|del')).status).toBe(204);
    expect((await clinic.delete('/fhir/Patient?identifier=urn:clinic|del')).status).toBe(404);
  });

  it.each([
    'family=x',
    'identifier=x',
    'identifier=urn:clinic|',
    'identifier=urn:clinic|a,urn:clinic|b',
    '',
    'identifier=urn:clinic|a&family=x',
  ])('refuses the criterion "%s" as not selective', async (query) => {
    expect((await clinic.put(`/fhir/Patient?${query}`, stranger())).status).toBe(412);
    expect((await clinic.delete(`/fhir/Patient?${query}`)).status).toBe(412);
  });
});

describe('ownership', () => {
  it('lets a node change only its own records and domains', async () => {
    const made = await clinic.post('/fhir/Patient', stranger());
    const id = idOf(made.headers['location']);
    expect((await hospital.put(`/fhir/Patient/${id}`, made.json)).status).toBe(403);
    expect((await hospital.delete(`/fhir/Patient/${id}`)).status).toBe(403);
    expect(
      (await hospital.put('/fhir/Patient?identifier=urn:clinic%7Cx', stranger({ key: ['urn:clinic', 'x'] }))).status,
    ).toBe(403);
    expect((await hospital.post('/fhir/Patient', stranger({ key: ['urn:clinic', 'y'] }))).status).toBe(403);
    expect(
      (await hospital.delete(`/fhir/Patient?identifier=urn:clinic%7C${made.json.identifier[0].value}`)).status,
    ).toBe(403);
    const stolen = { ...stranger({ key: ['urn:hospital', 'h1'] }) };
    stolen.identifier = [...(stolen.identifier ?? []), { system: 'urn:clinic', value: 'stolen' }];
    const answer = await hospital.post('/fhir/Patient', stolen);
    expect(answer.status).toBe(403);
    expect(answer.json.issue[0].expression).toEqual(['Patient.identifier[1]']);
  });

  it('files a record without an identifier of its own in the first domain of the node', async () => {
    const made = await hospital.post('/fhir/Patient', { ...stranger({ key: ['urn:nin:x', 'n-1'] }) });
    expect(made.status).toBe(201);
    expect(
      (await hospital.put(`/fhir/Patient/${idOf(made.headers['location'])}`, { ...made.json, active: true })).status,
    ).toBe(200);
  });
});

describe('what is wrong with a body', () => {
  const JSON_TYPE = { 'content-type': 'application/fhir+json' };
  it.each<[string, unknown, Record<string, string>, number, string]>([
    ['malformed JSON', '{', JSON_TYPE, 400, ''],
    ['nothing', '', JSON_TYPE, 400, ''],
    ['a duplicate name', '{"resourceType":"Patient","active":true,"active":false}', JSON_TYPE, 400, ''],
    ['deep nesting', `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`, JSON_TYPE, 400, ''],
    ['bytes that are no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), JSON_TYPE, 400, ''],
    ['another type', { resourceType: 'Observation' }, JSON_TYPE, 400, ''],
    [
      'a date that does not exist',
      { resourceType: 'Patient', birthDate: '1981-02-29' },
      JSON_TYPE,
      400,
      'Patient.birthDate',
    ],
    ['a wrong type', { resourceType: 'Patient', active: 'yes' }, JSON_TYPE, 400, 'Patient.active'],
    ['an unknown element', { resourceType: 'Patient', shoe: 1 }, JSON_TYPE, 400, 'Patient.shoe'],
    [
      'a modifier extension',
      { resourceType: 'Patient', modifierExtension: [{ url: 'u', valueBoolean: true }] },
      JSON_TYPE,
      400,
      'Patient.modifierExtension[0]',
    ],
    [
      'a control character',
      { resourceType: 'Patient', name: [{ family: 'a\u0007' }] },
      JSON_TYPE,
      400,
      'Patient.name[0].family',
    ],
    [
      'XML with a DOCTYPE',
      '<!DOCTYPE x><Patient xmlns="http://hl7.org/fhir"/>',
      { 'content-type': 'application/fhir+xml' },
      400,
      '',
    ],
    ['a form', 'family=x', { 'content-type': 'application/x-www-form-urlencoded' }, 415, ''],
    [
      'FHIR of another version',
      { resourceType: 'Patient' },
      { 'content-type': 'application/fhir+json; fhirVersion=5.0' },
      415,
      '',
    ],
  ])('refuses %s with an OperationOutcome', async (_what, body, headers, status, expression) => {
    const answer = await clinic.post('/fhir/Patient', body, headers);
    expect(answer.status).toBe(status);
    expect(answer.json.resourceType).toBe('OperationOutcome');
    expect(validateResource(answer.json)).toEqual([]);
    if (expression) expect(answer.json.issue[0].expression).toEqual([expression]);
  });

  it('answers 406 before it does anything', async () => {
    const patient = stranger({ key: ['urn:clinic', 'never'] });
    expect((await clinic.post('/fhir/Patient', patient, { accept: 'text/csv' })).status).toBe(406);
    expect((await clinic.get(`/fhir/Patient?identifier=urn:clinic|never&${SOURCE}`)).json.total).toBe(0);
  });

  it('keeps SQL and script in names as they are', async () => {
    const family = "Robert'); DROP TABLE store.resource;-- <script>alert(1)</script>";
    const made = await clinic.post('/fhir/Patient', stranger({ family }));
    expect(made.json.name[0].family).toBe(family);
    const found = await clinic.get(`/fhir/Patient?family:exact=${encodeURIComponent(family)}`);
    expect(found.json.total).toBe(1);
  });
});

describe('the capability statement', () => {
  it('is valid, and lists what the routes do', async () => {
    const { json } = await clinic.get('/fhir/metadata');
    expect(validateResource(json)).toEqual([]);
    const [rest] = json.rest;
    expect(rest.resource[0].interaction.map((item: { code: string }) => item.code).sort()).toEqual([
      'create',
      'delete',
      'history-instance',
      'read',
      'search-type',
      'update',
      'vread',
    ]);
    expect(rest.resource[0]).toMatchObject({
      conditionalCreate: true,
      conditionalUpdate: true,
      conditionalDelete: 'single',
    });
    expect(rest.interaction).toEqual([{ code: 'transaction' }, { code: 'batch' }]);
    // Whatever it names can be searched by.
    for (const { name, type } of rest.resource[0].searchParam) {
      const value = type === 'date' ? '2001' : type === 'reference' ? 'Patient/1' : name === '_tag' ? 'urn:x|y' : 'x';
      expect((await clinic.get(`/fhir/Patient?${name}=${encodeURIComponent(value)}&_count=1`)).status, name).toBe(200);
    }
    expect((await clinic.get('/fhir/metadata', { accept: 'application/fhir+xml' })).text).toContain(
      '<CapabilityStatement',
    );
    expect(json.implementation.url).toBe(`${BASE}/fhir`);
  });
});
