import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Programme, programme } from '../support/organisations.ts';

/**
 * P32: breaking the glass opens reading and nothing else, for its time and its session; it cannot be hidden, prolonged without a
 * trace, reviewed by who did it, or used without end.
 */
let p: Programme;
let south: { source: string; golden: string };
const WHO = 'north registrar';
const REASON = 'Unconscious in the emergency room, carries a card of the south clinic';

beforeAll(async () => {
  p = await programme();
  south = await p.register('south registrar', {
    key: ['urn:south:mrn', 'CM-1'],
    given: 'Zulaika',
    family: 'Nantongo',
    birthDate: '1984-03-12',
  });
}, 120_000);
afterAll(() => p.close());

const read = async (who: Parameters<Programme['ask']>[0] = WHO) =>
  (await p.ask(who, 'GET', `/fhir/Patient/${south.golden}`)).status;

test('needs the right, a reason, and a need', async () => {
  expect(await read()).toBe(404);
  expect((await p.ask(WHO, 'POST', '/api/emergency', { reason: 'short', minutes: 5 })).status).toBe(400);
  expect((await p.ask(WHO, 'POST', '/api/emergency', { reason: REASON, minutes: 600 })).status).toBe(400);
  const needless = await p.ask('centre registrar', 'POST', '/api/emergency', { reason: REASON, minutes: 5 });
  expect([needless.status, needless.json()['code']]).toEqual([409, 'emergency-needless']);
  expect(await read()).toBe(404);
});

test('opens every client to be read, to this session alone, and nothing to be changed', async () => {
  expect((await p.ask(WHO, 'POST', '/api/emergency', { reason: REASON, minutes: 30 })).status).toBe(201);
  const session = (await p.ask(WHO, 'GET', '/api/session')).json<{ emergency?: { endsAt: string } }>();
  expect(Date.parse(session.emergency?.endsAt ?? '') - Date.now()).toBeGreaterThan(29 * 60_000);
  expect(await read()).toBe(200);
  const found = await p.ask(WHO, 'GET', '/fhir/Patient?family=Nantongo&_total=accurate');
  expect(found.json<{ total: number }>().total).toBe(1);
  expect(await read('north steward')).toBe(404);
  const record = (await p.ask(WHO, 'GET', `/fhir/Patient/${south.source}`)).json();
  const changed = await p.ask(WHO, 'PUT', `/fhir/Patient/${south.source}`, { ...record, birthDate: '1985-01-01' });
  expect([changed.status, changed.text.includes('not-own-record')]).toEqual([403, true]);
  expect((await p.ask(WHO, 'DELETE', `/fhir/Patient/${south.source}`)).status).toBe(403);
  expect((await p.ask(WHO, 'GET', '/api/users')).status).toBe(403);
  expect((await p.ask(WHO, 'GET', '/api/audit/events')).status).toBe(403);
  // Not longer by asking again.
  expect((await p.ask(WHO, 'POST', '/api/emergency', { reason: REASON, minutes: 60 })).status).toBe(409);
  const share = { organisationId: p.organisations.north, reason: REASON };
  expect((await p.ask(WHO, 'POST', `/api/clients/${south.golden}/shares`, share)).status).toBe(403);
});

test('is seen by who answers for the person, and reviewed by somebody else, once', async () => {
  const attention = (await p.ask('north administrator', 'GET', '/api/home')).json<{ attention: { kind: string }[] }>();
  expect(attention.attention.map((one) => one.kind)).toContain('emergencies');
  const elsewhere = (await p.ask('south administrator', 'GET', '/api/home')).json<{ attention: { kind: string }[] }>();
  expect(elsewhere.attention.map((one) => one.kind)).not.toContain('emergencies');
  const list = (await p.ask('north administrator', 'GET', '/api/emergencies')).json<{
    emergencies: { id: string; reason: string }[];
    total: number;
  }>();
  expect([list.total, list.emergencies[0]?.reason]).toEqual([1, REASON]);
  expect((await p.ask('south administrator', 'GET', '/api/emergencies')).json()).toEqual({ emergencies: [], total: 0 });
  const at = `/api/emergencies/${list.emergencies[0]?.id}/review`;
  const verdict = { verdict: 'justified', note: 'The patient was unconscious, the card was found' };
  expect((await p.ask('south administrator', 'POST', at, verdict)).status).toBe(404);
  expect((await p.ask(WHO, 'POST', at, verdict)).status).toBe(403);
  expect((await p.ask('north administrator', 'POST', at, verdict)).status).toBe(204);
  // What has been judged is over.
  expect(await read()).toBe(404);
  expect((await p.ask('north administrator', 'POST', at, { ...verdict, verdict: 'not-justified' })).status).toBe(404);
  expect((await p.ask('centre administrator', 'GET', '/api/emergencies')).json<{ total: number }>().total).toBe(0);
});

test('nobody reviews their own, however much they administer', async () => {
  expect((await p.ask('north administrator', 'POST', '/api/emergency', { reason: REASON, minutes: 5 })).status).toBe(
    201,
  );
  const list = (await p.ask('north administrator', 'GET', '/api/emergencies')).json<{
    emergencies: { id: string; self: boolean }[];
  }>();
  const own = list.emergencies.find((one) => one.self);
  const verdict = { verdict: 'justified', note: 'I was right of course' };
  const answer = await p.ask('north administrator', 'POST', `/api/emergencies/${own?.id}/review`, verdict);
  expect([answer.status, answer.json()['code']]).toEqual([403, 'own-rights']);
  expect((await p.ask('north administrator', 'DELETE', '/api/emergency')).status).toBe(204);
  expect(await read('north administrator')).toBe(404);
});

test('ends with its time, and is not there without end', async () => {
  let begun = 0;
  let last = 0;
  for (; begun < 12; begun += 1) {
    const answer = await p.ask('north steward', 'POST', '/api/emergency', { reason: REASON, minutes: 5 });
    last = answer.status;
    if (last !== 201) break;
    expect(await read('north steward')).toBe(200);
    // As if the time had passed.
    await p.db.ownerDatabase.rows({
      name: 'test.past',
      text: 'UPDATE identity.emergencies SET ends_at = now() WHERE ends_at > now()',
    });
    await expect.poll(() => read('north steward')).toBe(404);
  }
  expect([begun, last]).toEqual([10, 429]);
}, 60_000);

test('every step is in the log, with the reason', async () => {
  await p.services.audit.sequence();
  const { events } = (
    await p.ask('centre administrator', 'GET', '/api/audit/events?event=emergency.*&limit=200')
  ).json<{
    events: { event: string; reason?: string }[];
  }>();
  const of = (name: string) => events.filter((one) => one.event === name);
  expect(of('emergency.start').length).toBeGreaterThanOrEqual(12);
  expect(of('emergency.start').some((one) => one.reason === REASON)).toBe(true);
  expect([of('emergency.review').length > 0, of('emergency.end').length > 0]).toEqual([true, true]);
  // What was read meanwhile says for what purpose.
  const reads = await p.ask(
    'centre administrator',
    'GET',
    `/api/audit/events?event=client.read&client=${south.golden}&limit=200`,
  );
  const purposes: boolean[] = [];
  for (const one of reads.json<{ events: { id: string; actor: { name: string }; outcome: string }[] }>().events) {
    if (one.outcome !== 'success') continue;
    const whole = await p.ask('centre administrator', 'GET', `/api/audit/events/${one.id}`);
    purposes.push(whole.text.includes('"BTG"'));
  }
  expect([purposes.length > 0, purposes.every(Boolean)]).toEqual([true, true]);
});
