import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BASE_URL, codeAt, operator, PASSWORD, setUp, tokenOf } from '../support/identity.ts';
import { DoorBrowser, type IdentityDoor, identityDoor } from '../support/identity-door.ts';

/** Attacker: finds a set-up or enrolment link in a terminal, a mail, a log or a browser history. Goal: an account by it. */
let target: IdentityDoor;
beforeAll(async () => {
  target = await identityDoor();
});
afterAll(() => target.close());

const browser = () => new DoorBrowser(target.door);
const setupAccount = (token: string) => ({
  token,
  organisation: 'Lakeside',
  name: 'Ama Mensah',
  email: 'ama@clinic.example.org',
  password: PASSWORD,
});
async function setupToken(): Promise<string> {
  return tokenOf((await target.identity.setupLink(operator, BASE_URL))?.url ?? '');
}

describe('a set-up link', () => {
  test('holds 256 random bits, in the part of the address that browsers do not send', async () => {
    const links = new Set<string>();
    for (let i = 0; i < 20; i++) links.add((await target.identity.setupLink(operator, BASE_URL))?.url ?? '');
    expect(links.size).toBe(20);
    for (const link of links) {
      expect(new URL(link).pathname).toBe('/setup');
      expect(Buffer.from(tokenOf(link), 'base64url')).toHaveLength(32);
    }
  });

  test('is dead after 30 minutes, and when a newer one was made', async () => {
    const first = await setupToken();
    const second = await setupToken();
    expect((await browser().ask('POST', '/api/setup/account', setupAccount(first))).status).toBe(410);
    target.clock.forward(30 * 60_000);
    expect((await browser().ask('POST', '/api/setup/account', setupAccount(second))).status).toBe(410);
  });

  test('makes nobody before a right code, and one administrator however many confirm it at once', async () => {
    const token = await setupToken();
    const answer = await browser().ask('POST', '/api/setup/account', setupAccount(token));
    const { totp } = answer.json<{ totp: { uri: string } }>();
    expect(await target.identity.findUserByEmail('ama@clinic.example.org')).toBeUndefined();
    const code = codeAt(totp, target.clock.nowMs());
    const wrong = code === '000000' ? '000001' : '000000';
    expect((await browser().ask('POST', '/api/setup/confirm', { token, code: wrong })).status).toBe(401);
    const racers = Array.from({ length: 5 }, () => browser().ask('POST', '/api/setup/confirm', { token, code }));
    const statuses = (await Promise.all(racers)).map((each) => each.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 410)).toHaveLength(4);
    expect((await target.identity.users.list(operator)).users).toHaveLength(1);
  });

  test('cannot be had again once there is an administrator, not even by one used half', async () => {
    const other = await identityDoor();
    const half = tokenOf((await other.identity.setupLink(operator, BASE_URL))?.url ?? '');
    const outside = new DoorBrowser(other.door);
    const { totp } = (await outside.ask('POST', '/api/setup/account', setupAccount(half))).json<{
      totp: { uri: string };
    }>();
    await setUp(other, 'first@clinic.example.org');
    const late = await outside.ask('POST', '/api/setup/confirm', {
      token: half,
      code: codeAt(totp, other.clock.nowMs()),
    });
    expect(late.status).toBe(410);
    expect(await other.identity.setupLink(operator, BASE_URL)).toBeUndefined();
    expect((await other.identity.users.list(operator)).users).toHaveLength(1);
    await other.close();
  });
});

describe('an enrolment link', () => {
  async function invited(email: string) {
    const person = { name: 'Kofi', email, roles: ['auditor'] as const };
    const { user, link } = await target.identity.users.add(operator, person, BASE_URL);
    return { id: user.id, token: tokenOf(link?.url ?? '') };
  }
  const account = (token: string) => browser().ask('POST', '/api/enrol/account', { token, password: PASSWORD });

  test('works once', async () => {
    const { token } = await invited('once@example.org');
    const { totp } = (await account(token)).json<{ totp: { uri: string } }>();
    const confirm = () =>
      browser().ask('POST', '/api/enrol/confirm', { token, code: codeAt(totp, target.clock.nowMs()) });
    expect((await confirm()).status).toBe(200);
    target.clock.forward(60_000);
    expect((await confirm()).status).toBe(410);
    expect((await account(token)).status).toBe(410);
  });

  test('is dead after three days, after another invitation, after a reset, and when access was ended', async () => {
    const late = await invited('late@example.org');
    target.clock.forward(72 * 3_600_000);
    expect((await account(late.token)).status).toBe(410);
    for (const kind of ['invite-again', 'reset', 'disable'] as const) {
      const { id, token } = await invited(`${kind}@example.org`);
      await target.identity.users.change(operator, id, { kind }, BASE_URL);
      expect((await account(token)).status, kind).toBe(410);
    }
  });

  test('is not guessed: near misses and other shapes are dead or refused', async () => {
    const { token } = await invited('guess@example.org');
    const last = token.endsWith('A') ? 'E' : 'A';
    expect((await account(token.slice(0, -1) + last)).status).toBe(410);
    for (const wrong of ['', token.slice(1), `${token}A`, token.toLowerCase().slice(0, 42), `${token}' OR '1'='1`]) {
      expect((await account(wrong)).status, wrong).toBe(400);
    }
  });
});
