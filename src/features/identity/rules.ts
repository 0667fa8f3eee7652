import { PERMISSIONS, type Permission, type Role } from '../../kernel/access.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { IdentitySettings, UserState } from './model.ts';

/** What each role may do. An auditor sees the log and nothing else: who watches must not be tempted to take part. */
const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  administrator: PERMISSIONS,
  registrar: ['client.read', 'client.write', 'client.load'],
  steward: ['client.read', 'client.write', 'client.load', 'client.delete', 'review.read', 'review.decide'],
  auditor: ['audit.read'],
};

export function permissionsOf(roles: readonly Role[]): ReadonlySet<Permission> {
  return new Set(roles.flatMap((role) => ROLE_PERMISSIONS[role]));
}

/** Everything: the operator at the server's own command line, who could read the root key anyway. */
export const ALL_PERMISSIONS: ReadonlySet<Permission> = new Set(PERMISSIONS);

export type UserAct =
  | { readonly kind: 'add'; readonly roles: readonly Role[] }
  | { readonly kind: 'roles'; readonly roles: readonly Role[] }
  | { readonly kind: 'disable' | 'enable' | 'reset' | 'invite-again' };

export interface UserActTarget {
  readonly id: string;
  readonly roles: readonly Role[];
  readonly state: UserState;
}

export type UserActRefusal = 'rights-exceed' | 'own-rights' | 'last-administrator' | 'wrong-state';

/**
 * May this principal do this to that user? Asked inside the transaction, under the administrators' lock, so that
 * `otherActiveAdministrators` is true at commit. `target` is undefined for `add`.
 */
export function decideUserAct(
  principal: Principal,
  act: UserAct,
  target: UserActTarget | undefined,
  otherActiveAdministrators: number,
): 'allowed' | UserActRefusal {
  const given = 'roles' in act ? permissionsOf(act.roles) : new Set<Permission>();
  if (!given.isSubsetOf(principal.permissions)) return 'rights-exceed';
  if (target === undefined) return 'allowed';
  const held = permissionsOf(target.roles);
  // A reset hands out a link: over somebody with more rights it would be a way to take those rights.
  if (!held.isSubsetOf(principal.permissions)) return 'rights-exceed';
  if (principal.kind === 'user' && principal.userId === target.id) {
    // A stolen session must not become a new second factor, and nobody raises or ends their own access.
    if (act.kind !== 'roles' || !given.isSubsetOf(held)) return 'own-rights';
  }
  if (endsAdministrator(act, target) && otherActiveAdministrators === 0) return 'last-administrator';
  return fitsState(act, target.state) ? 'allowed' : 'wrong-state';
}

/**
 * A reset does not count: the last administrator recovers through the command line, and stays administrator meanwhile (over
 * the API nobody can reset the last one, since that would be oneself).
 */
function endsAdministrator(act: UserAct, target: UserActTarget): boolean {
  if (!target.roles.includes('administrator') || target.state === 'disabled') return false;
  return act.kind === 'disable' || (act.kind === 'roles' && !act.roles.includes('administrator'));
}

function fitsState(act: UserAct, state: UserState): boolean {
  switch (act.kind) {
    case 'disable':
    case 'reset':
      return state !== 'disabled';
    case 'enable':
      return state === 'disabled';
    case 'invite-again':
      return state === 'invited';
    case 'roles':
    case 'add':
      return true;
  }
}

export interface SessionTimes {
  readonly lastSeenMs: number;
  readonly absoluteEndsMs: number;
}

/** Idle and absolute end. A clock that was set back never makes a session longer than its absolute time allows at that clock. */
export function sessionAlive(session: SessionTimes, nowMs: number, settings: IdentitySettings): boolean {
  return nowMs < session.absoluteEndsMs && nowMs - session.lastSeenMs < settings.sessionIdleMinutes * 60_000;
}
