import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import {
  BASE_URL,
  codeAt,
  type EnrolledPerson,
  enrol,
  type IdentityFixture,
  identityFixture,
  operator,
  PASSWORD,
  setUp,
  signIn,
  TestBrowser,
  upgradeRows,
} from '../../../test/support/identity.ts';

let db: TestDatabase;
let fixture: IdentityFixture;
beforeAll(async () => {
  db = await testDatabase();
  fixture = identityFixture(db.database);
  await setUp(fixture);
});
afterAll(() => db.close());

let people = 0;
async function person(): Promise<EnrolledPerson> {
  const email = `nurse${++people}@example.org`;
  const { link } = await fixture.identity.users.add(operator, { name: 'Nurse', email, roles: ['steward'] }, BASE_URL);
  return await enrol(fixture, link?.url ?? '');
}
const refusal = (code: string) => ({ code });
const change = (browser: TestBrowser, current: string, password: string) =>
  browser.ask('POST', '/api/password', { current, password });

describe('another password', () => {
  test('needs the present one, and ends every other session', async () => {
    const who = await person();
    const other = new TestBrowser(fixture.identity);
    await signIn(fixture, who, other);
    const next = 'eleven otters by the bridge';
    await expect(change(who.browser, 'not it', next)).rejects.toMatchObject(refusal('sign-in-refused'));
    await change(who.browser, PASSWORD, next);
    expect(await who.browser.principal()).toMatchObject({ kind: 'user' });
    expect(await other.principal()).toMatchObject({ kind: 'anonymous' });
  });

  test('refuses the organisation’s own words, that the policy lists, and common ones', async () => {
    const { browser } = await person();
    await fixture.identity.policy.set(operator, { blocklistWords: ['mirembe', 'kisumu'] });
    for (const password of ['mirembe-2026', 'Kisumu Mirembe', 'password123', 'lakeside programme']) {
      await expect(change(browser, PASSWORD, password), password).rejects.toMatchObject(refusal('password-refused'));
    }
  });

  test('may be of any composition and length, and is compared whole, as typed', async () => {
    const who = await person();
    const long = 'Seven herons, 湖の上, over the lake; nine kingfishers at the weir & ten bitterns in the reeds!';
    await change(who.browser, PASSWORD, long);
    const login = (password: string) =>
      new TestBrowser(fixture.identity).ask('POST', '/api/sign-in/password', { email: who.email, password });
    for (const near of [long.slice(0, -1), `${long} `, long.toUpperCase(), long.slice(0, 72)]) {
      await expect(login(near)).rejects.toMatchObject(refusal('sign-in-refused'));
    }
    expect(await login(long)).toMatchObject({ next: 'second-factor' });
    await change(who.browser, long, 'quietlowercaseletters');
  });

  test('is never asked for because of its age: password and authenticator still open four hundred days later', async () => {
    const who = await person();
    fixture.clock.forward(400 * 86_400_000);
    await signIn(fixture, who, who.browser);
    expect(await who.browser.principal()).toMatchObject({ kind: 'user' });
    expect(await who.browser.ask('GET', '/api/session')).toMatchObject({ state: 'signed-in' });
  });

  test('that is all there is must be longer', async () => {
    const { browser } = await person();
    await fixture.identity.policy.set(operator, { secondFactor: 'off' });
    const twelve = 'heron lake 7';
    await expect(change(browser, PASSWORD, twelve)).rejects.toMatchObject(refusal('password-refused'));
    await fixture.identity.policy.set(operator, { secondFactor: 'required' });
    await change(browser, PASSWORD, twelve);
  });
});

test('one’s own sessions are listed, and ended after a fresh proof, one or all others', async () => {
  const who = await person();
  const others = [new TestBrowser(fixture.identity), new TestBrowser(fixture.identity)];
  for (const other of others) await signIn(fixture, who, other);
  fixture.clock.forward(11 * 60_000);
  const { sessions } = await who.browser.ask('GET', '/api/sessions');
  expect(sessions).toHaveLength(3);
  const another = sessions.find(({ current }: { current: boolean }) => !current).id;
  await expect(who.browser.ask('DELETE', `/api/sessions/${another}`)).rejects.toMatchObject(refusal('step-up-needed'));
  await expect(who.browser.ask('DELETE', '/api/sessions')).rejects.toMatchObject(refusal('step-up-needed'));
  await who.browser.ask('POST', '/api/step-up', { code: codeAt(who.totp, fixture.clock.nowMs()) });
  await who.browser.ask('DELETE', `/api/sessions/${another}`);
  await who.browser.ask('DELETE', '/api/sessions');
  expect((await who.browser.ask('GET', '/api/sessions')).sessions).toHaveLength(1);
});

test('recovery codes have 120 bits, and those of sixteen signs made before still work', async () => {
  const who = await person();
  expect(who.recoveryCodes[0]).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/);
  const { user } = await who.browser.ask('GET', '/api/session');
  const { recoveryCodeHash } = await import('./recovery-codes.ts');
  const old = 'ABCD-EFGH-JKMN-PQRS';
  const hash = recoveryCodeHash(user.id, old).toString('hex');
  await db.ownerDatabase.run(
    {
      name: 'test.old-code',
      text: `INSERT INTO identity.recovery_codes (user_id, code_hash) VALUES ($1, decode($2, 'hex'))`,
    },
    [user.id, hash],
  );
  await upgradeRows(db, fixture);
  const browser = new TestBrowser(fixture.identity);
  await browser.ask('POST', '/api/sign-in/password', { email: who.email, password: PASSWORD });
  await browser.ask('POST', '/api/sign-in/code', { recoveryCode: old.toLowerCase() });
});
