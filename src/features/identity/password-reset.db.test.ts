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
  testClock,
} from '../../../test/support/identity.ts';
import { testKeyVault } from '../../../test/support/keys.ts';
import { type TestMailServer, testMailServer } from '../../../test/support/mail-server.ts';
import { SoftPasskey } from '../../../test/support/soft-passkey.ts';
import { silentLogger } from '../../platform/log/index.ts';
import { createMail, createSmtpTransport, type Mail } from '../../platform/mail/index.ts';
import type { KeyVault } from '../../store/index.ts';

let db: TestDatabase;
let vault: KeyVault;
let server: TestMailServer;
let mail: Mail;
let fixture: IdentityFixture;
beforeAll(async () => {
  db = await testDatabase();
  vault = await testKeyVault(db.database);
  server = await testMailServer();
  const clock = testClock();
  const from = 'careseal@clinic.example';
  const none = { user: undefined, passwordFile: undefined, authorityFile: undefined };
  const transport = createSmtpTransport({ host: '127.0.0.1', port: server.port, from, ...none });
  mail = createMail({ database: db.database, clock, log: silentLogger(), seals: vault.keyRing, transport });
  fixture = identityFixture(db.database, { clock, keyRing: vault.keyRing, mail });
  await setUp(fixture);
});
afterAll(async () => {
  await server.close();
  await vault.close();
  await db.close();
});

let people = 0;
async function person(): Promise<EnrolledPerson> {
  const email = `nurse${++people}@example.org`;
  const { link } = await fixture.identity.users.add(operator, { name: 'Nurse', email, roles: ['steward'] }, BASE_URL);
  return await enrol(fixture, link?.url ?? '');
}

const refusal = (code: string) => ({ code });
const NEW = 'eleven otters by the bridge';

/** Asks for a link and takes it out of the mail; undefined when none has come within the time. */
async function linkFor(email: string, timeout = 30_000): Promise<string | undefined> {
  const newest = (): string | undefined => /https:\S+\/password#(\S{43})/.exec(server.lastText(email) ?? '')?.[1];
  const before = newest();
  await new TestBrowser(fixture.identity).ask('POST', '/api/forgot-password', { email });
  const came = async (): Promise<boolean> => {
    await mail.deliverDue();
    return newest() !== undefined && newest() !== before;
  };
  return await expect
    .poll(came, { timeout })
    .toBe(true)
    .then(newest, () => undefined);
}

describe('a forgotten password', () => {
  test('is chosen anew with the link and an enrolled factor; sessions end, and the person is told', async () => {
    const who = await person();
    const token = await linkFor(who.email);
    const browser = new TestBrowser(fixture.identity);
    const look = await browser.ask('POST', '/api/password-reset/link', { token });
    expect(look).toMatchObject({ email: who.email, ways: ['authenticator', 'recovery-code'] });
    const code = codeAt(who.totp, fixture.clock.nowMs());
    await expect(
      browser.ask('POST', '/api/password-reset', { token, password: 'password', proof: { code } }),
    ).rejects.toMatchObject(refusal('password-refused'));
    await expect(
      browser.ask('POST', '/api/password-reset', { token, password: NEW, proof: { code: '000000' } }),
    ).rejects.toMatchObject(refusal('code-refused'));
    await browser.ask('POST', '/api/password-reset', { token, password: NEW, proof: { code } });
    expect(await browser.principal()).toMatchObject({ kind: 'anonymous' });
    expect(await who.browser.principal()).toMatchObject({ kind: 'anonymous' });
    const login = { email: who.email, password: PASSWORD };
    await expect(browser.ask('POST', '/api/sign-in/password', login)).rejects.toMatchObject(refusal('sign-in-refused'));
    expect(await browser.ask('POST', '/api/sign-in/password', { ...login, password: NEW })).toMatchObject({
      next: 'second-factor',
    });
    await expect(browser.ask('POST', '/api/password-reset/link', { token })).rejects.toMatchObject(
      refusal('link-dead'),
    );
    await mail.deliverDue();
    expect(server.lastText(who.email)).toContain('set anew through a link');
  });

  test('with a passkey or a recovery code as well', async () => {
    const who = await person();
    const { options } = await who.browser.ask('POST', '/api/factors/passkey/options');
    const passkey = await SoftPasskey.make(options, BASE_URL);
    await who.browser.ask('POST', '/api/factors/passkey', { name: 'Key', credential: passkey.registration() });
    const token = await linkFor(who.email);
    const browser = new TestBrowser(fixture.identity);
    const question = await browser.ask('POST', '/api/password-reset/options', { token });
    const proof = { credential: passkey.assertion(question.options) };
    await browser.ask('POST', '/api/password-reset', { token, password: NEW, proof });
    fixture.clock.forward(600_000);
    const second = await linkFor(who.email);
    const again = { token: second, password: PASSWORD, proof: { recoveryCode: who.recoveryCodes[0] } };
    await browser.ask('POST', '/api/password-reset', again);
    await signIn(fixture, who, browser);
  });

  test('has one answer for every address, and one mail in five minutes', async () => {
    const who = await person();
    const asked = (email: string) => new TestBrowser(fixture.identity).ask('POST', '/api/forgot-password', { email });
    expect(await asked('nobody@example.org')).toEqual(await asked(who.email));
    expect(await asked('not an address')).toEqual({ mail: true });
    for (let i = 0; i < 5; i++) await asked(who.email);
    const links = () =>
      server.received.filter(({ to, source }) => to.includes(who.email) && source.includes('new password')).length;
    await expect.poll(async () => (await mail.deliverDue(), links())).toBeGreaterThan(0);
    // Time for a second one, had there been any.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await mail.deliverDue();
    expect(links()).toBe(1);
    expect(server.received.some(({ to }) => to.includes('nobody@example.org'))).toBe(false);
  });

  test('of a disabled account brings nothing', async () => {
    const who = await person();
    const { user } = await who.browser.ask('GET', '/api/session');
    await fixture.identity.users.change(operator, user.id, { kind: 'disable' }, BASE_URL);
    expect(await linkFor(who.email, 1_000)).toBeUndefined();
  });
});

describe('mail to people', () => {
  test('carries an invitation, and never a link that resets', async () => {
    const email = 'esi@example.org';
    const added = await fixture.identity.users.add(operator, { name: 'Esi', email, roles: ['steward'] }, BASE_URL);
    expect(added.mailed).toBe(true);
    await mail.deliverDue();
    expect(server.lastText(email)).toContain(added.link?.url);
    const who = await enrol(fixture, added.link?.url ?? '');
    const { user } = await who.browser.ask('GET', '/api/session');
    const reset = await fixture.identity.users.change(operator, user.id, { kind: 'reset' }, BASE_URL);
    expect(reset.mailed).toBe(false);
    await mail.deliverDue();
    expect(server.lastText(email)).toContain('has reset the sign-in');
    expect(server.lastText(email)).not.toContain('https://');
  });

  test('tells of a sign-in from a new browser, a used recovery code and changed factors', async () => {
    const who = await person();
    await signIn(fixture, who, new TestBrowser(fixture.identity));
    await mail.deliverDue();
    expect(server.lastText(who.email)).toContain('a browser that was not used before');
    const browser = new TestBrowser(fixture.identity);
    await browser.ask('POST', '/api/sign-in/password', { email: who.email, password: PASSWORD });
    await browser.ask('POST', '/api/sign-in/code', { recoveryCode: who.recoveryCodes[1] });
    await mail.deliverDue();
    expect(server.lastText(who.email)).toContain('recovery code was used');
    await browser.ask('POST', '/api/recovery-codes');
    await mail.deliverDue();
    expect(server.lastText(who.email)).toContain('New recovery codes');
    const subjects = server.received.map(({ source }) => /^Subject: (.*)$/m.exec(source)?.[1] ?? '');
    expect(subjects.filter((subject) => subject.includes('@') || subject.includes('Nurse'))).toEqual([]);
  });
});
