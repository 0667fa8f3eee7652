import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PERMISSIONS, type Permission, ROLES, type Role } from '../../kernel/access.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import { covers } from '../../kernel/reach.ts';
import {
  builtInRole,
  CENTRAL_PERMISSIONS,
  effectiveRights,
  explainRight,
  type HeldRole,
  type Membership,
  ROLE_PERMISSIONS,
  rightsIn,
} from './rights.ts';

describe('roles', () => {
  // The whole table, so that a change of anybody's rights is a line in a review.
  const TABLE: Record<Role, Permission[]> = {
    administrator: [...PERMISSIONS],
    registrar: ['client.read', 'client.write', 'client.load', 'client.break-glass'],
    steward: [
      ...([
        'client.read',
        'client.write',
        'client.load',
        'client.delete',
        'client.share',
        'client.break-glass',
      ] as const),
      ...(['review.read', 'review.decide'] as const),
    ],
    auditor: ['audit.read'],
  };
  test.each(ROLES)('%s', (role) => {
    expect([...ROLE_PERMISSIONS[role]].toSorted()).toEqual(TABLE[role].toSorted());
  });
  test('only the centre has what concerns everybody', () => {
    expect([...CENTRAL_PERMISSIONS].toSorted()).toEqual(['organisation.manage', 'settings.manage']);
  });
});

const ORGANISATIONS = ['o1', 'o2', 'o3', 'o4'] as unknown as readonly OrganisationId[];
const permissionSet = fc.subarray([...PERMISSIONS]);
const heldRole: fc.Arbitrary<HeldRole> = fc.oneof(
  fc.constantFrom(...ROLES).map(builtInRole),
  fc.record({ id: fc.constantFrom('r1', 'r2'), permissions: permissionSet }),
);
const memberships: fc.Arbitrary<Membership[]> = fc.subarray([...ORGANISATIONS]).chain((ids) =>
  fc.tuple(
    ...ids.map((organisationId) =>
      fc.record({
        organisationId: fc.constant(organisationId),
        // The first organisation is the central one; it has no ceiling and is never retired (migration 000340).
        central: fc.constant(organisationId === ORGANISATIONS[0]),
        active: organisationId === ORGANISATIONS[0] ? fc.constant(true) : fc.boolean(),
        ceiling:
          organisationId === ORGANISATIONS[0] ? fc.constant(undefined) : fc.option(permissionSet, { nil: undefined }),
        roles: fc.array(heldRole, { maxLength: 3 }),
      }),
    ),
  ),
);

describe('effective rights', () => {
  test('are within what the roles give, under the ceiling, and reach no organisation that gave nothing', () => {
    fc.assert(
      fc.property(memberships, fc.constantFrom(...ORGANISATIONS), (held, acting) => {
        const { permissions, reach, organisationId } = effectiveRights(held, acting);
        const central = held.find((one) => one.central);
        for (const permission of permissions) {
          const here = held.find((one) => one.organisationId === organisationId);
          const giving = [here, central].filter((one) =>
            one?.roles.some((role) => role.permissions.includes(permission)),
          );
          expect(giving.length).toBeGreaterThan(0);
        }
        for (const [permission, how] of reach) {
          if (how === 'all') {
            expect(central?.roles.some((role) => role.permissions.includes(permission))).toBe(true);
            continue;
          }
          for (const id of how) {
            const one = held.find((each) => each.organisationId === id);
            expect(one?.active).toBe(true);
            expect(one?.ceiling?.includes(permission) ?? true).toBe(true);
            if (!one?.central) expect(CENTRAL_PERMISSIONS.has(permission)).toBe(false);
          }
        }
      }),
    );
  });

  test('agree with their explanation, everywhere', () => {
    fc.assert(
      fc.property(
        memberships,
        fc.constantFrom(...ORGANISATIONS),
        fc.constantFrom(...PERMISSIONS),
        (held, place, permission) => {
          const { permissions, reach } = effectiveRights(held, place);
          const isMember = held.some((one) => one.organisationId === place);
          const can = permissions.has(permission) && covers(reach.get(permission) ?? [], [place]);
          const { allowed, reasons } = explainRight({ state: 'active', memberships: held }, permission, place);
          // Acting in another organisation, a member of this one has here what `effectiveRights` says when acting here.
          if (isMember || held.some((one) => one.central)) expect(allowed).toBe(can);
          else expect(allowed).toBe(false);
          expect(reasons.length).toBeGreaterThan(0);
          expect(explainRight({ state: 'disabled', memberships: held }, permission, place).allowed).toBe(false);
        },
      ),
    );
  });

  test('a lower ceiling never gives more, a further role never less', () => {
    fc.assert(
      fc.property(permissionSet, permissionSet, fc.array(heldRole), heldRole, (high, low, roles, further) => {
        const place = (ceiling: readonly Permission[]) => ({ central: false, active: true, ceiling });
        const lower = low.filter((permission) => high.includes(permission));
        expect(rightsIn(place(lower), roles).isSubsetOf(rightsIn(place(high), roles))).toBe(true);
        expect(rightsIn(place(high), roles).isSubsetOf(rightsIn(place(high), [...roles, further]))).toBe(true);
        expect(rightsIn(place(high), roles).isSubsetOf(new Set(high))).toBe(true);
        expect(rightsIn({ ...place(high), active: false }, roles).size).toBe(0);
      }),
    );
  });

  test('without memberships there is nothing', () => {
    const { permissions, reach, organisationId } = effectiveRights([]);
    expect([permissions.size, reach.size, organisationId]).toEqual([0, 0, undefined]);
  });
});
