import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Audit } from '../audit/index.ts';
import type { EnrolmentDeps } from './enrolment-deps.ts';
import {
  type IdentityProblem,
  lastAdministrator,
  lastMembership,
  memberAlready,
  organisationUnknown,
  otherOrganisations,
  ownRights,
  rightsExceed,
  userUnknown,
  wrongState,
} from './errors.ts';
import { type IssuedLink, issueLink } from './links.ts';
import { unlinkIdentities } from './provider-store.ts';
import type { UserAct, UserActRefusal } from './rules.ts';
import { userEntity } from './sign-in.ts';
import { tellUser } from './tell-user.ts';
import type { Account } from './user-store.ts';

/** An act upon an existing user. */
export type ChangeUser =
  | Exclude<UserAct, { kind: 'add' | 'roles' | 'join' }>
  /** Without an organisation: the only one, or the first joined. */
  | { readonly kind: 'roles'; readonly roles: readonly string[]; readonly organisationId?: OrganisationId }
  | { readonly kind: 'join'; readonly roles: readonly string[]; readonly organisationId: OrganisationId };

/** Does what rules.ts has allowed. Answers the enrolment link of those acts that make one. */
export async function applyAct(
  tx: Transaction,
  deps: EnrolmentDeps,
  what: {
    readonly actor: Actor;
    readonly account: Account;
    readonly act: Exclude<UserAct, { kind: 'add' }>;
    readonly baseUrl: string;
  },
): Promise<IssuedLink | undefined> {
  const { users, credentials, links, sessions, throttle } = deps;
  const { actor, account, act, baseUrl } = what;
  const { id } = account;
  const by = actor.principal.kind === 'user' ? actor.principal.userId : undefined;
  const nowMs = deps.clock.nowMs();
  switch (act.kind) {
    case 'roles':
      await users.setRoles(tx, { ...act, userId: id, by, nowMs });
      return undefined;
    case 'join':
      await users.join(tx, { ...act, userId: id, by, nowMs });
      return undefined;
    case 'leave':
      await users.leave(tx, id, act.organisationId);
      return undefined;
    case 'disable':
      await users.setState(tx, id, 'disabled');
      await links.deleteOfUser(tx, id);
      await sessions.endEverything(tx, id);
      await tellUser(tx, deps, account.email, 'account-disabled');
      return undefined;
    case 'enable':
      await users.setState(tx, id, account.passwordHash === undefined ? 'invited' : 'active');
      await tellUser(tx, deps, account.email, 'account-enabled');
      return undefined;
    case 'retire':
      await users.retire(tx, id);
      await links.deleteOfUser(tx, id);
      await credentials.deleteAll(tx, id);
      await sessions.endEverything(tx, id);
      await tellUser(tx, deps, account.email, 'account-disabled');
      return undefined;
    case 'sessions-end':
      await sessions.endEverything(tx, id);
      return undefined;
    case 'reset-factor':
      await credentials.deleteAll(tx, id);
      await sessions.endEverything(tx, id);
      await throttle.clear(tx, account.email);
      await tellUser(tx, deps, account.email, 'factor-reset');
      return await issueLink(tx, deps, { userId: id, baseUrl, kind: 'factor' });
    case 'reset':
    case 'recover':
      await users.invite(tx, id);
      await repairRights(tx, deps, { account, kind: act.kind, by, nowMs });
      await unlinkIdentities(tx, id);
      await credentials.deleteAll(tx, id);
      await sessions.endEverything(tx, id);
      await throttle.clear(tx, account.email);
      await tellUser(tx, deps, account.email, 'sign-in-reset');
      return await issueLink(tx, deps, { userId: id, baseUrl });
    case 'invite-again':
      return await issueLink(tx, deps, { userId: id, baseUrl });
    case 'link-identity':
      return await issueLink(tx, deps, { userId: id, baseUrl, kind: 'identity' });
  }
}

/**
 * Roles that somebody else has written are not made ours by a reset: they are taken away, and given again by an administrator.
 * Whom the operator recovers is an administrator of the central organisation by the operator's word.
 */
async function repairRights(
  tx: Transaction,
  { users, organisations }: EnrolmentDeps,
  of: {
    readonly account: Account;
    readonly kind: 'reset' | 'recover';
    readonly by: UserId | undefined;
    readonly nowMs: number;
  },
): Promise<void> {
  const { account, kind, by, nowMs } = of;
  const given = { userId: account.id, by, nowMs };
  for (const { organisationId, changed } of account.memberships) {
    if (changed) await users.setRoles(tx, { ...given, organisationId, roles: [] });
  }
  if (kind !== 'recover') return;
  const central = await organisations.centralOrOldest(tx);
  if (central === undefined) return;
  if (central.changed || !central.central) await organisations.restoreCentral(tx, central.id);
  if (account.memberships.some((one) => one.organisationId === central.id && holdsAdministrator(one))) return;
  const roles = { ...given, organisationId: central.id, roles: ['administrator'] };
  if (account.memberships.some((one) => one.organisationId === central.id)) await users.setRoles(tx, roles);
  else await users.join(tx, roles);
}

const holdsAdministrator = ({ roles }: Account['memberships'][number]): boolean =>
  roles.some((role) => role.id === 'administrator');

export interface ActRecord {
  readonly act: UserAct | ChangeUser;
  readonly id?: UserId;
  readonly refusal?: UserActRefusal;
  /** The account before the act. */
  readonly before?: Account;
}

/** The audit event of an act upon a user, done or refused. */
export async function recordAct(tx: Transaction, audit: Audit, actor: Actor, what: ActRecord): Promise<AuditReceipt> {
  const { act, id, refusal, before } = what;
  const rolesBefore =
    'organisationId' in act && act.kind !== 'add'
      ? before?.memberships.find((one) => one.organisationId === act.organisationId)?.roles
      : undefined;
  return await audit.record(tx, [
    {
      actor,
      event: `user.${act.kind}`,
      action: act.kind === 'add' ? 'C' : 'U',
      outcome: refusal === undefined ? 'success' : 'serious-failure',
      detail: {
        ...('roles' in act ? { roles: act.roles.join(' ') } : {}),
        ...(rolesBefore === undefined ? {} : { rolesBefore: rolesBefore.map((role) => role.id).join(' ') }),
        ...('organisationId' in act && act.organisationId !== undefined ? { organisation: act.organisationId } : {}),
      },
      ...(refusal === undefined ? {} : { reason: refusal }),
      ...(id === undefined ? {} : { entities: [userEntity(id)] }),
    },
  ]);
}

const REFUSALS: Readonly<Record<UserActRefusal, () => IdentityProblem>> = {
  'user-unknown': userUnknown,
  'organisation-unknown': organisationUnknown,
  'other-organisations': otherOrganisations,
  'last-membership': lastMembership,
  'member-already': memberAlready,
  'rights-exceed': rightsExceed,
  'own-rights': ownRights,
  'last-administrator': lastAdministrator,
  'wrong-state': wrongState,
};

export const actRefused = (refusal: UserActRefusal): IdentityProblem => REFUSALS[refusal]();
