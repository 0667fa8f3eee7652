import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { validateResource } from '../../../src/fhir/index.ts';
import { asXml, type FhirAnswer } from '../../support/fhir-client.ts';
import { person } from '../../support/registry.ts';
import { type SubscriptionsFixture, subscriptionsFixture } from '../../support/subscriptions.ts';

let s: SubscriptionsFixture;
beforeAll(async () => {
  s = await subscriptionsFixture();
});
afterAll(() => s.close());

const idOf = (answer: FhirAnswer): string => answer.json.id;
let number = 0;
function somebody(more: Parameters<typeof person>[0] = {}) {
  number += 1;
  const letters = [...String(number).padStart(3, '0')].map((digit) => 'bcdfghjklm'[Number(digit)]).join('o');
  return person({
    key: ['urn:subscribed', `s-${number}`],
    given: `S${letters}`,
    family: `T${letters}`,
    birthDate: `19${10 + number}-03-04`,
    ...more,
  });
}
/** Subscribes, does something, delivers, unsubscribes; answers what arrived meanwhile. */
async function told(subscription: object, act: () => Promise<unknown>) {
  const made = await s.clinic.post('/fhir/Subscription', subscription);
  expect(made.status).toBe(201);
  await s.subscriptions.dispatcher.runOnce();
  const before = s.subscriber.notices.length;
  await act();
  await s.subscriptions.dispatcher.runOnce();
  await s.clinic.delete(`/fhir/Subscription/${idOf(made)}`);
  return s.subscriber.notices.slice(before);
}

describe('PMIR subscriptions', () => {
  it('ITI-94 · create: 201, Location, status requested, then active', async () => {
    const made = await s.clinic.post('/fhir/Subscription', s.resource());
    expect([made.status, made.json.status]).toEqual([201, 'requested']);
    expect(made.headers['location']).toBe(`https://registry.test:8444/fhir/Subscription/${idOf(made)}`);
    expect(validateResource(made.json)).toEqual([]);
    await s.subscriptions.dispatcher.runOnce();
    const read = await s.clinic.get(`/fhir/Subscription/${idOf(made)}`);
    expect([read.status, read.json.status]).toEqual([200, 'active']);
    await s.clinic.delete(`/fhir/Subscription/${idOf(made)}`);
  });
  it('ITI-94 · create and read in XML', async () => {
    const made = await s.clinic.post('/fhir/Subscription?_format=xml', asXml(s.resource()), {
      'content-type': 'application/fhir+xml',
    });
    expect([made.status, made.text.includes('<Subscription ')]).toEqual([201, true]);
    const id = /<id value="([^"]+)"/.exec(made.text)?.[1] ?? '';
    expect((await s.clinic.get(`/fhir/Subscription/${id}`, { accept: 'application/fhir+xml' })).text).toContain(
      '<criteria value="Patient"/>',
    );
    await s.clinic.delete(`/fhir/Subscription/${id}`);
  });
  const faults: [string, () => object][] = [
    ['no contact', () => s.resource({ contact: [] as never })],
    ['no endpoint', () => s.resource({}, { endpoint: undefined as never })],
    ['a message without a payload', () => s.resource({}, { payload: undefined as never })],
    ['another channel', () => s.resource({}, { type: 'email' })],
    ['another payload', () => s.resource({}, { payload: 'text/plain' })],
    ['status active', () => s.resource({ status: 'active' })],
    ['criteria of another type', () => s.resource({ criteria: 'Observation' })],
    ['criteria that are not understood', () => s.resource({ criteria: 'Patient?colour=red' })],
    ['a chained criterion', () => s.resource({ criteria: 'Patient?organization.name=x' })],
    ['an end that has passed', () => s.resource({ end: '2001-01-01T00:00:00Z' })],
    ['a header that breaks the line', () => s.resource({}, { header: ['X-A: 1\r\nX-B: 2'] })],
    ['a header of the connection', () => s.resource({}, { header: ['Host: other.example'] })],
    ['an endpoint without TLS', () => s.resource({}, { endpoint: 'http://consumer.example/' })],
  ];
  for (const [words, resource] of faults) {
    it(`ITI-94 · refused with an OperationOutcome: ${words}`, async () => {
      const answer = await s.clinic.post('/fhir/Subscription', resource());
      expect([400, 422]).toContain(answer.status);
      expect(answer.json.resourceType).toBe('OperationOutcome');
    });
  }
  it('ITI-94 · update changes it, status off ends it, delete removes it', async () => {
    const made = await s.clinic.post('/fhir/Subscription', s.resource());
    const url = `/fhir/Subscription/${idOf(made)}`;
    const changed = await s.clinic.put(url, { ...s.resource({ criteria: 'Patient?gender=female' }), id: idOf(made) });
    expect([changed.status, changed.json.criteria, changed.json.meta.versionId]).toEqual([
      200,
      'Patient?gender=female',
      '2',
    ]);
    expect((await s.clinic.put(url, s.resource())).status).toBe(400);
    expect((await s.clinic.put(url, { ...s.resource({ status: 'off' }), id: idOf(made) })).json.status).toBe('off');
    expect((await s.clinic.delete(url)).status).toBe(204);
    expect((await s.clinic.get(url)).status).toBe(404);
    expect((await s.clinic.delete(url)).status).toBe(404);
  });
  it('ITI-94 · search one’s own by status, url, criteria; those of others are not there', async () => {
    const made = await s.clinic.post('/fhir/Subscription', s.resource({ criteria: 'Patient?gender=male' }));
    expect((await s.clinic.get('/fhir/Subscription?criteria=Patient?gender=male')).json.total).toBe(1);
    expect((await s.clinic.get('/fhir/Subscription?status=off')).json).toMatchObject({ total: 0, type: 'searchset' });
    const other = s.fhir.as(await s.f.node('other', 'urn:other'));
    expect((await other.get('/fhir/Subscription')).json.total).toBe(0);
    expect((await other.get(`/fhir/Subscription/${idOf(made)}`)).status).toBe(404);
    expect((await other.delete(`/fhir/Subscription/${idOf(made)}`)).status).toBe(404);
    await s.clinic.delete(`/fhir/Subscription/${idOf(made)}`);
  });
  it('ITI-94 · a message channel is sent ITI-93 messages, with the headers asked for', async () => {
    const [notice] = await told(s.resource({}, { header: ['Authorization: Bearer secret'] }), () =>
      s.clinic.post('/fhir/Patient', somebody({ family: 'Messenger' })),
    );
    expect(notice).toMatchObject({ method: 'POST', path: '/feed' });
    expect(notice?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'content-type': 'application/fhir+json; charset=utf-8',
    });
    const message = JSON.parse(notice?.text ?? '');
    expect(validateResource(message)).toEqual([]);
    expect(message.entry[0].resource.eventUri).toBe('urn:ihe:iti:pmir:2019:patient-feed');
    const [entry] = message.entry[1].resource.entry;
    expect(entry).toMatchObject({
      request: { method: 'POST' },
      resource: { resourceType: 'Patient', name: [{ family: 'Messenger' }] },
    });
  });
  it('ITI-94 · messages in XML', async () => {
    const [notice] = await told(s.resource({}, { payload: 'application/fhir+xml' }), () =>
      s.clinic.post('/fhir/Patient', somebody()),
    );
    expect(notice?.text).toContain('<Bundle xmlns="http://hl7.org/fhir">');
  });
  it('ITI-94 · a rest-hook gets the record by PUT, and nothing but a POST where it asked for no payload', async () => {
    const [put] = await told(s.resource({}, { type: 'rest-hook' }), () => s.clinic.post('/fhir/Patient', somebody()));
    expect([put?.method, put?.path]).toEqual(['PUT', expect.stringMatching(/^\/feed\/Patient\/[0-9a-f-]{36}$/)]);
    const bare = s.resource({}, { type: 'rest-hook', payload: undefined as never });
    const [post] = await told(bare, () => s.clinic.post('/fhir/Patient', somebody()));
    expect([post?.method, post?.path, post?.text]).toEqual(['POST', '/feed', '']);
  });
  it('ITI-94 · update, merge and delete are told', async () => {
    const key = (text: string) => ({ key: ['urn:subscribed', text] as [string, string] });
    const first = await s.clinic.post('/fhir/Patient', somebody(key('u1')));
    await s.clinic.post('/fhir/Patient', somebody(key('u2')));
    const changes = async (act: () => Promise<unknown>) =>
      (await told(s.resource(), act)).flatMap(
        ({ text }) =>
          JSON.parse(text).entry[1].resource.entry as { request: { method: string }; resource?: { active: boolean } }[],
      );
    const updated = await changes(() =>
      s.clinic.put(`/fhir/Patient/${idOf(first)}`, { ...first.json, gender: 'male' }),
    );
    expect(updated.map(({ request }) => request.method)).toEqual(['PUT']);
    const merged = await changes(() =>
      s.clinic.post('/fhir/Patient/$merge', {
        resourceType: 'Parameters',
        parameter: [
          { name: 'source-patient-identifier', valueIdentifier: { system: 'urn:subscribed', value: 'u1' } },
          { name: 'target-patient-identifier', valueIdentifier: { system: 'urn:subscribed', value: 'u2' } },
        ],
      }),
    );
    expect(new Set(merged.map(({ resource }) => resource?.active))).toEqual(new Set([false, true]));
    const other = await s.clinic.post('/fhir/Patient', somebody(key('u3')));
    const deleted = await changes(() => s.clinic.delete(`/fhir/Patient/${idOf(other)}`));
    expect(deleted.map(({ request }) => request.method)).toEqual(['DELETE']);
  });
  it('ITI-94 · criteria by _id, identifier, organization and demographics choose what is told', async () => {
    const one = await s.clinic.post(
      '/fhir/Patient',
      somebody({ key: ['urn:subscribed', 'c1'], gender: 'female', given: 'Wilhelmina' }),
    );
    const two = await s.clinic.post(
      '/fhir/Patient',
      somebody({ key: ['urn:subscribed', 'c2'], gender: 'male', given: 'Bob', family: 'Ngugi' }),
    );
    let turn = 0;
    const toldBoth = async (criteria: string) => {
      turn += 1;
      const change = (answer: FhirAnswer) =>
        s.clinic.put(`/fhir/Patient/${idOf(answer)}`, {
          ...answer.json,
          telecom: [{ system: 'phone', value: `+2567001${criteria.length}${turn}` }],
        });
      const notices = await told(s.resource({ criteria }), async () => {
        await change(one);
        await change(two);
      });
      return notices.flatMap(({ text }) =>
        (JSON.parse(text).entry[1].resource.entry as { resource: { identifier: { value: string }[] } }[]).map(
          ({ resource }) => resource.identifier[0]?.value,
        ),
      );
    };
    expect(await toldBoth('Patient?identifier=urn:subscribed|c1')).toEqual(['c1']);
    expect(await toldBoth(`Patient?_id=${idOf(two)}`)).toEqual(['c2']);
    expect(await toldBoth('Patient?gender=female')).toEqual(['c1']);
    expect(await toldBoth('Patient?organization=Organization/9')).toEqual([]);
    expect(new Set(await toldBoth('Patient'))).toEqual(new Set(['c1', 'c2']));
  });
});
