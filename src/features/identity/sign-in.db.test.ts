import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { noting } from '../../../test/support/asked.ts';
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
import type { UserId } from '../../kernel/ids.ts';
import { IdentitySettings } from './model.ts';

let db: TestDatabase;
let fixture: IdentityFixture;
let admin: EnrolledPerson;
let kofi: EnrolledPerson & { id: UserId };
beforeAll(async () => {
  db = await testDatabase();
  fixture = identityFixture(db.database);
  admin = await setUp(fixture);
});
afterAll(() => db.close());
let count = 0;
beforeEach(async () => {
  const email = `person${++count}@example.org`;
  const added = await fixture.identity.users.add(operator, { name: 'Kofi', email, roles: ['steward'] }, BASE_URL);
  kofi = { ...(await enrol(fixture, added.link?.url ?? '')), id: added.user.id };
});

const MINUTE = 60_000;
const refusal = (promise: Promise<unknown>, code: string) => expect(promise).rejects.toMatchObject({ code });
const newBrowser = (address = `198.51.100.${count}`) => new TestBrowser(fixture.identity, address);
const password = (browser: TestBrowser, text = PASSWORD, email = kofi.email) =>
  browser.ask('POST', '/api/sign-in/password', { email, password: text });
const code = (browser: TestBrowser, text = codeAt(kofi.totp, fixture.clock.nowMs())) =>
  browser.ask('POST', '/api/sign-in/code', { code: text });

describe('sign-in', () => {
  test('password, then code', async () => {
    const browser = newBrowser();
    expect(await password(browser)).toEqual({ next: 'second-factor', ways: ['authenticator'], mayTrust: true });
    expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'second-factor', permissions: [] });
    expect(await browser.principal()).toMatchObject({ kind: 'anonymous' });
    expect(await code(browser)).toEqual({ state: 'signed-in' });
    expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'signed-in', user: { id: kofi.id } });
    expect([...browser.cookies.keys()].toSorted()).toEqual(['device', 'session']);
  });

  test('the address in any case, the code of the step before or after', async () => {
    for (const drift of [-30_000, 30_000]) {
      const browser = newBrowser();
      await password(browser, PASSWORD, kofi.email.toUpperCase());
      fixture.clock.forward(60_000);
      await code(browser, codeAt(kofi.totp, fixture.clock.nowMs() + drift));
    }
  });

  test('a code works once, whoever comes first', async () => {
    const browsers = Array.from({ length: 5 }, () => newBrowser());
    for (const browser of browsers) await password(browser);
    const same = codeAt(kofi.totp, fixture.clock.nowMs());
    const outcomes = await Promise.allSettled(browsers.map((browser) => code(browser, same)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  test('a code of an earlier step than the last one used is refused', async () => {
    const earlier = codeAt(kofi.totp, fixture.clock.nowMs());
    const browser = newBrowser();
    await password(browser);
    await code(browser, codeAt(kofi.totp, fixture.clock.nowMs() + 30_000));
    const second = newBrowser();
    await password(second);
    await refusal(code(second, earlier), 'code-refused');
  });

  test('recovery codes work once each, and tell how many are left', async () => {
    const [first, second] = kofi.recoveryCodes;
    const use = async (recoveryCode: string | undefined) => {
      const browser = newBrowser();
      await password(browser);
      return await browser.ask('POST', '/api/sign-in/code', { recoveryCode });
    };
    expect(await use(first)).toEqual({ state: 'signed-in', recoveryCodesLeft: 9 });
    await refusal(use(first), 'code-refused');
    expect(await use(second?.toLowerCase().replaceAll('-', ' '))).toMatchObject({ recoveryCodesLeft: 8 });
    await refusal(use(admin.recoveryCodes[0]), 'code-refused');
  });

  test('the code must come within ten minutes and five tries', async () => {
    const late = newBrowser();
    await password(late);
    fixture.clock.forward(10 * MINUTE);
    await refusal(code(late), 'sign-in-expired');
    const clumsy = newBrowser();
    await password(clumsy);
    const right = codeAt(kofi.totp, fixture.clock.nowMs());
    const wrong = right === '123456' ? '654321' : '123456';
    for (let i = 0; i < 5; i++) await refusal(code(clumsy, wrong), 'code-refused');
    await refusal(code(clumsy, right), 'sign-in-expired');
    await refusal(code(newBrowser()), 'sign-in-expired');
  });

  test('a second password in the same browser replaces the first', async () => {
    const browser = newBrowser();
    await password(browser);
    const before = browser.cookies.get('sign-in') ?? '';
    await password(browser);
    const stale = newBrowser();
    stale.cookies.set('sign-in', before);
    await refusal(code(stale), 'sign-in-expired');
    await code(browser);
  });

  test('a hash of older costs is made anew', async () => {
    const row = async () =>
      (
        await db.ownerDatabase.rows<{ p: Uint8Array }>(
          { name: 'test.p', text: 'SELECT sealed_password AS p FROM identity.users WHERE id = $1' },
          [kofi.id],
        )
      )[0]?.p ?? new Uint8Array();
    const context = { table: 'identity.users', type: 'sealed_password', id: kofi.id, version: 0 };
    // PASSWORD under m=8, t=1: what an earlier version might have written.
    const { hash } = await import('@node-rs/argon2');
    const weak = await hash(PASSWORD, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    const sealed = fixture.keyRing.seal(Buffer.from(JSON.stringify(weak)), context);
    await db.ownerDatabase.run(
      { name: 'test.weak', text: 'UPDATE identity.users SET sealed_password = $2 WHERE id = $1' },
      [kofi.id, sealed],
    );
    await upgradeRows(db, fixture);
    await password(newBrowser());
    const now = Buffer.from(fixture.keyRing.open((await row()) as never, context)).toString();
    expect(now).toContain('m=19456,t=2,p=1');
    await password(newBrowser());
  });
});

describe('sessions', () => {
  test('end after 15 idle minutes, not before', async () => {
    await signIn(fixture, kofi, kofi.browser);
    for (let i = 0; i < 5; i++) {
      fixture.clock.forward(14 * MINUTE);
      expect(await kofi.browser.principal()).toMatchObject({ kind: 'user' });
    }
    fixture.clock.forward(15 * MINUTE);
    expect(await kofi.browser.principal()).toMatchObject({ kind: 'anonymous' });
  });

  test('idle time is shared by all processes to half a minute', async () => {
    await signIn(fixture, kofi, kofi.browser);
    const other = identityFixture(db.database, fixture);
    const there = new TestBrowser(other.identity);
    for (const [name, value] of kofi.browser.cookies) there.cookies.set(name, value);
    fixture.clock.forward(10 * MINUTE);
    await kofi.browser.principal();
    fixture.clock.forward(10 * MINUTE);
    expect(await there.principal()).toMatchObject({ kind: 'user' });
  });

  test('end after twelve hours, however busy', async () => {
    await signIn(fixture, kofi, kofi.browser);
    for (let minutes = 0; minutes < 12 * 60 - 10; minutes += 10) {
      fixture.clock.forward(10 * MINUTE);
      expect(await kofi.browser.principal()).toMatchObject({ kind: 'user' });
    }
    fixture.clock.forward(10 * MINUTE);
    expect(await kofi.browser.principal()).toMatchObject({ kind: 'anonymous' });
  });

  test('people see theirs and end them, nobody else’s', async () => {
    const other = newBrowser('203.0.113.9');
    await signIn(fixture, kofi, other);
    const { sessions } = await other.ask('GET', '/api/sessions');
    expect(sessions).toHaveLength(2);
    const [mine, theirs] = [
      sessions.find((s: { current: boolean }) => s.current),
      sessions.find((s: { current: boolean }) => !s.current),
    ];
    expect(mine).toMatchObject({ address: '203.0.113.9', userAgent: 'TestBrowser/1' });
    expect(theirs).toMatchObject({ address: '192.0.2.10' });
    await signIn(fixture, admin, admin.browser);
    await refusal(admin.browser.ask('DELETE', `/api/sessions/${mine.id}`), 'session-unknown');
    await other.ask('DELETE', `/api/sessions/${theirs.id}`);
    expect(await kofi.browser.principal()).toMatchObject({ kind: 'anonymous' });
    expect(await other.principal()).toMatchObject({ kind: 'user' });
    await other.ask('POST', '/api/sign-out');
    expect(other.cookies.has('session')).toBe(false);
    await refusal(other.ask('POST', '/api/sign-out'), 'not-signed-in');
  });

  test('signing out ends the session itself, not only the cookie', async () => {
    const token = kofi.browser.cookies.get('session') ?? '';
    await kofi.browser.ask('POST', '/api/sign-out');
    const thief = newBrowser();
    thief.cookies.set('session', token);
    expect(await thief.principal()).toMatchObject({ kind: 'anonymous' });
  });

  test('a thousand sign-ins leave no more sessions than the setting allows', async () => {
    const few = identityFixture(db.database, {
      ...fixture,
      settings: IdentitySettings.parse({ sessionsPerUserMax: 3 }),
    });
    for (let i = 0; i < 6; i++) await signIn(few, kofi, new TestBrowser(few.identity));
    const last = new TestBrowser(few.identity);
    await signIn(few, kofi, last);
    expect((await last.ask('GET', '/api/sessions')).sessions).toHaveLength(3);
  });

  test('housekeeping clears what has expired', async () => {
    const left = async (table: string) =>
      (
        await db.ownerDatabase.rows<{ n: bigint }>({
          name: `test.n-${table}`,
          text: `SELECT count(*) AS n FROM identity.${table}`,
        })
      )[0]?.n;
    await password(newBrowser());
    fixture.clock.forward(400 * 24 * 60 * MINUTE);
    await fixture.identity.housekeep();
    for (const table of ['sessions', 'pre_sessions', 'devices', 'links']) expect(await left(table), table).toBe(0n);
  });

  test('a check asks the database once a second at most, and then in one statement', async () => {
    const { database, asked } = noting(db.database);
    const process = identityFixture(database, { clock: fixture.clock, keyRing: fixture.keyRing });
    const browser = new TestBrowser(process.identity);
    await signIn(process, kofi, browser);
    const check = async (times: number): Promise<number> => {
      asked.length = 0;
      for (let i = 0; i < times; i++) expect((await browser.principal()).kind).toBe('user');
      return asked.length;
    };
    // The first tells besides that the session was seen.
    expect(await check(1)).toBeLessThanOrEqual(2);
    expect(await check(1_000)).toBe(0);
    fixture.clock.forward(1_001);
    expect(await check(1_000)).toBe(1);
    for (let pages = 0; pages < 5; pages++) {
      fixture.clock.forward(5_000);
      expect(await check(5)).toBe(1);
    }
  });
});
