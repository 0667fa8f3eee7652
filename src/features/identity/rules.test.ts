import { describe, expect, test } from 'vitest';
import type { Permission, Role } from '../../kernel/access.ts';
import type { OrganisationId, SessionId, UserId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { permission, publicBecause, signedInBecause } from '../../platform/http/route.ts';
import { decideAccess } from './access.ts';
import { builtInRole, effectiveRights, type Membership } from './rights.ts';
import { DEFAULT_IDENTITY_SETTINGS, IdentitySettings } from './model.ts';
import {
  ALL_PERMISSIONS,
  decideUserAct,
  sessionAlive,
  type UserAct,
  type UserActRefusal,
  type UserActTarget,
} from './rules.ts';

const CENTRAL = 'central' as OrganisationId;
const NORTH = 'north' as OrganisationId;
const SOUTH = 'south' as OrganisationId;

const member = (
  organisationId: OrganisationId,
  roles: readonly Role[],
  more: Partial<Membership> = {},
): Membership => ({
  organisationId,
  central: organisationId === CENTRAL,
  active: true,
  ceiling: undefined,
  roles: roles.map(builtInRole),
  ...more,
});

const person = (id: string, ...memberships: Membership[]): Principal => {
  const { organisationId = CENTRAL, ...rights } = effectiveRights(memberships);
  return {
    kind: 'user',
    userId: id as UserId,
    displayName: 'x',
    organisationId,
    ...rights,
    sessionId: 's' as SessionId,
    authenticatedAtMs: 0,
  };
};
const user = (id: string, roles: readonly Role[]): Principal => person(id, member(CENTRAL, roles));
const operator: Principal = { kind: 'operator', osUser: 'root', permissions: ALL_PERMISSIONS };
const anonymous: Principal = { kind: 'anonymous', permissions: new Set() };

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
    const registrar = person('a', member(NORTH, ['registrar']));
    const claim = (...ids: OrganisationId[]) => ({ organisationIds: ids });
    expect(decideAccess(registrar, read, claim(NORTH, SOUTH))).toBeUndefined();
    expect(decideAccess(registrar, read, claim(SOUTH))?.code).toBe('not-allowed');
    expect(decideAccess(user('c', ['registrar']), read, claim(SOUTH))).toBeUndefined();
    expect(decideAccess(operator, read, claim(SOUTH))).toBeUndefined();
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
  const northAdmin = person('north-admin', member(NORTH, ['administrator']));
  /** Manages people of the north, and may otherwise read the log of nothing. */
  const manager: Principal = person('m', {
    ...member(NORTH, []),
    roles: [{ id: 'manager', permissions: ['user.manage', 'user.read', 'client.read'] as Permission[] }],
  });
  const target = (id: string, ...memberships: Membership[]): UserActTarget => ({ id, memberships, state: 'active' });
  const invited = (id: string, ...memberships: Membership[]): UserActTarget => ({
    ...target(id, ...memberships),
    state: 'invited',
  });
  const disabled = (id: string, ...memberships: Membership[]): UserActTarget => ({
    ...target(id, ...memberships),
    state: 'disabled',
  });
  const at = (kind: 'add' | 'roles' | 'join', organisationId: OrganisationId, ...roles: Role[]): UserAct => ({
    kind,
    organisationId,
    roles,
  });
  const inCentral = (...roles: Role[]) => member(CENTRAL, roles);
  const inNorth = (...roles: Role[]) => member(NORTH, roles);
  const inSouth = (...roles: Role[]) => member(SOUTH, roles);

  type Case = [string, Principal, UserAct, UserActTarget | undefined, number, 'allowed' | UserActRefusal];
  const cases: Case[] = [
    ['an administrator adds anybody', admin, at('add', CENTRAL, 'administrator'), undefined, 0, 'allowed'],
    ['… in every organisation', admin, at('add', NORTH, 'administrator'), undefined, 0, 'allowed'],
    ['one of the north there', northAdmin, at('add', NORTH, 'administrator'), undefined, 0, 'allowed'],
    ['… and nowhere else', northAdmin, at('add', SOUTH, 'registrar'), undefined, 0, 'organisation-unknown'],
    ['… least of all centrally', northAdmin, at('add', CENTRAL, 'auditor'), undefined, 0, 'organisation-unknown'],
    ['nobody gives rights they lack', manager, at('add', NORTH, 'registrar'), undefined, 0, 'rights-exceed'],
    [
      '… also not by changing roles',
      manager,
      at('roles', NORTH, 'steward'),
      target('u', inNorth()),
      1,
      'rights-exceed',
    ],
    ['… or touching who has more', manager, { kind: 'reset' }, target('u', inNorth('steward')), 1, 'rights-exceed'],
    ['one resets one’s own people', northAdmin, { kind: 'reset' }, target('u', inNorth('steward')), 1, 'allowed'],
    ['… not those of others', northAdmin, { kind: 'reset' }, target('u', inSouth('steward')), 1, 'user-unknown'],
    ['… nor central ones', northAdmin, { kind: 'disable' }, target('u', inCentral('auditor')), 1, 'user-unknown'],
    [
      '… nor who also belongs elsewhere: a reset would open what is there',
      northAdmin,
      { kind: 'reset' },
      target('u', inNorth('registrar'), inSouth('registrar')),
      1,
      'other-organisations',
    ],
    [
      'but one’s own part of such a person one may change',
      northAdmin,
      at('roles', NORTH, 'auditor'),
      target('u', inSouth('registrar'), inNorth('registrar')),
      1,
      'allowed',
    ],
    [
      '… or end',
      northAdmin,
      { kind: 'leave', organisationId: NORTH },
      target('u', inSouth('registrar'), inNorth('registrar')),
      1,
      'allowed',
    ],
    [
      '… and not the other part',
      northAdmin,
      at('roles', SOUTH, 'administrator'),
      target('u', inSouth('registrar'), inNorth('registrar')),
      1,
      'organisation-unknown',
    ],
    [
      'strangers are not taken in',
      northAdmin,
      at('join', NORTH, 'registrar'),
      target('u', inSouth()),
      1,
      'user-unknown',
    ],
    ['the centre does that', admin, at('join', NORTH, 'registrar'), target('u', inSouth()), 1, 'allowed'],
    ['once', admin, at('join', NORTH, 'registrar'), target('u', inNorth()), 1, 'member-already'],
    [
      'roles are of a membership',
      admin,
      at('roles', NORTH, 'auditor'),
      target('u', inSouth()),
      1,
      'organisation-unknown',
    ],
    [
      'the only membership stays',
      admin,
      { kind: 'leave', organisationId: NORTH },
      target('u', inNorth()),
      1,
      'last-membership',
    ],
    [
      'nobody disables themselves',
      admin,
      { kind: 'disable' },
      target('admin', inCentral('administrator')),
      3,
      'own-rights',
    ],
    [
      'nobody resets themselves',
      admin,
      { kind: 'reset' },
      target('admin', inCentral('administrator')),
      3,
      'own-rights',
    ],
    [
      'nobody raises their own rights',
      northAdmin,
      at('roles', NORTH, 'administrator'),
      target('north-admin', inNorth('auditor')),
      1,
      'own-rights',
    ],
    [
      '… nor by joining',
      admin,
      at('join', NORTH, 'administrator'),
      target('admin', inCentral('administrator')),
      1,
      'own-rights',
    ],
    [
      'one may lower them',
      admin,
      at('roles', CENTRAL, 'auditor'),
      target('admin', inCentral('administrator')),
      1,
      'allowed',
    ],
    [
      'the last administrator stays',
      admin,
      at('roles', CENTRAL, 'auditor'),
      target('admin', inCentral('administrator')),
      0,
      'last-administrator',
    ],
    [
      '… whatever they are elsewhere',
      operator,
      { kind: 'leave', organisationId: CENTRAL },
      target('u', inCentral('administrator'), inNorth('administrator')),
      0,
      'last-administrator',
    ],
    [
      '… also for the operator',
      operator,
      { kind: 'disable' },
      target('u', inCentral('administrator')),
      0,
      'last-administrator',
    ],
    [
      '… also while enrolling again',
      operator,
      { kind: 'disable' },
      invited('u', inCentral('administrator')),
      0,
      'last-administrator',
    ],
    [
      'a provider’s last administrator may go',
      admin,
      { kind: 'disable' },
      target('u', inNorth('administrator')),
      0,
      'allowed',
    ],
    [
      'the operator may reset the last one',
      operator,
      { kind: 'reset' },
      target('u', inCentral('administrator')),
      0,
      'allowed',
    ],
    ['another administrator may go', admin, { kind: 'disable' }, target('u', inCentral('administrator')), 1, 'allowed'],
    ['enable only the disabled', admin, { kind: 'enable' }, target('u', inNorth('steward')), 1, 'wrong-state'],
    ['enable', admin, { kind: 'enable' }, disabled('u', inNorth('steward')), 1, 'allowed'],
    ['disable twice', admin, { kind: 'disable' }, disabled('u', inNorth('steward')), 1, 'wrong-state'],
    ['no link for the disabled', admin, { kind: 'reset' }, disabled('u', inNorth('steward')), 1, 'wrong-state'],
    [
      'invite again only the invited',
      admin,
      { kind: 'invite-again' },
      target('u', inNorth('steward')),
      1,
      'wrong-state',
    ],
    ['invite again', admin, { kind: 'invite-again' }, invited('u', inNorth('steward')), 1, 'allowed'],
  ];
  test.each(cases)('%s', (_name, principal, act, whom, others, expected) => {
    const given = 'roles' in act ? member(act.organisationId, act.roles as Role[]) : undefined;
    const facts = { target: whom, given, otherAdministrators: others };
    expect(decideUserAct(principal, act, facts)).toBe(expected);
  });

  test('a ceiling caps what may be given: who has all that is possible there gives any role', () => {
    const ceiling: Permission[] = ['client.read', 'user.read', 'user.manage'];
    const capped = { ...member(NORTH, ['administrator']), ceiling };
    const act = at('add', NORTH, 'steward');
    const given = { ...member(NORTH, ['steward']), ceiling };
    const facts = { target: undefined, given, otherAdministrators: 1 };
    expect(decideUserAct(person('a', capped), act, facts)).toBe('allowed');
    // Should the ceiling be higher for the one who is given than for the giver, it is refused.
    expect(decideUserAct(person('a', capped), act, { ...facts, given: member(NORTH, ['steward']) })).toBe(
      'rights-exceed',
    );
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
