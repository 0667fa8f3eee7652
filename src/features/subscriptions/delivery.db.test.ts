import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { person } from '../../../test/support/registry.ts';
import { type SubscriptionsFixture, subscriptionsFixture } from '../../../test/support/subscriptions.ts';
import { statement } from '../../platform/db/index.ts';

let s: SubscriptionsFixture;
beforeEach(async () => {
  s = await subscriptionsFixture();
});
afterEach(() => s.close());

let number = 0;
function somebody() {
  number += 1;
  const letters = [...String(number).padStart(3, '0')].map((digit) => 'bcdfghjklm'[Number(digit)]).join('e');
  return person({
    key: ['urn:subscribed', `d-${number}`],
    given: `V${letters}`,
    family: `W${letters}`,
    birthDate: `19${10 + (number % 80)}-05-06`,
  });
}
const register = () => s.clinic.post('/fhir/Patient', somebody());
const subscribe = async (channel: object = {}): Promise<string> =>
  (await s.clinic.post('/fhir/Subscription', s.resource({}, channel))).json.id;
const run = () => s.subscriptions.dispatcher.runOnce();
const read = async (id: string) => (await s.clinic.get(`/fhir/Subscription/${id}`)).json;
const deliveries = (state?: 'dead' | 'waiting' | 'delivered') => s.subscriptions.deliveries.list({ state, limit: 100 });
const outbox = async () =>
  Number(
    (
      await s.f.db.ownerDatabase.rows(
        statement<{ n: bigint }>('test.outbox', 'SELECT count(*) AS n FROM registry.change'),
      )
    )[0]?.n,
  );
const entriesOf = (text: string): unknown[] => JSON.parse(text).entry[1].resource.entry;

describe('changes', () => {
  it('are noted only while somebody subscribes', async () => {
    await register();
    expect(await outbox()).toBe(0);
    const id = await subscribe();
    await register();
    expect(await outbox()).toBe(1);
    await run();
    expect(await outbox()).toBe(0);
    await s.clinic.delete(`/fhir/Subscription/${id}`);
    await register();
    expect(await outbox()).toBe(0);
  });

  it('written first and committed last are told as well', async () => {
    await subscribe();
    await run();
    const database = s.f.db.ownerDatabase;
    const { changes } = s.f.registry;
    const made = await register();
    await run();
    const goldenOf = statement<{ golden_id: string }>('test.told', 'SELECT golden_id FROM subscriptions.delivery');
    const [told] = await database.rows(goldenOf);
    const note = statement(
      'test.note',
      'INSERT INTO registry.change (golden_id, version, at) VALUES ($1::uuid, 1, now())',
    );
    const seen = await database.transaction(async (tx) => {
      await tx.run(note, [told?.golden_id ?? '']);
      expect((await register()).status).toBe(made.status);
      return changes.next(database, 10);
    });
    expect(seen).toHaveLength(1);
    expect(await outbox()).toBe(2);
    await database.transaction((tx) => changes.forget(tx, seen));
    expect(await outbox()).toBe(1);
    await run();
    expect(await outbox()).toBe(0);
    expect(s.subscriber.notices).toHaveLength(2);
  });

  it('of a transaction that is rolled back are not told', async () => {
    await subscribe();
    await run();
    const good = somebody();
    const entry = (resource: object) => ({ resource, request: { method: 'POST', url: 'Patient' } });
    const answer = await s.clinic.post('/fhir', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [entry(good), entry(person({ key: ['urn:foreign-node', '1'] })), entry(good)],
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    await run();
    expect(s.subscriber.notices).toEqual([]);
  });

  it('of one record that waits are told once, as it is then', async () => {
    await subscribe();
    s.subscriber.answer = () => 503;
    const made = await register();
    await run();
    for (const gender of ['male', 'female', 'other'])
      await s.clinic.put(`/fhir/Patient/${made.json.id}`, { ...made.json, gender });
    s.subscriber.answer = () => 200;
    s.f.clock.forward(60_000);
    await run();
    const told = s.subscriber.notices.slice(1);
    expect(told).toHaveLength(1);
    expect(entriesOf(told[0]?.text ?? '')).toMatchObject([{ resource: { gender: 'other' } }]);
    expect((await deliveries('delivered')).deliveries).toHaveLength(1);
  });
});

describe('an endpoint that is away', () => {
  it.each([
    ['answers 503', 503],
    ['answers 404', 404],
    ['cuts the connection', 'cut'],
  ] as const)(
    '%s: tried again with growing pauses, in error meanwhile, active when it is back',
    async (_how, answer) => {
      const id = await subscribe();
      s.subscriber.answer = () => answer;
      await register();
      const pauses: number[] = [];
      for (let attempt = 0; attempt < 6; attempt += 1) {
        await run();
        const [row] = (await deliveries('waiting')).deliveries;
        const [subscriber] = await s.subscriptions.deliveries.subscribers();
        expect(subscriber?.failures).toBe(attempt + 1);
        expect(row?.failure).toMatch(/^(http-\d+|outbound-unreachable)$/);
        s.f.clock.forward(1_000 * 2 ** attempt - 1);
        const before = s.subscriber.notices.length;
        await run();
        expect(s.subscriber.notices.length, 'not before its time').toBe(before);
        s.f.clock.forward(1);
        pauses.push(attempt);
      }
      expect((await read(id)).status).toBe('error');
      s.subscriber.answer = () => 200;
      await run();
      expect((await read(id)).status).toBe('active');
      expect((await deliveries('delivered')).deliveries).toHaveLength(1);
    },
  );

  it('for days is given up: off, dead letters, and a rerun brings everything', async () => {
    const id = await subscribe();
    s.subscriber.answer = () => 503;
    await register();
    await register();
    for (let day = 0; day < 9; day += 1) {
      await run();
      s.f.clock.forward(86_400_000);
    }
    expect(await read(id)).toMatchObject({ status: 'off', error: 'http-503' });
    const dead = (await deliveries('dead')).deliveries;
    expect(dead).toHaveLength(2);
    await register();
    await run();
    expect((await deliveries('waiting')).deliveries, 'nothing is gathered for it').toEqual([]);
    s.subscriber.answer = () => 200;
    const { rerun } = await s.subscriptions.deliveries.rerunAll(s.f.operator, dead[0]?.nodeId ?? '');
    expect(rerun).toBe(2);
    await run();
    expect(entriesOf(s.subscriber.notices.at(-1)?.text ?? '')).toHaveLength(2);
    expect((await read(id)).status).toBe('active');
    await expect(s.subscriptions.deliveries.rerun(s.f.operator, dead[0]?.id ?? '')).rejects.toMatchObject({
      code: 'delivery-not-dead',
    });
  });

  it('that says 410 Gone is off at once', async () => {
    const id = await subscribe();
    s.subscriber.answer = () => 410;
    await register();
    await run();
    expect((await read(id)).status).toBe('off');
    expect((await deliveries('dead')).deliveries).toHaveLength(1);
  });
});

it('a record that its subscriber refuses is found out and put aside; the others arrive', async () => {
  await subscribe();
  await run();
  const poison = (await register()).json.identifier[0].value as string;
  await register();
  await register();
  s.subscriber.answer = ({ text }) => (text.includes(`"${poison}"`) ? 400 : 200);
  for (let turn = 0; turn < 8; turn += 1) {
    await run();
    s.f.clock.forward(60_000);
  }
  expect((await deliveries('dead')).deliveries).toMatchObject([{ failure: 'http-400' }]);
  expect((await deliveries('delivered')).deliveries).toHaveLength(2);
  expect((await deliveries('waiting')).deliveries).toHaveLength(0);
  s.subscriber.answer = () => 200;
  const [dead] = (await deliveries('dead')).deliveries;
  await s.subscriptions.deliveries.rerun(s.f.operator, dead?.id ?? '');
  await run();
  expect((await deliveries('delivered')).deliveries).toHaveLength(3);
});

it('a node that was revoked is told nothing more', async () => {
  const id = await subscribe();
  await run();
  const { principal } = s.clinicActor;
  if (principal.kind === 'node') s.silenced.add(principal.nodeId);
  await register();
  await run();
  expect(s.subscriber.notices).toEqual([]);
  expect((await read(id)).status).toBe('off');
});

it('each delivery is an audit event, a refused one too', async () => {
  await subscribe();
  await register();
  s.subscriber.answer = () => 503;
  await run();
  s.subscriber.answer = () => 200;
  s.f.clock.forward(60_000);
  await run();
  await s.f.audit.sequence();
  const told = statement<{ outcome: number }>(
    'test.told',
    "SELECT outcome FROM audit.event WHERE event = 'subscription.deliver' ORDER BY outcome",
  );
  const outcomes = (await s.f.db.ownerDatabase.rows(told)).map(({ outcome }) => outcome);
  expect(outcomes).toEqual([0, 4]);
});

it('50 subscribers are told of a change by the loop that runs in the server', async () => {
  for (let count = 0; count < 50; count += 1) await subscribe({ endpoint: `${s.subscriber.url}/s${count}` });
  s.f.clock.forward(Date.now() - s.f.clock.nowMs());
  await s.subscriptions.dispatcher.start();
  try {
    const at = Date.now();
    await register();
    await expect.poll(() => s.subscriber.notices.length, { interval: 10 }).toBe(50);
    const slowest = Math.max(...s.subscriber.notices.map(({ atMs }) => atMs)) - at;
    expect(new Set(s.subscriber.notices.map(({ path }) => path)).size).toBe(50);
    console.info(`50 subscribers were told within ${slowest} ms`);
  } finally {
    await s.subscriptions.dispatcher.stop();
  }
});
