import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PasswordHasher } from '../../src/crypto/index.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  BASE_URL,
  cheapPasswords,
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
  tokenOf,
} from '../support/identity.ts';
import { SoftPasskey } from '../support/soft-passkey.ts';

/**
 * P92: two uses of one thing at the same moment, in two processes on one database: one wins. And an act that is under way, or comes to a
 * process that has not heard yet, while access is ended: nothing of it outlives the end.
 */
let db: TestDatabase;
/** Two processes: each with its own memory of sessions; neither is told of anything but by asking the database. */
let one: IdentityFixture;
let other: IdentityFixture;
let admin: EnrolledPerson;

/** Called after a password was compared, before what follows from it. */
let afterComparing: (() => Promise<void>) | undefined;
function pausingPasswords(): PasswordHasher {
  const hasher = cheapPasswords();
  return {
    ...hasher,
    async verify(encoded, password) {
      const right = await hasher.verify(encoded, password);
      const pause = afterComparing;
      afterComparing = undefined;
      await pause?.();
      return right;
    },
  };
}

beforeAll(async () => {
  db = await testDatabase();
  one = identityFixture(db.database, { passwords: pausingPasswords() });
  const { clock, keyRing } = one;
  other = identityFixture(db.database, { clock, keyRing, passwords: cheapPasswords() });
  admin = await setUp(one);
});
afterAll(() => db.close());

const AT_ONCE = 8;
let people = 0;
async function person(): Promise<EnrolledPerson & { readonly id: UserId }> {
  const email = `nurse${++people}@example.org`;
  const wanted = { name: 'Nurse', email, roles: ['steward'] };
  const { link, user } = await one.identity.users.add(operator, wanted, BASE_URL);
  return { ...(await enrol(one, link?.url ?? '')), id: user.id };
}
const said = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (refusal: { code?: string }) => refusal.code ?? String(refusal),
  );
/** Browsers in turns at either process, and what each was told. */
async function atOnce(act: (browser: TestBrowser, at: number) => Promise<unknown>): Promise<string[]> {
  const browsers = Array.from({ length: AT_ONCE }, (_, at) => new TestBrowser((at % 2 ? other : one).identity));
  return (await Promise.all(browsers.map((browser, at) => said(act(browser, at))))).toSorted();
}
const oneDone = (refused: string): string[] =>
  ['done', ...Array.from({ length: AT_ONCE - 1 }, () => refused)].toSorted();
const password = (browser: TestBrowser, { email }: EnrolledPerson, given = PASSWORD) =>
  browser.ask('POST', '/api/sign-in/password', { email, password: given });
/** The same person's browser, at the other process. */
function elsewhere({ browser }: EnrolledPerson): TestBrowser {
  const same = new TestBrowser(other.identity);
  for (const [name, value] of browser.cookies) same.cookies.set(name, value);
  return same;
}
const count = async (table: string, id: UserId): Promise<number> =>
  (
    await db.ownerDatabase.rows<{ n: number }>(
      { name: `t.count-${table}`, text: `SELECT count(*)::int AS n FROM identity.${table} WHERE user_id = $1` },
      [id],
    )
  )[0]?.n ?? -1;

describe('of two at once one wins', () => {
  /** Half-done sign-ins of one person, begun before they race. */
  async function owing(who: EnrolledPerson): Promise<TestBrowser[]> {
    const browsers = Array.from({ length: 4 }, (_, at) => new TestBrowser((at % 2 ? other : one).identity));
    for (const browser of browsers) await password(browser, who);
    return browsers;
  }
  const race = async (browsers: readonly TestBrowser[], body: object) =>
    (await Promise.all(browsers.map((browser) => said(browser.ask('POST', '/api/sign-in/code', body))))).toSorted();

  test('a recovery code', async () => {
    const who = await person();
    const outcomes = await race(await owing(who), { recoveryCode: who.recoveryCodes[0] });
    expect(outcomes).toEqual(['code-refused', 'code-refused', 'code-refused', 'done']);
  });

  test('a code of an authenticator', async () => {
    const who = await person();
    const outcomes = await race(await owing(who), { code: codeAt(who.totp, one.clock.nowMs()) });
    expect(outcomes).toEqual(['code-refused', 'code-refused', 'code-refused', 'done']);
    one.clock.forward(30_000);
  });

  test('an invitation', async () => {
    const email = `invited${++people}@example.org`;
    const { link, user } = await one.identity.users.add(operator, { name: 'New', email, roles: ['steward'] }, BASE_URL);
    const token = tokenOf(link?.url ?? '');
    const begun = new TestBrowser(one.identity);
    const { totp } = await begun.ask('POST', '/api/enrol/account', { token, password: PASSWORD });
    const code = codeAt(totp, one.clock.nowMs());
    const outcomes = await atOnce((browser) => browser.ask('POST', '/api/enrol/confirm', { token, code }));
    expect(outcomes).toEqual(oneDone('link-dead'));
    expect(await count('factors', user.id)).toBe(1);
    expect(await count('sessions', user.id)).toBe(1);
    one.clock.forward(30_000);
  });

  test('a link for a lost second factor', async () => {
    const who = await person();
    const { link } = await one.identity.users.change(operator, who.id, { kind: 'reset-factor' }, BASE_URL);
    const token = tokenOf(link?.url ?? '');
    const begun = new TestBrowser(one.identity);
    const { totp } = await begun.ask('POST', '/api/factor-reset/begin', { token, password: PASSWORD });
    const code = codeAt(totp, one.clock.nowMs());
    const outcomes = await atOnce((browser) => browser.ask('POST', '/api/factor-reset/confirm', { token, code }));
    expect(outcomes).toEqual(oneDone('link-dead'));
    expect(await count('factors', who.id)).toBe(1);
    one.clock.forward(30_000);
  });

  test('resets by several administrators: one link lives, the last', async () => {
    const who = await person();
    const made = await Promise.all(
      Array.from({ length: 4 }, (_, at) =>
        (at % 2 ? other : one).identity.users.change(operator, who.id, { kind: 'reset' }, BASE_URL),
      ),
    );
    const tokens = made.map(({ link }) => tokenOf(link?.url ?? ''));
    const looks = tokens.map((token) => said(new TestBrowser(one.identity).ask('POST', '/api/enrol/link', { token })));
    expect((await Promise.all(looks)).toSorted()).toEqual(['done', 'link-dead', 'link-dead', 'link-dead']);
    expect(await count('sessions', who.id)).toBe(0);
  });

  test('a trusted device’s token: one goes on with it, the others are asked for a factor', async () => {
    const who = await person();
    const trusting = new TestBrowser(one.identity);
    await password(trusting, who);
    await trusting.ask('POST', '/api/sign-in/code', { code: codeAt(who.totp, one.clock.nowMs()), trust: true });
    one.clock.forward(30_000);
    const token = trusting.cookies.get('trusted') ?? '';
    const answers = await Promise.all(
      Array.from({ length: 4 }, async (_, at) => {
        const browser = new TestBrowser((at % 2 ? other : one).identity);
        browser.cookies.set('trusted', token);
        const { next } = await password(browser, who);
        return String(next);
      }),
    );
    expect(answers.filter((next) => next === 'signed-in')).toHaveLength(1);
    expect(answers.filter((next) => next === 'second-factor')).toHaveLength(3);
    expect(await count('trusted_devices', who.id)).toBe(1);
  });

  test('a fresh proof: the session goes on under one token', async () => {
    const who = await person();
    const code = codeAt(who.totp, one.clock.nowMs());
    const browsers = [elsewhere(who), elsewhere(who), elsewhere(who)];
    const outcomes = await Promise.all(browsers.map((browser) => said(browser.ask('POST', '/api/step-up', { code }))));
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
    // Who comes later finds the code used, or its cookie exchanged already.
    expect(['code-refused', 'not-signed-in']).toEqual(
      expect.arrayContaining(outcomes.filter((each) => each !== 'done')),
    );
    expect(await count('sessions', who.id)).toBe(1);
    one.clock.forward(30_000);
  });

  test('a passkey’s registration', async () => {
    const who = await person();
    const { options } = await who.browser.ask('POST', '/api/factors/passkey/options');
    const credential = (await SoftPasskey.make(options, BASE_URL)).registration();
    const same = elsewhere(who);
    const outcomes = await Promise.all(
      [who.browser, same, who.browser, same].map((browser) =>
        said(browser.ask('POST', '/api/factors/passkey', { name: 'Key', credential })),
      ),
    );
    expect(outcomes.toSorted()).toEqual(['challenge-dead', 'challenge-dead', 'challenge-dead', 'done']);
    expect(await count('passkeys', who.id)).toBe(1);
  });

  test('another authenticator, confirmed twice', async () => {
    const who = await person();
    const { totp } = await who.browser.ask('POST', '/api/factors/authenticator');
    const body = { name: 'Spare', code: codeAt(totp, one.clock.nowMs()) };
    const outcomes = await Promise.all(
      [who.browser, elsewhere(who)].map((browser) =>
        said(browser.ask('POST', '/api/factors/authenticator/confirm', body)),
      ),
    );
    expect(outcomes.toSorted()).toEqual(['challenge-dead', 'done']);
    expect(await count('factors', who.id)).toBe(2);
    one.clock.forward(30_000);
  });

  test('new recovery codes, asked for twice: ten are good', async () => {
    const who = await person();
    const made = await Promise.all(
      [who.browser, elsewhere(who)].map((browser) => browser.ask('POST', '/api/recovery-codes')),
    );
    expect(await count('recovery_codes', who.id)).toBe(10);
    let good = 0;
    for (const { recoveryCodes } of made) {
      const browser = new TestBrowser(one.identity);
      await password(browser, who);
      if ((await said(browser.ask('POST', '/api/sign-in/code', { recoveryCode: recoveryCodes[0] }))) === 'done') good++;
    }
    expect(good).toBe(1);
  });
});

describe('while access is being ended', () => {
  test.each(['reset', 'disable', 'reset-factor'] as const)(
    'a password compared before a %s begins nothing after it',
    async (kind) => {
      const who = await person();
      const thief = new TestBrowser(one.identity, '198.51.100.7');
      afterComparing = async () => {
        await other.identity.users.change(operator, who.id, { kind }, BASE_URL);
      };
      const outcome = await said(password(thief, who));
      expect(outcome).toBe(kind === 'reset-factor' ? 'factor-missing' : 'sign-in-refused');
      expect(await count('pre_sessions', who.id)).toBe(0);
      expect(await count('sessions', who.id)).toBe(0);
    },
  );

  test('nor on a trusted device, nor where the password alone is enough', async () => {
    const who = await person();
    const trusting = new TestBrowser(one.identity);
    await password(trusting, who);
    await trusting.ask('POST', '/api/sign-in/code', { code: codeAt(who.totp, one.clock.nowMs()), trust: true });
    one.clock.forward(30_000);
    afterComparing = async () => {
      await other.identity.users.change(operator, who.id, { kind: 'reset' }, BASE_URL);
    };
    expect(await said(password(trusting, who))).toBe('sign-in-refused');
    expect(await count('sessions', who.id)).toBe(0);
    await signIn(one, admin, admin.browser);
    await one.identity.policy.set(operator, { secondFactor: 'off' });
    const open = await person();
    afterComparing = async () => {
      await other.identity.users.change(operator, open.id, { kind: 'reset' }, BASE_URL);
    };
    expect(await said(password(new TestBrowser(one.identity), open))).toBe('sign-in-refused');
    expect(await count('sessions', open.id)).toBe(0);
    await one.identity.policy.set(operator, { secondFactor: 'required' });
  });

  test('the present password, compared before a reset, sets no other one after it', async () => {
    const who = await person();
    afterComparing = async () => {
      await other.identity.users.change(operator, who.id, { kind: 'reset' }, BASE_URL);
    };
    const body = { current: PASSWORD, password: 'nine badgers in the reeds' };
    expect(await said(who.browser.ask('POST', '/api/password', body))).toBe('not-signed-in');
    const [user] = await db.ownerDatabase.rows<{ state: string; sealed_password: Uint8Array | null }>(
      { name: 't.user', text: 'SELECT state, sealed_password FROM identity.users WHERE id = $1' },
      [who.id],
    );
    expect(user).toEqual({ state: 'invited', sealed_password: null });
  });

  /** What a session that has ended would like to leave behind, at a process that has not heard of its end. */
  const LEAVES: readonly (readonly [string, string, string, object | undefined])[] = [
    ['a personal access token', 'POST', '/api/personal-tokens', { label: 'x', permissions: ['client.read'], days: 7 }],
    ['recovery codes', 'POST', '/api/recovery-codes', undefined],
    ['another password', 'POST', '/api/password', { current: PASSWORD, password: 'nine badgers in the reeds' }],
  ];
  test.each(LEAVES)('leaves no %s behind', async (_what, method, path, body) => {
    const who = await person();
    const late = elsewhere(who);
    // That process has just seen the session, and goes on believing it for a second at most.
    expect((await late.principal()).kind).toBe('user');
    await one.identity.users.change(operator, who.id, { kind: 'sessions-end' }, BASE_URL);
    expect((await late.principal()).kind).toBe('user');
    expect(await said(late.ask(method, path, body))).toBe('not-signed-in');
    expect(await count('personal_tokens', who.id)).toBe(0);
    one.clock.forward(1_001);
    expect((await late.principal()).kind).toBe('anonymous');
  });

  test('leaves no passkey and no authenticator behind, though both were begun before', async () => {
    const who = await person();
    const late = elsewhere(who);
    const { totp } = await late.ask('POST', '/api/factors/authenticator');
    const code = codeAt(totp, one.clock.nowMs());
    const keyed = elsewhere(who);
    const { options } = await keyed.ask('POST', '/api/factors/passkey/options');
    const credential = (await SoftPasskey.make(options, BASE_URL)).registration();
    await one.identity.users.change(operator, who.id, { kind: 'sessions-end' }, BASE_URL);
    expect((await late.principal()).kind).toBe('user');
    const confirmed = late.ask('POST', '/api/factors/authenticator/confirm', { name: 'Mine', code });
    expect(await said(confirmed)).toBe('not-signed-in');
    expect(await said(keyed.ask('POST', '/api/factors/passkey', { name: 'Mine', credential }))).toBe('not-signed-in');
    expect([await count('factors', who.id), await count('passkeys', who.id)]).toEqual([1, 0]);
    one.clock.forward(30_000);
  });

  test('a personal access token in use ends with the very next request, in every process', async () => {
    const who = await person();
    const wanted = { label: 'x', permissions: ['client.read'], days: 7 };
    const { secret, token } = await who.browser.ask('POST', '/api/personal-tokens', wanted);
    const origin = { door: 'users', address: '192.0.2.10', requestId: 'r' } as const;
    const use = async ({ identity }: IdentityFixture) =>
      (await identity.authenticateUser(undefined, origin, `Bearer ${secret}`)).kind;
    let ended = false;
    const wrong: string[] = [];
    const using = [one, other, one, other].map(async (process) => {
      while (!ended) if ((await use(process)) !== 'user' && !ended) wrong.push('refused while it was good');
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    // Refused from the moment on at which the end was asked for; taken by none once it was answered.
    ended = true;
    await who.browser.ask('DELETE', `/api/personal-tokens/${token.id}`);
    expect(await Promise.all([one, other, one, other].map(use))).toEqual(Array.from({ length: 4 }, () => 'anonymous'));
    await Promise.all(using);
    expect(wrong).toEqual([]);
  });
});
