import { beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import {
  BASE_URL,
  type IdentityFixture,
  identityFixture,
  operator,
  PASSWORD,
  setUp,
  TestBrowser,
  tokenOf,
} from '../../../test/support/identity.ts';

let db: TestDatabase;
let fixture: IdentityFixture;
beforeEach(async () => {
  db = await testDatabase();
  fixture = identityFixture(db.database);
  return () => db.close();
});

const email = 'kofi@clinic.example.org';
async function invite(): Promise<string> {
  const { link } = await fixture.identity.users.add(operator, { name: 'Kofi', email, roles: ['steward'] }, BASE_URL);
  return tokenOf(link?.url ?? '');
}
async function goOn(token: string): Promise<TestBrowser> {
  const browser = new TestBrowser(fixture.identity);
  await browser.ask('POST', '/api/enrol/account', { token, password: PASSWORD });
  await browser.ask('POST', '/api/enrol/without-factor', { token });
  return browser;
}
const withPassword = (browser = new TestBrowser(fixture.identity)) =>
  browser.ask('POST', '/api/sign-in/password', { email, password: PASSWORD });
const policy = (secondFactor: 'off' | 'optional' | 'required') =>
  fixture.identity.policy.set(operator, { secondFactor });

describe('where the policy asks nobody, or leaves it to the person', () => {
  test.each(['off', 'optional'] as const)('%s: the link lets them go on with the password alone', async (level) => {
    await setUp(fixture);
    await policy(level);
    const token = await invite();
    const looked = await new TestBrowser(fixture.identity).ask('POST', '/api/enrol/link', { token });
    expect(looked).toMatchObject({ secondFactor: level, passwordLengthMin: 15 });
    const browser = await goOn(token);
    expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'signed-in', user: { email } });
    expect(await browser.ask('GET', '/api/factors')).toMatchObject({ authenticators: [], recoveryCodesLeft: 0 });
    const confirmed = fixture.recorded.find(({ event }) => event === 'enrol.confirm');
    expect(confirmed?.detail).toEqual({ secondFactor: 'none', policy: level });
    expect(await withPassword()).toEqual({ next: 'signed-in' });
    // The link was used up.
    await expect(goOn(token)).rejects.toMatchObject({ code: 'link-dead' });
  });

  test('a later Required asks at the next sign-in: the password alone opens nothing any more', async () => {
    await setUp(fixture);
    await policy('optional');
    await goOn(await invite());
    await policy('required');
    await expect(withPassword()).rejects.toMatchObject({ code: 'factor-missing' });
  });

  test('an exception lets one person go on, and nobody else', async () => {
    const admin = await setUp(fixture);
    const token = await invite();
    const { users } = await admin.browser.ask('GET', '/api/users');
    const userId = users.find((user: { email: string }) => user.email === email).id;
    const endsAt = new Date(fixture.clock.nowMs() + 86_400_000).toISOString();
    await expect(goOn(token)).rejects.toMatchObject({ code: 'factor-required' });
    await admin.browser.ask('POST', '/api/policy/exceptions', { userId, reason: 'Telephone is in repair', endsAt });
    await goOn(token);
  });

  test('a wrong moment: nothing to go on with before a password is chosen', async () => {
    await setUp(fixture);
    await policy('off');
    const token = await invite();
    const early = new TestBrowser(fixture.identity).ask('POST', '/api/enrol/without-factor', { token });
    await expect(early).rejects.toMatchObject({ code: 'account-first' });
  });
});

describe('the first administrator', () => {
  async function begin(): Promise<{ readonly browser: TestBrowser; readonly token: string }> {
    const token = tokenOf((await fixture.identity.setupLink(operator, BASE_URL))?.url ?? '');
    const browser = new TestBrowser(fixture.identity);
    const account = { token, organisation: 'Lakeside', name: 'Ama', email: 'ama@example.org', password: PASSWORD };
    await browser.ask('POST', '/api/setup/account', account);
    return { browser, token };
  }

  test('has a second factor', async () => {
    const { browser, token } = await begin();
    const skipped = browser.ask('POST', '/api/setup/without-factor', { token });
    await expect(skipped).rejects.toMatchObject({ code: 'factor-required' });
    expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'anonymous' });
  });

  test('unless the policy was set before, and no rule for administrators says otherwise', async () => {
    await policy('optional');
    const { browser, token } = await begin();
    await fixture.identity.policy.setRequirement(operator, { scope: 'role', scopeId: 'administrator' }, 'required');
    const skipped = browser.ask('POST', '/api/setup/without-factor', { token });
    await expect(skipped).rejects.toMatchObject({ code: 'factor-required' });
    await fixture.identity.policy.setRequirement(operator, { scope: 'role', scopeId: 'administrator' }, undefined);
    await browser.ask('POST', '/api/setup/without-factor', { token });
    expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'signed-in' });
  });
});
