import { describe, expect, test } from 'vitest';
import { PERMISSIONS, type Permission, ROLES, type Role } from '../../kernel/access.ts';
import type { OrganisationId, SessionId, UserId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { permission, publicBecause, signedInBecause } from '../../platform/http/route.ts';
import { decideAccess } from './access.ts';
import { DEFAULT_IDENTITY_SETTINGS, IdentitySettings } from './model.ts';
import {
  ALL_PERMISSIONS,
  decideUserAct,
  permissionsOf,
  sessionAlive,
  type UserAct,
  type UserActTarget,
} from './rules.ts';

const user = (id: string, roles: readonly Role[]): Principal => ({
  kind: 'user',
  userId: id as UserId,
  displayName: 'x',
  organisationId: 'o1' as OrganisationId,
  roles,
  permissions: permissionsOf(roles),
  sessionId: 's' as SessionId,
  authenticatedAtMs: 0,
});
const operator: Principal = { kind: 'operator', osUser: 'root', permissions: ALL_PERMISSIONS };
const anonymous: Principal = { kind: 'anonymous', permissions: new Set() };

describe('roles', () => {
  // The whole table, so that a change of anybody's rights is a line in a review.
  const TABLE: Record<Role, Permission[]> = {
    administrator: [...PERMISSIONS],
    registrar: ['client.read', 'client.write', 'client.load'],
    steward: ['client.read', 'client.write', 'client.load', 'client.delete', 'review.read', 'review.decide'],
    auditor: ['audit.read'],
  };
  test.each(ROLES)('%s', (role) => {
    expect([...permissionsOf([role])].toSorted()).toEqual(TABLE[role].toSorted());
  });
  test('roles add up, and none gives nothing', () => {
    expect(permissionsOf(['auditor', 'registrar']).size).toBe(4);
    expect(permissionsOf([]).size).toBe(0);
  });
});

describe('access', () => {
  test.each([
    [anonymous, publicBecause('a door for all'), undefined],
    [anonymous, signedInBecause('own things'), 'not-signed-in'],
    [anonymous, permission('client.read'), 'not-signed-in'],
    [user('a', ['auditor']), permission('client.read'), 'not-allowed'],
    [user('a', ['auditor']), permission('audit.read'), undefined],
    [user('a', []), signedInBecause('own things'), undefined],
    [operator, signedInBecause('own things'), 'not-allowed'],
    [operator, permission('user.manage'), undefined],
  ] as const)('%#', (principal, access, code) => {
    expect(decideAccess(principal, access)?.code).toBe(code);
  });

  test('a thing of another organisation, and a domain of another node, are out of reach', () => {
    const read = permission('client.read');
    const registrar = user('a', ['registrar']);
    const claim = (...ids: string[]) => ({ organisationIds: ids as OrganisationId[] });
    expect(decideAccess(registrar, read, claim('o1', 'o2'))).toBeUndefined();
    expect(decideAccess(registrar, read, claim('o2'))?.code).toBe('not-allowed');
    expect(decideAccess(operator, read, claim('o2'))).toBeUndefined();
    const node: Principal = {
      kind: 'node',
      nodeId: 'n' as never,
      name: 'n',
      organisationId: 'o1' as OrganisationId,
      domains: ['urn:a'],
      permissions: new Set(['client.write']),
      scopes: new Set(['feed']),
      certificateSha256: '',
    };
    expect(decideAccess(node, permission('client.write'), { domain: 'urn:a' })).toBeUndefined();
    expect(decideAccess(node, permission('client.write'), { domain: 'urn:b' })?.code).toBe('not-allowed');
    expect(decideAccess(node, permission('client.write', { scope: 'feed' }))).toBeUndefined();
    expect(decideAccess(node, permission('client.write', { scope: 'subscribe' }))?.code).toBe('scope-missing');
    expect(decideAccess(operator, permission('client.write', { scope: 'subscribe' }))).toBeUndefined();
  });
});

describe('acts upon users', () => {
  const admin = user('admin', ['administrator']);
  const manager: Principal = {
    ...user('m', ['auditor']),
    permissions: new Set(['user.manage', 'user.read', 'audit.read']),
  };
  const target = (id: string, roles: Role[], state: UserActTarget['state'] = 'active'): UserActTarget => ({
    id,
    roles,
    state,
  });
  const cases: [string, Principal, UserAct, UserActTarget | undefined, number, string][] = [
    ['an administrator adds anybody', admin, { kind: 'add', roles: ['administrator'] }, undefined, 0, 'allowed'],
    ['nobody gives rights they lack', manager, { kind: 'add', roles: ['registrar'] }, undefined, 0, 'rights-exceed'],
    ['… but may give those they have', manager, { kind: 'add', roles: ['auditor'] }, undefined, 0, 'allowed'],
    [
      '… also not by changing roles',
      manager,
      { kind: 'roles', roles: ['steward'] },
      target('u', ['auditor']),
      1,
      'rights-exceed',
    ],
    [
      'nobody resets who has more rights',
      manager,
      { kind: 'reset' },
      target('u', ['administrator']),
      1,
      'rights-exceed',
    ],
    [
      'nobody disables who has more rights',
      manager,
      { kind: 'disable' },
      target('u', ['administrator']),
      1,
      'rights-exceed',
    ],
    ['nobody disables themselves', admin, { kind: 'disable' }, target('admin', ['administrator']), 3, 'own-rights'],
    ['nobody resets themselves', admin, { kind: 'reset' }, target('admin', ['administrator']), 3, 'own-rights'],
    [
      'nobody raises their own rights',
      manager,
      { kind: 'roles', roles: ['auditor'] },
      target('m', []),
      1,
      'own-rights',
    ],
    [
      'one may lower them',
      admin,
      { kind: 'roles', roles: ['auditor'] },
      target('admin', ['administrator']),
      1,
      'allowed',
    ],
    [
      'the last administrator stays',
      admin,
      { kind: 'roles', roles: ['auditor'] },
      target('admin', ['administrator']),
      0,
      'last-administrator',
    ],
    ['… also for the operator', operator, { kind: 'disable' }, target('u', ['administrator']), 0, 'last-administrator'],
    [
      '… also while enrolling again',
      operator,
      { kind: 'disable' },
      target('u', ['administrator'], 'invited'),
      0,
      'last-administrator',
    ],
    ['the operator may reset the last one', operator, { kind: 'reset' }, target('u', ['administrator']), 0, 'allowed'],
    ['another administrator may go', admin, { kind: 'disable' }, target('u', ['administrator']), 1, 'allowed'],
    ['enable only the disabled', admin, { kind: 'enable' }, target('u', ['steward']), 1, 'wrong-state'],
    ['enable', admin, { kind: 'enable' }, target('u', ['steward'], 'disabled'), 1, 'allowed'],
    ['disable twice', admin, { kind: 'disable' }, target('u', ['steward'], 'disabled'), 1, 'wrong-state'],
    ['no link for the disabled', admin, { kind: 'reset' }, target('u', ['steward'], 'disabled'), 1, 'wrong-state'],
    ['invite again only the invited', admin, { kind: 'invite-again' }, target('u', ['steward']), 1, 'wrong-state'],
    ['invite again', admin, { kind: 'invite-again' }, target('u', ['steward'], 'invited'), 1, 'allowed'],
  ];
  test.each(cases)('%s', (_name, principal, act, whom, others, expected) => {
    expect(decideUserAct(principal, act, whom, others)).toBe(expected);
  });
});

describe('sessions', () => {
  const minute = 60_000;
  test.each([
    [0, true],
    [15 * minute - 1, true],
    [15 * minute, false],
  ])('%i ms idle', (idle, alive) => {
    expect(sessionAlive({ lastSeenMs: 0, absoluteEndsMs: 12 * 60 * minute }, idle, DEFAULT_IDENTITY_SETTINGS)).toBe(
      alive,
    );
  });
  test('end after twelve hours however busy', () => {
    const end = 12 * 60 * minute;
    expect(sessionAlive({ lastSeenMs: end - 1, absoluteEndsMs: end }, end - 1, DEFAULT_IDENTITY_SETTINGS)).toBe(true);
    expect(sessionAlive({ lastSeenMs: end - 1, absoluteEndsMs: end }, end, DEFAULT_IDENTITY_SETTINGS)).toBe(false);
  });
  test('settings refuse what is unsafe or unknown', () => {
    for (const unsafe of [
      { sessionIdleMinutes: 600 },
      { passwordLengthMin: 6 },
      { setupLinkMinutes: 1440 },
      { other: 1 },
    ]) {
      expect(IdentitySettings.safeParse(unsafe).success).toBe(false);
    }
  });
});
