import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OrganisationId, UserId } from '../../src/kernel/ids.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  BASE_URL,
  enrol,
  type EnrolledPerson,
  type IdentityFixture,
  identityFixture,
  operator,
  setUp,
} from '../support/identity.ts';

/**
 * P30: nobody raises their own rights, and an organisation's administrator nobody's beyond their own organisation and its
 * ceiling: not by roles, invitations, memberships, roles of one's own making, ceilings, resets, or acting somewhere else.
 */
let db: TestDatabase;
let f: IdentityFixture;
let centre: EnrolledPerson;
let clerk: EnrolledPerson;
let boss: EnrolledPerson;
let other: EnrolledPerson;
let north: OrganisationId;
let south: OrganisationId;
let central: OrganisationId;
const ids = new Map<string, UserId>();
const CEILING = ['client.read', 'client.write', 'user.read', 'user.manage'];

async function person(name: string, organisationId: OrganisationId, roles: readonly string[]): Promise<EnrolledPerson> {
  const wanted = { name, email: `${name}@example.org`, roles, organisationId };
  const added = await f.identity.users.add(operator, wanted, BASE_URL);
  ids.set(name, added.user.id);
  return await enrol(f, added.link?.url ?? '');
}

beforeAll(async () => {
  db = await testDatabase();
  f = identityFixture(db.database);
  centre = await setUp(f);
  ids.set('centre', (await f.identity.findUserByEmail(centre.email))?.id ?? ('' as UserId));
  central = await f.identity.organisationFor(operator);
  const made = async (name: string, ceiling?: string[]) =>
    (await centre.browser.ask('POST', '/api/organisations', { name, ...(ceiling ? { ceiling } : {}) })).organisation.id;
  north = await made('North', CEILING);
  south = await made('South');
  boss = await person('boss', north, ['administrator']);
  clerk = await person('clerk', north, ['registrar']);
  other = await person('other', south, ['administrator']);
}, 60_000);
afterAll(() => db.close());

const refusal = async (who: EnrolledPerson, method: string, path: string, body?: object): Promise<string> => {
  try {
    await who.browser.ask(method, path, body);
    return 'allowed';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};

describe('an organisation’s administrator', () => {
  test('has nothing beyond the ceiling, whatever the role says', async () => {
    const session = await boss.browser.ask('GET', '/api/session');
    expect(session.permissions.toSorted()).toEqual(CEILING.toSorted());
    expect(session.user.organisation).toMatchObject({ central: false, name: 'North' });
  });

  test.each([
    [
      'gives rights in another organisation',
      'POST',
      '/api/users',
      () => ({ name: 'X', email: 'x@e.org', roles: ['registrar'], organisationId: south }),
      'organisation-unknown',
    ],
    [
      'makes a central administrator',
      'POST',
      '/api/users',
      () => ({ name: 'X', email: 'x@e.org', roles: ['administrator'], organisationId: central }),
      'organisation-unknown',
    ],
    [
      'joins another organisation',
      'POST',
      () => `/api/users/${ids.get('boss')}/memberships`,
      () => ({ organisationId: south, roles: ['administrator'] }),
      'organisation-unknown',
    ],
    [
      'joins the centre',
      'POST',
      () => `/api/users/${ids.get('boss')}/memberships`,
      () => ({ organisationId: central, roles: ['administrator'] }),
      'organisation-unknown',
    ],
    [
      'takes somebody of another organisation in',
      'POST',
      () => `/api/users/${ids.get('other')}/memberships`,
      () => ({ organisationId: north, roles: ['registrar'] }),
      'user-unknown',
    ],
    [
      'resets somebody of another organisation',
      'POST',
      () => `/api/users/${ids.get('other')}/reset`,
      undefined,
      'user-unknown',
    ],
    [
      'disables the central administrator',
      'POST',
      () => `/api/users/${ids.get('centre')}/disable`,
      undefined,
      'user-unknown',
    ],
    ['makes an organisation', 'POST', '/api/organisations', () => ({ name: 'Mine' }), 'not-allowed'],
    ['raises the ceiling', 'PUT', () => `/api/organisations/${north}`, () => ({ ceiling: null }), 'not-allowed'],
    ['makes a role', 'POST', '/api/roles', () => ({ name: 'All', permissions: ['client.read'] }), 'not-allowed'],
    [
      'acts in another organisation',
      'POST',
      '/api/session/organisation',
      () => ({ organisationId: south }),
      'organisation-unknown',
    ],
    [
      'confirms rights elsewhere',
      'POST',
      '/api/access-review/confirm',
      () => ({ userId: ids.get('other'), organisationId: south }),
      'organisation-unknown',
    ],
    [
      'confirms their own',
      'POST',
      '/api/access-review/confirm',
      () => ({ userId: ids.get('boss'), organisationId: north }),
      'own-rights',
    ],
    ['looks at rights elsewhere', 'POST', '/api/rights', () => ({ userId: ids.get('other') }), 'user-unknown'],
    [
      '… or at their own in the centre',
      'POST',
      '/api/rights',
      () => ({ userId: ids.get('boss'), organisationId: central }),
      'organisation-unknown',
    ],
    ['resets themselves', 'POST', () => `/api/users/${ids.get('boss')}/reset`, undefined, 'own-rights'],
    [
      'leaves, to be taken in with more',
      'DELETE',
      () => `/api/users/${ids.get('boss')}/memberships/${north}`,
      undefined,
      'own-rights',
    ],
    [
      'gives a role that is not there',
      'PUT',
      () => `/api/users/${ids.get('clerk')}/roles`,
      () => ({ roles: ['0198f3a0-0000-7000-8000-0000000000aa'] }),
      'role-unknown',
    ],
  ] as const)('%s: refused', async (_name, method, path, body, code) => {
    const target = typeof path === 'string' ? path : path();
    expect(await refusal(boss, method, target, body?.())).toBe(code);
  });

  test('may give every role here, and it is worth no more than the ceiling', async () => {
    await boss.browser.ask('PUT', `/api/users/${ids.get('clerk')}/roles`, { roles: ['administrator', 'auditor'] });
    const { permissions } = await clerk.browser.ask('GET', '/api/session');
    expect(permissions.toSorted()).toEqual(CEILING.toSorted());
    await boss.browser.ask('PUT', `/api/users/${ids.get('clerk')}/roles`, { roles: ['registrar'] });
  });

  test('does not gain by a membership elsewhere what the centre did not give there', async () => {
    const member = await person('member', south, ['auditor']);
    await centre.browser.ask('POST', `/api/users/${ids.get('member')}/memberships`, {
      organisationId: north,
      roles: ['administrator'],
    });
    const there = await member.browser.ask('GET', '/api/session');
    expect([there.user.organisation.name, there.permissions]).toEqual(['South', ['audit.read']]);
    await member.browser.ask('POST', '/api/session/organisation', { organisationId: north });
    const here = await member.browser.ask('GET', '/api/session');
    expect(here.permissions.toSorted()).toEqual(CEILING.toSorted());
    // Not of the south, though they belong to it.
    expect(await refusal(member, 'POST', `/api/users/${ids.get('other')}/disable`)).toBe('user-unknown');
    const { users, total } = await member.browser.ask('GET', '/api/users');
    expect([total, users.map((one: { name: string }) => one.name).toSorted()]).toEqual([
      3,
      ['boss', 'clerk', 'member'],
    ]);
    // And whoever administers the north alone does not reset an account that opens the south as well.
    expect(await refusal(boss, 'POST', `/api/users/${ids.get('member')}/reset`)).toBe('other-organisations');
    expect(
      await refusal(boss, 'PUT', `/api/users/${ids.get('member')}/roles`, {
        roles: ['registrar'],
        organisationId: south,
      }),
    ).toBe('organisation-unknown');
    expect(
      await refusal(boss, 'PUT', `/api/users/${ids.get('member')}/roles`, {
        roles: ['registrar'],
        organisationId: north,
      }),
    ).toBe('allowed');
  });
});

describe('a central role that manages organisations only', () => {
  test('makes no role and raises no ceiling beyond itself', async () => {
    const { role } = await centre.browser.ask('POST', '/api/roles', {
      name: 'Organiser',
      permissions: ['organisation.manage', 'user.read', 'client.read'],
    });
    const organiser = await person('organiser', central, [role.id]);
    expect(await refusal(organiser, 'POST', '/api/roles', { name: 'All', permissions: ['audit.read'] })).toBe(
      'rights-exceed',
    );
    expect(
      await refusal(organiser, 'PUT', `/api/roles/${role.id}`, {
        name: 'Organiser',
        permissions: ['organisation.manage', 'user.manage'],
      }),
    ).toBe('rights-exceed');
    expect(
      await refusal(organiser, 'PUT', `/api/organisations/${north}`, { ceiling: [...CEILING, 'client.delete'] }),
    ).toBe('rights-exceed');
    expect(await refusal(organiser, 'PUT', `/api/organisations/${north}`, { ceiling: null })).toBe('rights-exceed');
    expect(await refusal(organiser, 'PUT', `/api/organisations/${central}`, { ceiling: [] })).toBe(
      'organisation-central',
    );
    expect(await refusal(organiser, 'PUT', `/api/organisations/${central}`, { retired: true })).toBe(
      'organisation-central',
    );
    expect(await refusal(organiser, 'PUT', `/api/organisations/${north}`, { name: 'North clinic' })).toBe('allowed');
    // A change of the role is a change for who holds it, from the next request.
    await centre.browser.ask('PUT', `/api/roles/${role.id}`, { name: 'Organiser', permissions: ['user.read'] });
    expect((await organiser.browser.ask('GET', '/api/session')).permissions).toEqual(['user.read']);
    await centre.browser.send('DELETE', `/api/roles/${role.id}`);
    expect((await organiser.browser.ask('GET', '/api/session')).permissions).toEqual([]);
  });
});

test('a lowered ceiling and a retired organisation take effect with the next request, in every process', async () => {
  const elsewhere = identityFixture(db.database, { clock: f.clock, keyRing: f.keyRing });
  await elsewhere.identity.start();
  try {
    const there = async () =>
      (
        await elsewhere.identity.authenticateUser(
          [...other.browser.cookies].map(([name, value]) => `__Host-${name}=${value}`).join('; '),
          { door: 'users', address: '192.0.2.10', requestId: 'r' },
        )
      ).permissions.size;
    expect(await there()).toBeGreaterThan(5);
    await centre.browser.ask('PUT', `/api/organisations/${south}`, { ceiling: ['client.read'] });
    await expect.poll(there).toBe(1);
    await centre.browser.ask('PUT', `/api/organisations/${south}`, { retired: true });
    expect((await other.browser.ask('GET', '/api/session')).permissions).toEqual([]);
    await expect.poll(there).toBe(0);
    await centre.browser.ask('PUT', `/api/organisations/${south}`, { retired: false });
    expect((await other.browser.ask('GET', '/api/session')).permissions).toEqual(['client.read']);
  } finally {
    await elsewhere.identity.stop();
  }
});

test('every refusal of an act upon a person is in the log', async () => {
  const before = f.recorded.length;
  await refusal(boss, 'POST', `/api/users/${ids.get('other')}/reset`);
  expect(f.recorded.slice(before)).toMatchObject([
    { event: 'user.reset', outcome: 'serious-failure', reason: 'user-unknown' },
  ]);
});
