import { PERMISSIONS, type Permission, ROLES, type Role } from '../../kernel/access.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import type { Reach } from '../../kernel/principal.ts';

/**
 * Who may do what, where. Pure: memberships in, rights out, with the reasons. A person's rights in an organisation are what
 * their roles there give, capped by the organisation's ceiling; rights in the central organisation reach every other.
 */

/** What each built-in role may do. An auditor sees the log and nothing else: who watches must not be tempted to take part. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  administrator: PERMISSIONS,
  registrar: ['client.read', 'client.write', 'client.load', 'client.break-glass'],
  steward: [
    'client.read',
    'client.write',
    'client.load',
    'client.delete',
    'client.share',
    'client.break-glass',
    'review.read',
    'review.decide',
  ],
  auditor: ['audit.read'],
};

/**
 * What only the central organisation's people can do, whatever a role says: it concerns every organisation at once. Whoever reads
 * the log for one organisation sees what its people and systems did.
 */
export const CENTRAL_PERMISSIONS: ReadonlySet<Permission> = new Set<Permission>([
  'organisation.manage',
  'settings.manage',
]);

/** A role as one membership holds it. */
export interface HeldRole {
  /** Name of a built-in role, or the id of one of the programme's own. */
  readonly id: string;
  readonly permissions: readonly Permission[];
}

export interface Membership {
  readonly organisationId: OrganisationId;
  readonly central: boolean;
  /** False once the organisation is retired: its people keep their accounts and have no rights there. */
  readonly active: boolean;
  /** Undefined: no ceiling. */
  readonly ceiling: readonly Permission[] | undefined;
  readonly roles: readonly HeldRole[];
  /** Somebody else wrote to it in the database: it holds no role until roles are given anew. */
  readonly changed?: true;
}

export interface EffectiveRights {
  /** Where the person acts. */
  readonly organisationId: OrganisationId | undefined;
  readonly roles: readonly string[];
  readonly permissions: ReadonlySet<Permission>;
  readonly reach: ReadonlyMap<Permission, Reach>;
}

export function builtInRole(role: Role): HeldRole {
  return { id: role, permissions: ROLE_PERMISSIONS[role] };
}

export const isBuiltIn = (role: string): role is Role => (ROLES as readonly string[]).includes(role);

/** Unknown names (written by a newer version) grant nothing. */
export function knownPermissions(names: readonly string[]): Permission[] {
  return PERMISSIONS.filter((permission) => names.includes(permission));
}

type Place = Pick<Membership, 'central' | 'active' | 'ceiling'>;

/** Why a role's permission does not come through in an organisation; undefined where it does. */
function barrier(
  place: Place,
  permission: Permission,
): 'organisation-retired' | 'central-only' | 'ceiling' | undefined {
  if (!place.active) return 'organisation-retired';
  if (place.central) return undefined;
  if (CENTRAL_PERMISSIONS.has(permission)) return 'central-only';
  return place.ceiling === undefined || place.ceiling.includes(permission) ? undefined : 'ceiling';
}

/** What these roles give in that organisation. */
export function rightsIn(place: Place, roles: readonly HeldRole[]): ReadonlySet<Permission> {
  const rights = new Set<Permission>();
  for (const role of roles)
    for (const permission of role.permissions) if (!barrier(place, permission)) rights.add(permission);
  return rights;
}

/** Rights while acting in `acting`, or in the first organisation where the person is not (any more) a member of that one. */
export function effectiveRights(memberships: readonly Membership[], acting?: OrganisationId | null): EffectiveRights {
  const central = new Set<Permission>();
  const byOrganisation = new Map<OrganisationId, ReadonlySet<Permission>>();
  for (const one of memberships) {
    const rights = rightsIn(one, one.roles);
    byOrganisation.set(one.organisationId, rights);
    if (one.central) for (const permission of rights) central.add(permission);
  }
  const place = memberships.find((one) => one.organisationId === acting) ?? memberships[0];
  const here = (place && byOrganisation.get(place.organisationId)) ?? new Set<Permission>();
  const permissions = here.union(central);
  const reach = new Map<Permission, Reach>();
  for (const permission of permissions) {
    const organisations = [...byOrganisation].flatMap(([id, rights]) => (rights.has(permission) ? [id] : []));
    reach.set(permission, central.has(permission) ? 'all' : organisations);
  }
  return {
    organisationId: place?.organisationId,
    roles: place === undefined ? [] : place.roles.map((role) => role.id),
    permissions,
    reach,
  };
}

/** One step of the explanation, in the order in which it is decided. */
export type Reason =
  | { readonly kind: 'account'; readonly state: string }
  | {
      readonly kind: 'granted';
      readonly organisationId: OrganisationId;
      readonly role: string;
      readonly central: boolean;
    }
  | {
      readonly kind: 'blocked';
      readonly organisationId: OrganisationId;
      readonly role: string;
      readonly by: 'organisation-retired' | 'central-only' | 'ceiling';
    }
  | { readonly kind: 'not-member' }
  | { readonly kind: 'no-role'; readonly organisationId: OrganisationId };

export interface Explanation {
  readonly allowed: boolean;
  readonly reasons: readonly Reason[];
}

/**
 * Why a person can or cannot do a thing in an organisation. Agrees with `effectiveRights` by construction and by test: allowed
 * exactly if the account is active and the permission's reach covers the organisation.
 */
export function explainRight(
  person: { readonly state: string; readonly memberships: readonly Membership[] },
  permission: Permission,
  organisationId: OrganisationId,
): Explanation {
  const relevant = person.memberships.filter((one) => one.central || one.organisationId === organisationId);
  const reasons: Reason[] = [];
  for (const one of relevant) {
    const giving = one.roles.filter((role) => role.permissions.includes(permission));
    const blocked = barrier(one, permission);
    for (const role of giving) {
      const where = { organisationId: one.organisationId, role: role.id };
      reasons.push(
        blocked ? { kind: 'blocked', ...where, by: blocked } : { kind: 'granted', ...where, central: one.central },
      );
    }
    if (giving.length === 0) reasons.push({ kind: 'no-role', organisationId: one.organisationId });
  }
  if (relevant.length === 0) reasons.push({ kind: 'not-member' });
  if (person.state !== 'active') reasons.unshift({ kind: 'account', state: person.state });
  const granted = reasons.some((reason) => reason.kind === 'granted');
  return { allowed: person.state === 'active' && granted, reasons };
}
