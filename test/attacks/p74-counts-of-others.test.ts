import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAlerts } from '../../src/features/alerts/alerts.ts';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { createActivity } from '../../src/features/reports/activity.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { nodeActor, readInput, testKeyRing, userActor } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

/**
 * P74: an auditor of one organisation learns from no list of alerts, count or page's end how many there are about others, and one
 * alert that somebody changed in the database hides none of the rest.
 */
let db: TestDatabase;
let audit: Audit;
const keyRing = testKeyRing();
const clock = { nowMs: () => Date.now() };
beforeAll(async () => {
  db = await testDatabase();
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ database: db.database, keyRing, clock, source, onFailure: () => undefined });
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});
const alertsOf = () => createAlerts({ database: db.database, keyRing, clock, audit });
const OURS = 'ours';

async function raise(id: string, subject: string): Promise<void> {
  const actor = { kind: 'user', id, name: id } as const;
  await alertsOf().raise({ rule: 'refusals', subject, what: 'x', atMs: Date.now(), mail: false, actor });
}

test('alerts: what is about others is neither shown nor counted, and does not fill pages', async () => {
  await raise(OURS, 'first');
  for (let i = 0; i < 60; i++) await raise(`theirs ${i}`, `${i}`);
  await alertsOf().raise({ rule: 'witness-silent', subject: 'w', what: 'x', atMs: Date.now(), mail: false });
  const alone = await alertsOf().list({ state: 'open' }, [OURS]);
  expect(alone).toMatchObject({ open: 1, unacknowledged: 1, alerts: [{ actor: { id: OURS } }] });
  // There is no further page to ask for, though the table has one.
  expect(alone).not.toHaveProperty('next');
  expect(await alertsOf().list({ state: 'open' }, ['nobody'])).toEqual({ alerts: [], open: 0, unacknowledged: 0 });
  expect((await alertsOf().list({ state: 'open' }, undefined)).open).toBe(62);
});

test('alerts: pages of one’s own are whole, and end at one’s own', async () => {
  for (let i = 0; i < 39; i++) await raise(OURS, `more ${i}`);
  for (let i = 0; i < 20; i++) {
    const { alerts } = await alertsOf().list({ state: 'open' }, [OURS]);
    const id = alerts[0]?.id ?? '';
    await alertsOf().handle(userActor, 'close', id, 'It was a test');
    await raise(OURS, `again ${i}`);
  }
  for (let i = 0; i < 35; i++) {
    const { alerts } = await alertsOf().list({ state: 'open' }, [OURS]);
    await alertsOf().handle(userActor, 'close', alerts[0]?.id ?? '', 'It was a test');
    await raise('theirs', `between ${i}`);
    const [foreign] = (await alertsOf().list({ state: 'open' }, ['theirs'])).alerts;
    await alertsOf().handle(userActor, 'close', foreign?.id ?? '', 'It was a test');
  }
  const first = await alertsOf().list({ state: 'closed' }, [OURS]);
  expect(first.alerts).toHaveLength(50);
  expect(first.next).toBe(first.alerts.at(-1)?.id);
  const second = await alertsOf().list({ state: 'closed', before: first.next }, [OURS]);
  expect([second.alerts.length, second.next]).toEqual([5, undefined]);
  for (const { actor } of [...first.alerts, ...second.alerts]) expect(actor?.id).toBe(OURS);
});

test('pictures of activity count one’s own only, and do not say how much of the log is still to be counted', async () => {
  await audit.recordNow([readInput('c-1', userActor), readInput('c-1', nodeActor), readInput('c-2', nodeActor)]);
  await audit.sequence();
  const activity = createActivity({ database: db.database, keyRing, clock, audit, onFailure: () => undefined });
  await activity.catchUp();
  const own = userActor.principal.kind === 'user' ? userActor.principal.userId : '';
  const days = {
    from: new Date(Date.now() - 86_400_000).toISOString(),
    to: new Date(Date.now() + 86_400_000).toISOString(),
  };
  const total = async (within: readonly string[] | undefined) => {
    const { kinds, behind } = await activity.read(days, within);
    return { reads: kinds.find(({ event }) => event === 'client.read')?.events, behind };
  };
  expect((await total(undefined)).reads).toBe(3);
  expect((await total([own])).reads).toBe(1);
  await audit.recordNow([readInput('c-3', nodeActor)]);
  await audit.sequence();
  expect((await total([own])).behind).toBe(0);
});

test('an alert that was changed in the database says so, and hides none of the rest', async () => {
  await raise(OURS, 'to be changed');
  const [changed] = (await alertsOf().list({ state: 'open' }, [OURS])).alerts;
  const before = (await alertsOf().list({ state: 'open' }, undefined)).open;
  await withMaintenanceSession(db.superuserConnection, (session) =>
    session.script(`UPDATE alerts.alert SET sealed = '\\xdeadbeef' WHERE id = '${changed?.id ?? ''}'`),
  );
  const { alerts, open } = await alertsOf().list({ state: 'open' }, undefined);
  expect(open).toBe(before);
  expect(alerts.find(({ id }) => id === changed?.id)?.what).toMatch(/^Somebody has changed this alert/);
  expect(alerts.length).toBeGreaterThan(1);
});
