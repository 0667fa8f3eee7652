import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import {
  BASE_URL,
  codeAt,
  enrol,
  type EnrolledPerson,
  type IdentityFixture,
  identityFixture,
  operator,
  PASSWORD,
  setUp,
  signIn,
  TestBrowser,
  tokenOf,
} from '../../../test/support/identity.ts';
import { SoftPasskey } from '../../../test/support/soft-passkey.ts';

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
  const email = `nurse${++people}@example.org`;
  const { link } = await fixture.identity.users.add(operator, { name: 'Nurse', email, roles: ['steward'] }, BASE_URL);
  return await enrol(fixture, link?.url ?? '');
}

const refusal = (code: string) => ({ code });
const DAY = 86_400_000;

async function addPasskey(browser: TestBrowser, name = 'Yellow key'): Promise<SoftPasskey> {
  const { options } = await browser.ask('POST', '/api/factors/passkey/options');
  const passkey = await SoftPasskey.make(options, BASE_URL);
  await browser.ask('POST', '/api/factors/passkey', { name, credential: passkey.registration() });
  return passkey;
}

describe('second factors', () => {
  test('another authenticator counts once its code was right, and has a name', async () => {
    const { browser, email } = await person();
    const { totp } = await browser.ask('POST', '/api/factors/authenticator');
    const wrong = browser.ask('POST', '/api/factors/authenticator/confirm', { name: 'Spare', code: '000000' });
    await expect(wrong).rejects.toMatchObject(refusal('code-refused'));
    const code = codeAt(totp, fixture.clock.nowMs());
    const { recoveryCodes } = await browser.ask('POST', '/api/factors/authenticator/confirm', { name: 'Spare', code });
    expect(recoveryCodes).toBeUndefined();
    const { authenticators } = await browser.ask('GET', '/api/factors');
    expect(authenticators.map(({ name }: { name: string }) => name)).toEqual(['Authenticator app', 'Spare']);
    fixture.clock.forward(30_000);
    await signIn(fixture, { browser, email, totp, recoveryCodes: [] }, new TestBrowser(fixture.identity));
  });

  test('the last one cannot be removed where one is required', async () => {
    const { browser } = await person();
    const { authenticators } = await browser.ask('GET', '/api/factors');
    // The code that confirmed it was its first use.
    expect(authenticators[0].lastUsedAt).toBe(authenticators[0].createdAt);
    const path = `/api/factors/${authenticators[0].id}`;
    await expect(browser.ask('DELETE', path)).rejects.toMatchObject(refusal('last-factor'));
    await addPasskey(browser);
    await browser.ask('DELETE', path);
    expect((await browser.ask('GET', '/api/factors')).authenticators).toEqual([]);
  });

  test('a passkey is a second factor, and signs in by itself', async () => {
    const { browser, email } = await person();
    const passkey = await addPasskey(browser);
    const second = new TestBrowser(fixture.identity);
    const asked = await second.ask('POST', '/api/sign-in/password', { email, password: PASSWORD });
    expect(asked).toEqual({ next: 'second-factor', ways: ['authenticator', 'passkey'], mayTrust: true });
    const { options } = await second.ask('POST', '/api/sign-in/passkey/options', { alone: false });
    expect(options.allowCredentials).toHaveLength(1);
    await second.ask('POST', '/api/sign-in/passkey', { credential: passkey.assertion(options), alone: false });
    expect(await second.principal()).toMatchObject({ kind: 'user' });

    const alone = new TestBrowser(fixture.identity);
    const question = await alone.ask('POST', '/api/sign-in/passkey/options', { alone: true });
    expect(question.options.allowCredentials).toBeUndefined();
    await alone.ask('POST', '/api/sign-in/passkey', { credential: passkey.assertion(question.options), alone: true });
    expect(await alone.principal()).toMatchObject({ kind: 'user' });
    const { passkeys } = await alone.ask('GET', '/api/factors');
    expect(passkeys).toMatchObject([{ name: 'Yellow key', lastUsedAt: expect.any(String) }]);
  });

  test('new recovery codes end the ones before', async () => {
    const { browser, email, recoveryCodes: old } = await person();
    const { recoveryCodes } = await browser.ask('POST', '/api/recovery-codes');
    expect(recoveryCodes).toHaveLength(10);
    const other = new TestBrowser(fixture.identity);
    await other.ask('POST', '/api/sign-in/password', { email, password: PASSWORD });
    await expect(other.ask('POST', '/api/sign-in/code', { recoveryCode: old[0] })).rejects.toMatchObject(
      refusal('code-refused'),
    );
    await other.ask('POST', '/api/sign-in/code', { recoveryCode: recoveryCodes[0] });
  });
});

describe('a proof again', () => {
  test('is asked for before dangerous acts, and renews the session under another token', async () => {
    const { browser, totp } = await person();
    fixture.clock.forward(11 * 60_000);
    await expect(browser.ask('POST', '/api/recovery-codes')).rejects.toMatchObject(refusal('step-up-needed'));
    expect(await browser.ask('GET', '/api/step-up')).toEqual({ ways: ['authenticator'], minutes: 10 });
    const before = browser.cookies.get('session') ?? '';
    await browser.ask('POST', '/api/step-up', { code: codeAt(totp, fixture.clock.nowMs()) });
    expect(browser.cookies.get('session')).not.toBe(before);
    await browser.ask('POST', '/api/recovery-codes');
    const old = new TestBrowser(fixture.identity);
    old.cookies.set('session', before);
    expect(await old.principal()).toMatchObject({ kind: 'anonymous' });
  });

  test('with a passkey; a password is not enough for who has a factor; five wrong ones end the session', async () => {
    const { browser } = await person();
    const passkey = await addPasskey(browser);
    fixture.clock.forward(11 * 60_000);
    const { options } = await browser.ask('POST', '/api/step-up/options');
    await browser.ask('POST', '/api/step-up', { credential: passkey.assertion(options) });
    await expect(browser.ask('POST', '/api/step-up', { password: PASSWORD })).rejects.toMatchObject(
      refusal('sign-in-refused'),
    );
    for (let i = 0; i < 4; i++) await browser.ask('POST', '/api/step-up', { code: '000000' }).catch(() => undefined);
    expect(await browser.principal()).toMatchObject({ kind: 'anonymous' });
  });
});

describe('a trusted device', () => {
  const trusting = async (who: EnrolledPerson, browser: TestBrowser): Promise<void> => {
    await browser.ask('POST', '/api/sign-in/password', { email: who.email, password: PASSWORD });
    const code = codeAt(who.totp, fixture.clock.nowMs());
    await browser.ask('POST', '/api/sign-in/code', { code, trust: true });
    fixture.clock.forward(30_000);
  };

  test('is not asked again, changes its token at each use, and ends thirty days after the last real factor', async () => {
    const who = await person();
    const browser = new TestBrowser(fixture.identity);
    await trusting(who, browser);
    const first = browser.cookies.get('trusted') ?? '';
    fixture.clock.forward(20 * DAY);
    const login = { email: who.email, password: PASSWORD };
    expect(await browser.ask('POST', '/api/sign-in/password', login)).toEqual({ next: 'signed-in' });
    expect(browser.cookies.get('trusted')).not.toBe(first);
    // The proof is twenty days old: dangerous acts ask.
    await expect(browser.ask('POST', '/api/recovery-codes')).rejects.toMatchObject(refusal('step-up-needed'));
    const thief = new TestBrowser(fixture.identity);
    thief.cookies.set('trusted', first);
    expect(await thief.ask('POST', '/api/sign-in/password', login)).toMatchObject({ next: 'second-factor' });
    fixture.clock.forward(11 * DAY);
    expect(await browser.ask('POST', '/api/sign-in/password', login)).toMatchObject({ next: 'second-factor' });
  });

  test('can be ended by its owner and by policy', async () => {
    const who = await person();
    const browser = new TestBrowser(fixture.identity);
    await trusting(who, browser);
    const login = { email: who.email, password: PASSWORD };
    await fixture.identity.policy.set(operator, { trustedDevices: false });
    expect(await browser.ask('POST', '/api/sign-in/password', login)).toMatchObject({ mayTrust: false });
    await fixture.identity.policy.set(operator, { trustedDevices: true });
    expect(await browser.ask('POST', '/api/sign-in/password', login)).toEqual({ next: 'signed-in' });
    const { trustedDevices } = await browser.ask('GET', '/api/factors');
    expect(trustedDevices).toHaveLength(1);
    await browser.ask('DELETE', `/api/trusted-devices/${trustedDevices[0].id}`);
    expect(await browser.ask('POST', '/api/sign-in/password', login)).toMatchObject({ next: 'second-factor' });
  });
});

describe('a lost second factor', () => {
  test('is reset by an administrator; link and password together enrol another', async () => {
    const who = await person();
    const { user } = await who.browser.ask('GET', '/api/session');
    await signIn(fixture, admin, admin.browser);
    const { link } = await admin.browser.ask('POST', `/api/users/${user.id}/reset-factor`);
    expect(await who.browser.principal()).toMatchObject({ kind: 'anonymous' });
    const fresh = new TestBrowser(fixture.identity);
    const login = { email: who.email, password: PASSWORD };
    await expect(fresh.ask('POST', '/api/sign-in/password', login)).rejects.toMatchObject(refusal('factor-missing'));
    const token = tokenOf(link);
    expect(await fresh.ask('POST', '/api/factor-reset/link', { token })).toMatchObject({ email: who.email });
    await expect(
      fresh.ask('POST', '/api/factor-reset/begin', { token, password: 'not the password' }),
    ).rejects.toMatchObject(refusal('sign-in-refused'));
    const { totp } = await fresh.ask('POST', '/api/factor-reset/begin', { token, password: PASSWORD });
    const code = codeAt(totp, fixture.clock.nowMs());
    const { recoveryCodes } = await fresh.ask('POST', '/api/factor-reset/confirm', { token, code });
    expect(recoveryCodes).toHaveLength(10);
    expect(await fresh.principal()).toMatchObject({ kind: 'user' });
    await expect(fresh.ask('POST', '/api/factor-reset/link', { token })).rejects.toMatchObject(refusal('link-dead'));
  });

  test('of the last administrator is the operator’s to mend, and no administrator’s', async () => {
    const found = await fixture.identity.findUserByEmail(admin.email);
    if (found === undefined) throw new Error('no administrator');
    const { link } = await fixture.identity.users.change(operator, found.id, { kind: 'recover' }, BASE_URL);
    expect(fixture.recorded.at(-1)).toMatchObject({ event: 'user.recover', outcome: 'success' });
    admin = await enrol(fixture, link?.url ?? '');
    expect(await admin.browser.principal()).toMatchObject({ kind: 'user' });
  });
});
