import { newId } from '../../crypto/index.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { covers, reachOf, touches } from '../../kernel/reach.ts';
import type { Sql, Transaction } from '../../platform/db/sql.ts';
import { type AuditReceipt, markRefusalAudited } from '../../platform/http/audited.ts';
import { lockAdministrators, otherActiveAdministrators } from './administrators.ts';
import type { EnrolmentDeps } from './enrolment-deps.ts';
import { emailTaken, organisationUnknown, roleUnknown, setUpFirst, userUnknown } from './errors.ts';
import { type IssuedLink, issueLink } from './links.ts';
import type { StoredUserState, User } from './model.ts';
import { builtInRole, type HeldRole, isBuiltIn, type Membership } from './rights.ts';
import { roleStore } from './role-store.ts';
import { decideUserAct, hiddenFrom, type UserAct, type UserActRefusal } from './rules.ts';
import { userEntity } from './sign-in.ts';
import { mailLink } from './tell-user.ts';
import { type ActRecord, actRefused, applyAct, type ChangeUser, recordAct } from './user-acts.ts';

export interface UserOutcome {
  readonly user: User;
  /** Names of the person's organisations, as far as the actor may know them. */
  readonly organisations: ReadonlyMap<OrganisationId, string>;
  /** For acts that make an enrolment link. */
  readonly link: IssuedLink | undefined;
  /** Whether the link is on its way by e-mail as well. */
  readonly mailed: boolean;
  readonly audited: AuditReceipt;
}

/** One account as a list would show it. */
export type ListedUser = Pick<UserOutcome, 'user' | 'organisations' | 'audited'>;

export interface NewPerson {
  readonly name: string;
  readonly email: string;
  /** Names of built-in roles, ids of others. */
  readonly roles: readonly string[];
  /** Default: the organisation the actor acts in; the operator's is the central one. */
  readonly organisationId?: OrganisationId | undefined;
}

export interface UserListQuery {
  readonly text?: string | undefined;
  readonly state?: StoredUserState | undefined;
  readonly organisationId?: OrganisationId | undefined;
  readonly after?: UserId | undefined;
  /** Default 100. */
  readonly limit?: number;
}

export interface UserPage {
  /** By name where all of them fit on one page, else the newest first. */
  readonly users: User[];
  readonly total: number;
  /** Where the next page begins. */
  readonly next: UserId | undefined;
  /** Names of the organisations that the people listed belong to, as far as the actor may know them. */
  readonly organisations: ReadonlyMap<OrganisationId, string>;
  readonly audited: AuditReceipt;
}

/** Management of users, by administrators and by the operator's command line alike. Decided in rules.ts, under one lock. */
export interface Users {
  /** Who belongs to an organisation that the actor administers; a central administrator sees everybody. Audited. */
  list(actor: Actor, query?: UserListQuery): Promise<UserPage>;
  /**
   * Invites a person: an account without password or factor, and a one-time link to choose them. Throws `email-taken`,
   * `rights-exceed`, `organisation-unknown`, `role-unknown` or `set-up-first`.
   */
  add(actor: Actor, person: NewPerson, baseUrl: string): Promise<UserOutcome>;
  /**
   * Changes a user's state, memberships or roles; what it ends, it ends for the next request. Throws `user-unknown`,
   * `other-organisations`, `own-rights`, `rights-exceed`, `last-administrator`, `last-membership` or `wrong-state`.
   */
  change(actor: Actor, id: UserId, act: ChangeUser, baseUrl: string): Promise<UserOutcome>;
  /** One of those whom `list` would show. Audited as a list of one. Throws `user-unknown`. */
  find(actor: Actor, id: UserId): Promise<ListedUser>;
  /** The account, for an actor who may know of it; not audited. Throws `user-unknown`. */
  visible(actor: Actor, id: UserId): Promise<User>;
}

const PAGE = 100;

export function createUsers(deps: EnrolmentDeps): Users {
  return {
    list: (actor, query = {}) => list(deps, actor, query),
    find: (actor, id) => find(deps, actor, id),
    add: (actor, person, baseUrl) => settled(deps, (tx) => add(tx, deps, { actor, person, baseUrl })),
    change: (actor, id, act, baseUrl) => settled(deps, (tx) => change(tx, deps, { actor, id, act, baseUrl })),
    visible: (actor, id) => visible(deps, actor, id),
  };
}

async function visible(deps: EnrolmentDeps, { principal }: Actor, id: UserId): Promise<User> {
  const account = await deps.users.find(deps.database, id);
  const organisations = account?.memberships.map((one) => one.organisationId) ?? [];
  if (account === undefined || !touches(reachOf(principal, 'user.read'), organisations)) throw userUnknown();
  return account;
}

async function find(deps: EnrolmentDeps, actor: Actor, id: UserId): Promise<ListedUser> {
  const user = await visible(deps, actor, id);
  const organisations = await knownNames(deps.database, deps, actor, [user]);
  const entities = [userEntity(id)];
  const audited = await deps.audit.recordNow([
    { actor, event: 'user.list', action: 'R', outcome: 'success', entities },
  ]);
  return { user, organisations, audited };
}

async function list(deps: EnrolmentDeps, actor: Actor, query: UserListQuery): Promise<UserPage> {
  const { text, state, organisationId, after, limit = PAGE } = query;
  const reach = reachOf(actor.principal, 'user.read');
  if (organisationId !== undefined && !covers(reach, [organisationId])) throw organisationUnknown();
  const organisations = organisationId === undefined ? (reach === 'all' ? undefined : reach) : [organisationId];
  const filter = { organisations, state, text: text?.trim() === '' ? undefined : text };
  const { accounts, total } = await deps.users.page(deps.database, filter, { after, limit: limit + 1 });
  const shown = accounts.slice(0, limit);
  const audited = await deps.audit.recordNow([{ actor, event: 'user.list', action: 'R', outcome: 'success' }]);
  const whole = after === undefined && total <= limit;
  return {
    users: whole ? shown.toSorted((a, b) => a.name.localeCompare(b.name)) : shown,
    total,
    next: accounts.length > limit ? shown.at(-1)?.id : undefined,
    organisations: await knownNames(deps.database, deps, actor, shown),
    audited,
  };
}

interface Refused {
  readonly refused: UserActRefusal;
  readonly audited: AuditReceipt;
}

/** A refusal is audited in the transaction that decided it, and thrown once that has committed. */
async function settled(
  deps: EnrolmentDeps,
  work: (tx: Transaction) => Promise<UserOutcome | Refused>,
): Promise<UserOutcome> {
  const outcome = await deps.database.transaction(async (tx) => {
    await lockAdministrators(tx);
    return await work(tx);
  });
  if ('refused' in outcome) throw markRefusalAudited(actRefused(outcome.refused), outcome.audited);
  return outcome;
}

async function add(
  tx: Transaction,
  deps: EnrolmentDeps,
  request: { readonly actor: Actor; readonly person: NewPerson; readonly baseUrl: string },
): Promise<UserOutcome | Refused> {
  const { actor, person, baseUrl } = request;
  const { name, email, roles } = person;
  const organisationId = person.organisationId ?? (await organisationOf(tx, deps, actor));
  const act: UserAct = { kind: 'add', organisationId, roles };
  const hidden = hiddenFrom(actor.principal, act, undefined);
  if (hidden !== undefined) return await refused(tx, deps, actor, { act, refusal: hidden });
  const given = await givenBy(tx, deps, act);
  const decision = decideUserAct(actor.principal, act, { target: undefined, given, otherAdministrators: 0 });
  if (decision !== 'allowed') return await refused(tx, deps, actor, { act, refusal: decision });
  // Adds go one after the other (the lock), so nobody takes the address between this look and the insert.
  if ((await deps.users.findByEmail(tx, email)) !== undefined) throw emailTaken();
  const id = newId<UserId>();
  const nowMs = deps.clock.nowMs();
  const by = actor.principal.kind === 'user' ? actor.principal.userId : undefined;
  await deps.users.insert(tx, { id, name, email, state: 'invited', organisationId, roles, by, nowMs });
  const link = await issueLink(tx, deps, { userId: id, baseUrl });
  const mailed = await mailLink(tx, deps, { to: email, ...link, why: 'invitation' });
  const audited = await recordAct(tx, deps.audit, actor, { act, id });
  return { ...(await afterwards(tx, deps, actor, id)), link, mailed, audited };
}

async function change(
  tx: Transaction,
  deps: EnrolmentDeps,
  request: { readonly actor: Actor; readonly id: UserId; readonly act: ChangeUser; readonly baseUrl: string },
): Promise<UserOutcome | Refused> {
  const { actor, id, baseUrl } = request;
  const { users, sessions, audit } = deps;
  const account = await users.findLocked(tx, id);
  const hidden = account === undefined ? 'user-unknown' : hiddenFrom(actor.principal, request.act, account);
  // As it was asked: what is filled in from the account is not for the log of who may not see it.
  if (hidden !== undefined || account === undefined) {
    return await refused(tx, deps, actor, { act: request.act, id, refusal: hidden ?? 'user-unknown' });
  }
  const act = completed(request.act, account);
  const given = await givenBy(tx, deps, act);
  const otherAdministrators = await otherActiveAdministrators(tx, id);
  const decision = decideUserAct(actor.principal, act, { target: account, given, otherAdministrators });
  if (decision !== 'allowed') return await refused(tx, deps, actor, { act: request.act, id, refusal: decision });
  const link = await applyAct(tx, deps, { actor, account, act, baseUrl });
  await users.notify(tx, id);
  tx.afterCommit(() => sessions.dropUser(id));
  // Only of who has no account yet: a link that resets is handed over in person, since a mailbox must not open an account.
  const mails = act.kind === 'invite-again' && link !== undefined;
  const mailed = mails && (await mailLink(tx, deps, { to: account.email, ...link, why: 'invitation' }));
  const audited = await recordAct(tx, audit, actor, { act, id, before: account });
  return { ...(await afterwards(tx, deps, actor, id)), link, mailed, audited };
}

async function refused(
  tx: Transaction,
  { audit }: EnrolmentDeps,
  actor: Actor,
  what: ActRecord & { readonly refusal: UserActRefusal },
): Promise<Refused> {
  return { refused: what.refusal, audited: await recordAct(tx, audit, actor, what) };
}

/** `roles` without an organisation means the only one, or the first joined. */
function completed(act: ChangeUser, account: User): Exclude<UserAct, { kind: 'add' }> {
  return act.kind === 'roles' ? { ...act, organisationId: act.organisationId ?? account.organisationId } : act;
}

/** The membership that an act would make. Throws `organisation-unknown` or `role-unknown`. */
async function givenBy(tx: Transaction, deps: EnrolmentDeps, act: UserAct): Promise<Membership | undefined> {
  if (!('roles' in act)) return undefined;
  const organisation = await deps.organisations.find(tx, act.organisationId);
  if (organisation === undefined || organisation.retiredMs !== undefined) throw organisationUnknown();
  const { id, central, ceiling } = organisation;
  return { organisationId: id, central, active: true, ceiling, roles: await heldRoles(tx, deps, act.roles) };
}

async function heldRoles(tx: Transaction, { sealing }: EnrolmentDeps, ids: readonly string[]): Promise<HeldRole[]> {
  const own = await roleStore.permissionsOf(
    tx,
    sealing,
    ids.filter((id) => !isBuiltIn(id)),
  );
  return ids.map((id) => {
    if (isBuiltIn(id)) return builtInRole(id);
    const permissions = own.get(id);
    if (permissions === undefined) throw roleUnknown();
    return { id, permissions };
  });
}

async function afterwards(tx: Transaction, deps: EnrolmentDeps, actor: Actor, id: UserId) {
  const user = await deps.users.find(tx, id);
  if (user === undefined) throw userUnknown();
  return { user, organisations: await knownNames(tx, deps, actor, [user]) };
}

/** Which organisations people belong to is told as far as the actor administers them. */
async function knownNames(sql: Sql, deps: EnrolmentDeps, actor: Actor, users: readonly User[]) {
  const reach = reachOf(actor.principal, 'user.read');
  const ids = new Set(users.flatMap((user) => user.memberships.map((one) => one.organisationId)));
  return await deps.organisations.names(
    sql,
    [...ids].filter((id) => covers(reach, [id])),
  );
}

/** New users join the organisation of whoever adds them; the operator's is the first there is. */
async function organisationOf(
  tx: Transaction,
  { organisations }: EnrolmentDeps,
  { principal }: Actor,
): Promise<OrganisationId> {
  if (principal.kind === 'user') return principal.organisationId;
  const organisation = await organisations.first(tx);
  // Without a name: the command line was used, but nobody has set Careseal up.
  if (organisation === undefined || organisation.name === '') throw setUpFirst();
  return organisation.id;
}
