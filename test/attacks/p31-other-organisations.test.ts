import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/crypto/index.ts';
import { type Programme, programme, type Who } from '../support/organisations.ts';
import { person } from '../support/registry.ts';
import type { Answer } from '../support/tls.ts';

/**
 * P31: somebody of one organisation learns nothing of another's clients and people: not by any route, count, history, match,
 * bundle, search or refusal. Every address of the golden list is asked with things of the other organisation and with things
 * that do not exist; the answers are alike.
 */
interface GoldenRoute {
  readonly method: string;
  readonly path: string;
}

const ROUTES: readonly GoldenRoute[] = readFileSync(join(import.meta.dirname, '../golden/routes.txt'), 'utf8')
  .trim()
  .split('\n')
  .flatMap((line) => {
    const [door = '', method = '', path = ''] = (line.split(' | ')[0] ?? '').split(' ');
    return door === 'users' ? [{ method, path }] : [];
  });

let p: Programme;
let south: { source: string; golden: string };
let north: { source: string; golden: string };
let common: { source: string; golden: string };
let commonSouth: { source: string; golden: string };
let southUser: string;
const SECRETS = /Nantongo|Zulaika|CM-SOUTH-1|South clinic|south\.example\.org/;

beforeAll(async () => {
  p = await programme();
  south = await p.register('south registrar', {
    key: ['urn:south:mrn', 'CM-SOUTH-1'],
    given: 'Zulaika',
    family: 'Nantongo',
    birthDate: '1984-03-12',
    gender: 'female',
    phone: '+256772000111',
  });
  north = await p.register('north registrar', {
    key: ['urn:north:mrn', 'N-1'],
    given: 'Peter',
    family: 'Ochieng',
    birthDate: '1990-01-02',
  });
  // One person at both: linked by the registry, seen by both.
  const both = {
    given: 'Akinyi',
    family: 'Wanjiru',
    birthDate: '1971-07-07',
    gender: 'female',
    phone: '+256772333444',
  } as const;
  common = await p.register('north registrar', { ...both, key: ['urn:north:mrn', 'N-2'] });
  commonSouth = await p.register('south registrar', { ...both, key: ['urn:south:mrn', 'CM-SOUTH-2'] });
  southUser = p.users.get('south registrar')?.id ?? '';
}, 120_000);
afterAll(() => p.close());

const NORTH: readonly Who[] = ['north administrator', 'north steward', 'north registrar'];
/** Everything a caller sees but ids, times and sealed positions. */
const seen = (text: string): string =>
  text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '#').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '#');

test('the two clients of one person are one, across organisations', () => {
  expect(common.golden).toBe(commonSouth.golden);
});

describe.each(NORTH)('%s', (who) => {
  test('gets the same answer for what is another’s as for what is not there, at every address', async () => {
    for (const { method, path } of ROUTES) {
      if (!/:(id|organisation)/.test(path) || path === '/api/sign-out') continue;
      const theirs = path.includes('/users/') ? [southUser] : [south.golden, south.source];
      const filled = (id: string) =>
        path.replace(':version', '1').replace(':organisation', p.organisations.south).replaceAll(/:\w+/g, id);
      const nobody = newId();
      const nothing = await p.ask(who, method, filled(nobody), bodyFor(method, path, nobody));
      for (const id of theirs) {
        const answer = await p.ask(who, method, filled(id), bodyFor(method, path, id));
        expect(answer.text, `${method} ${path}`).not.toMatch(SECRETS);
        expect(answer.status, `${method} ${path}`).toBeLessThan(500);
        // Ids in the address are repeated by some answers; everything else is the same.
        expect([answer.status, seen(answer.text)], `${method} ${path}`).toEqual([nothing.status, seen(nothing.text)]);
      }
    }
  });

  test('finds and counts only what is in reach, however it is asked', async () => {
    const queries = [
      'family=Nantongo',
      'identifier=urn:south:mrn|CM-SOUTH-1',
      'identifier=CM-SOUTH-1',
      'phone=%2B256772000111',
      'birthdate=1984-03-12',
      'birthdate=ge1984-01-01&birthdate=le1984-12-31',
      'given:contains=laik',
      'gender=female&birthdate=1984',
      `_id=${south.golden}`,
      `_id=${south.source}`,
      'name=Zulaika&_tag=https://careseal.org/fhir/record-kind|source',
      'name=Zulaika&_total=accurate',
      'name=Zulaika&_summary=count',
    ];
    for (const query of queries) {
      const answer = await p.ask(who, 'GET', `/fhir/Patient?${query}`);
      const { total = 0, entry = [] } = answer.json<{ total?: number; entry?: unknown[] }>();
      expect([answer.status, total, entry.length], query).toEqual([200, 0, 0]);
      expect(answer.text.replaceAll(/"url":"[^"]*"/g, ''), query).not.toMatch(SECRETS);
    }
    for (const kind of ['golden', 'source']) {
      const all = await p.ask(
        who,
        'GET',
        `/fhir/Patient?_tag=https://careseal.org/fhir/record-kind|${kind}&_total=accurate`,
      );
      expect(all.json<{ total: number }>().total, kind).toBe(2);
    }
    const paged = await p.ask(who, 'GET', '/fhir/Patient?_count=1&_sort=-_lastUpdated&_total=accurate');
    const page = paged.json<{ total: number; link: { relation: string; url: string }[] }>();
    expect(page.total).toBe(2);
    const next = page.link.find((one) => one.relation === 'next')?.url ?? '';
    const second = await p.ask(who, 'GET', new URL(next).pathname + new URL(next).search);
    const last = second.json<{ total: number; entry: unknown[]; link: { relation: string }[] }>();
    expect([last.total, last.entry.length, last.link.some((one) => one.relation === 'next')]).toEqual([2, 1, false]);
    const pages = await p.ask(who, 'POST', '/api/clients/search', { q: '', limit: 50 });
    expect(pages.json<{ total: number; clients: unknown[] }>()).toMatchObject({ total: 2 });
    expect(pages.json<{ clients: unknown[] }>().clients).toHaveLength(2);
    const quick = await p.ask(who, 'POST', '/api/clients/search', { q: 'Nantongo', limit: 50 });
    expect(quick.json<{ clients: unknown[] }>().clients).toEqual([]);
    expect((await p.ask(who, 'GET', '/api/home')).json<{ figures: object }>().figures).toMatchObject({
      clients: 2,
      sources: 2,
    });
  });

  test('matches nobody of another organisation, and a stranger’s likeness changes no certainty', async () => {
    const like = {
      given: 'Zulaika',
      family: 'Nantongo',
      birthDate: '1984-03-12',
      gender: 'female',
      phone: '+256772000111',
    } as const;
    const parameters = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: person(like) }] };
    const answer = await p.ask(who, 'POST', '/fhir/Patient/$match', parameters);
    expect([answer.status, answer.json<{ total: number }>().total]).toEqual([200, 0]);
    expect(answer.text).not.toMatch(SECRETS);
    const pix = await p.ask(who, 'GET', '/fhir/Patient/$ihe-pix?sourceIdentifier=urn:south:mrn|CM-SOUTH-1');
    const none = await p.ask(who, 'GET', '/fhir/Patient/$ihe-pix?sourceIdentifier=urn:south:mrn|nobody');
    expect([pix.status, seen(pix.text)]).toEqual([none.status, seen(none.text)]);
  });

  test('cannot tell by conditional requests or references who has an identifier elsewhere', async () => {
    const resource = person({ given: 'New', family: 'Person', birthDate: '2001-01-01' });
    const carrying = (value: string) => ({ ...resource, identifier: [{ system: 'urn:south:mrn', value }] });
    const transaction = (request: object, sent: object = resource) => ({
      ...{ resourceType: 'Bundle', type: 'transaction' },
      entry: [{ fullUrl: 'urn:uuid:0198f3a0-0000-7000-8000-00000000000a', resource: sent, request }],
    });
    const attempts: Readonly<Record<string, (query: string, value: string) => Promise<Answer>>> = {
      create: (query, value) => p.ask(who, 'POST', '/fhir/Patient', carrying(value), { 'if-none-exist': query }),
      update: (query, value) => p.ask(who, 'PUT', `/fhir/Patient?${query}`, carrying(value)),
      'update from a version on': (query, value) =>
        p.ask(who, 'PUT', `/fhir/Patient?${query}`, carrying(value), { 'if-match': 'W/"1"' }),
      delete: (query) => p.ask(who, 'DELETE', `/fhir/Patient?${query}`),
      replace: (query, value) => {
        const other = { reference: `Patient/${north.source}` };
        const obsolete = { ...carrying(value), active: false, link: [{ type: 'replaced-by', other }] };
        return p.ask(who, 'PUT', `/fhir/Patient?${query}`, obsolete);
      },
      'create in a transaction': (query, value) =>
        p.ask(
          who,
          'POST',
          '/fhir',
          transaction({ method: 'POST', url: 'Patient', ifNoneExist: query }, carrying(value)),
        ),
      'update in a transaction': (query, value) =>
        p.ask(who, 'POST', '/fhir', transaction({ method: 'PUT', url: `Patient?${query}` }, carrying(value))),
      'a reference in a transaction': (query) => {
        const sent = { ...resource, link: [{ type: 'seealso', other: { reference: `Patient?${query}` } }] };
        return p.ask(who, 'POST', '/fhir', transaction({ method: 'POST', url: 'Patient' }, sent));
      },
      '$ihe-pix': (_query, value) =>
        p.ask(who, 'GET', `/fhir/Patient/$ihe-pix?sourceIdentifier=urn:south:mrn|${value}&targetSystem=urn:south:mrn`),
    };
    const told = ({ status, text, headers }: Answer, value: string) => {
      const heads = Object.entries(headers).filter(([name]) => !['date', 'x-request-id'].includes(name));
      const lines = heads.map(([name, said]) => `${name}: ${String(said)}`).toSorted();
      return [status, seen([text, ...lines].join('\n').replaceAll(value, 'VALUE'))];
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      const known = await attempt('identifier=urn:south:mrn|CM-SOUTH-1', 'CM-SOUTH-1');
      const nobodys = await attempt('identifier=urn:south:mrn|CM-SOUTH-9', 'CM-SOUTH-9');
      expect(told(known, 'CM-SOUTH-1'), name).toEqual(told(nobodys, 'CM-SOUTH-9'));
      expect(known.status, name).toBeGreaterThanOrEqual(400);
      expect(known.status, name).toBeLessThan(500);
    }
  });

  test('gets nothing through a bundle', async () => {
    const entry = [
      { request: { method: 'GET', url: `Patient/${south.golden}` } },
      { request: { method: 'GET', url: `Patient/${south.source}` } },
      { request: { method: 'GET', url: `Patient/${south.golden}/_history/1` } },
      { request: { method: 'GET', url: 'Patient?family=Nantongo&_total=accurate' } },
    ];
    const answer = await p.ask(who, 'POST', '/fhir', { resourceType: 'Bundle', type: 'batch', entry });
    const entries = answer.json<{ entry: { response: { status: string }; resource?: { total?: number } }[] }>().entry;
    expect(entries.slice(0, 3).map((one) => one.response.status)).toEqual(['404', '404', '404']);
    expect(entries[3]?.resource?.total).toBe(0);
  });

  test('changes no record of another organisation, and cannot tell that it is there', async () => {
    const patient = (id: string) => ({ ...person({ given: 'X', family: 'Y', birthDate: '2000-01-01' }), id });
    const unknown = newId();
    const theirs = await p.ask(who, 'PUT', `/fhir/Patient/${south.source}`, patient(south.source));
    const nobodys = await p.ask(who, 'PUT', `/fhir/Patient/${unknown}`, patient(unknown));
    expect([theirs.status, seen(theirs.text)]).toEqual([nobodys.status, seen(nobodys.text)]);
  });
});

describe('lists and overviews', () => {
  /** An upload of the south. */
  let uploadId = '';

  beforeAll(async () => {
    // Things of the south that lists could show.
    const done = async (work: Promise<Answer>): Promise<Answer> => {
      const answer = await work;
      if (answer.status >= 300) throw new Error(answer.text);
      return answer;
    };
    await done(
      p.ask('south administrator', 'POST', '/api/nodes', {
        ...{ name: 'South clinic system', domain: 'urn:south:system', scopes: ['feed'] },
      }),
    );
    const headers = { 'content-type': 'text/csv', 'x-file-name': 'South clinic.csv' };
    const csv = 'id,given,family\n1,Zulaika,Nantongo\n';
    const file = await done(p.ask('south registrar', 'POST', '/api/loads/uploads', csv, headers));
    uploadId = file.json<{ uploadId: string }>().uploadId;
    const reason = 'Unconscious in the emergency room, South clinic';
    await done(p.ask('south steward', 'POST', '/api/emergency', { reason, minutes: 5 }));
    await done(p.ask('south steward', 'DELETE', '/api/emergency'));
  });

  test.each(['north registrar', 'north administrator'] as const)(
    '%s does not see an upload of the south',
    async (who) => {
      expect((await p.ask(who, 'GET', `/api/loads/uploads/${uploadId}`)).status).toBe(404);
    },
  );

  test.each(NORTH)('%s sees nothing of the south in any of them', async (who) => {
    for (const { method, path } of ROUTES.filter((one) => one.method === 'GET' && !one.path.includes(':'))) {
      const answer = await p.ask(who, method, path.replace('*', '0/000'));
      expect(answer.status, path).toBeLessThan(500);
      // Names of identifier systems are known to everybody: sources of common clients carry them.
      if (path === '/api/domains') continue;
      expect(answer.text, path).not.toMatch(SECRETS);
      expect(answer.text, path).not.toMatch(/south (steward|registrar|administrator)/);
    }
  });
});

describe('a client treated in common', () => {
  test('is seen whole, without the other’s records, their history and who worked on them', async () => {
    const golden = await p.ask('north registrar', 'GET', `/fhir/Patient/${common.golden}`);
    expect(golden.text).toMatch(/CM-SOUTH-2/);
    const source = await p.ask('north registrar', 'GET', `/fhir/Patient/${commonSouth.source}`);
    expect(source.status).toBe(404);
    const former = await p.ask('north registrar', 'GET', `/fhir/Patient/${common.golden}/_history/1`);
    expect(former.status).toBe(404);
    const history = await p.ask('north registrar', 'GET', `/fhir/Patient/${common.golden}/_history`);
    expect(history.json<{ entry: unknown[] }>().entry).toHaveLength(1);
    const page = (await p.ask('north registrar', 'GET', `/api/clients/${common.golden}`)).json<{
      sources: { id: string }[];
      sourcesElsewhere: number;
      ledger: unknown[];
      links: unknown[];
    }>();
    expect(page.sources.map((one) => one.id)).toEqual([common.source]);
    expect([page.sourcesElsewhere, page.links]).toEqual([1, []]);
    expect(JSON.stringify(page)).not.toContain(commonSouth.source);
    expect(JSON.stringify(page)).not.toContain('south registrar');
    const trail = await p.ask('north registrar', 'GET', `/api/clients/${common.golden}/history`);
    expect(trail.text).not.toMatch(/south registrar/);
  });

  test('is divided and joined by central stewards alone', async () => {
    const unlink = { sourceId: common.source, reason: 'not the same person' };
    const answer = await p.ask('north steward', 'POST', `/api/clients/${common.golden}/unlink`, unlink);
    expect([answer.status, answer.json()['code']]).toEqual([403, 'shared-client']);
    const merge = { survivor: north.golden, other: common.golden, reason: 'the same person' };
    expect((await p.ask('north steward', 'POST', '/api/clients/merge', merge)).json()['code']).toBe('shared-client');
    const foreign = { survivor: north.golden, other: south.golden, reason: 'the same person' };
    expect((await p.ask('north steward', 'POST', '/api/clients/merge', foreign)).status).toBe(404);
  });
});

describe('sharing', () => {
  test('shows a client to the organisation, until it ends; nobody passes on what was shared', async () => {
    const reason = 'She moves to the north and is treated there';
    const share = { organisationId: p.organisations.north, reason };
    const at = `/api/clients/${south.golden}/shares`;
    expect((await p.ask('north steward', 'POST', at, share)).status).toBe(404);
    expect((await p.ask('south registrar', 'POST', at, share)).status).toBe(403);
    expect((await p.ask('south steward', 'POST', at, share)).status).toBe(204);
    expect((await p.ask('north registrar', 'GET', `/fhir/Patient/${south.golden}`)).status).toBe(200);
    expect((await p.ask('north registrar', 'GET', `/fhir/Patient/${south.source}`)).status).toBe(404);
    const found = await p.ask('north registrar', 'GET', '/fhir/Patient?family=Nantongo&_total=accurate');
    expect(found.json<{ total: number }>().total).toBe(1);
    const again = { organisationId: p.organisations.centre, reason };
    expect((await p.ask('north steward', 'POST', at, again)).status).toBe(404);
    expect((await p.ask('north steward', 'GET', at)).json()).toEqual({ mayShare: false, shares: [] });
    const listed = (await p.ask('south steward', 'GET', at)).json<{
      shares: { organisation: { name: string }; reason: string }[];
    }>();
    expect(listed.shares).toMatchObject([{ organisation: { name: 'North clinic' }, reason }]);
    // A change of the record keeps what is shared; ending it ends it at once.
    expect((await p.ask('south steward', 'POST', `${at}/end`, share)).status).toBe(204);
    expect((await p.ask('north registrar', 'GET', `/fhir/Patient/${south.golden}`)).status).toBe(404);
    const gone = await p.ask('north registrar', 'GET', '/fhir/Patient?family=Nantongo&_total=accurate');
    expect(gone.json<{ total: number }>().total).toBe(0);
  });
});

test('the centre sees all of it', async () => {
  const all = await p.ask('centre registrar', 'GET', '/fhir/Patient?_total=accurate');
  expect(all.json<{ total: number }>().total).toBe(3);
  expect((await p.ask('centre registrar', 'GET', `/fhir/Patient/${south.source}`)).status).toBe(200);
  expect((await p.ask('centre administrator', 'GET', '/api/users')).json<{ total: number }>().total).toBe(9);
});

test('an organisation’s administrator sees its people, and counts them alone', async () => {
  const { users, total } = (await p.ask('north administrator', 'GET', '/api/users')).json<{
    users: { name: string }[];
    total: number;
  }>();
  expect([total, users.every((one) => one.name.startsWith('north'))]).toEqual([3, true]);
  const search = await p.ask('north administrator', 'POST', '/api/users/search', { text: 'south' });
  expect(search.json()).toEqual({ users: [], total: 0 });
  const organisations = await p.ask('north administrator', 'POST', '/api/organisations/search', {});
  expect(organisations.json<{ total: number }>().total).toBe(1);
  expect((await p.ask('north administrator', 'GET', '/api/home')).json<{ figures: object }>().figures).toMatchObject({
    users: 3,
  });
});

/** A body that the route takes, where it takes one. */
function bodyFor(method: string, path: string, id: string): unknown {
  if (path.includes('/fhir/'))
    return method === 'PUT' ? { ...person({ given: 'X', family: 'Y', birthDate: '2000-01-01' }), id } : undefined;
  const bodies: Readonly<Record<string, unknown>> = {
    'PUT /api/users/:id/roles': { roles: ['auditor'], organisationId: p.organisations.north },
    'POST /api/users/:id/memberships': { organisationId: p.organisations.north, roles: ['registrar'] },
    'POST /api/clients/:id/unlink': { sourceId: south.source, reason: 'a reason long enough' },
    'POST /api/clients/:id/unmerge': { reason: 'a reason long enough' },
    'POST /api/clients/:id/shares': { organisationId: p.organisations.north, reason: 'a reason long enough' },
    'POST /api/clients/:id/shares/end': { organisationId: p.organisations.north, reason: 'a reason long enough' },
  };
  return bodies[`${method} ${path}`];
}
