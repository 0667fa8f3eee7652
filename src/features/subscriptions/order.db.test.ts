import type { Bundle, Patient } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { person } from '../../../test/support/registry.ts';
import { type SubscriptionsFixture, subscriptionsFixture } from '../../../test/support/subscriptions.ts';
import type { RouteRequest } from '../../platform/http/route.ts';
import { handled } from '../../../test/support/handled.ts';

let s: SubscriptionsFixture;
beforeEach(async () => {
  s = await subscriptionsFixture();
  await s.clinic.post('/fhir/Subscription', s.resource());
});
afterEach(() => s.close());

let number = 0;
async function register(): Promise<Patient> {
  number += 1;
  const letters = [...String(number).padStart(3, '0')].map((digit) => 'bcdfghjklm'[Number(digit)]).join('u');
  const names = { given: `N${letters}`, family: `O${letters}`, birthDate: `19${10 + (number % 80)}-07-08` };
  return (await s.clinic.post('/fhir/Patient', person({ key: ['urn:subscribed', `o-${number}`], ...names }))).json;
}
const revise = (one: Patient, gender: string) => s.clinic.put(`/fhir/Patient/${one.id}`, { ...one, gender });
const run = () => s.subscriptions.dispatcher.runOnce();
const told = (): Patient[] =>
  s.subscriber.notices
    .flatMap(
      ({ text }) => (JSON.parse(text) as { entry: [unknown, { resource: Bundle }] }).entry[1].resource.entry ?? [],
    )
    .map(({ resource }) => resource as Patient);
const keyOf = (one: Patient): string =>
  one.identifier?.find(({ system }) => system === 'urn:subscribed')?.value ?? `redirect of ${one.link?.[0]?.type}`;

async function decide(path: string, what: { readonly params?: object; readonly body: object }): Promise<void> {
  const route = s.f.registry.routes.find((one) => `${one.method} ${one.path}` === path);
  if (!route) throw new Error(`no route ${path}`);
  const request = { actor: userActor, params: {}, ...what } as unknown as RouteRequest<never, never, never>;
  await handled(route, request);
}

describe('the order of what a subscriber is told', () => {
  it('is that in which they began to wait, each as it is when it is told, also after it was away', async () => {
    s.subscriber.answer = () => 503;
    const first = await register();
    const second = await register();
    await run();
    const third = await register();
    await revise(first, 'male');
    await run();
    s.subscriber.answer = () => 200;
    s.subscriber.notices.length = 0;
    s.f.clock.forward(60_000);
    await run();
    expect(told().map(keyOf)).toEqual([first, second, third].map(keyOf));
    expect(told()[0]?.gender).toBe('male');
  });

  it('a record that changes without pause is told of a subscriber that lags as soon as any other', async () => {
    s.subscriber.answer = () => 503;
    const restless = await register();
    await run();
    for (let turn = 0; turn < 4; turn += 1) {
      await register();
      await revise(restless, turn % 2 === 0 ? 'male' : 'female');
      s.f.clock.forward(60_000);
      await run();
    }
    const last = s.subscriber.notices.at(-1);
    s.subscriber.notices.splice(0, s.subscriber.notices.length, ...(last ? [last] : []));
    expect(told().map(keyOf)).toHaveLength(5);
    expect(keyOf(told()[0] as Patient)).toBe(keyOf(restless));
    expect(told()[0]?.gender).toBe('female');
  });

  it('records that change while they are told, as many as a message holds, do not keep the others waiting', async () => {
    const restless: Patient[] = [];
    for (let count = 0; count < 50; count += 1) restless.push(await register());
    const quiet = await register();
    let changes = 0;
    s.subscriber.answer = async () => {
      if (changes < 2) {
        changes += 1;
        for (const one of restless) await revise(one, changes === 1 ? 'male' : 'female');
        // As the loop does while a turn is under way: who is being told already is not begun again.
        await run();
      }
      return 200;
    };
    await run();
    const messages = s.subscriber.notices.map(
      ({ text }) => (JSON.parse(text) as { entry: [unknown, { resource: Bundle }] }).entry[1].resource.entry ?? [],
    );
    const isOf = (one: Patient) => (entry: { resource?: unknown }) => keyOf(entry.resource as Patient) === keyOf(one);
    expect(messages.findIndex((entries) => entries.some(isOf(quiet)))).toBe(1);
    const arrived = told().filter((one) => keyOf(one) === keyOf(restless[0] as Patient));
    expect(arrived.at(-1)?.gender).toBe('female');
    expect((await s.subscriptions.deliveries.list({ state: 'waiting', limit: 100 })).deliveries).toEqual([]);
  });

  it('a record that was merged while it waited is told after the one that it leads to', async () => {
    await run();
    s.subscriber.answer = () => 503;
    await register();
    await run();
    await register();
    s.f.clock.forward(60_000);
    await run();
    const [gone, survivor] = told()
      .slice(-2)
      .map(({ id }) => id ?? '');
    await decide('POST /api/clients/merge', { body: { survivor, other: gone, reason: 'same card' } });
    s.subscriber.answer = () => 200;
    s.subscriber.notices.length = 0;
    s.f.clock.forward(600_000);
    await run();
    expect(told().map(({ id, active }) => [id, active !== false])).toEqual([
      [survivor, true],
      [gone, false],
    ]);
  });

  it('is kept past a record that the subscriber refuses, and each record only ever gets newer', async () => {
    const all = [await register(), await register(), await register(), await register()];
    const poison = keyOf(all[1] as Patient);
    s.subscriber.answer = ({ text }) => (text.includes(`"${poison}"`) ? 422 : 200);
    for (let turn = 0; turn < 3; turn += 1) {
      await run();
      await revise(all[3] as Patient, turn % 2 === 0 ? 'male' : 'female');
      s.f.clock.forward(60_000);
    }
    await run();
    s.subscriber.answer = () => 200;
    const arrived = new Map<string, number[]>();
    for (const one of told())
      arrived.set(keyOf(one), [...(arrived.get(keyOf(one)) ?? []), Number(one.meta?.versionId)]);
    for (const versions of arrived.values()) expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    const alone = s.subscriber.notices.filter(({ text }) => !text.includes(`"${poison}"`));
    expect(alone.length).toBeGreaterThan(0);
    const good = told()
      .map(keyOf)
      .filter((key) => key !== poison);
    expect(good.indexOf(keyOf(all[0] as Patient))).toBeLessThan(good.indexOf(keyOf(all[2] as Patient)));
  });

  it('a merge, and the merge taken back: both people are told of, the second one alive again', async () => {
    const [one, other] = [await register(), await register()];
    await run();
    const goldens = told().map(({ id }) => id ?? '');
    s.subscriber.notices.length = 0;
    const [survivor, gone] = goldens;
    await decide('POST /api/clients/merge', { body: { survivor, other: gone, reason: 'same card' } });
    await run();
    expect(new Map(told().map(({ id, active }) => [id, active !== false]))).toEqual(
      new Map([
        [survivor, true],
        [gone, false],
      ]),
    );
    s.subscriber.notices.length = 0;
    await decide('POST /api/clients/:id/unmerge', { params: { id: survivor }, body: { reason: 'two cards' } });
    await run();
    const after = new Map(told().map((patient) => [patient.id, patient]));
    expect(keyOf(after.get(survivor) as Patient)).toBe(keyOf(one));
    expect(after.get(gone)?.active).not.toBe(false);
    expect(keyOf(after.get(gone) as Patient)).toBe(keyOf(other));
  });
});

describe('dead letters', () => {
  it('are looked at: where they go without its secrets, and whom they are about for those who may know', async () => {
    s.subscriber.answer = () => 410;
    await register();
    await run();
    const { deliveries } = s.subscriptions;
    const [dead] = (await deliveries.list({ state: 'dead', limit: 10 })).deliveries;
    const seen = await deliveries.look(s.f.operator, dead?.id ?? '');
    expect(seen.delivery).toMatchObject({ failure: 'http-410', channel: 'message', subscriber: 'off' });
    expect(seen.delivery.endpointHost).toMatch(/^localhost:\d+$/);
    expect(JSON.stringify(seen.delivery)).not.toContain('/feed');
    expect(seen.delivery.clientId).toMatch(/^[0-9a-f-]{36}$/);
    const technician = {
      ...s.f.operator,
      principal: { ...s.f.operator.principal, permissions: new Set(['node.read']) },
    };
    expect(
      (await deliveries.look(technician as typeof s.f.operator, dead?.id ?? '')).delivery.clientId,
    ).toBeUndefined();
    const nobody = '0198f3a0-0000-7000-8000-00000000dead';
    await expect(deliveries.look(s.f.operator, nobody)).rejects.toMatchObject({ code: 'delivery-not-found' });
  });

  it('of all nodes are sent again at once', async () => {
    s.subscriber.answer = () => 410;
    await register();
    await register();
    await run();
    s.subscriber.answer = () => 200;
    s.subscriber.notices.length = 0;
    expect((await s.subscriptions.deliveries.rerunAll(s.f.operator, undefined)).rerun).toBe(2);
    await run();
    expect(told()).toHaveLength(2);
    expect((await s.subscriptions.deliveries.list({ state: 'dead', limit: 10 })).deliveries).toEqual([]);
  });
});
