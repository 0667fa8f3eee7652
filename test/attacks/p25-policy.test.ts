import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { statement } from '../../src/platform/db/index.ts';
import {
  BASE_URL,
  type EnrolledPerson,
  enrol,
  identityFixture,
  operator,
  PASSWORD,
  setUp,
  signIn,
  TestBrowser,
  tokenOf,
} from '../support/identity.ts';
import { type IdentityDoor, identityDoor } from '../support/identity-door.ts';

/** Attacker: an open session of somebody else, or an account without the right. Goal: to weaken how people sign in. */
let fixture: IdentityDoor;
let admin: EnrolledPerson;
beforeAll(async () => {
  fixture = await identityDoor();
  admin = await setUp(fixture);
});
afterAll(() => fixture.close());

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

describe('an invited person who is to have a second factor', () => {
  const skip = async (link: string, password = PASSWORD): Promise<unknown> => {
    const browser = new TestBrowser(fixture.identity);
    const token = tokenOf(link);
    await browser.ask('POST', '/api/enrol/account', { token, password });
    return await browser.ask('POST', '/api/enrol/without-factor', { token });
  };
  const invite = async (email: string, roles: string[] = ['registrar']): Promise<{ id: string; link: string }> => {
    const { user, link } = await fixture.identity.users.add(operator, { name: 'Person', email, roles }, BASE_URL);
    return { id: user.id, link: link?.url ?? '' };
  };

  test('cannot go on without one by asking the server', async () => {
    const { link } = await invite('skips@example.org');
    await expect(skip(link)).rejects.toMatchObject({ code: 'factor-required' });
    const browser = new TestBrowser(fixture.identity);
    const signIn = browser.ask('POST', '/api/sign-in/password', { email: 'skips@example.org', password: PASSWORD });
    await expect(signIn).rejects.toMatchObject({ code: 'sign-in-refused' });
    // Refused, the link still lets them enrol as they should.
    await enrol(fixture, link);
  });

  test.each([
    ['their role', (): object => ({ scope: 'role', scopeId: 'auditor' })],
    ['themselves', (id: string): object => ({ scope: 'user', scopeId: id })],
    [
      'their organisation',
      (_id: string, organisation: string): object => ({ scope: 'organisation', scopeId: organisation }),
    ],
  ])('is held by a rule for %s, whatever the server lets others do', async (name, ruleOf) => {
    const { id, link } = await invite(`${name.replace(' ', '.')}@example.org`, ['auditor']);
    await signIn(fixture, admin, admin.browser);
    await fixture.identity.policy.set(operator, { secondFactor: 'off' });
    const { user } = await admin.browser.ask('GET', '/api/session');
    const at = ruleOf(id, user.organisation.id);
    const rule = (secondFactor: string | null) =>
      admin.browser.ask('PUT', '/api/policy/requirement', { ...at, secondFactor });
    await rule('required');
    await expect(skip(link)).rejects.toMatchObject({ code: 'factor-required' });
    await rule(null);
    await skip(link);
    await fixture.identity.policy.set(operator, { secondFactor: 'required' });
  });

  test('is held by a rule made after the link was looked at and the password chosen', async () => {
    const { link } = await invite('late@example.org');
    const token = tokenOf(link);
    const browser = new TestBrowser(fixture.identity);
    await fixture.identity.policy.set(operator, { secondFactor: 'optional' });
    expect(await browser.ask('POST', '/api/enrol/link', { token })).toMatchObject({ secondFactor: 'optional' });
    await browser.ask('POST', '/api/enrol/account', { token, password: PASSWORD });
    await fixture.identity.policy.set(operator, { secondFactor: 'required' });
    const late = browser.ask('POST', '/api/enrol/without-factor', { token });
    await expect(late).rejects.toMatchObject({ code: 'factor-required' });
  });

  test('cannot use a short password, chosen to stand beside a factor, alone', async () => {
    const { link } = await invite('short@example.org');
    const token = tokenOf(link);
    const browser = new TestBrowser(fixture.identity);
    await browser.ask('POST', '/api/enrol/account', { token, password: 'kXq82-mLzw' });
    await fixture.identity.policy.set(operator, { secondFactor: 'optional' });
    const alone = browser.ask('POST', '/api/enrol/without-factor', { token });
    await expect(alone).rejects.toMatchObject({ code: 'account-first' });
    const again = browser.ask('POST', '/api/enrol/account', { token, password: 'kXq82-mLzw' });
    await expect(again).rejects.toMatchObject({ code: 'password-refused' });
    await fixture.identity.policy.set(operator, { secondFactor: 'required' });
  });
});

test('a policy written into the database counts for nothing: the safest values hold, and it is said', async () => {
  const { ownerDatabase } = fixture.db;
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
  const other = identityFixture(fixture.db.database, { clock: fixture.clock, keyRing: fixture.keyRing });
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
