import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/crypto/index.ts';
import { type Programme, programme, type Who } from '../support/organisations.ts';

/**
 * P62: who reads the log for one organisation learns what its people and systems did, and nothing of what others did: by no list,
 * event, file, report, picture, count or alert.
 */
interface Listed {
  readonly events: readonly { readonly id: string; readonly actor: { readonly id: string; readonly name: string } }[];
  readonly next?: string;
}

let p: Programme;
let south: { source: string; golden: string };
let north: { source: string; golden: string };
let theirs: string;
let own: ReadonlySet<string>;
let southUser: string;
const READER: Who = 'north administrator';
const DAYS = {
  from: new Date(Date.now() - 86_400_000).toISOString(),
  to: new Date(Date.now() + 86_400_000).toISOString(),
};
const OTHERS = /south registrar|south steward|south administrator|centre steward|Ama Mensah|Nantongo|South clinic/;

async function all(who: Who, filter = ''): Promise<Listed['events'][number][]> {
  const events: Listed['events'][number][] = [];
  let cursor: string | undefined;
  do {
    const after: string = cursor === undefined ? '' : `&cursor=${cursor}`;
    const answer = await p.ask(who, 'GET', `/api/audit/events?limit=50${after}${filter}`);
    expect(answer.status, answer.text).toBe(200);
    const page = answer.json<Listed>();
    events.push(...page.events);
    cursor = page.next;
  } while (cursor !== undefined);
  return events;
}

beforeAll(async () => {
  p = await programme();
  south = await p.register('south registrar', { key: ['urn:south:mrn', 'S-1'], given: 'Zulaika', family: 'Nantongo' });
  north = await p.register('north registrar', { key: ['urn:north:mrn', 'N-1'], given: 'Peter', family: 'Ochieng' });
  southUser = p.users.get('south registrar')?.id ?? '';
  own = new Set<string>([...p.users].flatMap(([who, { id }]) => (who.startsWith('north') ? [id] : [])));
  const seen = await all('centre administrator', `&actor=${southUser}`);
  theirs = seen[0]?.id ?? '';
  if (theirs === '') throw new Error('nothing of the south is in the log');
  await p.services.audit.sequence();
}, 120_000);
afterAll(() => p.close());

describe('the list', () => {
  test('has acts of their own people and of nobody else, also of those not numbered yet', async () => {
    await p.ask('south steward', 'GET', `/api/clients/${south.golden}`);
    const events = await all(READER);
    expect(new Set(events.map(({ actor }) => actor.id))).toEqual(own);
    expect(JSON.stringify(events)).not.toMatch(OTHERS);
  });

  test.each([
    ['somebody of another organisation', () => `&actor=${southUser}`],
    ['another’s client', () => `&client=${south.golden}`],
    ['what only others did', () => '&event=organisation.*'],
    ['what no person did', () => '&kind=anonymous'],
    ['an address', () => '&address=127.0.0.1'],
  ])('asked for %s', async (_what, filter) => {
    const events = await all(READER, filter());
    expect(events.filter(({ actor }) => !own.has(actor.id))).toEqual([]);
    // The same question finds something for who may see all of it, but for addresses and acts of nobody.
    expect(JSON.stringify(events)).not.toMatch(OTHERS);
  });

  test('goes on behind a place of somebody else’s event without telling of it', async () => {
    const cursor = Buffer.from(theirs.replaceAll('-', ''), 'hex').toString('base64url');
    const answer = await p.ask(READER, 'GET', `/api/audit/events?limit=50&cursor=${cursor}`);
    const { events } = answer.json<Listed>();
    expect(events.every(({ actor }) => own.has(actor.id))).toBe(true);
  });
});

test.each(['', '/export'])('an event of others%s is as one that is not there', async (part) => {
  const nothing = await p.ask(READER, 'GET', `/api/audit/events/${southUser}${part}`);
  const answer = await p.ask(READER, 'GET', `/api/audit/events/${theirs}${part}`);
  const without = (text: string): string => text.replace(/"requestId":"[^"]*"/, '');
  expect([answer.status, without(answer.text)]).toEqual([404, without(nothing.text)]);
  expect((await p.ask('centre administrator', 'GET', `/api/audit/events/${theirs}${part}`)).status).toBe(200);
});

test('an event of their own is there, with its proof, as a file too', async () => {
  await p.services.audit.sequence();
  const [mine] = await all(READER, `&actor=${p.users.get('north registrar')?.id ?? ''}`);
  const answer = await p.ask(READER, 'GET', `/api/audit/events/${mine?.id ?? ''}`);
  expect(answer.json<{ proof: { ok: boolean } }>().proof.ok).toBe(true);
  expect((await p.ask(READER, 'GET', `/api/audit/events/${mine?.id ?? ''}/export`)).status).toBe(200);
});

describe('reports and pictures', () => {
  const query = new URLSearchParams(DAYS).toString();

  test('count their own acts alone', async () => {
    p.services.logFollowers.start();
    await expect
      .poll(async () => (await p.ask('centre administrator', 'GET', `/api/audit/activity?${query}`)).text, {
        ...{ interval: 1_000, timeout: 20_000 },
      })
      .toContain('south registrar');
    const picture = await p.ask(READER, 'GET', `/api/audit/activity?${query}`);
    expect(picture.text).not.toMatch(OTHERS);
    const { events, actors, behind } = picture.json<{
      events: number;
      behind: number;
      actors: { actor: { id: string }; events: number }[];
    }>();
    expect(actors.every(({ actor }) => own.has(actor.id))).toBe(true);
    expect(events).toBe(actors.reduce((sum, one) => sum + one.events, 0));
    expect(behind).toBe(0);
  });

  test.each([
    ['GET', '/api/audit/actors', undefined],
    ['GET', `/api/audit/organisations`, undefined],
    ['POST', '/api/audit/report', DAYS],
    ['POST', '/api/audit/report/file', { ...DAYS, format: 'csv' }],
    ['GET', '/api/alerts?state=open', undefined],
  ])('%s %s names nobody of others', async (method, path, body) => {
    const answer = await p.ask(READER, method, path, body);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).not.toMatch(OTHERS);
  });

  test('who looked at their own client is told, by every record it is made of', async () => {
    await p.ask('north registrar', 'GET', `/api/clients/${north.golden}`);
    const { rows } = (await p.ask(READER, 'GET', `/api/clients/${north.golden}/accesses`)).json<{
      rows: Listed['events'];
    }>();
    expect(rows.map(({ actor }) => actor.name)).toContain('north registrar');
  });

  test('who looked at another’s client is answered as for no client', async () => {
    for (const part of ['accesses', 'disclosures?years=6', 'own-view?years=6']) {
      const answer = await p.ask(READER, 'GET', `/api/clients/${south.golden}/${part}`);
      const nothing = await p.ask(READER, 'GET', `/api/clients/${southUser}/${part}`);
      const rows = ({ json }: typeof answer) => json<{ rows: unknown[] }>().rows;
      expect([answer.status, rows(answer)]).toEqual([nothing.status, rows(nothing)]);
      expect(rows(answer)).toEqual([]);
    }
  });
});

test.each([
  '/audit/log/checkpoint',
  '/audit/log/witnessed',
  '/audit/log/tile/0/000',
  '/api/alerts/rules',
  '/api/forwarding',
  '/fhir/AuditEvent',
])('%s is for auditors of everybody', async (path) => {
  expect((await p.ask(READER, 'GET', path)).status).toBe(403);
});

test('what other systems sent is for auditors of everybody', async () => {
  expect((await p.ask(READER, 'POST', '/api/audit/received', {})).status).toBe(403);
  expect((await p.ask(READER, 'GET', `/api/audit/received/${newId()}`)).status).toBe(403);
  expect((await p.ask('centre administrator', 'POST', '/api/audit/received', {})).status).toBe(200);
});

test('a registrar reads no log, and nobody reads it by a ceiling that leaves it out', async () => {
  expect((await p.ask('north registrar', 'GET', '/api/audit/events')).status).toBe(403);
  const change = { name: 'North clinic', ceiling: ['client.read', 'user.read'] };
  const capped = await p.ask('centre administrator', 'PUT', `/api/organisations/${p.organisations.north}`, change);
  expect(capped.status, capped.text).toBeLessThan(300);
  expect((await p.ask(READER, 'GET', '/api/audit/events')).status).toBe(403);
});
