import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asXml, type FhirClient, type FhirFixture, fhirFixture } from '../../../test/support/fhir-client.ts';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { parseFhirXml, validateResource } from '../../fhir/index.ts';

let f: RegistryFixture;
let fhir: FhirFixture;
let clinic: FhirClient;
let hospital: FhirClient;
const SOURCE = '_tag=https://careseal.org/fhir/record-kind%7Csource';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** Thirty people of one name, born in different years, and one who is known at two places. */
beforeAll(async () => {
  f = await registryFixture();
  fhir = fhirFixture(f);
  clinic = fhir.as(await f.node('clinic', 'urn:clinic'));
  hospital = fhir.as(await f.node('hospital', 'urn:hospital'));
  const given = ['Abel', 'Beno', 'Cato', 'Dina', 'Efua', 'Fela', 'Goma', 'Hawa', 'Idra', 'Juma'];
  for (let i = 0; i < 30; i++) {
    const answer = await clinic.post(
      '/fhir/Patient',
      person({
        key: ['urn:clinic', `p-${i}`],
        given: `${given[i % 10]}${'xyz'[Math.floor(i / 10)]}`,
        family: 'Pagington',
        birthDate: `${1900 + i * 3}-0${1 + (i % 9)}-1${i % 9}`,
        gender: i % 2 === 0 ? 'female' : 'male',
        more: { address: [{ city: i < 15 ? 'Jinja' : 'Gulu', country: 'UG' }] },
      }),
    );
    if (answer.status !== 201) throw new Error(answer.text);
    f.clock.forward(1000);
  }
  const both = {
    given: 'Nakimuli',
    family: 'Ssebunya',
    birthDate: '1977-07-21',
    gender: 'female',
    phone: '+256 772 555111',
  } as const;
  await clinic.post('/fhir/Patient', person({ ...both, key: ['urn:clinic', 'both'] }));
  await hospital.post('/fhir/Patient', person({ ...both, key: ['urn:hospital', 'both'] }));
});
afterAll(() => f.close());

interface Bundle {
  total?: number;
  link: { relation: string; url: string }[];
  entry?: {
    resource: { id: string; birthDate?: string; identifier?: { system: string }[]; meta: { lastUpdated: string } };
  }[];
}
const link = (bundle: Bundle, relation: string): string | undefined =>
  bundle.link.find((one) => one.relation === relation)?.url;

async function allPages(client: FhirClient, url: string): Promise<Bundle['entry'] & object> {
  const entries: NonNullable<Bundle['entry']> = [];
  for (let next: string | undefined = url; next !== undefined; ) {
    const { status, json } = await client.get(next);
    expect(status).toBe(200);
    entries.push(...((json as Bundle).entry ?? []));
    next = link(json as Bundle, 'next');
  }
  return entries;
}

describe('search', () => {
  it.each([
    ['family=paging', 30],
    ['family=pagington&gender=male', 15],
    ['family=pagington&birthdate=ge1950', 13],
    ['family=pagington&birthdate=ge1950&birthdate=lt1960', 3],
    ['family=pagington&address-city=jin', 15],
    ['address-city=gulu&gender=female,male', 15],
    ['given=abel', 3],
    ['given:exact=Abelx', 1],
    ['given:exact=abelx', 0],
    ['name=pagington&given=abelx,benox', 2],
    ['identifier=urn:clinic|p-3', 1],
    ['identifier=p-3', 1],
    ['telecom=0772555111', 1],
    ['family=nobody', 0],
    ['family=pagington&birthdate=1900', 1],
    ['family:contains=gingt&gender=male', 15],
    ['family=pagington&gender:not=male', 15],
  ])('%s finds %i', async (query, total) => {
    const { status, json } = await clinic.get(`/fhir/Patient?${query}`);
    expect(status).toBe(200);
    expect(json.total).toBe(total);
    expect((json.entry ?? []).length).toBe(total);
    if (total === 0) expect(json).not.toHaveProperty('entry');
    expect(validateResource(json)).toEqual([]);
  });

  it('answers golden records with all their identifiers, and source records when asked', async () => {
    const golden = await clinic.get('/fhir/Patient?family=ssebunya');
    expect(golden.json.total).toBe(1);
    expect(golden.json.entry[0].resource.identifier.map((one: { system: string }) => one.system).sort()).toEqual([
      'urn:clinic',
      'urn:hospital',
    ]);
    const sources = await clinic.get(`/fhir/Patient?family=ssebunya&${SOURCE}`);
    expect(sources.json.total).toBe(2);
  });

  it('returns only identifiers of the domains asked for, and 404 for one that nobody knows', async () => {
    const { json } = await clinic.get('/fhir/Patient?family=ssebunya&identifier=urn:hospital%7C');
    expect(json.entry[0].resource.identifier).toEqual([{ system: 'urn:hospital', value: 'both' }]);
    const unknown = await clinic.get('/fhir/Patient?family=ssebunya&identifier=urn:nobody%7C');
    expect(unknown.status).toBe(404);
    expect(unknown.json.issue[0]).toMatchObject({ code: 'not-found', details: { text: 'targetSystem not found' } });
  });

  it('takes the same by POST, from form and address together', async () => {
    const { json } = await clinic.post('/fhir/Patient/_search?gender=male', 'family=pagington&birthdate=lt1920', FORM);
    expect(json.total).toBe(3);
    expect((await clinic.post('/fhir/Patient/_search', '{}')).status).toBe(415);
    expect((await clinic.post('/fhir/Patient/_search', new Uint8Array([0xff]), FORM)).status).toBe(400);
  });

  it('says honestly what was used', async () => {
    const { json } = await clinic.get('/fhir/Patient?family=pagington&shoe-size=43&_count=5');
    expect(link(json, 'self')).toBe('https://registry.test:8444/fhir/Patient?family=pagington&_count=5');
    expect((await clinic.get('/fhir/Patient?shoe-size=43', { prefer: 'handling=strict' })).status).toBe(400);
  });

  it('gives every record once over pages of sealed links, in each order', async () => {
    for (const sort of ['', '&_sort=_lastUpdated', '&_sort=-_lastUpdated']) {
      const first = await clinic.get(`/fhir/Patient?family=Pagington&_count=7${sort}`);
      const next = link(first.json, 'next') ?? '';
      expect(next).not.toMatch(/pagington/i);
      expect(Buffer.from(new URL(next).searchParams.get('_cursor') ?? '', 'base64url').toString('latin1')).not.toMatch(
        /pagington/i,
      );
      const entries = await allPages(clinic, `/fhir/Patient?family=Pagington&_count=7${sort}`);
      expect(new Set(entries.map(({ resource }) => resource.id)).size).toBe(30);
      const times = entries.map(({ resource }) => resource.meta.lastUpdated);
      if (sort !== '') expect(times).toEqual(sort.includes('-_') ? times.toSorted().toReversed() : times.toSorted());
    }
  });

  it('opens a page link for nobody else, not when changed, and not with additions', async () => {
    const next = link((await clinic.get('/fhir/Patient?family=pagington&_count=5')).json, 'next') ?? '';
    expect((await clinic.get(next)).status).toBe(200);
    expect((await hospital.get(next)).status).toBe(400);
    expect((await clinic.get(`${next.slice(0, -2)}AA`)).status).toBe(400);
    expect((await clinic.get(`${next}&gender=male`)).status).toBe(400);
    expect((await clinic.get('/fhir/Patient?_cursor=x')).status).toBe(400);
  });

  it('lists everybody, page by page, and counts without listing', async () => {
    expect((await allPages(clinic, '/fhir/Patient?_count=10')).length).toBe(31);
    for (const query of ['_summary=count', '_count=0', 'family=pagington&_summary=count']) {
      const { json } = await clinic.get(`/fhir/Patient?${query}`);
      expect(json.total).toBe(query.startsWith('family') ? 30 : 31);
      expect(json).not.toHaveProperty('entry');
    }
    expect((await clinic.get('/fhir/Patient?family=pagington&_total=none')).json).not.toHaveProperty('total');
  });

  it('looks records up by _id, of either kind, and tests the other conditions too', async () => {
    const golden = (await clinic.get('/fhir/Patient?family=ssebunya')).json.entry[0].resource;
    const source = (await clinic.get(`/fhir/Patient?family=ssebunya&${SOURCE}`)).json.entry[0].resource;
    expect((await clinic.get(`/fhir/Patient?_id=${golden.id},${source.id},nonsense`)).json.total).toBe(2);
    expect((await clinic.get(`/fhir/Patient?_id=${golden.id}&family=other`)).json.total).toBe(0);
    expect((await clinic.get(`/fhir/Patient?_id=${golden.id},${source.id}&${SOURCE}`)).json.total).toBe(1);
  });

  it('narrows by _lastUpdated', async () => {
    const all = await allPages(clinic, '/fhir/Patient?family=pagington&_sort=_lastUpdated');
    const middle = all[14]?.resource.meta.lastUpdated ?? '';
    expect((await clinic.get(`/fhir/Patient?family=pagington&_lastUpdated=gt${middle}`)).json.total).toBe(15);
    expect((await clinic.get(`/fhir/Patient?family=pagington&_lastUpdated=le${middle}`)).json.total).toBe(15);
    expect((await clinic.get(`/fhir/Patient?_lastUpdated=lt2001`)).json.total).toBe(0);
  });

  it('gives parts: _summary and _elements', async () => {
    const summary = (await clinic.get('/fhir/Patient?family=ssebunya&_summary=true')).json.entry[0].resource;
    expect(summary.meta.tag).toContainEqual(expect.objectContaining({ code: 'SUBSETTED' }));
    const elements = (await clinic.get('/fhir/Patient?family=ssebunya&_elements=birthDate')).json.entry[0].resource;
    expect(elements).toMatchObject({ birthDate: '1977-07-21' });
    expect(elements).not.toHaveProperty('name');
  });

  it('answers in XML', async () => {
    const { text } = await clinic.get('/fhir/Patient?family=ssebunya&_format=xml');
    const bundle = parseFhirXml(text);
    expect(validateResource(bundle)).toEqual([]);
    expect(bundle).toMatchObject({ type: 'searchset', total: 1 });
  });

  it.each(['_count=1001', 'birthdate=1981-02-29', 'family:sounds=x', '_filter=x', '_sort=family', 'family=%ff'])(
    'refuses %s',
    async (query) => {
      const { status, json } = await clinic.get(`/fhir/Patient?${query}`);
      expect(status).toBe(400);
      expect(validateResource(json)).toEqual([]);
    },
  );

  it('records each search with its query and what it found, also for later pages', async () => {
    fhir.recorded.length = 0;
    const first = await clinic.get('/fhir/Patient?family=pagington&_count=20');
    await clinic.get(link(first.json, 'next') ?? '');
    expect(fhir.recorded.map(({ event, patients }) => [event, patients?.length])).toEqual([
      ['client.search', 20],
      ['client.search', 10],
    ]);
    expect(fhir.recorded.map(({ query }) => query)).toEqual([
      'Patient?family=pagington&_count=20',
      'Patient?family=pagington&_count=20',
    ]);
  });
});

describe('$match (ITI-119)', () => {
  const known = person({
    given: 'Nakimuli',
    family: 'Ssebunya',
    birthDate: '1977-07-21',
    gender: 'female',
    phone: '0772555111',
  });
  const parameters = (...parameter: unknown[]) => ({ resourceType: 'Parameters', parameter });
  const resource = { name: 'resource', resource: known };

  it('finds a known person with score and grade, from a bare Patient and from Parameters', async () => {
    for (const body of [known, parameters(resource), parameters(resource, { name: 'count', valueInteger: 1 })]) {
      const { status, json } = await clinic.post('/fhir/Patient/$match', body);
      expect(status).toBe(200);
      expect(validateResource(json)).toEqual([]);
      expect(json.type).toBe('searchset');
      const [first] = json.entry;
      expect(first.resource.name[0].family).toBe('Ssebunya');
      expect(first.search.mode).toBe('match');
      expect(first.search.score).toBeGreaterThan(0.9);
      expect(first.search.score).toBeLessThanOrEqual(1);
      expect(first.search.extension).toEqual([
        { url: 'http://hl7.org/fhir/StructureDefinition/match-grade', valueCode: 'certain' },
      ]);
      expect(first).not.toHaveProperty('request');
      expect(first).not.toHaveProperty('response');
    }
  });

  it('orders by likelihood and keeps to count', async () => {
    const vague = person({ family: 'Pagington', given: 'Abelx', birthDate: '1900-01-10' });
    const { json } = await clinic.post(
      '/fhir/Patient/$match',
      parameters({ name: 'resource', resource: vague }, { name: 'count', valueInteger: 2 }),
    );
    const scores = (json.entry ?? []).map((entry: { search: { score: number } }) => entry.search.score);
    expect(scores.length).toBeLessThanOrEqual(2);
    expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a));
  });

  it('gives only a certain one when asked, and nothing where none is', async () => {
    const certain = { name: 'onlyCertainMatches', valueBoolean: true };
    expect((await clinic.post('/fhir/Patient/$match', parameters(resource, certain))).json.total).toBe(1);
    const unsure = { name: 'resource', resource: person({ given: 'Nakimuli', family: 'Ssebunya' }) };
    expect((await clinic.post('/fhir/Patient/$match', parameters(unsure))).json.total).toBe(1);
    const none = await clinic.post('/fhir/Patient/$match', parameters(unsure, certain));
    expect(none).toMatchObject({ status: 200, json: { total: 0 } });
  });

  it('answers nobody with an empty 200', async () => {
    const { status, json } = await clinic.post(
      '/fhir/Patient/$match',
      person({ given: 'Xyzzy', family: 'Plugh', birthDate: '2001-01-01' }),
    );
    expect(status).toBe(200);
    expect(json).toEqual({ resourceType: 'Bundle', type: 'searchset', total: 0 });
  });

  it('refuses a modifier extension with 400 and no Patients, and takes a plain extension', async () => {
    const extension = [{ url: 'http://nobody.example/x', valueBoolean: true }];
    const refused = await clinic.post('/fhir/Patient/$match', { ...known, modifierExtension: extension });
    expect(refused.status).toBe(400);
    expect(refused.json.resourceType).toBe('OperationOutcome');
    expect((await clinic.post('/fhir/Patient/$match', { ...known, extension })).json.total).toBe(1);
  });

  it('reads and writes XML, and records whom it showed', async () => {
    fhir.recorded.length = 0;
    const { text } = await clinic.post('/fhir/Patient/$match', asXml(known), {
      'content-type': 'application/fhir+xml',
      accept: 'application/fhir+xml',
    });
    expect(text).toContain('<score value="');
    expect(fhir.recorded).toMatchObject([{ event: 'client.match', patients: [expect.stringMatching(/^Patient\//)] }]);
  });
});
