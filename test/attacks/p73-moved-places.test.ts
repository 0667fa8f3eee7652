import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createAlerts } from '../../src/features/alerts/alerts.ts';
import { createFollower } from '../../src/features/alerts/follower.ts';
import { RULES, type Rules } from '../../src/features/alerts/rules.ts';
import { createForwarder, type Forwarder } from '../../src/features/atna/forwarder.ts';
import { bindEarlierPlaces, createTargetBinder } from '../../src/features/atna/target-binding.ts';
import { createTargets, type Targets } from '../../src/features/atna/targets.ts';
import { type Audit, type AuditInput, createAudit } from '../../src/features/audit/index.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { readInput, testKeyRing, userActor } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { type SyslogServer, syslogServer } from '../support/syslog.ts';

/** P73: who may write anything into the database, as its owner, cannot have alerts or forwarding pass events over by moving their place on. */
let db: TestDatabase;
let audit: Audit;
const keyRing = testKeyRing();
const clock = { nowMs: () => Date.now() };
const asOwner = (sql: string) => withMaintenanceSession(db.superuserConnection, (session) => session.script(sql));

beforeAll(async () => {
  db = await testDatabase();
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ database: db.database, keyRing, clock, source, onFailure: () => undefined });
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

const rules = Object.fromEntries(
  Object.entries(RULES).map(([name, { settings }]) => [name, { ...settings, threshold: 3, mail: false }]),
) as Rules;
let marked: boolean;
const mark = { isSet: async () => marked, set: async () => void (marked = true) };

/** What a new process would make. */
function watcher() {
  const alerts = createAlerts({ database: db.database, keyRing, clock, audit });
  const follower = createFollower({
    ...{ database: db.database, keyRing, clock, audit, alerts },
    rules: async () => rules,
    namesOf: async () => undefined,
    people: async () => [],
    placeBound: mark,
    onFailure: (error) => {
      throw error;
    },
  });
  const open = async () => (await alerts.list({ state: 'open' }, undefined)).alerts.map(({ rule }) => rule).toSorted();
  return { follower, open };
}

const refused: AuditInput = { ...readInput('x', userActor), outcome: 'minor-failure', reason: 'not-allowed' };
async function happens(...inputs: AuditInput[]): Promise<void> {
  await audit.recordNow(inputs);
  await audit.sequence();
}

beforeEach(async () => {
  marked = false;
  await asOwner(
    'DELETE FROM alerts.alert; DELETE FROM alerts.network; DELETE FROM alerts.state; INSERT INTO alerts.state (id) VALUES (1)',
  );
});

const MOVES = [
  ['moved to the end', 'UPDATE alerts.state SET next_leaf = 1000000000'],
  ['emptied, as before the first look', 'UPDATE alerts.state SET next_leaf = NULL, sealed_place = NULL'],
  ['given another seal', `UPDATE alerts.state SET next_leaf = 1000000000, sealed_place = '\\xdeadbeef'`],
  ['taken away', 'DELETE FROM alerts.state'],
] as const;

test.each(MOVES)(
  'alerts: the place %s while nobody looks: what happened is alerted about all the same',
  async (_, sql) => {
    await watcher().follower.catchUp();
    await watcher().follower.catchUp();
    expect(marked).toBe(true);
    await happens(refused, refused, refused);
    await asOwner(sql);
    const next = watcher();
    await next.follower.catchUp();
    expect(await next.open()).toEqual(['log-damaged', 'refusals']);
    // Put right: nothing is told again.
    await asOwner('DELETE FROM alerts.alert');
    await watcher().follower.catchUp();
    expect(await next.open()).toEqual([]);
  },
);

test.each(MOVES)('alerts: the place %s while the program runs: it goes on where it was', async (_, sql) => {
  const { follower, open } = watcher();
  await follower.catchUp();
  await follower.catchUp();
  await asOwner(sql);
  await happens(refused, refused, refused);
  await follower.catchUp();
  expect(await open()).toEqual(['log-damaged', 'refusals']);
});

test('alerts: a place of an earlier version is gone on from, and bound', async () => {
  await happens(refused, refused, refused);
  const { size } = await audit.status();
  await asOwner(`UPDATE alerts.state SET next_leaf = ${size}`);
  const { follower, open } = watcher();
  await follower.catchUp();
  expect(await open()).toEqual([]);
  await happens({ actor: userActor, event: 'emergency.start', action: 'E', outcome: 'success' });
  await follower.catchUp();
  expect([await open(), marked]).toEqual([['break-glass'], true]);
});

test('alerts: networks of before that were taken away make no new network an old one', async () => {
  const signIn = (address: string): AuditInput => ({
    actor: { ...userActor, origin: { ...userActor.origin, address } },
    ...{ event: 'sign-in.code', action: 'E', outcome: 'success' },
  });
  const { follower, open } = watcher();
  await follower.catchUp();
  await happens(signIn('10.0.0.1'));
  await follower.catchUp();
  await asOwner('DELETE FROM alerts.network');
  await happens(signIn('203.0.113.9'));
  await follower.catchUp();
  expect(await open()).toEqual(['new-network']);
});

test('mails about alerts are not put off by a last one in the future', async () => {
  const { takeMailTurn } = await import('../../src/features/alerts/store.ts');
  await asOwner(`UPDATE alerts.state SET last_mail_at = '2999-01-01'`);
  const nowMs = Date.now();
  expect(await db.database.transaction((tx) => takeMailTurn(tx, nowMs, 900_000))).toBe(true);
  expect(await db.database.transaction((tx) => takeMailTurn(tx, nowMs + 1, 900_000))).toBe(false);
});

const binder = createTargetBinder(keyRing);
let server: SyslogServer | undefined;
let forwarder: Forwarder | undefined;
afterEach(async () => {
  await forwarder?.stop();
  await server?.close();
  [forwarder, server] = [undefined, undefined];
});
const targetsOf = (): Targets => createTargets({ database: db.database, clock, audit, binder });

function forward(): Forwarder {
  return createForwarder({
    ...{ database: db.database, clock, audit, binder },
    carrier: { site: 'careseal.example.org', identity: async () => undefined },
    onChange: () => undefined,
    pace: { pollMs: 20, retryMs: 20, retryMsMax: 50, lingerMs: 60 },
  });
}

const client = (n: number): string => `0198f3a0-0000-7000-8000-${String(n).padStart(12, '0')}`;
const SETTINGS = { protocol: 'tcp', host: '127.0.0.1', path: '', authorities: '', paused: false } as const;
const FILTER = { events: ['client.read'], outcome: 'all' as const };

test('forwarding: a place moved on has nothing passed over; one whose seal is broken stops, and is sent again from the beginning once saved', async () => {
  const taking = await syslogServer();
  server = taking;
  const targets = targetsOf();
  // A second try meets what the first has left.
  const name = `Ministry ${taking.port}`;
  const { target } = await targets.add(userActor, {
    ...{
      name,
      protocol: 'tcp',
      host: '127.0.0.1',
      port: taking.port,
      path: '',
      authorities: '',
      filter: FILTER,
    },
    from: 'now',
  });
  await happens(readInput(client(1)), readInput(client(2)));
  await asOwner('UPDATE atna.target SET next_leaf = next_leaf + 1000000');
  forwarder = forward();
  forwarder.start();
  const got = () => taking.messages.map((text) => /Patient\/([0-9a-f-]{36})/.exec(text)?.[1]);
  await expect.poll(got, { timeout: 15_000 }).toEqual([client(1), client(2)]);
  const state = async () => (await targets.list(userActor)).targets.find(({ id }) => id === target.id);
  await expect.poll(state, { timeout: 15_000 }).toMatchObject({ delivered: 2, waiting: 0 });

  await forwarder.stop();
  await asOwner(`UPDATE atna.target SET next_leaf = next_leaf + 1000000, sealed_place = '\\xdeadbeef'`);
  expect((await state())?.failure).toBe('changed');
  forwarder = forward();
  forwarder.start();
  await happens(readInput(client(3)));
  await expect.poll(async () => (await state())?.failingSince, { timeout: 15_000 }).toEqual(expect.any(String));
  expect(got()).toHaveLength(2);
  await targets.change(userActor, target.id, { ...SETTINGS, name, port: taking.port, filter: FILTER });
  await expect.poll(() => got().slice(2).slice(-3), { timeout: 15_000 }).toEqual([client(1), client(2), client(3)]);
  // The receiver has them a moment before it is written down that it has.
  await expect.poll(async () => (await state())?.failure).toBeUndefined();
});

test('forwarding: places of earlier versions are bound once, and not again', async () => {
  const targets = targetsOf();
  const { target } = await targets.add(userActor, {
    ...{ name: 'Laboratory', protocol: 'tcp', host: '127.0.0.1', port: 9, path: '', authorities: '', filter: FILTER },
    from: 'now',
  });
  const failure = async () => (await targets.list(userActor)).targets.find(({ id }) => id === target.id)?.failure;
  await asOwner('UPDATE atna.target SET sealed_place = NULL');
  await bindEarlierPlaces(db.database, binder, mark);
  expect([marked, await failure()]).toEqual([true, undefined]);
  await asOwner('UPDATE atna.target SET sealed_place = NULL');
  await bindEarlierPlaces(db.database, binder, mark);
  expect(await failure()).toBe('changed');
});
