import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROLE_PERMISSIONS } from '../../src/features/identity/rights.ts';
import { ROLES, type Role } from '../../src/kernel/access.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { BASE_URL, enrol, operator, PASSWORD, setUp, tokenOf } from '../support/identity.ts';
import { DoorBrowser, type IdentityDoor, identityDoor } from '../support/identity-door.ts';

/** Attacker: somebody with an account, or with an invitation. Goal: more rights than they were given. */
let target: IdentityDoor;
const people = new Map<Role, { id: UserId; browser: DoorBrowser }>();
beforeAll(async () => {
  target = await identityDoor();
  await setUp(target);
  for (const role of ROLES) {
    const email = `${role}@example.org`;
    const added = await target.identity.users.add(operator, { name: role, email, roles: [role] }, BASE_URL);
    const { browser } = await enrol(target, added.link?.url ?? '');
    const outside = new DoorBrowser(target.door);
    for (const [name, value] of browser.cookies) outside.cookies.set(`__Host-${name}`, value);
    people.set(role, { id: added.user.id, browser: outside });
  }
});
afterAll(() => target.close());

function who(role: Role) {
  const person = people.get(role);
  if (person === undefined) throw new Error(role);
  return person;
}
const rolesOf = async (id: UserId) =>
  (await target.identity.users.list(operator)).users.find((user) => user.id === id)?.roles;

describe.each(['registrar', 'steward', 'auditor'] as const)('a %s', (role) => {
  test('is refused by every management route, of this server and of any to come', async () => {
    const { id, browser } = who(role);
    const own = ROLE_PERMISSIONS[role];
    const managing = target.identity.routes.filter(
      ({ access }) => access.kind === 'permission' && !own.includes(access.permission),
    );
    expect(managing.length).toBeGreaterThanOrEqual(7);
    for (const { method, path } of managing) {
      for (const whom of [id, who('administrator').id]) {
        const body = method === 'PUT' ? { roles: ['administrator'] } : undefined;
        const added = { name: 'Accomplice', email: 'accomplice@example.org', roles: ['administrator'] };
        const sent = path === '/api/users' && method === 'POST' ? added : body;
        const answer = await browser.ask(method, path.replace(':id', whom), sent);
        expect(answer.status, `${method} ${path}`).toBe(403);
      }
    }
    expect(await rolesOf(id)).toEqual([role]);
  });
});

describe('an administrator', () => {
  test('can neither reset nor disable themselves with a session somebody stole', async () => {
    const { id, browser } = who('administrator');
    for (const act of ['reset', 'disable']) {
      const answer = await browser.ask('POST', `/api/users/${id}/${act}`);
      expect([answer.status, answer.json()['code']]).toEqual([403, 'own-rights']);
    }
  });
});

describe('an invited person', () => {
  test('cannot choose roles, address, organisation or state by adding fields', async () => {
    const email = 'invited@example.org';
    const { link } = await target.identity.users.add(operator, { name: 'I', email, roles: ['auditor'] }, BASE_URL);
    const token = tokenOf(link?.url ?? '');
    const browser = new DoorBrowser(target.door);
    for (const extra of [
      { roles: ['administrator'] },
      { email: 'ama@clinic.example.org' },
      { organisation: 'Mine' },
      { state: 'active' },
      { kind: 'setup' },
      { __proto__x: 1 },
    ]) {
      const answer = await browser.ask('POST', '/api/enrol/account', { token, password: PASSWORD, ...extra });
      expect(answer.status, JSON.stringify(extra)).toBe(400);
    }
    const polluted = `{"token":"${token}","password":"${PASSWORD}","__proto__":{"roles":["administrator"]}}`;
    expect((await browser.ask('POST', '/api/enrol/account', polluted)).status).toBe(400);
    const doubled = `{"token":"${token}","token":"${token}","password":"${PASSWORD}"}`;
    expect((await browser.ask('POST', '/api/enrol/account', doubled)).status).toBe(400);
  });

  test('cannot use an enrolment link as a set-up link', async () => {
    const email = 'second@example.org';
    const { link } = await target.identity.users.add(operator, { name: 'S', email, roles: ['auditor'] }, BASE_URL);
    const account = { token: tokenOf(link?.url ?? ''), organisation: 'X', name: 'S', email, password: PASSWORD };
    expect((await new DoorBrowser(target.door).ask('POST', '/api/setup/account', account)).status).toBe(410);
  });
});

test('look-alike addresses are refused, so nobody can pass for somebody else', async () => {
  const { browser } = who('administrator');
  for (const email of [
    'аma@clinic.example.org',
    'ama@clinic.exаmple.org',
    'ama@clinic.example.org\u200b',
    'ａma@clinic.example.org',
  ]) {
    const answer = await browser.ask('POST', '/api/users', { name: 'Ama', email, roles: ['auditor'] });
    expect(answer.status, email).toBe(400);
  }
});

test('a stranger reaches nothing that needs a permission or a session', async () => {
  const stranger = new DoorBrowser(target.door);
  for (const { method, path, access } of target.identity.routes) {
    if (access.kind === 'public') continue;
    const answer = await stranger.ask(method, path.replace(':id', who('auditor').id));
    expect(answer.status, `${method} ${path}`).toBe(401);
  }
});
