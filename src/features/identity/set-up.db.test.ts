import { beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import {
  BASE_URL,
  codeAt,
  enrol,
  type IdentityFixture,
  identityFixture,
  operator,
  PASSWORD,
  setUp,
  signIn,
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

const MINUTE = 60_000;
const account = (token: string) => ({
  token,
  organisation: 'Lakeside Programme',
  name: 'Ama Mensah',
  email: 'Ama@Clinic.example.org',
  password: PASSWORD,
});

async function setupToken(): Promise<string> {
  return tokenOf((await fixture.identity.setupLink(operator, BASE_URL))?.url ?? '');
}
const refusal = (promise: Promise<unknown>, code: string) => expect(promise).rejects.toMatchObject({ code });

describe('set-up', () => {
  test('makes the organisation and its first administrator, signs in, and hands out ten recovery codes', async () => {
    const link = await fixture.identity.setupLink(operator, BASE_URL);
    expect(link?.url).toMatch(/^https:\/\/localhost:8443\/setup#[\w-]{43}$/);
    expect(link?.expiresMs).toBe(fixture.clock.nowMs() + 30 * MINUTE);
    const browser = new TestBrowser(fixture.identity);
    const token = tokenOf(link?.url ?? '');
    expect(await browser.ask('POST', '/api/setup/link', { token })).toMatchObject({ kind: 'setup', valid: true });
    const { totp } = await browser.ask('POST', '/api/setup/account', account(token));
    expect(new URL(totp.uri).searchParams.get('secret')).toMatch(/^[A-Z2-7]{32}$/);
    expect(totp.key.replaceAll(' ', '')).toBe(new URL(totp.uri).searchParams.get('secret'));
    expect(totp.qrSvg).toContain('<svg');
    const code = codeAt(totp, fixture.clock.nowMs());
    const { recoveryCodes } = await browser.ask('POST', '/api/setup/confirm', { token, code });
    expect(new Set(recoveryCodes).size).toBe(10);
    expect(await browser.ask('GET', '/api/session')).toMatchObject({
      state: 'signed-in',
      user: {
        name: 'Ama Mensah',
        email: 'ama@clinic.example.org',
        roles: ['administrator'],
        organisation: { name: 'Lakeside Programme' },
      },
      idleTimeoutSeconds: 900,
      absoluteEndsAt: new Date(fixture.clock.nowMs() + 12 * 60 * MINUTE).toISOString(),
    });
    expect(await fixture.identity.setupLink(operator, BASE_URL)).toBeUndefined();
  });

  test('the confirming code does not sign in a second time', async () => {
    const token = await setupToken();
    const browser = new TestBrowser(fixture.identity);
    const { totp } = await browser.ask('POST', '/api/setup/account', account(token));
    const code = codeAt(totp, fixture.clock.nowMs());
    await browser.ask('POST', '/api/setup/confirm', { token, code });
    const other = new TestBrowser(fixture.identity);
    await other.ask('POST', '/api/sign-in/password', { email: 'ama@clinic.example.org', password: PASSWORD });
    await refusal(other.ask('POST', '/api/sign-in/code', { code }), 'code-refused');
  });

  test('a wrong code makes nothing, and the right one still works after it', async () => {
    const token = await setupToken();
    const browser = new TestBrowser(fixture.identity);
    await refusal(browser.ask('POST', '/api/setup/confirm', { token, code: '000000' }), 'account-first');
    const { totp } = await browser.ask('POST', '/api/setup/account', account(token));
    const right = codeAt(totp, fixture.clock.nowMs());
    const wrong = right === '123456' ? '654321' : '123456';
    await refusal(browser.ask('POST', '/api/setup/confirm', { token, code: wrong }), 'code-refused');
    expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'anonymous', permissions: [] });
    await browser.ask('POST', '/api/setup/confirm', { token, code: right });
  });

  test('going back to the account step gives a new secret, and the old one is worth nothing', async () => {
    const token = await setupToken();
    const browser = new TestBrowser(fixture.identity);
    const first = await browser.ask('POST', '/api/setup/account', account(token));
    const second = await browser.ask('POST', '/api/setup/account', account(token));
    const code = (totp: { uri: string }) => codeAt(totp, fixture.clock.nowMs());
    await refusal(browser.ask('POST', '/api/setup/confirm', { token, code: code(first.totp) }), 'code-refused');
    await browser.ask('POST', '/api/setup/confirm', { token, code: code(second.totp) });
  });

  test('a refused password says why', async () => {
    const token = await setupToken();
    const ask = new TestBrowser(fixture.identity).ask('POST', '/api/setup/account', {
      ...account(token),
      password: 'lakeside-programme',
    });
    await expect(ask).rejects.toMatchObject({
      kind: 'unprocessable',
      code: 'password-refused',
      options: { issues: [{ expression: ['password'], detail: expect.stringContaining('organisation') }] },
    });
  });

  test('a link dies after 30 minutes, after use, and when a newer one is made', async () => {
    const browser = new TestBrowser(fixture.identity);
    const look = (token: string) => browser.ask('POST', '/api/setup/link', { token });
    const first = await setupToken();
    await look(first);
    const second = await setupToken();
    await refusal(look(first), 'link-dead');
    fixture.clock.forward(30 * MINUTE);
    await refusal(look(second), 'link-dead');
    await refusal(browser.ask('POST', '/api/setup/account', account(second)), 'link-dead');
    const third = await setupToken();
    const { totp } = await browser.ask('POST', '/api/setup/account', account(third));
    await browser.ask('POST', '/api/setup/confirm', { token: third, code: codeAt(totp, fixture.clock.nowMs()) });
    await refusal(look(third), 'link-dead');
    fixture.clock.forward(MINUTE);
    const again = browser.ask('POST', '/api/setup/confirm', {
      token: third,
      code: codeAt(totp, fixture.clock.nowMs()),
    });
    await refusal(again, 'link-dead');
  });

  test('of many confirmations at the same moment one wins', async () => {
    const token = await setupToken();
    const browser = new TestBrowser(fixture.identity);
    const { totp } = await browser.ask('POST', '/api/setup/account', account(token));
    const code = codeAt(totp, fixture.clock.nowMs());
    const tries = Array.from({ length: 6 }, () =>
      new TestBrowser(fixture.identity).ask('POST', '/api/setup/confirm', { token, code }),
    );
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect((await fixture.identity.users.list(operator)).users).toHaveLength(1);
  });

  test('a password check tells the reasons and stores nothing', async () => {
    const browser = new TestBrowser(fixture.identity);
    const check = (password: string) => browser.ask('POST', '/api/password-check', { password, words: ['Lakeside'] });
    expect(await check(PASSWORD)).toEqual({ ok: true, reasons: [] });
    expect(await check('Lakeside;Lakeside')).toMatchObject({ ok: false, reasons: [{ code: 'own-word' }] });
  });
});

describe('enrolment', () => {
  test('the next person sets their own password and second factor', async () => {
    const admin = await setUp(fixture);
    const added = await admin.browser.ask('POST', '/api/users', {
      name: 'Kofi Boateng',
      email: 'kofi@clinic.example.org',
      roles: ['steward'],
    });
    expect(added).toMatchObject({ user: { state: 'invited', secondFactor: false, roles: ['steward'] } });
    expect(added.link).toMatch(/^https:\/\/localhost:8443\/enrol#[\w-]{43}$/);
    const looked = await new TestBrowser(fixture.identity).ask('POST', '/api/enrol/link', {
      token: tokenOf(added.link),
    });
    expect(looked).toMatchObject({
      kind: 'enrol',
      organisation: 'Lakeside Programme',
      name: 'Kofi Boateng',
      email: 'kofi@clinic.example.org',
    });
    const kofi = await enrol(fixture, added.link);
    expect(await kofi.browser.ask('GET', '/api/session')).toMatchObject({
      state: 'signed-in',
      permissions: expect.arrayContaining(['review.decide']),
    });
    const { users } = await admin.browser.ask('GET', '/api/users');
    expect(users.map((user: { name: string; state: string }) => [user.name, user.state])).toEqual([
      ['Ama Mensah', 'active'],
      ['Kofi Boateng', 'active'],
    ]);
  });

  test('a link cannot be used twice, nor after three days, nor for another kind', async () => {
    const admin = await setUp(fixture);
    const add = (email: string) => admin.browser.ask('POST', '/api/users', { name: 'X Y', email, roles: ['auditor'] });
    const used = await add('a@example.org');
    await enrol(fixture, used.link);
    await refusal(enrol(fixture, used.link), 'link-dead');
    const late = await add('b@example.org');
    const token = tokenOf(late.link);
    const stranger = new TestBrowser(fixture.identity);
    await refusal(stranger.ask('POST', '/api/setup/link', { token }), 'link-dead');
    await refusal(stranger.ask('POST', '/api/setup/account', account(token)), 'link-dead');
    fixture.clock.forward(72 * 60 * MINUTE);
    await refusal(enrol(fixture, late.link), 'link-dead');
  });

  test('after a reset the old password, codes and sessions are worth nothing', async () => {
    const admin = await setUp(fixture);
    const added = await admin.browser.ask('POST', '/api/users', {
      name: 'K B',
      email: 'k@example.org',
      roles: ['auditor'],
    });
    const before = await enrol(fixture, added.link);
    const reset = await admin.browser.ask('POST', `/api/users/${added.user.id}/reset`);
    expect(reset.user).toMatchObject({ state: 'invited', secondFactor: false });
    expect(await before.browser.ask('GET', '/api/session')).toMatchObject({ state: 'anonymous' });
    await refusal(signIn(fixture, before, new TestBrowser(fixture.identity)), 'sign-in-refused');
    const after = await enrol(fixture, reset.link);
    const browser = new TestBrowser(fixture.identity);
    await browser.ask('POST', '/api/sign-in/password', { email: after.email, password: PASSWORD });
    const old = codeAt(before.totp, fixture.clock.nowMs());
    await refusal(browser.ask('POST', '/api/sign-in/code', { code: old }), 'code-refused');
    const oldRecovery = browser.ask('POST', '/api/sign-in/code', { recoveryCode: before.recoveryCodes[0] });
    await refusal(oldRecovery, 'code-refused');
    await signIn(fixture, after, browser);
  });

  test('inviting again ends the earlier link', async () => {
    const admin = await setUp(fixture);
    const first = await admin.browser.ask('POST', '/api/users', {
      name: 'K B',
      email: 'k@example.org',
      roles: ['auditor'],
    });
    const second = await admin.browser.ask('POST', `/api/users/${first.user.id}/invite-again`);
    await refusal(enrol(fixture, first.link), 'link-dead');
    await enrol(fixture, second.link);
    await refusal(admin.browser.ask('POST', `/api/users/${first.user.id}/invite-again`), 'wrong-state');
  });
});
