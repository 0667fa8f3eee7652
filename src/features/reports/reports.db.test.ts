import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeActor, readInput, testKeyRing, userActor } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { RouteDeclaration } from '../../platform/http/route.ts';
import { type Audit, createAudit } from '../audit/index.ts';
import { createReports, type Reports } from './index.ts';
import { ActivityReply, ActorsReply, DisclosuresReply, OwnViewReply, ReportReply, SavedReply } from './wire.ts';
import { handled } from '../../../test/support/handled.ts';

const CLIENT = '0198f3a0-0000-7000-8000-0000000000c1';
const SOURCE = '0198f3a0-0000-7000-8000-0000000000c2';
const OTHER = '0198f3a0-0000-7000-8000-0000000000c3';
const ORGANISATION = '0198f3a0-0000-7000-8000-00000000000a';
const USER = userActor.principal.kind === 'user' ? userActor.principal.userId : '';

let db: TestDatabase;
let audit: Audit;
let reports: Reports;
/** Whose acts the asker may see. */
let within: readonly string[] | undefined;
const nowMs = Date.now();

beforeAll(async () => {
  db = await testDatabase();
  const common = { database: db.database, keyRing: testKeyRing(), clock: { nowMs: () => nowMs } };
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ ...common, source, onFailure: () => undefined });
  reports = createReports({
    ...common,
    audit,
    sees: async () => true,
    audits: async () => true,
    idsOf: (id) => Promise.resolve(id === CLIENT ? [CLIENT, SOURCE] : [id]),
    organisations: () => Promise.resolve([{ id: ORGANISATION, name: 'Lakeside' }]),
    members: {
      of: (_actor, organisation) => Promise.resolve(organisation === ORGANISATION ? [USER] : []),
      within: () => Promise.resolve(within),
    },
    onFailure: (error) => {
      throw error;
    },
  });
  const acts: Parameters<Audit['recordNow']>[0] = [
    readInput(CLIENT, nodeActor),
    readInput(CLIENT, nodeActor),
    { ...readInput(SOURCE, userActor), reason: 'treatment' },
    { ...readInput(OTHER, userActor), outcome: 'minor-failure', reason: 'not-allowed' },
    { actor: userActor, event: 'client.print', action: 'R', outcome: 'success', patients: [`Patient/${CLIENT}`] },
  ];
  // Apart by a millisecond at least, so that their order is certain.
  for (const act of acts) {
    await audit.recordNow([act]);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  await audit.sequence();
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

interface Asked {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly actor?: Actor;
}

async function call(method: string, path: string, asked: Asked = {}): Promise<{ status: number; body: unknown }> {
  const found = reports.routes.find((route: RouteDeclaration) => route.method === method && route.path === path);
  if (found === undefined) throw new Error(`No route ${method} ${path}`);
  const { input } = found;
  const parse = (schema: unknown, value: unknown): unknown =>
    typeof schema === 'object' && schema !== null && 'parse' in schema
      ? (schema as { parse(value: unknown): unknown }).parse(value ?? {})
      : undefined;
  const reply = await handled(found, {
    actor: asked.actor ?? userActor,
    params: parse(input.params, asked.params),
    query: parse(input.query, asked.query),
    body: parse(input.body, asked.body),
  });
  await audit.sequence();
  return { status: reply.status, body: reply.body };
}

async function textOf(body: unknown): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString('latin1');
  const chunks: string[] = [];
  for await (const chunk of body as AsyncIterable<unknown>) chunks.push(String(chunk));
  return chunks.join('');
}

const YEAR = {
  from: new Date(nowMs - 300 * 86_400_000).toISOString(),
  to: new Date(nowMs + 86_400_000).toISOString(),
};

describe('activity', () => {
  test('is counted once by hour, kind and actor, however often it is caught up with', async () => {
    await Promise.all([reports.activity.catchUp(), reports.activity.catchUp()]);
    await reports.activity.catchUp();
    const { body } = await call('GET', '/api/audit/activity', { query: { ...YEAR, event: 'client.*' } });
    const reply = ActivityReply.parse(body);
    expect(reply).toMatchObject({ events: 5, failures: 1 });
    expect(reply.hours.reduce((sum, { events }) => sum + events, 0)).toBe(5);
    expect(reply.kinds.map(({ event, events }) => [event, events])).toEqual([
      ['client.read', 4],
      ['client.print', 1],
    ]);
    expect(reply.actors.map(({ actor, events }) => [actor.name, actor.kind, events])).toEqual([
      ['Zoë "Z" Müller', 'user', 3],
      ['Clinic at the lake', 'node', 2],
    ]);
  });

  test('goes by person, kind and outcome, and an auditor of one organisation counts its people only', async () => {
    const of = async (query: object) =>
      ActivityReply.parse(
        (await call('GET', '/api/audit/activity', { query: { ...YEAR, event: 'client.*', ...query } })).body,
      ).events;
    expect(await of({ actor: USER })).toBe(3);
    expect(await of({ kind: 'node' })).toBe(2);
    expect(await of({ outcome: 'failure' })).toBe(1);
    within = [USER];
    expect(await of({})).toBe(3);
    expect(await of({ actor: 'somebody else' })).toBe(0);
    const actors = ActorsReply.parse((await call('GET', '/api/audit/actors')).body).actors;
    expect(actors.map(({ id }) => id)).toEqual([USER]);
    within = undefined;
  });
});

describe('the User Action Report', () => {
  const report = async (body: object) =>
    ReportReply.parse((await call('POST', '/api/audit/report', { body: { ...YEAR, ...body } })).body).rows;

  test('goes by organisation, action, person and client', async () => {
    expect((await report({ events: ['client.*'] })).length).toBeGreaterThanOrEqual(5);
    expect((await report({ organisation: ORGANISATION, events: ['client.read'] })).map(({ client }) => client)).toEqual(
      [[OTHER], [SOURCE]],
    );
    expect(await report({ client: CLIENT, events: ['client.read'] })).toHaveLength(2);
    expect(await report({ actor: USER, outcome: 'failure', events: ['client.*'] })).toHaveLength(1);
    expect(await report({ organisation: ORGANISATION, actor: 'a stranger' })).toEqual([]);
    await expect(report({ organisation: CLIENT })).rejects.toMatchObject({ code: 'report-organisation' });
    await expect(report({ events: ['no.such'] })).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('is saved as CSV without formulas, and as PDF, both with the signed head', async () => {
    const evil: Actor = {
      ...userActor,
      principal: {
        ...userActor.principal,
        displayName: '=HYPERLINK("http://x")',
        userId: 'evil',
      } as Actor['principal'],
    };
    await audit.recordNow([readInput(OTHER, evil)]);
    await audit.sequence();
    const file = async (format: 'csv' | 'pdf') =>
      textOf(
        (await call('POST', '/api/audit/report/file', { body: { ...YEAR, events: ['client.read'], format } })).body,
      );
    const csv = await file('csv');
    expect(csv.startsWith('\ufeffWhen (UTC),Who,')).toBe(true);
    expect(csv).toContain('"\'=HYPERLINK(""http://x"")"');
    expect(csv).toContain('"Zoë ""Z"" Müller"');
    const [table = '', ...end] = csv.split('\r\n\r\n');
    expect(table.split('\r\n')).toHaveLength(6);
    // The head as rows of one cell: below what it is, the checkpoint with its empty line, then the key.
    const { checkpoint, verifierKey } = await audit.status();
    expect(verifierKey).not.toBe('');
    const kept = end.join('\r\n\r\n').split('\r\n').slice(1);
    const [origin, size, , , signature] = checkpoint.split('\n');
    expect(kept[0]).toBe(origin);
    expect(Number(kept[1])).toBeLessThanOrEqual(Number(size));
    expect(kept[2]).toMatch(/^'?[\w+/]{43}=$/);
    expect(kept[4]?.split(' ').slice(0, 2)).toEqual(signature?.split(' ').slice(0, 2));
    expect(kept).toContain(verifierKey);
    expect(kept.filter((line) => /^[=+@-]/.test(line))).toEqual([]);
    const pdf = await file('pdf');
    expect(pdf.startsWith('%PDF-1.')).toBe(true);
    expect(pdf).toContain('/FontFile2');
  });
});

describe('one client', () => {
  test('everybody who looked is listed, at whichever record of the person', async () => {
    const { body } = await call('GET', '/api/clients/:id/accesses', { params: { id: CLIENT } });
    const rows = ReportReply.parse(body).rows.filter(({ event }) => event.startsWith('client.'));
    expect(rows.map(({ event, actor }) => `${event} ${actor.kind}`)).toEqual([
      'client.print user',
      'client.read user',
      'client.read node',
      'client.read node',
    ]);
  });

  test('disclosures are what other systems got, what was printed, and what somebody tells of', async () => {
    await call('POST', '/api/clients/:id/disclosures', {
      params: { id: CLIENT },
      body: { to: 'Social services', what: 'Vaccination card', why: 'school', on: '2026-01-31' },
    });
    const { body } = await call('GET', '/api/clients/:id/disclosures', { params: { id: CLIENT }, query: {} });
    const { rows, more } = DisclosuresReply.parse(body);
    expect(more).toBe(false);
    expect(rows.map(({ way, to, what, times, why }) => [way, to, what, times, why])).toEqual([
      ['file', 'Zoë "Z" Müller', 'Printed the record', 1, undefined],
      ['system', 'Clinic at the lake', 'Looked at the record', 2, undefined],
      ['recorded', 'Social services', 'Vaccination card', 1, 'school'],
    ]);
    const { events } = await audit.searchWhole({ events: ['client.disclose'], limit: 1 });
    const event = JSON.parse(events[0]?.json ?? '{}') as { type: { code: string }; subtype: { code: string }[] };
    expect([event.type.code, event.subtype[0]?.code]).toEqual(['110106', 'disclose']);
  });

  test('a client is given who, what, why and how often, by day, in plain words', async () => {
    const { body } = await call('GET', '/api/clients/:id/own-view', { params: { id: CLIENT }, query: {} });
    const rows = OwnViewReply.parse(body).rows.filter(({ what }) => !what.includes('who used'));
    expect(rows.map(({ who, what, why, times }) => [who, what, why, times])).toEqual([
      ['Zoë "Z" Müller', 'Gave information to somebody outside: Social services', 'school', 1],
      ['Zoë "Z" Müller', 'Printed the record', undefined, 1],
      ['Zoë "Z" Müller', 'Looked at the record', 'treatment', 1],
      ['The system “Clinic at the lake”', 'Looked at the record', undefined, 2],
    ]);
    for (const kind of ['own-view', 'disclosures']) {
      const file = async (format: string) =>
        textOf((await call('POST', '/api/clients/:id/files', { params: { id: CLIENT }, body: { kind, format } })).body);
      expect((await file('pdf')).startsWith('%PDF-1.')).toBe(true);
      const csv = Buffer.from(await file('csv'), 'latin1').toString();
      expect(csv).toContain('Clinic at the lake');
      expect(csv).toContain((await audit.status()).verifierKey);
    }
  });

  test.each(['copied', 'printed', 'saved'])('that it was %s is recorded', async (path) => {
    const before = await audit.search({ clients: [OTHER], limit: 100 });
    await call('POST', `/api/clients/:id/${path}`, { params: { id: OTHER } });
    const after = await audit.search({ clients: [OTHER], limit: 100 });
    expect(after.events).toHaveLength(before.events.length + 1);
  });

  test('every one of these looks is itself in the log', async () => {
    const { events } = await audit.search({ events: ['audit.*', 'client.own-view'], limit: 200 });
    const names = new Set(events.map(({ event }) => event));
    for (const name of ['audit.activity', 'audit.report', 'audit.export', 'audit.client', 'client.own-view'])
      expect(names).toContain(name);
  });
});

test('searches are kept per person, sealed', async () => {
  const saved = await call('POST', '/api/audit/searches', {
    body: { name: 'Müller at night', filters: { event: 'client.*' } },
  });
  expect(saved.status).toBe(201);
  const mine = SavedReply.parse((await call('GET', '/api/audit/searches')).body).searches;
  expect(mine).toMatchObject([{ name: 'Müller at night', filters: { event: 'client.*' } }]);
  const stranger = { ...userActor, principal: { ...userActor.principal, userId: OTHER } as Actor['principal'] };
  expect(SavedReply.parse((await call('GET', '/api/audit/searches', { actor: stranger })).body).searches).toEqual([]);
  const id = mine[0]?.id;
  await expect(call('DELETE', '/api/audit/searches/:id', { params: { id }, actor: stranger })).rejects.toMatchObject({
    code: 'saved-not-found',
  });
  expect((await call('DELETE', '/api/audit/searches/:id', { params: { id } })).status).toBe(204);
});
