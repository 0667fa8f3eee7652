import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asXml, type FhirClient, type FhirFixture, fhirFixture } from '../../../test/support/fhir-client.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { parseFhirXml, validateResource } from '../../fhir/index.ts';
import type { Actor } from '../../kernel/principal.ts';

let f: RegistryFixture;
let fhir: FhirFixture;
let clinicActor: Actor;
let clinic: FhirClient;
beforeAll(async () => {
  f = await registryFixture();
  fhir = fhirFixture(f);
  clinicActor = await f.node('clinic', 'urn:clinic');
  clinic = fhir.as(clinicActor);
});
afterAll(() => f.close());

let counter = 0;
function stranger(key = `s-${(counter += 1)}`, more = {}) {
  counter += 1;
  const letters = [...String(counter).padStart(3, '0')].map((digit) => 'bcdfghjklm'[Number(digit)]);
  return person({
    key: ['urn:clinic', key],
    given: `Z${letters.join('a')}o`,
    family: `Q${letters.join('u')}x`,
    birthDate: `19${10 + counter}-01-02`,
    more,
  });
}
const bundle = (type: 'batch' | 'transaction', ...entry: unknown[]) => ({ resourceType: 'Bundle', type, entry });
const request = (method: string, url: string, rest: object = {}) => ({ request: { method, url, ...rest } });
const statuses = (answer: { entry: { response: { status: string } }[] }): string[] =>
  answer.entry.map(({ response }) => response.status);
const idIn = (location: string): string => location.split('/').at(-3) ?? '';
const source = async (key: string) =>
  (await clinic.get(`/fhir/Patient?identifier=urn:clinic%7C${key}&_tag=https://careseal.org/fhir/record-kind%7Csource`))
    .json;

describe('batch', () => {
  it('answers each entry on its own, in the order sent', async () => {
    const made = await clinic.post('/fhir/Patient', stranger('b-old'));
    const { id } = made.json;
    const { status, json } = await clinic.post(
      '/fhir',
      bundle(
        'batch',
        request('GET', `Patient/${id}`),
        { resource: stranger('b-1'), ...request('POST', 'Patient') },
        { resource: { resourceType: 'Patient', birthDate: '1981-02-29' }, ...request('POST', 'Patient') },
        request('DELETE', 'Patient/0198f3a0-0000-7000-8000-000000009999'),
        request('GET', 'Patient?identifier=urn:clinic%7Cb-old'),
        { resource: { ...made.json, active: true }, ...request('PUT', `Patient/${id}`, { ifMatch: 'W/"9"' }) },
        request('GET', 'Observation/1'),
        { resource: stranger('b-2'), ...request('PUT', 'Patient?identifier=urn:clinic%7Cb-2') },
      ),
    );
    expect(status).toBe(200);
    expect(validateResource(json)).toEqual([]);
    expect(json.type).toBe('batch-response');
    expect(statuses(json)).toEqual(['200', '201', '400', '404', '200', '412', '400', '201']);
    expect(json.entry[0].resource.id).toBe(id);
    expect(json.entry[2].response.outcome.issue[0].expression).toEqual(['Bundle.entry[2].resource.birthDate']);
    expect(json.entry[4].resource).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 1 });
    expect(json.entry[1].response.location).toMatch(/\/fhir\/Patient\/[^/]+\/_history\/1$/);
  });

  it('asks for the permission of each entry, and records what it refuses', async () => {
    const reader: Actor = {
      ...clinicActor,
      principal: { ...clinicActor.principal, permissions: new Set(['client.read']) },
    };
    fhir.recorded.length = 0;
    const { json } = await fhir
      .as(reader)
      .post(
        '/fhir',
        bundle(
          'batch',
          { resource: stranger('no-1'), ...request('POST', 'Patient') },
          request('DELETE', 'Patient/0198f3a0-0000-7000-8000-000000009999'),
          request('GET', 'Patient?family=x'),
        ),
      );
    expect(statuses(json)).toEqual(['403', '403', '200']);
    expect(fhir.recorded.map(({ event }) => event)).toEqual([
      'access.refused',
      'access.refused',
      'client.search',
      'client.bundle',
    ]);
    expect((await source('no-1')).total).toBe(0);
  });

  it('bounds the searches in one bundle', async () => {
    const { json } = await clinic.post(
      '/fhir',
      bundle('batch', ...Array.from({ length: 52 }, () => request('GET', 'Patient?family=x'))),
    );
    expect(statuses(json).filter((status) => status === '413')).toHaveLength(2);
  });

  it('takes XML and gives XML', async () => {
    const body = asXml(
      bundle(
        'batch',
        { resource: stranger('xml-1'), ...request('POST', 'Patient') },
        request('GET', 'Patient?identifier=urn:clinic%7Cxml-1'),
      ),
    );
    const { text } = await clinic.post('/fhir', body, {
      'content-type': 'application/fhir+xml',
      accept: 'application/fhir+xml',
    });
    const answer = parseFhirXml(text);
    expect(validateResource(answer)).toEqual([]);
    expect(answer).toMatchObject({ entry: [{ response: { status: '201' } }, { resource: { total: 1 } }] });
  });
});

describe('transaction', () => {
  it('is refused for a search that cannot be understood before anything is written', async () => {
    const entries = [
      { resource: stranger('t-search'), ...request('POST', 'Patient') },
      request('GET', 'Patient?_sort=x'),
    ];
    expect((await clinic.post('/fhir', bundle('transaction', ...entries))).status).toBe(400);
    expect((await source('t-search')).total).toBe(0);
  });

  it('answers for a read of what it has deleted itself, and is not taken for undone', async () => {
    const { id } = (await clinic.post('/fhir/Patient', stranger('t-gone'))).json;
    const entries = [request('DELETE', `Patient/${id}`), request('GET', `Patient/${id}`)];
    const { status, json } = await clinic.post('/fhir', bundle('transaction', ...entries));
    expect([status, statuses(json)]).toEqual([200, ['204', '410']]);
  });

  it('records who was asked for by a conditional reference, also when it is refused', async () => {
    const known = (await clinic.post('/fhir/Patient', stranger('t-known'))).json;
    const pointing = (value: string) =>
      stranger(undefined, {
        link: [{ type: 'seealso', other: { reference: `Patient?identifier=urn:clinic|${value}` } }],
      });
    const failing = { resource: stranger('t-known'), ...request('POST', 'Patient') };
    for (const value of ['t-known', 't-nobody']) {
      fhir.recorded.length = 0;
      const entry = { resource: pointing(value), ...request('POST', 'Patient') };
      expect((await clinic.post('/fhir', bundle('transaction', entry, failing))).status).toBeGreaterThanOrEqual(400);
      expect(fhir.recorded).toMatchObject([
        { event: 'client.search', patients: value === 't-known' ? [`Patient/${known.id}`] : [] },
      ]);
    }
  });

  it('does not tell by a conditional delete whether somebody else’s record exists', async () => {
    const other = fhir.as(await f.node('other', 'urn:other'));
    await clinic.post('/fhir/Patient', stranger('t-secret'));
    for (const value of ['t-secret', 't-nothing']) {
      const { status, text } = await other.delete(`/fhir/Patient?identifier=urn:clinic%7C${value}`);
      expect([status, text.includes('not-own-record')]).toEqual([403, true]);
    }
  });

  it('writes all, deletes first, and reads last what it wrote', async () => {
    const old = await clinic.post('/fhir/Patient', stranger('t-old'));
    const { status, json } = await clinic.post(
      '/fhir',
      bundle(
        'transaction',
        request('GET', 'Patient?identifier=urn:clinic%7Ct-1'),
        { resource: stranger('t-1'), ...request('POST', 'Patient') },
        // Its identifier is free again because DELETE comes first, whatever the order of the entries.
        { resource: stranger('t-old'), ...request('POST', 'Patient') },
        request('DELETE', `Patient/${old.json.id}`),
      ),
      { prefer: 'return=representation' },
    );
    expect(status).toBe(200);
    expect(validateResource(json)).toEqual([]);
    expect(statuses(json)).toEqual(['200', '201', '201', '204']);
    expect(json.entry[0].resource.total).toBe(1);
    expect(json.entry[1].resource.identifier[0].value).toBe('t-1');
    expect(json.entry[2].response.location).not.toContain(old.json.id);
  });

  it('resolves references between entries and by search', async () => {
    const sister = await clinic.post('/fhir/Patient', stranger('r-sister'));
    const one = 'urn:uuid:11111111-1111-4111-8111-111111111111';
    const two = 'urn:uuid:22222222-2222-4222-8222-222222222222';
    const linkTo = (...references: string[]) => ({
      link: references.map((reference) => ({ other: { reference }, type: 'seealso' })),
    });
    const { json } = await clinic.post(
      '/fhir',
      bundle(
        'transaction',
        {
          fullUrl: one,
          resource: stranger('r-1', linkTo(two, 'Patient?identifier=urn:clinic|r-sister')),
          ...request('POST', 'Patient'),
        },
        { fullUrl: two, resource: stranger('r-2', linkTo(one)), ...request('POST', 'Patient') },
      ),
    );
    const [first, second] = json.entry.map((entry: { response: { location: string } }) =>
      idIn(entry.response.location),
    );
    expect(
      (await clinic.get(`/fhir/Patient/${first}`)).json.link.map(
        (one: { other: { reference: string } }) => one.other.reference,
      ),
    ).toEqual([`Patient/${second}`, `Patient/${sister.json.id}`]);
    expect((await clinic.get(`/fhir/Patient/${second}`)).json.link[0].other.reference).toBe(`Patient/${first}`);
  });

  it.each<[string, unknown[], number, string]>([
    [
      'an invalid resource',
      [{ resource: { resourceType: 'Patient', gender: 'm' }, ...request('POST', 'Patient') }],
      400,
      'Bundle.entry[1].resource.gender',
    ],
    [
      'a stale version',
      [
        {
          resource: { ...stranger('a-x'), id: '0198f3a0-0000-7000-8000-000000009997' },
          ...request('PUT', 'Patient/0198f3a0-0000-7000-8000-000000009997'),
        },
      ],
      405,
      'Bundle.entry[1]',
    ],
    ['a read of nobody', [request('GET', 'Patient/0198f3a0-0000-7000-8000-000000009996')], 404, 'Bundle.entry[1]'],
    ['a deletion of nobody', [request('DELETE', 'Patient?identifier=urn:clinic%7Cnobody')], 404, 'Bundle.entry[1]'],
    [
      'a reference to nothing',
      [
        {
          resource: stranger('a-y', {
            link: [{ other: { reference: 'urn:uuid:99999999-9999-4999-8999-999999999999' }, type: 'seealso' }],
          }),
          ...request('POST', 'Patient'),
        },
      ],
      400,
      'Bundle.entry[1]',
    ],
    [
      "another's domain",
      [
        {
          resource: person({ key: ['urn:clinic', 'a-z'], more: { identifier: [{ system: 'urn:other', value: '1' }] } }),
          ...request('PUT', 'Patient?identifier=urn:other%7C1'),
        },
      ],
      403,
      'Bundle.entry[1]',
    ],
    [
      'a fullUrl used twice',
      [
        {
          fullUrl: 'urn:uuid:33333333-3333-4333-8333-333333333333',
          resource: stranger('a-v'),
          ...request('POST', 'Patient'),
        },
        {
          fullUrl: 'urn:uuid:33333333-3333-4333-8333-333333333333',
          resource: stranger('a-w'),
          ...request('POST', 'Patient'),
        },
      ],
      400,
      '',
    ],
  ])('writes nothing when there is %s', async (what, entries, status, expression) => {
    const key = `atomic-${what.length}`;
    const answer = await clinic.post(
      '/fhir',
      bundle('transaction', { resource: stranger(key), ...request('POST', 'Patient') }, ...entries),
    );
    expect(answer.status).toBe(status);
    expect(answer.json.resourceType).toBe('OperationOutcome');
    if (expression)
      expect(answer.json.issue[0].expression[0]).toMatch(new RegExp(`^${expression.replace(/[[\]]/g, '\\$&')}`));
    expect((await source(key)).total).toBe(0);
  });

  it('refuses to change one record twice', async () => {
    const made = await clinic.post('/fhir/Patient', stranger('dup'));
    const answer = await clinic.post(
      '/fhir',
      bundle(
        'transaction',
        { resource: made.json, ...request('PUT', `Patient/${made.json.id}`) },
        request('DELETE', `Patient/${made.json.id}`),
      ),
    );
    expect(answer.status).toBe(400);
    expect((await clinic.get(`/fhir/Patient/${made.json.id}`)).status).toBe(200);
  });

  it('refuses what is no batch or transaction, and bundles without end', async () => {
    expect((await clinic.post('/fhir', stranger())).status).toBe(400);
    expect((await clinic.post('/fhir', { resourceType: 'Bundle', type: 'collection' })).status).toBe(400);
    const huge = bundle('batch', ...Array.from({ length: 1001 }, () => request('GET', 'Patient?family=x')));
    expect((await clinic.post('/fhir', huge)).status).toBe(413);
  });
});
