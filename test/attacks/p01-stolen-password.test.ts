import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeAt, type EnrolledPerson, PASSWORD, setUp } from '../support/identity.ts';
import { DoorBrowser, type IdentityDoor, identityDoor } from '../support/identity-door.ts';

/** Attacker: knows an administrator's e-mail address and password, and has seen codes that were used. Goal: to get in. */
let target: IdentityDoor;
let admin: EnrolledPerson;
beforeAll(async () => {
  target = await identityDoor();
  admin = await setUp(target);
});
afterAll(() => target.close());

async function withPassword(): Promise<DoorBrowser> {
  const thief = new DoorBrowser(target.door);
  const answer = await thief.ask('POST', '/api/sign-in/password', { email: admin.email, password: PASSWORD });
  expect(answer.json()).toEqual({ next: 'second-factor', ways: ['authenticator'], mayTrust: true });
  return thief;
}

test('the right password alone opens no route that needs a person', async () => {
  const thief = await withPassword();
  let tried = 0;
  for (const { method, path, access } of target.identity.routes) {
    if (access.kind === 'public') continue;
    const answer = await thief.ask(method, path.replace(':id', '0198f3a0-0000-7000-8000-000000000000'));
    expect(answer.status, `${method} ${path}`).toBe(401);
    tried++;
  }
  expect(tried).toBeGreaterThanOrEqual(10);
  const session = (await thief.ask('GET', '/api/session')).json();
  expect(session).toEqual({ state: 'second-factor', permissions: [], idleTimeoutSeconds: 900 });
});

test('a code that was used, is too old, too early, of another length, or none at all does not help', async () => {
  const owner = await withPassword();
  const used = codeAt(admin.totp, target.clock.nowMs());
  expect((await owner.ask('POST', '/api/sign-in/code', { code: used })).status).toBe(200);
  const at = (ms: number) => codeAt(admin.totp, target.clock.nowMs() + ms);
  for (const code of [used, at(-60_000), at(60_000), at(-3_600_000)]) {
    const answer = await (await withPassword()).ask('POST', '/api/sign-in/code', { code });
    expect([answer.status, answer.json()['code']], code).toEqual([401, 'code-refused']);
  }
  for (const body of [{}, { code: '' }, { code: null }, { code: 123456 }, { code: ['1'] }, { recoveryCode: '' }]) {
    expect((await (await withPassword()).ask('POST', '/api/sign-in/code', body)).status, JSON.stringify(body)).toBe(
      400,
    );
  }
});

test('a code without a password is worth nothing', async () => {
  target.clock.forward(60_000);
  const stranger = new DoorBrowser(target.door);
  const answer = await stranger.ask('POST', '/api/sign-in/code', { code: codeAt(admin.totp, target.clock.nowMs()) });
  expect([answer.status, answer.json()['code']]).toEqual([401, 'sign-in-expired']);
});

test('the thief cannot give themselves another factor, link or session by any public route', async () => {
  const thief = await withPassword();
  for (const { method, path, access } of target.identity.routes) {
    if (access.kind !== 'public' || path.startsWith('/api/sign-in') || path === '/api/session') continue;
    const answer = await thief.ask(method, path, { email: admin.email, password: PASSWORD, code: '000000' });
    expect(answer.status, `${method} ${path}`).toBe(400);
  }
  expect((await thief.ask('GET', '/api/session')).json()['state']).toBe('second-factor');
});
