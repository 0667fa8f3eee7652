import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashToken } from '../../src/crypto/index.ts';
import {
  BASE_URL,
  codeAt,
  type EnrolledPerson,
  enrol,
  operator,
  PASSWORD,
  setUp,
  TestBrowser,
  tokenOf,
} from '../support/identity.ts';
import { DoorBrowser, type IdentityDoor, identityDoor } from '../support/identity-door.ts';
import { OWN_PAGE } from '../support/tls.ts';

/** Attacker: another site, a network neighbour, a thief of the database or of a used link. Goal: to act as somebody else. */
let target: IdentityDoor;
let admin: EnrolledPerson;
beforeAll(async () => {
  target = await identityDoor();
  admin = await setUp(target);
});
afterAll(() => target.close());

async function signedIn(before: Record<string, string> = {}): Promise<DoorBrowser> {
  const browser = new DoorBrowser(target.door);
  for (const [name, value] of Object.entries(before)) browser.cookies.set(name, value);
  const first = await browser.ask('POST', '/api/sign-in/password', { email: admin.email, password: PASSWORD });
  expect(first.status).toBe(200);
  const second = await browser.ask('POST', '/api/sign-in/code', { code: codeAt(admin.totp, target.clock.nowMs()) });
  expect(second.status).toBe(200);
  target.clock.forward(30_000);
  return browser;
}
const state = async (browser: DoorBrowser) => (await browser.ask('GET', '/api/session')).json()['state'];

describe('cookies', () => {
  test('cannot be read by scripts, sent by other sites, sent in clear or set by sibling hosts', async () => {
    const browser = new DoorBrowser(target.door);
    const first = await browser.ask('POST', '/api/sign-in/password', { email: admin.email, password: PASSWORD });
    const second = await browser.ask('POST', '/api/sign-in/code', { code: codeAt(admin.totp, target.clock.nowMs()) });
    target.clock.forward(30_000);
    const lines = [...(first.headers['set-cookie'] ?? []), ...(second.headers['set-cookie'] ?? [])];
    expect(lines.map((line) => line.split('=')[0] ?? '').toSorted((a, b) => a.localeCompare(b))).toEqual([
      '__Host-challenge',
      '__Host-device',
      '__Host-session',
      '__Host-sign-in',
      '__Host-sign-in',
    ]);
    for (const line of lines) expect(line).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Strict/);
    for (const line of lines) expect(line).not.toMatch(/Domain/i);
  });

  test('a session cookie without the __Host- prefix counts for nothing', async () => {
    const browser = await signedIn();
    const plain = new DoorBrowser(target.door);
    plain.cookies.set('session', browser.cookies.get('__Host-session') ?? '');
    expect(await state(plain)).toBe('anonymous');
  });
});

describe('fixation', () => {
  test('a session planted before sign-in is never the one after it', async () => {
    const planted = 'C'.repeat(43);
    const browser = await signedIn({ '__Host-session': planted, '__Host-sign-in': planted });
    expect(browser.cookies.get('__Host-session')).not.toBe(planted);
    const attacker = new DoorBrowser(target.door);
    attacker.cookies.set('__Host-session', planted);
    expect(await state(attacker)).toBe('anonymous');
  });

  test('signing in again ends the session the browser had', async () => {
    const browser = await signedIn();
    const before = browser.cookies.get('__Host-session') ?? '';
    const again = await signedIn(Object.fromEntries(browser.cookies));
    expect(again.cookies.get('__Host-session')).not.toBe(before);
    const old = new DoorBrowser(target.door);
    old.cookies.set('__Host-session', before);
    expect(await state(old)).toBe('anonymous');
  });

  test('a pre-session is no session, and is dead once used', async () => {
    const browser = new DoorBrowser(target.door);
    await browser.ask('POST', '/api/sign-in/password', { email: admin.email, password: PASSWORD });
    const pre = browser.cookies.get('__Host-sign-in') ?? '';
    const attacker = new DoorBrowser(target.door);
    attacker.cookies.set('__Host-session', pre);
    expect(await state(attacker)).toBe('anonymous');
    await browser.ask('POST', '/api/sign-in/code', { code: codeAt(admin.totp, target.clock.nowMs()) });
    target.clock.forward(30_000);
    attacker.cookies.set('__Host-sign-in', pre);
    const code = codeAt(admin.totp, target.clock.nowMs());
    expect((await attacker.ask('POST', '/api/sign-in/code', { code })).json()['code']).toBe('sign-in-expired');
  });
});

test('one person’s code does not finish another person’s sign-in', async () => {
  const email = 'other@example.org';
  const { link } = await target.identity.users.add(operator, { name: 'Other', email, roles: ['auditor'] }, BASE_URL);
  const other = await enrol(target, link?.url ?? '');
  const browser = new DoorBrowser(target.door);
  await browser.ask('POST', '/api/sign-in/password', { email, password: PASSWORD });
  const foreign = codeAt(admin.totp, target.clock.nowMs());
  if (foreign !== codeAt(other.totp, target.clock.nowMs())) {
    expect((await browser.ask('POST', '/api/sign-in/code', { code: foreign })).status).toBe(401);
  }
  expect((await browser.ask('POST', '/api/sign-in/code', { recoveryCode: admin.recoveryCodes[3] })).status).toBe(401);
});

test('what the database holds of tokens is no token', async () => {
  const browser = await signedIn();
  const token = browser.cookies.get('__Host-session') ?? '';
  const rows = await target.db.ownerDatabase.rows<{ h: Buffer }>({
    name: 'test.h',
    text: 'SELECT token_hash AS h FROM identity.sessions',
  });
  expect(rows.some((row) => row.h.equals(hashToken(token)))).toBe(true);
  for (const { h } of rows) {
    for (const text of [h.toString('base64url'), h.toString('hex'), h.toString('base64')]) {
      const thief = new DoorBrowser(target.door);
      thief.cookies.set('__Host-session', text);
      expect(await state(thief)).toBe('anonymous');
    }
  }
});

describe('another site', () => {
  test.each([
    ['without our header', { 'sec-fetch-site': 'same-origin' }],
    ['from another site', { ...OWN_PAGE, 'sec-fetch-site': 'cross-site' }],
    ['from a sibling host', { ...OWN_PAGE, 'sec-fetch-site': 'same-site' }],
    ['from another origin, old browser', { 'x-careseal': '1', origin: 'https://evil.example' }],
  ])('%s: nothing is carried out', async (_name, headers) => {
    const browser = await signedIn();
    const body = { name: 'Mallory', email: 'mallory@evil.example', roles: ['administrator'] };
    expect((await browser.ask('POST', '/api/users', body, headers)).status).toBe(403);
    expect((await browser.ask('POST', '/api/sign-out', undefined, headers)).status).toBe(403);
    expect(await state(browser)).toBe('signed-in');
    expect(await target.identity.findUserByEmail('mallory@evil.example')).toBeUndefined();
  });

  test('cannot sign the browser in as the attacker either', async () => {
    const browser = new DoorBrowser(target.door);
    const body = { email: admin.email, password: PASSWORD };
    const headers = { 'sec-fetch-site': 'cross-site' };
    expect((await browser.ask('POST', '/api/sign-in/password', body, headers)).status).toBe(403);
  });
});

test('a set-up link used once is dead, and neither it nor names stand in log or refusals', async () => {
  const fresh = await identityDoor();
  const link = await fresh.identity.setupLink(operator, BASE_URL);
  const token = tokenOf(link?.url ?? '');
  const browser = new DoorBrowser(fresh.door);
  const account = { token, organisation: 'Lakeside', name: 'Ama Mensah', email: 'ama@example.org', password: PASSWORD };
  const totp = (await browser.ask('POST', '/api/setup/account', account)).json<{ totp: { uri: string } }>().totp;
  const confirm = () => browser.ask('POST', '/api/setup/confirm', { token, code: codeAt(totp, fresh.clock.nowMs()) });
  expect((await confirm()).status).toBe(200);
  fresh.clock.forward(60_000);
  for (const answer of [
    await confirm(),
    await new DoorBrowser(fresh.door).ask('POST', '/api/setup/account', account),
    await new DoorBrowser(fresh.door).ask('POST', '/api/setup/link', { token }),
  ]) {
    expect(answer.status).toBe(410);
    expect(answer.text).not.toMatch(/Ama|example\.org|Lakeside/);
  }
  expect(fresh.door.refusals.map((refusal) => refusal.problem.code)).toEqual(['link-dead', 'link-dead', 'link-dead']);
  // Refusals go into the sealed audit log, which says who; the log says nothing of anybody.
  const log = JSON.stringify(fresh.door.logged);
  for (const word of [token, 'Ama', 'ama@', 'Lakeside', PASSWORD]) expect(log).not.toContain(word);
  for (const word of [token, PASSWORD]) expect(JSON.stringify(fresh.door.refusals)).not.toContain(word);
  await fresh.close();
});

test('the end of access reaches a session that is in the middle of work', async () => {
  const email = 'leaver@example.org';
  const added = await target.identity.users.add(
    operator,
    { name: 'Leaver', email, roles: ['administrator'] },
    BASE_URL,
  );
  const leaver = await enrol(target, added.link?.url ?? '');
  const stop = { at: Number.POSITIVE_INFINITY };
  const seenAfter: string[] = [];
  const work = Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 200; i++) {
        const asked = performance.now();
        const principal = await leaver.browser.principal();
        if (asked > stop.at) seenAfter.push(principal.kind);
      }
    }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  await target.identity.users.change(operator, added.user.id, { kind: 'disable' }, BASE_URL);
  stop.at = performance.now();
  await work;
  seenAfter.push((await leaver.browser.principal()).kind);
  expect(new Set(seenAfter)).toEqual(new Set(['anonymous']));
});

test('nonsense in cookies is nobody, and never an error', async () => {
  for (const value of ['', ' ', '"', 'x'.repeat(4_000), '../../etc/passwd', "' OR 1=1 --", '\u00e9', 'D'.repeat(43)]) {
    const browser = new TestBrowser(target.identity);
    browser.cookies.set('session', value);
    browser.cookies.set('sign-in', value);
    browser.cookies.set('device', value);
    expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'anonymous' });
  }
});
