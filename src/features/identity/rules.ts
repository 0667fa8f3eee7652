import type { Permission } from '../../kernel/access.ts';
import { PERMISSIONS } from '../../kernel/access.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { covers, reachOf, touches } from '../../kernel/reach.ts';
import type { IdentitySettings, UserState } from './model.ts';
import { type Membership, rightsIn } from './rights.ts';

/** Everything: the operator at the server's own command line, who could read the root key anyway. */
export const ALL_PERMISSIONS: ReadonlySet<Permission> = new Set(PERMISSIONS);

/** An act upon an account. Those with an organisation concern the membership there and nothing else. */
export type UserAct =
  | ({ readonly kind: 'add' } & GivesRoles)
  | ({ readonly kind: 'roles' } & GivesRoles)
  | ({ readonly kind: 'join' } & GivesRoles)
  | { readonly kind: 'leave'; readonly organisationId: OrganisationId }
  | { readonly kind: 'disable' | 'enable' | 'retire' | 'sessions-end' }
  /** Those that hand out a link; `recover` is the operator's, for administrators who cannot get in any more. */
  | { readonly kind: 'reset' | 'reset-factor' | 'invite-again' | 'recover' | 'link-identity' };

interface GivesRoles {
  readonly organisationId: OrganisationId;
  readonly roles: readonly string[];
}

export interface UserActTarget {
  readonly id: string;
  readonly memberships: readonly Membership[];
  readonly state: UserState;
}

export type UserActRefusal =
  | 'user-unknown' // none of the actor's organisations
  | 'organisation-unknown' // not one of those the actor administers
  | 'other-organisations' // belongs to an organisation that the actor does not administer
  | 'rights-exceed'
  | 'own-rights'
  | 'last-administrator'
  | 'last-membership'
  | 'member-already'
  | 'wrong-state';

export interface UserActFacts {
  /** Undefined for `add`. */
  readonly target: UserActTarget | undefined;
  /** The membership that the act would make, with its organisation's ceiling. */
  readonly given: Membership | undefined;
  /** Central administrators who can sign in, without the target; true at commit. */
  readonly otherAdministrators: number;
}

/**
 * May this principal do this to that user? Asked inside the transaction, under the administrators' lock. An organisation's
 * administrator decides over the memberships of that organisation, and over accounts that belong to no other.
 */
export function decideUserAct(principal: Principal, act: UserAct, facts: UserActFacts): 'allowed' | UserActRefusal {
  const { target, given } = facts;
  const hidden = hiddenFrom(principal, act, target);
  if (hidden !== undefined) return hidden;
  if (given !== undefined && exceeds(principal, given)) return 'rights-exceed';
  if (target === undefined) return 'allowed';
  return (
    (act.kind === 'recover' && principal.kind !== 'operator' ? 'rights-exceed' : undefined) ??
    beyondOwn(principal, act, target) ??
    onOneself(principal, act, facts) ??
    (endsAdministrator(act, target) && facts.otherAdministrators === 0 ? 'last-administrator' : undefined) ??
    unfit(act, target) ??
    'allowed'
  );
}

/**
 * What the principal may not know of at all: asked before anything of it is looked up, so that the refusal and its event are those of
 * an account or organisation that is not there.
 */
export function hiddenFrom(
  principal: Principal,
  act: { readonly kind: UserAct['kind']; readonly organisationId?: OrganisationId | undefined },
  target: Pick<UserActTarget, 'memberships'> | undefined,
): 'user-unknown' | 'organisation-unknown' | undefined {
  if (target !== undefined && !sees(principal, target)) return 'user-unknown';
  const { organisationId } = act;
  if (organisationId === undefined || covers(reachOf(principal, 'user.manage'), [organisationId])) return undefined;
  return 'organisation-unknown';
}

/** Whether the target is among the users this principal may know of at all. */
function sees(principal: Principal, target: Pick<UserActTarget, 'memberships'>): boolean {
  const organisations = target.memberships.map((one) => one.organisationId);
  return touches(reachOf(principal, 'user.read'), organisations);
}

/** Rights there beyond what the principal has there. */
function exceeds(principal: Principal, membership: Membership): boolean {
  for (const permission of rightsIn(membership, membership.roles)) {
    if (!covers(reachOf(principal, permission), [membership.organisationId])) return true;
  }
  return false;
}

function beyondOwn(principal: Principal, act: UserAct, target: UserActTarget): UserActRefusal | undefined {
  const only = act.kind === 'roles' || act.kind === 'leave' ? act.organisationId : undefined;
  const touched = only === undefined ? target.memberships : target.memberships.filter((m) => m.organisationId === only);
  const organisations = touched.map((one) => one.organisationId);
  if (!covers(reachOf(principal, 'user.manage'), organisations)) return 'other-organisations';
  // A reset hands out a link: over somebody with more rights it would be a way to take those rights.
  return touched.some((one) => exceeds(principal, one)) ? 'rights-exceed' : undefined;
}

/** A stolen session must not become a new second factor, and nobody raises or ends their own access. */
function onOneself(principal: Principal, act: UserAct, { target, given }: UserActFacts): UserActRefusal | undefined {
  if (principal.kind !== 'user' || principal.userId !== target?.id) return undefined;
  if (act.kind !== 'roles' || given === undefined) return 'own-rights';
  const held = target.memberships.find((one) => one.organisationId === act.organisationId);
  if (held === undefined) return undefined;
  return rightsIn(given, given.roles).isSubsetOf(rightsIn(held, held.roles)) ? undefined : 'own-rights';
}

/** Everybody else's rights hang on the central administrators: one of them always remains. */
export function isAdministrator(memberships: readonly Membership[]): boolean {
  return memberships.some((one) => one.central && one.roles.some((role) => role.id === 'administrator'));
}

/**
 * A reset does not count: the last administrator recovers through the command line, and stays administrator meanwhile (over
 * the API nobody can reset the last one, since that would be oneself).
 */
function endsAdministrator(act: UserAct, target: UserActTarget): boolean {
  if (!isAdministrator(target.memberships) || target.state === 'disabled' || target.state === 'retired') return false;
  if (act.kind === 'disable' || act.kind === 'retire') return true;
  if (act.kind !== 'roles' && act.kind !== 'leave') return false;
  const central = target.memberships.find((one) => one.central)?.organisationId;
  return act.organisationId === central && !(act.kind === 'roles' && act.roles.includes('administrator'));
}

function unfit(act: UserAct, { state, memberships }: UserActTarget): UserActRefusal | undefined {
  const isMember = 'organisationId' in act && memberships.some((one) => one.organisationId === act.organisationId);
  switch (act.kind) {
    case 'disable':
      return state === 'disabled' || state === 'retired' ? 'wrong-state' : undefined;
    // Of somebody retired, this is how they come back.
    case 'reset':
      return state === 'disabled' ? 'wrong-state' : undefined;
    case 'reset-factor':
      return state === 'active' ? undefined : 'wrong-state';
    case 'retire':
      return state === 'retired' ? 'wrong-state' : undefined;
    case 'sessions-end':
      return undefined;
    case 'recover':
      // Of a changed account it is not known any more who it was; the operator says so.
      return isAdministrator(memberships) || state === 'changed' ? undefined : 'wrong-state';
    case 'enable':
      return state === 'disabled' ? undefined : 'wrong-state';
    case 'link-identity':
      return state === 'active' ? undefined : 'wrong-state';
    case 'invite-again':
      return state === 'invited' ? undefined : 'wrong-state';
    case 'join':
      return isMember ? 'member-already' : undefined;
    case 'roles':
      return isMember ? undefined : 'organisation-unknown';
    case 'leave':
      if (!isMember) return 'organisation-unknown';
      return memberships.length === 1 ? 'last-membership' : undefined;
    case 'add':
      return undefined;
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
