import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { statement } from '../../src/platform/db/index.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  BASE_URL,
  type EnrolledPerson,
  enrol,
  type IdentityFixture,
  identityFixture,
  operator,
  PASSWORD,
  setUp,
  signIn,
  TestBrowser,
} from '../support/identity.ts';

/** Attacker: an open session of somebody else, or an account without the right. Goal: to weaken how people sign in. */
let db: TestDatabase;
let fixture: IdentityFixture;
let admin: EnrolledPerson;
beforeAll(async () => {
  db = await testDatabase();
  fixture = identityFixture(db.database);
  admin = await setUp(fixture);
});
afterAll(() => db.close());

let people = 0;
async function person(): Promise<EnrolledPerson> {
  const email = `person${++people}@example.org`;
  const { link } = await fixture.identity.users.add(operator, { name: 'Person', email, roles: ['steward'] }, BASE_URL);
  return await enrol(fixture, link?.url ?? '');
}
const DANGEROUS: readonly [string, string, object?][] = [
  ['PUT', '/api/policy', { settings: { secondFactor: 'off' } }],
  ['PUT', '/api/policy/requirement', { scope: 'role', scopeId: 'steward', secondFactor: 'off' }],
  ['PUT', '/api/policy/networks', { scope: 'door', scopeId: 'users', networks: [] }],
  [
    'POST',
    '/api/policy/exceptions',
    { userId: '0198f3a0-0000-7000-8000-0000000000aa', reason: 'because I say so', endsAt: '2026-02-01T00:00:00.000Z' },
  ],
  ['POST', '/api/users', { name: 'Eve', email: 'eve@example.org', roles: ['steward'] }],
  ['POST', '/api/users/import', { csv: 'name,email,roles\nEve,eve@example.org,steward', dryRun: false }],
];
const OWN_DANGEROUS: readonly [string, string, object?][] = [
  ['POST', '/api/recovery-codes'],
  ['POST', '/api/factors/authenticator'],
  ['POST', '/api/factors/passkey/options'],
  ['DELETE', '/api/factors/0198f3a0-0000-7000-8000-0000000000aa'],
  ['POST', '/api/password', { current: PASSWORD, password: 'eleven otters by the bridge' }],
];

describe('an open session that somebody else sits at', () => {
  test('an hour later changes no policy, no user and no factor without a new proof', async () => {
    await signIn(fixture, admin, admin.browser);
    for (let i = 0; i < 6; i++) {
      fixture.clock.forward(600_000);
      await admin.browser.principal();
    }
    for (const [method, path, body] of [...DANGEROUS, ...OWN_DANGEROUS]) {
      await expect(admin.browser.ask(method, path, body), path).rejects.toMatchObject({ code: 'step-up-needed' });
    }
    expect(fixture.identity.policy.settings.secondFactor).toBe('required');
  });

  test('opened by a trusted device is no proof either', async () => {
    const who = await person();
    const { browser } = who;
    await fixture.identity.policy.set(operator, { trustedDevices: true });
    await browser.ask('POST', '/api/sign-in/password', { email: who.email, password: PASSWORD });
    const { codeAt } = await import('../support/identity.ts');
    fixture.clock.forward(30_000);
    await browser.ask('POST', '/api/sign-in/code', { code: codeAt(who.totp, fixture.clock.nowMs()), trust: true });
    fixture.clock.forward(3_600_000);
    const again = await browser.ask('POST', '/api/sign-in/password', { email: who.email, password: PASSWORD });
    expect(again).toEqual({ next: 'signed-in' });
    for (const [method, path, body] of OWN_DANGEROUS) {
      await expect(browser.ask(method, path, body), path).rejects.toMatchObject({ code: 'step-up-needed' });
    }
  });
});

test('somebody without the right weakens nothing, with whatever proof', async () => {
  const who = await person();
  for (const [method, path, body] of DANGEROUS) {
    await expect(who.browser.ask(method, path, body), path).rejects.toMatchObject({ code: 'not-allowed' });
  }
  for (const path of ['/api/policy', '/api/bans', '/api/notices']) {
    await expect(who.browser.ask('GET', path)).rejects.toMatchObject({ code: 'not-allowed' });
  }
});

test('a policy written into the database counts for nothing: the safest values hold, and it is said', async () => {
  const { ownerDatabase } = db;
  await ownerDatabase.run(
    statement(
      'test.policy',
      `INSERT INTO identity.policy (settings, version, changed_at)
       VALUES ('{"secondFactor": "off", "sessionIdleMinutes": 60, "stepUpMinutes": 60}', 7, now())
       ON CONFLICT (one) DO UPDATE SET settings = EXCLUDED.settings, version = 7`,
    ),
  );
  fixture.clock.forward(2000);
  await fixture.identity.policy.refresh();
  const { secondFactor, sessionIdleMinutes, stepUpMinutes } = fixture.identity.policy.settings;
  expect({ secondFactor, sessionIdleMinutes, stepUpMinutes }).toEqual({
    secondFactor: 'required',
    sessionIdleMinutes: 15,
    stepUpMinutes: 10,
  });
  expect(fixture.identity.policy.isChanged()).toBe(true);
  expect(fixture.recorded.some(({ event }) => event === 'identity.changed')).toBe(true);
  await fixture.identity.policy.set(operator, { stepUpMinutes: 5 });
  expect(fixture.identity.policy.isChanged()).toBe(false);
  expect(fixture.identity.policy.settings).toMatchObject({ secondFactor: 'required', stepUpMinutes: 5 });
});

test('ended access holds at the next request, in this process and in another within a second', async () => {
  const who = await person();
  const other = identityFixture(db.database, { clock: fixture.clock, keyRing: fixture.keyRing });
  const elsewhere = new TestBrowser(other.identity);
  for (const [name, value] of who.browser.cookies) elsewhere.cookies.set(name, value);
  const principal = await elsewhere.principal();
  expect(principal).toMatchObject({ kind: 'user' });
  const { user } = await who.browser.ask('GET', '/api/session');
  await fixture.identity.users.change(operator, user.id, { kind: 'disable' }, BASE_URL);
  expect(await who.browser.principal()).toMatchObject({ kind: 'anonymous' });
  fixture.clock.forward(1000);
  expect(await elsewhere.principal()).toMatchObject({ kind: 'anonymous' });
  // Work that goes on in the background for them asks this every second.
  expect(await fixture.identity.stillMay(principal, 'client.load')).toBe(false);
});
