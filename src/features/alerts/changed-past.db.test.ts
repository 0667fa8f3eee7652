import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { testKeyVault } from '../../../test/support/keys.ts';
import type { Actor } from '../../kernel/principal.ts';
import { statement } from '../../platform/db/index.ts';
import type { KeyVault } from '../../store/index.ts';
import { type Audit, type AuditInput, createAudit, createChangedPast } from '../audit/index.ts';
import { reportChangedRows } from '../identity/changed-rows.ts';
import { createRowBinder } from '../identity/row-binding.ts';
import { accountRow, BOUND_KINDS } from '../identity/row-facts.ts';
import { createAlerts } from './alerts.ts';
import { CHANGED_WORDS } from './changed-past.ts';
import { createChecks } from './checks.ts';
import { createFollower } from './follower.ts';
import { createRuleSettings } from './rule-settings.ts';
import { RULES } from './rules.ts';
import type { AlertView, RuleName, RuleSettings } from './wire.ts';

let db: TestDatabase;
let vault: KeyVault;
let audit: Audit;
let nowMs = Date.now();
const clock = { nowMs: () => nowMs };
let changedTargets: string[] = [];

beforeAll(async () => {
  db = await testDatabase();
  vault = await testKeyVault(db.database);
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ database: db.database, keyRing: vault.keyRing, clock, source, onFailure: () => undefined });
});
afterAll(async () => {
  await audit.stop();
  await vault.close();
  await db.close();
});
beforeEach(async () => {
  await db.ownerDatabase.run(statement('test.empty', 'DELETE FROM alerts.alert'));
});

const OFFICER = '0198f3a0-0000-7000-8000-0000000000d1';
const CLIENT = '0198f3a0-0000-7000-8000-0000000000c1';
const failed = (error: unknown) => {
  throw error;
};

function make() {
  const deps = { database: db.database, keyRing: vault.keyRing, clock, audit, readers: () => Promise.resolve([]) };
  const alerts = createAlerts(deps);
  const settings = createRuleSettings(deps);
  const follower = createFollower({
    ...{ ...deps, alerts, rules: settings.read, onFailure: failed },
    namesOf: () => Promise.resolve(undefined),
    people: () => Promise.resolve([]),
  });
  const checks = createChecks({
    ...{
      ...deps,
      alerts,
      rules: settings.read,
      recipients: settings.recipients,
      recipientsChanged: settings.recipientsChanged,
      reopenChanged: alerts.reopenChanged,
      onFailure: failed,
    },
    enqueue: () => Promise.resolve(true),
    logIsWhole: () => Promise.resolve(true),
    witnessedMs: () => Promise.resolve(undefined),
    stoppedTargets: () => Promise.resolve([]),
    changedRules: settings.changed,
    changedTargets: () => Promise.resolve(changedTargets),
    pageUrl: 'https://careseal.example.org:8443/audit/alerts',
  });
  const open = async (): Promise<AlertView[]> => (await alerts.list({ state: 'open' }, undefined)).alerts;
  const set = (name: RuleName, part: Partial<RuleSettings>) =>
    settings.change(userActor, name, { ...RULES[name].settings, ...part });
  return { alerts, follower, checks, open, set };
}

/** What was recorded is taken into the log and looked at. */
async function isLookedAt(follower: { catchUp(): Promise<number> }): Promise<void> {
  await audit.sequence();
  await follower.catchUp();
}

const sentence = (what: string) =>
  `Somebody has changed ${what} in the database, past Careseal; the change is not followed${
    /client|domain/.test(what) ? ', and `careseal registry repair` on the server puts it right' : ''
  }`;
const officer: Actor = {
  ...userActor,
  principal: { ...userActor.principal, userId: OFFICER } as Actor['principal'],
};
const changed = async () =>
  (await make().open())
    .filter(({ rule }) => rule === 'changed-past')
    .map(({ what, count }) => [what, count] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));

test('each row that is not as Careseal wrote it raises one alert, about the client or the account it belongs to', async () => {
  const { follower, alerts, open } = make();
  await follower.catchUp();
  // Both as the features that find such rows write them down.
  let told = 0;
  const recordNow = async (inputs: readonly AuditInput[]) => {
    const receipt = await audit.recordNow(inputs);
    told++;
    return receipt;
  };
  const registry = createChangedPast({ audit: { recordNow }, clock });
  registry({ what: 'client', id: CLIENT, patient: `Patient/${CLIENT}` });
  registry({ what: 'domain', id: '7' });
  const rows = createRowBinder(vault.keyRing);
  reportChangedRows(rows, {
    audit: { ...audit, recordNow },
    clock,
    onFailure: failed,
  });
  expect(rows.fits(accountRow(OFFICER, 'active'), null)).toBe(false);
  await expect.poll(() => told).toBe(3);
  await isLookedAt(follower);
  expect(new Set((await changed()).map(String))).toEqual(
    new Set(['whose a client is', 'whose a domain is', 'an account'].map((one) => `${sentence(one)},1`)),
  );
  const [client] = (await open()).filter(({ what }) => what.includes('whose a client'));
  expect(client).toMatchObject({ client: CLIENT, eventId: expect.any(String) });
  expect(client).not.toHaveProperty('actor');
  const account = (await open()).find(({ what }) => what.includes('an account'));
  expect(account?.actor).toMatchObject({ kind: 'user', id: OFFICER });
  await expect(alerts.handle(officer, 'close', account?.id ?? '', 'nothing')).rejects.toMatchObject({
    code: 'alert-own',
  });
  // Told again an hour later, it is counted to the same.
  nowMs += 3_600_001;
  registry({ what: 'domain', id: '7' });
  await expect.poll(() => told).toBe(4);
  await isLookedAt(follower);
  expect(await changed()).toContainEqual([sentence('whose a domain is'), 2]);
  const { events } = await audit.search({ events: ['alert.raise'], limit: 3 });
  expect(events.map(({ detail }) => detail?.['rule'])).toEqual(['changed-past', 'changed-past', 'changed-past']);
});

test('a system whose registration was changed, a rule and a receiver are told too', async () => {
  const { follower, checks, set } = make();
  await follower.catchUp();
  const refused = (reason: string, certificate: string): AuditInput => ({
    actor: { principal: { kind: 'anonymous', permissions: new Set() }, origin: userActor.origin },
    ...{ event: 'node.authenticate', action: 'E', outcome: 'minor-failure', reason, detail: { certificate } },
  });
  const evil = refused('registration-changed', 'aa');
  await audit.recordNow([evil, evil, refused('certificate-revoked', 'bb')]);
  await isLookedAt(follower);
  expect(await changed()).toEqual([[sentence('the registration of a system'), 2]]);
  changedTargets = ['t1'];
  await set('export', {});
  await db.ownerDatabase.run(
    statement('test.blunt', `UPDATE alerts.rule SET settings = settings || '{"threshold":9}' WHERE name = 'export'`),
  );
  try {
    await checks.run();
    expect((await changed()).slice(0, 2)).toEqual([
      [sentence('a receiver of the audit log'), 1],
      [sentence('a rule for alerts'), 1],
    ]);
    await set('changed-past', { enabled: false });
    await checks.run();
    await audit.recordNow([refused('registration-changed', 'cc')]);
    await isLookedAt(follower);
    expect((await changed()).map(([, count]) => count)).toEqual([1, 1, 2]);
  } finally {
    changedTargets = [];
    await set('export', {});
    await set('changed-past', {});
  }
});

test('everything that is bound has words of its own', () => {
  for (const kind of BOUND_KINDS) expect(CHANGED_WORDS, kind).toHaveProperty(kind);
});
