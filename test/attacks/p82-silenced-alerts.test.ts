import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRuleSettings, type RuleSettingsStore } from '../../src/features/alerts/rule-settings.ts';
import { RULES } from '../../src/features/alerts/rules.ts';
import { RULE_NAMES, type RuleName } from '../../src/features/alerts/wire.ts';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { testKeyRing, userActor } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

/** P82: who may write anything into the database, as its owner, cannot silence a rule for alerts, nor change one unseen. */
let db: TestDatabase;
let audit: Audit;
let settings: RuleSettingsStore;
let marked = false;
/** Whether rules that came later were bound. */
let markedLater = false;
const asOwner = (sql: string) => withMaintenanceSession(db.superuserConnection, (session) => session.script(sql));

beforeAll(async () => {
  db = await testDatabase();
  const keyRing = testKeyRing();
  const clock = { nowMs: () => Date.now() };
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ database: db.database, keyRing, clock, source, onFailure: () => undefined });
  settings = createRuleSettings({
    ...{ database: db.database, keyRing, audit, readers: () => Promise.resolve([]) },
    bound: { isSet: async () => marked, set: async () => void (marked = true) },
    laterBound: { isSet: async () => markedLater, set: async () => void (markedLater = true) },
  });
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});
beforeEach(async () => {
  marked = false;
  markedLater = false;
  await asOwner('DELETE FROM alerts.rule');
  await settings.bindEarlier();
});

const own = (name: RuleName, part: object) => ({ ...RULES[name].settings, ...part });
const shown = async (name: RuleName) => (await settings.reply(true)).rules.find((one) => one.name === name);

test('a rule that is switched off, made blunt, given another’s binding or taken away goes on alerting, and says so', async () => {
  await settings.change(userActor, 'outside-hours', own('outside-hours', { enabled: true, threshold: 2 }));
  await settings.change(userActor, 'export', own('export', { enabled: false }));
  expect(await settings.changed()).toEqual([]);
  await asOwner(`
    UPDATE alerts.rule SET settings = settings || '{"enabled":false}' WHERE name = 'many-clients';
    UPDATE alerts.rule SET settings = settings || '{"threshold":100000}' WHERE name = 'refusals';
    UPDATE alerts.rule SET settings = settings || '{"enabled":false}', binding = NULL WHERE name = 'break-glass';
    UPDATE alerts.rule SET settings = '[]' WHERE name = 'own-name';
    UPDATE alerts.rule r SET settings = e.settings, binding = e.binding FROM alerts.rule e
      WHERE e.name = 'export' AND r.name = 'new-network';
    DELETE FROM alerts.rule WHERE name = 'outside-hours'`);
  const hit = ['many-clients', 'own-name', 'outside-hours', 'refusals', 'break-glass', 'new-network'];
  expect(await settings.changed()).toEqual(hit);
  const rules = await settings.read();
  for (const name of RULE_NAMES.filter((one) => hit.includes(one)))
    expect(rules[name], name).toEqual(own(name, { enabled: true }));
  // What an administrator switched off stays off.
  expect(rules.export.enabled).toBe(false);
  expect((await shown('many-clients'))?.changed).toBe(true);
  expect(await shown('export')).not.toHaveProperty('changed');
});

test('the next start binds nothing anew, and an administrator who saves the rule puts it right', async () => {
  await asOwner(
    `UPDATE alerts.rule SET settings = settings || '{"enabled":false}', binding = NULL WHERE name = 'refusals'`,
  );
  await settings.bindEarlier();
  expect(await settings.changed()).toEqual(['refusals']);
  await settings.change(userActor, 'refusals', own('refusals', { threshold: 7 }));
  expect([await settings.changed(), (await settings.read()).refusals.threshold]).toEqual([[], 7]);
});

test('rules of an earlier version stay as they were set, and are bound once', async () => {
  marked = false;
  markedLater = false;
  await asOwner(`DELETE FROM alerts.rule WHERE name = 'changed-past'`);
  await asOwner(
    `UPDATE alerts.rule SET binding = NULL; UPDATE alerts.rule SET settings = settings || '{"threshold":42}' WHERE name = 'refusals'`,
  );
  expect([await settings.changed(), (await settings.read()).refusals.threshold]).toEqual([[], 42]);
  await settings.bindEarlier();
  expect([marked, await settings.changed(), (await settings.read()).refusals.threshold]).toEqual([true, [], 42]);
});

describe('a rule that came after rules were bound', () => {
  const LATER = 'changed-past';
  /** A home of the version before, with everything bound. */
  const before = async () => {
    markedLater = false;
    await asOwner(`DELETE FROM alerts.rule WHERE name = '${LATER}'`);
  };

  test('is there at once, switched on, told of as nobody’s doing, and bound at the first start', async () => {
    await settings.change(userActor, 'export', own('export', { enabled: false }));
    await before();
    expect([await settings.changed(), (await settings.read())[LATER].enabled]).toEqual([[], true]);
    await settings.bindEarlier();
    expect([marked, markedLater, await settings.changed()]).toEqual([true, true, []]);
    expect((await settings.read()).export.enabled).toBe(false);
    await asOwner(`DELETE FROM alerts.rule WHERE name = '${LATER}'`);
    expect([await settings.changed(), (await settings.read())[LATER].enabled]).toEqual([[LATER], true]);
    await settings.bindEarlier();
    expect(await settings.changed()).toEqual([LATER]);
  });

  test.each([
    ['of the thief’s own, without a binding', `'{"enabled":false}', NULL`],
    ['with another rule’s binding', `settings, binding`],
  ])('is not switched off by a row %s that waits for it', async (_, columns) => {
    await settings.change(userActor, 'export', own('export', { enabled: false }));
    await before();
    await asOwner(`INSERT INTO alerts.rule (name, settings, binding)
      SELECT '${LATER}', ${columns.replace(`'{`, `settings || '{`)} FROM alerts.rule WHERE name = 'export'`);
    await settings.bindEarlier();
    expect([await settings.changed(), (await settings.read())[LATER].enabled]).toEqual([[LATER], true]);
  });

  test('is bound with the others where none was, and no unbound row of it is believed there either', async () => {
    marked = false;
    markedLater = false;
    await asOwner(
      `UPDATE alerts.rule SET binding = NULL; UPDATE alerts.rule SET settings = settings || '{"enabled":false}' WHERE name = '${LATER}'`,
    );
    await settings.bindEarlier();
    expect([await settings.changed(), (await settings.read())[LATER].enabled]).toEqual([[LATER], true]);
    await settings.change(userActor, LATER, own(LATER, { mail: false }));
    expect([await settings.changed(), (await settings.read())[LATER].mail]).toEqual([[], false]);
  });
});
