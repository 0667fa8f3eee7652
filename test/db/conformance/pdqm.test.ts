import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { validateResource } from '../../../src/fhir/index.ts';
import { asXml, type FhirAnswer, type FhirClient, fhirFixture } from '../../support/fhir-client.ts';
import { person, type RegistryFixture, registryFixture } from '../../support/registry.ts';

let f: RegistryFixture;
let a: FhirClient;
let id: string;
const SYSTEM = 'urn:pdqm:a';
beforeAll(async () => {
  f = await registryFixture();
  a = fhirFixture(f).as(await f.node('clinic', SYSTEM));
  const amina = person({
    given: 'Amina',
    family: 'Okello',
    birthDate: '1984-03-12',
    gender: 'female',
    phone: '+256700123456',
    more: {
      identifier: [
        { system: SYSTEM, value: '1' },
        { system: 'urn:pdqm:card', value: 'c-1' },
      ],
      active: true,
      address: [{ line: ['12 Hill Road'], city: 'Entebbe', state: 'Central', postalCode: '256', country: 'UG' }],
      extension: [
        { url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: 'Nansubuga' },
      ],
    },
  });
  await a.post('/fhir/Patient', amina);
  await a.post(
    '/fhir/Patient',
    person({ given: 'Peter', family: 'Mwangi', birthDate: '1970-01-01', gender: 'male', key: [SYSTEM, '2'] }),
  );
  id = (await a.get('/fhir/Patient?family=Okello')).json.entry[0].resource.id;
});
afterAll(() => f.close());

const search = (query: string, headers: Record<string, string> = {}) => a.get(`/fhir/Patient?${query}`, headers);
const found = ({ json }: FhirAnswer): string[] =>
  (json.entry ?? []).map(({ resource }: { resource: { id: string } }) => resource.id);

describe('PDQm', () => {
  const parameters: [string, string][] = [
    ['_id', 'ID'],
    ['active', 'true'],
    ['family', 'Okello'],
    ['given', 'Amina'],
    ['identifier', `${SYSTEM}|1`],
    ['telecom', '%2B256700123456'],
    ['birthdate', '1984-03-12'],
    ['address', 'Entebbe'],
    ['address-city', 'Entebbe'],
    ['address-country', 'UG'],
    ['address-postalcode', '256'],
    ['address-state', 'Central'],
    ['gender', 'female'],
    ['mothersMaidenName', 'Nansubuga'],
    ['_lastUpdated', 'gt2000-01-01'],
  ];
  for (const [name, value] of parameters) {
    it(`ITI-78 · ${name} alone, by GET and POST, JSON and XML`, async () => {
      const query = `${name}=${value === 'ID' ? id : value}`;
      const get = await search(query);
      expect([get.status, found(get).includes(id), validateResource(get.json)]).toEqual([200, true, []]);
      const post = await a.call('POST', '/fhir/Patient/_search', {
        body: query,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(found(post)).toEqual(found(get));
      expect((await search(query, { accept: 'application/fhir+xml' })).text).toContain(`<id value="${id}"/>`);
    });
  }
  it('ITI-78 · combinations, AND by repeating, OR by comma, :exact', async () => {
    for (const query of [
      'family=Okello&gender=female',
      'birthdate=1984-03-12&family=Okello',
      'given=Amina&given=Ami',
      'family=Nobody,Okello',
      'family:exact=Okello',
    ])
      expect(found(await search(query)), query).toEqual([id]);
    for (const query of ['family=Okello&gender=male', 'given=Amina&given=Peter', 'family:exact=okello'])
      expect(found(await search(query)), query).toEqual([]);
  });
  it('ITI-78 · none found: 200, total 0, no entries', async () => {
    const { status, json } = await search('family=Nobody');
    expect([status, json.total, json.entry]).toEqual([200, 0, undefined]);
  });
  it('ITI-78 · identifier=system| limits the identifiers that are returned', async () => {
    const { json } = await search(`identifier=${SYSTEM}|1&identifier=urn:pdqm:card|`);
    expect(json.entry[0].resource.identifier.map(({ system }: { system: string }) => system)).toContain(
      'urn:pdqm:card',
    );
  });
  it('ITI-78 · an unknown domain: 404 not-found, targetSystem not found', async () => {
    const { status, json } = await search(`identifier=${SYSTEM}|1&identifier=urn:pdqm:nowhere|`);
    expect([status, json.issue[0].code, json.issue[0].details.text]).toEqual([
      404,
      'not-found',
      'targetSystem not found',
    ]);
  });
  it('ITI-78 · unknown parameters are ignored and missing in the self link; refused under Prefer: handling=strict', async () => {
    const lenient = await search('family=Okello&colour=red');
    expect([lenient.status, lenient.json.link[0].url.includes('colour')]).toEqual([200, false]);
    expect((await search('family=Okello&colour=red', { prefer: 'handling=strict' })).status).toBe(400);
  });
  it('ITI-78 · an unsupported format: 406', async () => {
    expect((await search('family=Okello&_format=text/csv')).status).toBe(406);
  });
  it('ITI-78 · read by id; an unknown one: 404 not-found', async () => {
    expect((await a.get(`/fhir/Patient/${id}`)).json.id).toBe(id);
    const unknown = await a.get('/fhir/Patient/0198f3a0-0000-7000-8000-00000000dead');
    expect([unknown.status, unknown.json.issue[0].code]).toEqual([404, 'not-found']);
  });
  it('ITI-78 · a record that was replaced: inactive when read, left out of searches', async () => {
    await a.put(
      `/fhir/Patient?identifier=${SYSTEM}|x1`,
      person({ given: 'Xena', family: 'Xylo', birthDate: '1955-05-05', key: [SYSTEM, 'x1'] }),
    );
    const old = await a.put(
      `/fhir/Patient?identifier=${SYSTEM}|x2`,
      person({ given: 'Yuri', family: 'Yak', birthDate: '1944-04-04', key: [SYSTEM, 'x2'] }),
    );
    await a.put(`/fhir/Patient?identifier=${SYSTEM}|x2`, {
      ...person({ given: 'Yuri', family: 'Yak', key: [SYSTEM, 'x2'] }),
      active: false,
      link: [{ type: 'replaced-by', other: { identifier: { system: SYSTEM, value: 'x1' } } }],
    });
    expect((await a.get(`/fhir/Patient/${old.json.id}`)).json).toMatchObject({
      active: false,
      link: [{ type: 'replaced-by' }],
    });
    expect(found(await search('family=Yak'))).toEqual([]);
  });
});

describe('PDQm match', () => {
  const asked = (patient: object, more: object[] = []) => ({
    resourceType: 'Parameters',
    parameter: [{ name: 'resource', resource: patient }, ...more],
  });
  const amina = () =>
    person({ given: 'Amina', family: 'Okello', birthDate: '1984-03-12', gender: 'female', phone: '+256700123456' });
  const match = (body: object | string, headers: Record<string, string> = {}) =>
    a.post('/fhir/Patient/$match', body, headers);
  it('ITI-119 · Parameters or a bare Patient, JSON and XML', async () => {
    for (const body of [asked(amina()), amina()]) {
      const json = await match(body);
      expect([json.status, json.json.type, found(json)[0], validateResource(json.json)]).toEqual([
        200,
        'searchset',
        id,
        [],
      ]);
      const xml = await match(asXml(body), { 'content-type': 'application/fhir+xml', accept: 'application/fhir+xml' });
      expect(xml.text).toContain(`<id value="${id}"/>`);
    }
  });
  it('ITI-119 · each entry: mode match, score 0..1, exactly one match-grade; most likely first; no request or response', async () => {
    const { json } = await match(asked(amina()));
    for (const entry of json.entry) {
      expect(entry.search.mode).toBe('match');
      expect(entry.search.score).toBeGreaterThanOrEqual(0);
      expect(entry.search.score).toBeLessThanOrEqual(1);
      expect(entry.search.extension).toEqual([
        {
          url: 'http://hl7.org/fhir/StructureDefinition/match-grade',
          valueCode: expect.stringMatching(/^(certain|probable|possible|certainly-not)$/),
        },
      ]);
      expect([entry.request, entry.response]).toEqual([undefined, undefined]);
    }
  });
  it('ITI-119 · at most count', async () => {
    expect((await match(asked(amina(), [{ name: 'count', valueInteger: 1 }]))).json.entry).toHaveLength(1);
  });
  it('ITI-119 · onlyCertainMatches: one certain person or nobody', async () => {
    const certain = await match(
      asked(person({ given: 'A', family: 'O' }), [{ name: 'onlyCertainMatches', valueBoolean: true }]),
    );
    expect([certain.status, certain.json.entry]).toEqual([200, undefined]);
  });
  it('ITI-119 · none found: 200 and empty', async () => {
    const { status, json } = await match(asked(person({ given: 'Zzyzx', family: 'Qwxyz', birthDate: '1901-01-01' })));
    expect([status, json.entry]).toEqual([200, undefined]);
  });
  it('ITI-119 · an unknown modifierExtension: 400 and no Patients; an unknown extension is accepted', async () => {
    const modifier = await match(asked({ ...amina(), modifierExtension: [{ url: 'urn:x', valueBoolean: true }] }));
    expect([modifier.status, modifier.json.resourceType]).toEqual([400, 'OperationOutcome']);
    expect((await match(asked({ ...amina(), extension: [{ url: 'urn:x', valueBoolean: true }] }))).status).toBe(200);
  });
  it('ITI-119 · no resource, a parameter twice, an unknown one, no Parameters: 400', async () => {
    for (const body of [
      { resourceType: 'Parameters' },
      asked(amina(), [
        { name: 'count', valueInteger: 1 },
        { name: 'count', valueInteger: 2 },
      ]),
      asked(amina(), [{ name: 'colour', valueString: 'red' }]),
      { resourceType: 'Bundle', type: 'batch' },
    ])
      expect((await match(body)).status).toBe(400);
  });
});
