import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BASE_URL,
  cheapPasswords,
  codeAt,
  enrol,
  identityFixture,
  type EnrolledPerson,
  operator,
  PASSWORD,
  setUp,
  TestBrowser,
  tokenOf,
} from '../support/identity.ts';
import { type IdentityDoor, identityDoor } from '../support/identity-door.ts';

/** Attacker: has somebody's password, and codes, links or recovery codes that are not (any more) right. Goal: a session. */
let fixture: IdentityDoor;
beforeAll(async () => {
  fixture = await identityDoor({ passwords: cheapPasswords() });
  await setUp(fixture);
});
afterAll(() => fixture.close());

let people = 0;
async function person(): Promise<EnrolledPerson> {
  const email = `person${++people}@example.org`;
  const { link } = await fixture.identity.users.add(operator, { name: 'Person', email, roles: ['steward'] }, BASE_URL);
  return await enrol(fixture, link?.url ?? '');
}

/** A thief's browser that has given the right password. */
async function thiefAt(email: string): Promise<TestBrowser> {
  const thief = new TestBrowser(fixture.identity, `10.23.${++people & 255}.1`);
  await thief.ask('POST', '/api/sign-in/password', { email, password: PASSWORD });
  return thief;
}
const tried = (browser: TestBrowser, body: object): Promise<string> =>
  browser.ask('POST', '/api/sign-in/code', body).then(
    () => 'in',
    (refusal: { code: string }) => refusal.code,
  );

describe('a code of an authenticator', () => {
  test('that is one step early or late is taken, two steps are not', async () => {
    const who = await person();
    fixture.clock.forward(600_000);
    const now = fixture.clock.nowMs();
    for (const [steps, outcome] of [
      [-2, 'code-refused'],
      [2, 'code-refused'],
      [-1, 'in'],
      [1, 'in'],
    ] as const) {
      expect(await tried(await thiefAt(who.email), { code: codeAt(who.totp, now + steps * 30_000) })).toBe(outcome);
    }
  });

  test('is worth nothing a second time, also at the same moment in ten browsers', async () => {
    const who = await person();
    const browsers = [];
    for (let i = 0; i < 8; i++) browsers.push(await thiefAt(who.email));
    const code = codeAt(who.totp, fixture.clock.nowMs());
    const outcomes = await Promise.all(browsers.map((browser) => tried(browser, { code })));
    expect(outcomes.filter((outcome) => outcome === 'in')).toHaveLength(1);
  });

  test('once taken makes every earlier step worthless as well', async () => {
    const who = await person();
    fixture.clock.forward(600_000);
    const now = fixture.clock.nowMs();
    expect(await tried(await thiefAt(who.email), { code: codeAt(who.totp, now + 30_000) })).toBe('in');
    expect(await tried(await thiefAt(who.email), { code: codeAt(who.totp, now) })).toBe('code-refused');
  });

  test('or a recovery code of another person opens nothing', async () => {
    const [who, other] = [await person(), await person()];
    fixture.clock.forward(60_000);
    expect(await tried(await thiefAt(who.email), { code: codeAt(other.totp, fixture.clock.nowMs()) })).toBe(
      'code-refused',
    );
    expect(await tried(await thiefAt(who.email), { recoveryCode: other.recoveryCodes[0] })).toBe('code-refused');
    expect(await tried(await thiefAt(who.email), { recoveryCode: who.recoveryCodes[0] })).toBe('in');
    expect(await tried(await thiefAt(who.email), { recoveryCode: who.recoveryCodes[0] })).toBe('code-refused');
  });

  test('of an enrolment that was begun in one session confirms nothing in another', async () => {
    const [who, thief] = [await person(), await person()];
    const { totp } = await who.browser.ask('POST', '/api/factors/authenticator');
    thief.browser.cookies.set('challenge', who.browser.cookies.get('challenge') ?? '');
    const body = { name: 'Mine', code: codeAt(totp, fixture.clock.nowMs()) };
    await expect(thief.browser.ask('POST', '/api/factors/authenticator/confirm', body)).rejects.toMatchObject({
      code: 'challenge-dead',
    });
  });
});

describe('a trusted device', () => {
  test('cookie of one person counts for nobody else, and not after a reset, a changed password or a removed factor', async () => {
    const [who, other] = [await person(), await person()];
    const trusting = await thiefAt(who.email);
    fixture.clock.forward(30_000);
    const code = codeAt(who.totp, fixture.clock.nowMs());
    await trusting.ask('POST', '/api/sign-in/code', { code, trust: true });
    const stolen = trusting.cookies.get('trusted') ?? '';
    const signInAs = async (email: string, password = PASSWORD): Promise<string> => {
      const thief = new TestBrowser(fixture.identity, '10.24.0.1');
      thief.cookies.set('trusted', stolen);
      return (await thief.ask('POST', '/api/sign-in/password', { email, password })).next;
    };
    expect(await signInAs(other.email)).toBe('second-factor');
    const change = { current: PASSWORD, password: 'eleven otters by the bridge' };
    await trusting.ask('POST', '/api/password', change);
    expect(await signInAs(who.email, change.password)).toBe('second-factor');
  });

  test('is not made by a recovery code, whatever the request says', async () => {
    const who = await person();
    const thief = await thiefAt(who.email);
    await thief.ask('POST', '/api/sign-in/code', { recoveryCode: who.recoveryCodes[0], trust: true });
    expect(thief.cookies.has('trusted')).toBe(false);
  });
});

describe('a one-time link', () => {
  test('of one kind opens nothing of another kind', async () => {
    const who = await person();
    const { user } = await who.browser.ask('GET', '/api/session');
    const { link } = await fixture.identity.users.change(operator, user.id, { kind: 'reset-factor' }, BASE_URL);
    const token = tokenOf(link?.url ?? '');
    const thief = new TestBrowser(fixture.identity, '10.25.0.1');
    for (const [path, body] of [
      ['/api/enrol/link', { token }],
      ['/api/enrol/account', { token, password: 'eleven otters by the bridge' }],
      ['/api/setup/link', { token }],
      ['/api/password-reset/link', { token }],
      ['/api/password-reset', { token, password: 'eleven otters by the bridge', proof: { code: '000000' } }],
    ] as const) {
      await expect(thief.ask('POST', path, body)).rejects.toMatchObject({ code: 'link-dead' });
    }
    // With the right link and a wrong password, ten tries at most are compared.
    let compared = 0;
    for (let i = 0; i < 30; i++) {
      const guess = { token, password: `guess ${i} of the attacker` };
      const outcome = await thief
        .ask('POST', '/api/factor-reset/begin', guess)
        .catch((error: { code: string }) => error.code);
      if (outcome === 'sign-in-refused') compared++;
    }
    expect(compared).toBe(10);
  });

  test('that begins another enrolment dies with the password it was begun with', async () => {
    const who = await person();
    const { user } = await who.browser.ask('GET', '/api/session');
    const { link } = await fixture.identity.users.change(operator, user.id, { kind: 'reset-factor' }, BASE_URL);
    const token = tokenOf(link?.url ?? '');
    const thief = new TestBrowser(fixture.identity, '10.26.0.1');
    const { totp } = await thief.ask('POST', '/api/factor-reset/begin', { token, password: PASSWORD });
    await fixture.identity.users.change(operator, user.id, { kind: 'disable' }, BASE_URL);
    const code = codeAt(totp, fixture.clock.nowMs());
    await expect(thief.ask('POST', '/api/factor-reset/confirm', { token, code })).rejects.toMatchObject({
      code: 'link-dead',
    });
  });
});

test('look-alike letters make no second address that reads the same', async () => {
  const { browser } = await setUpAgain();
  for (const email of [
    'аma@clinic.example.org',
    'ama@clіnic.example.org',
    'ａma@clinic.example.org',
    'ama@clinic.example.org\u200b',
  ]) {
    const invited = browser.ask('POST', '/api/users', { name: 'Ama', email, roles: ['steward'] });
    await expect(invited).rejects.toThrow();
  }
  const upper = browser.ask('POST', '/api/users', { name: 'Ama', email: 'AMA@Clinic.example.org', roles: ['steward'] });
  await expect(upper).rejects.toMatchObject({ code: 'email-taken' });
});

/** The administrator, in a new session. */
async function setUpAgain(): Promise<EnrolledPerson> {
  const found = await fixture.identity.findUserByEmail('ama@clinic.example.org');
  if (found === undefined) throw new Error('no administrator');
  const { link } = await fixture.identity.users.change(operator, found.id, { kind: 'recover' }, BASE_URL);
  return await enrol(fixture, link?.url ?? '');
}

test('a thousand sessions are twenty: the oldest end, and the list stays short', async () => {
  const who = await person();
  await fixture.identity.policy.set(operator, { trustedDevices: true });
  const outside = await thiefAt(who.email);
  fixture.clock.forward(30_000);
  const code = codeAt(who.totp, fixture.clock.nowMs());
  await outside.ask('POST', '/api/sign-in/code', { code, trust: true });
  // Past the door, which lets no address ask so often.
  const { clock, keyRing } = fixture;
  const inside = identityFixture(fixture.db.database, { clock, keyRing, passwords: cheapPasswords() });
  const browser = new TestBrowser(inside.identity, outside.address);
  for (const [name, value] of outside.cookies) browser.cookies.set(name, value);
  const tokens: string[] = [];
  for (let i = 0; i < 1000; i++) {
    await browser.ask('POST', '/api/sign-in/password', { email: who.email, password: PASSWORD });
    // A browser that kept every cookie it was ever given.
    tokens.push(browser.cookies.get('session') ?? '');
    browser.cookies.delete('session');
    fixture.clock.forward(1);
  }
  browser.cookies.set('session', tokens.at(-1) ?? '');
  expect((await browser.ask('GET', '/api/sessions')).sessions).toHaveLength(20);
  browser.cookies.set('session', tokens[0] ?? '');
  expect(await browser.principal()).toMatchObject({ kind: 'anonymous' });
}, 240_000);
