import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readInput, userActor } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { testKeyVault } from '../../../test/support/keys.ts';
import { type TestMailServer, testMailServer } from '../../../test/support/mail-server.ts';
import { utf8Encode } from '../../kernel/bytes.ts';
import { statement } from '../../platform/db/index.ts';
import { silentLogger } from '../../platform/log/index.ts';
import { createMail, createSmtpTransport, type Mail } from '../../platform/mail/index.ts';
import type { KeyVault } from '../../store/index.ts';
import { type Audit, createAudit } from '../audit/index.ts';
import { createAlerts } from './alerts.ts';
import { createAlertsFeature } from './index.ts';
import { createChecks } from './checks.ts';
import { createFollower } from './follower.ts';
import { createRuleSettings } from './rule-settings.ts';
import { RULES, type Rules } from './rules.ts';
import { putRecipients } from './store.ts';
import type { AlertView, RuleName, RuleSettings } from './wire.ts';

let db: TestDatabase;
let vault: KeyVault;
let audit: Audit;
let server: TestMailServer;
let mail: Mail;
let nowMs = Date.now();
const clock = { nowMs: () => nowMs };
let whole = true;
let witnessedMs: number | undefined;
let stopped: { id: string; name: string; sinceMs: number }[] = [];

beforeAll(async () => {
  db = await testDatabase();
  vault = await testKeyVault(db.database);
  server = await testMailServer();
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ database: db.database, keyRing: vault.keyRing, clock, source, onFailure: () => undefined });
  mail = createMail({
    database: db.database,
    clock,
    log: silentLogger(),
    seals: vault.keyRing,
    transport: createSmtpTransport({
      host: '127.0.0.1',
      port: server.port,
      user: undefined,
      passwordFile: undefined,
      from: 'careseal@clinic.example',
      authorityFile: undefined,
    }),
  });
});
afterAll(async () => {
  await audit.stop();
  await server.close();
  await vault.close();
  await db.close();
});
beforeEach(async () => {
  await db.ownerDatabase.run(statement('test.empty', 'DELETE FROM alerts.alert'));
});

const OFFICER = { id: '0198f3a0-0000-7000-8000-0000000000d1', name: 'Officer', email: 'officer@clinic.example' };
let people = [OFFICER];
const readers = () => Promise.resolve(people);

const CLIENT = '0198f3a0-0000-7000-8000-0000000000c1';
const make = () => {
  const deps = { database: db.database, keyRing: vault.keyRing, clock, audit, readers };
  const alerts = createAlerts(deps);
  const settings = createRuleSettings(deps);
  const follower = createFollower({
    ...deps,
    alerts,
    rules: settings.read,
    namesOf: (id) => Promise.resolve(id === CLIENT ? { family: ['Müller'], given: ['Grace'] } : undefined),
    people: () => Promise.resolve(['Zoë "Z" Müller']),
    onFailure: (error) => {
      throw error;
    },
  });
  const checks = createChecks({
    ...deps,
    alerts,
    rules: settings.read,
    recipients: settings.recipients,
    recipientsChanged: settings.recipientsChanged,
    reopenChanged: alerts.reopenChanged,
    enqueue: (tx, message) => mail.enqueue(tx, message),
    logIsWhole: () => Promise.resolve(whole),
    witnessedMs: () => Promise.resolve(witnessedMs),
    stoppedTargets: () => Promise.resolve(stopped),
    changedRules: settings.changed,
    changedTargets: () => Promise.resolve([]),
    pageUrl: 'https://careseal.example.org:8443/audit/alerts',
    onFailure: () => undefined,
  });
  const open = async (): Promise<AlertView[]> => (await alerts.list({ state: 'open' }, undefined)).alerts;
  const set = (name: RuleName, part: Partial<RuleSettings>) =>
    settings.change(userActor, name, { ...RULES[name].settings, ...part });
  return { alerts, settings, follower, checks, open, set };
};

/** Something happens, is taken into the log and looked at. */
async function happens(
  follower: { catchUp(): Promise<number> },
  inputs: Parameters<Audit['recordNow']>[0],
): Promise<void> {
  await audit.recordNow(inputs);
  await audit.sequence();
  await follower.catchUp();
}

test('what was before the first look is not alerted about; what comes is, once, with who and where', async () => {
  await audit.recordNow(Array.from({ length: 5 }, (_, i) => readInput(`before-${i}`, userActor)));
  await audit.sequence();
  const { follower, open, set } = make();
  await set('many-clients', { threshold: 3 });
  await follower.catchUp();
  expect(await open()).toEqual([]);
  await happens(
    follower,
    [1, 2, 3, 4].map((i) => readInput(`after-${i}`, userActor)),
  );
  const alerts = await open();
  expect(alerts).toHaveLength(1);
  expect(alerts[0]).toMatchObject({
    rule: 'many-clients',
    what: expect.stringMatching(/^\d different clients within 60 minutes$/),
    actor: { kind: 'user', name: 'Zoë "Z" Müller' },
    address: '2001:db8::7',
    count: 1,
  });
});

test('a restart goes on where it was, and knows what was going on', async () => {
  const first = make();
  await first.set('refusals', { threshold: 4 });
  const refused = { ...readInput('x', userActor), outcome: 'minor-failure', reason: 'not-allowed' } as const;
  await happens(first.follower, [refused, refused]);
  const second = make();
  await happens(second.follower, [refused, refused]);
  expect((await second.open()).filter(({ rule }) => rule === 'refusals')).toHaveLength(1);
  const third = make();
  await third.follower.catchUp();
  expect((await third.open()).filter(({ rule }) => rule === 'refusals')).toMatchObject([{ count: 1 }]);
});

test('one’s own name and a new network are seen', async () => {
  const { follower, open } = make();
  const signIn = (address: string): Parameters<Audit['recordNow']>[0][number] => ({
    actor: { ...userActor, origin: { ...userActor.origin, address } },
    event: 'sign-in.code',
    action: 'E',
    outcome: 'success',
  });
  await happens(follower, [readInput(CLIENT, userActor), signIn('10.0.0.1')]);
  expect((await open()).map(({ rule, client }) => [rule, client])).toEqual([['own-name', CLIENT]]);
  await happens(follower, [signIn('10.0.0.99'), signIn('10.9.9.9'), signIn('10.9.9.9')]);
  expect((await open()).map(({ rule, count }) => `${rule} ${count}`).toSorted()).toEqual([
    'new-network 1',
    'own-name 1',
  ]);
});

describe('no storm', () => {
  const raised = (subject: string, rule: RuleName = 'refusals') => ({
    rule,
    subject,
    what: 'x',
    atMs: nowMs,
    mail: true,
  });

  test('the same counts up while it is open, and a flood of different ones ends in one that says so', async () => {
    const { alerts, open } = make();
    expect(await alerts.raise(raised('a'))).toBe(true);
    expect(await alerts.raise(raised('a'))).toBe(false);
    for (let i = 0; i < 300; i++) await alerts.raise(raised(`flood ${i}`));
    const counts = await alerts.list({ state: 'open' }, undefined);
    expect(counts.open).toBe(101);
    const rest = (await open()).find(({ what }) => what.startsWith('More than 100'));
    expect(rest?.count).toBe(201);
  });

  test('mails come together, a quarter of an hour apart, and name nobody', async () => {
    const { alerts, settings, checks } = make();
    await settings.changeRecipients(userActor, [OFFICER.id]);
    for (let i = 0; i < 5; i++)
      await alerts.raise({ ...raised(`m ${i}`), actor: { kind: 'user', id: 'u', name: 'Zoë' } });
    await alerts.raise({ ...raised('quiet', 'own-name'), mail: false });
    const before = server.received.length;
    await checks.run();
    await mail.deliverDue();
    expect(server.received.length).toBe(before + 1);
    const text = server.lastText('officer@clinic.example') ?? '';
    expect(text).toContain('- Many refusals: 5');
    expect(text).not.toMatch(/Zoë|own name/);
    await alerts.raise(raised('one more'));
    await checks.run();
    await mail.deliverDue();
    expect(server.received.length).toBe(before + 1);
    nowMs += 16 * 60_000;
    await checks.run();
    await mail.deliverDue();
    expect(server.received.length).toBe(before + 2);
  });
});

test('who may no longer see alerts gets no mail, and an address typed into an earlier version becomes the person it belongs to', async () => {
  const { settings } = make();
  const typed = JSON.stringify({ recipients: ['Officer@clinic.example', 'gone@clinic.example'] });
  const place = { table: 'audit.alert', type: 'recipients', id: 'recipients', version: 1 };
  await putRecipients(db.database, vault.keyRing.seal(utf8Encode(typed), place));
  expect(await settings.recipients()).toEqual([OFFICER.email]);
  const reply = await settings.reply(true);
  expect([reply.recipients, reply.unknown]).toEqual([[OFFICER.id], ['gone@clinic.example']]);
  people = [];
  try {
    expect(await settings.recipients()).toEqual([]);
    await expect(settings.changeRecipients(userActor, [OFFICER.id])).rejects.toMatchObject({
      code: 'recipient-unknown',
    });
  } finally {
    people = [OFFICER];
  }
});

test('how many wait for somebody is told of those whose acts one may see, until somebody takes them on', async () => {
  const { alerts, open } = make();
  const feature = createAlertsFeature({
    database: db.database,
    keyRing: vault.keyRing,
    clock,
    audit,
    mail,
    within: (asker) => Promise.resolve(asker === userActor ? undefined : ['ours']),
    namesOf: () => Promise.resolve(undefined),
    people: () => Promise.resolve([]),
    readers,
    logIsWhole: () => Promise.resolve(true),
    witnessedMs: () => Promise.resolve(undefined),
    stoppedTargets: () => Promise.resolve([]),
    changedTargets: () => Promise.resolve([]),
    pageUrl: 'https://careseal.example.org:8443/audit/alerts',
    onFailure: () => undefined,
  });
  expect(await feature.waiting(userActor)).toBe(0);
  for (const id of ['ours', 'theirs']) {
    const actor = { kind: 'user', id, name: 'Zoë' } as const;
    await alerts.raise({ rule: 'refusals', subject: id, what: 'x', atMs: nowMs, mail: false, actor });
  }
  expect(await feature.waiting(userActor)).toBe(2);
  const bounded = { ...userActor };
  expect(await feature.waiting(bounded)).toBe(1);
  const ours = (await open()).find(({ actor }) => actor?.id === 'ours');
  await alerts.handle(userActor, 'acknowledge', ours?.id ?? '', '');
  expect([await feature.waiting(bounded), await feature.waiting(userActor)]).toEqual([0, 1]);
});

test('what stands still is noticed without any event', async () => {
  const { checks, open } = make();
  whole = false;
  witnessedMs = nowMs - 25 * 3_600_000;
  stopped = [
    { id: 't1', name: 'Ministry', sinceMs: nowMs - 61 * 60_000 },
    { id: 't2', name: 'Laboratory', sinceMs: nowMs - 5 * 60_000 },
  ];
  await checks.run();
  await checks.run();
  expect((await open()).map(({ rule, count }) => `${rule} ${count}`).toSorted()).toEqual([
    'forwarding-stopped 2',
    'log-damaged 2',
    'witness-silent 2',
  ]);
  whole = true;
  witnessedMs = undefined;
  stopped = [];
});

test('an alert is taken on, closed with words, and raised anew afterwards; each act is in the log', async () => {
  const { alerts, open } = make();
  const again = { rule: 'export', subject: 's', what: 'x', atMs: nowMs, mail: false } as const;
  await alerts.raise(again);
  const id = (await open())[0]?.id ?? '';
  await alerts.handle(userActor, 'acknowledge', id, '');
  await alerts.handle(userActor, 'close', id, 'It was the yearly report');
  await expect(alerts.handle(userActor, 'close', id, 'again')).rejects.toMatchObject({ code: 'alert-closed' });
  expect(await open()).toEqual([]);
  expect((await alerts.list({ state: 'closed' }, undefined)).alerts[0]).toMatchObject({
    acknowledged: { by: { name: 'Zoë "Z" Müller' } },
    closed: { note: 'It was the yearly report' },
  });
  expect(await alerts.raise(again)).toBe(true);
  await audit.sequence();
  const { events } = await audit.search({ events: ['alert.*'], limit: 4 });
  expect(events.map(({ event, reason }) => [event, reason])).toEqual([
    ['alert.raise', undefined],
    ['alert.close', 'It was the yearly report'],
    ['alert.acknowledge', undefined],
    ['alert.raise', undefined],
  ]);
  expect(events[0]?.detail).toMatchObject({ rule: 'export' });
});

test('a rule is changed with old and new value in the log, and refuses a time zone that is none', async () => {
  const { settings, set } = make();
  await set('outside-hours', { enabled: true, zone: 'Africa/Kampala' });
  const now: Rules = await settings.read();
  expect(now['outside-hours']).toMatchObject({ enabled: true, zone: 'Africa/Kampala' });
  await audit.sequence();
  const { events } = await audit.search({ events: ['alert.rule'], limit: 1 });
  expect(events[0]?.detail).toMatchObject({
    from: expect.stringContaining('off'),
    to: expect.stringContaining('Kampala'),
  });
  await expect(set('outside-hours', { zone: 'Mars/Base' })).rejects.toMatchObject({ code: 'rule-zone' });
});
