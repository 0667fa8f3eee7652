import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAlerts } from '../../src/features/alerts/alerts.ts';
import { createFollower } from '../../src/features/alerts/follower.ts';
import { createRuleSettings } from '../../src/features/alerts/rule-settings.ts';
import { RULES } from '../../src/features/alerts/rules.ts';
import { type Audit, type AuditInput, createAudit } from '../../src/features/audit/index.ts';
import { readInput, testKeyRing, userActor } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

/** P53: a flood of refusals neither fills the list of alerts nor hides the one that matters. */
let db: TestDatabase;
let audit: Audit;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

test('five hundred strangers make a hundred alerts and one more; a person who reads too much is still seen', async () => {
  const keyRing = testKeyRing();
  const deps = { database: db.database, keyRing, clock: { nowMs: () => Date.now() } };
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ ...deps, source, onFailure: () => undefined });
  const alerts = createAlerts({ ...deps, audit });
  const settings = createRuleSettings({ ...deps, audit, readers: () => Promise.resolve([]) });
  const follower = createFollower({
    ...deps,
    audit,
    alerts,
    rules: settings.read,
    namesOf: () => Promise.resolve(undefined),
    people: () => Promise.resolve([]),
    onFailure: () => undefined,
  });
  await follower.catchUp();
  const set = { ...RULES.refusals.settings, threshold: 2 };
  await settings.change(userActor, 'refusals', set);
  await settings.change(userActor, 'many-clients', { ...RULES['many-clients'].settings, threshold: 5 });
  const refused = (stranger: number): AuditInput => ({
    actor: {
      principal: { kind: 'anonymous', permissions: new Set() },
      origin: { door: 'users', address: `10.${stranger >> 8}.${stranger & 255}.1`, requestId: 'r' },
    },
    event: 'sign-in.password',
    action: 'E',
    outcome: 'minor-failure',
  });
  const flood = Array.from({ length: 500 }, (_, i) => [refused(i), refused(i)]).flat();
  for (let from = 0; from < flood.length; from += 100) await audit.recordNow(flood.slice(from, from + 100));
  await audit.recordNow(Array.from({ length: 8 }, (_, i) => readInput(`client-${i}`, userActor)));
  await audit.sequence();
  await follower.catchUp();
  const { open } = await alerts.list({ state: 'open' }, undefined);
  expect(open).toBe(102);
  const { alerts: newest } = await alerts.list({ state: 'open' }, undefined);
  expect(newest[0]).toMatchObject({ rule: 'many-clients', actor: { name: 'Zoë "Z" Müller' } });
});
