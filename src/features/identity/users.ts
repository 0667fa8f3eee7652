import { newId } from '../../crypto/index.ts';
import type { Role } from '../../kernel/access.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { type AuditReceipt, markRefusalAudited } from '../../platform/http/audited.ts';
import { lockAdministrators, otherActiveAdministrators } from './administrators.ts';
import type { EnrolmentDeps } from './enrolment-deps.ts';
import { emailTaken, setUpFirst, userUnknown } from './errors.ts';
import { type IssuedLink, issueLink } from './links.ts';
import type { User } from './model.ts';
import { decideUserAct, type UserAct, type UserActRefusal } from './rules.ts';
import { actRefused, applyAct, type ChangeUser, recordAct } from './user-acts.ts';

export interface UserOutcome {
  readonly user: User;
  /** For acts that make an enrolment link. */
  readonly link: IssuedLink | undefined;
  readonly audited: AuditReceipt;
}

export interface NewPerson {
  readonly name: string;
  readonly email: string;
  readonly roles: readonly Role[];
}

/** Management of users, by administrators and by the operator's command line alike. Decided in rules.ts, under one lock. */
export interface Users {
  /** Everybody, by name. Audited. */
  list(actor: Actor): Promise<{ readonly users: User[]; readonly audited: AuditReceipt }>;
  /**
   * Invites a person: an account without password or factor, and a one-time link to choose them. Throws `email-taken`,
   * `rights-exceed` or `set-up-first`.
   */
  add(actor: Actor, person: NewPerson, baseUrl: string): Promise<UserOutcome>;
  /**
   * Changes a user's state or roles; what it ends, it ends for the next request. Throws `user-unknown`, `own-rights`,
   * `rights-exceed`, `last-administrator` or `wrong-state`.
   */
  change(actor: Actor, id: UserId, act: ChangeUser, baseUrl: string): Promise<UserOutcome>;
}

export function createUsers(deps: EnrolmentDeps): Users {
  return {
    async list(actor) {
      const listed = await deps.users.list(deps.database);
      const audited = await deps.audit.recordNow([{ actor, event: 'user.list', action: 'R', outcome: 'success' }]);
      return { users: listed.toSorted((a, b) => a.name.localeCompare(b.name)), audited };
    },
    add: (actor, person, baseUrl) => settled(deps, (tx) => add(tx, deps, { actor, person, baseUrl })),
    change: (actor, id, act, baseUrl) => settled(deps, (tx) => change(tx, deps, { actor, id, act, baseUrl })),
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
  const act: UserAct = { kind: 'add', roles };
  const decision = decideUserAct(actor.principal, act, undefined, 0);
  if (decision !== 'allowed') {
    return { refused: decision, audited: await recordAct(tx, deps.audit, actor, { act, refusal: decision }) };
  }
  const organisationId = await organisationOf(tx, deps, actor);
  // Adds go one after the other (the lock), so nobody takes the address between this look and the insert.
  if ((await deps.users.findByEmail(tx, email)) !== undefined) throw emailTaken();
  const id = newId<UserId>();
  const nowMs = deps.clock.nowMs();
  await deps.users.insert(tx, { id, name, email, state: 'invited', organisationId, roles, nowMs });
  const link = await issueLink(tx, deps, { userId: id, baseUrl });
  const audited = await recordAct(tx, deps.audit, actor, { act, id });
  return { user: await afterwards(tx, deps, id), link, audited };
}

async function change(
  tx: Transaction,
  deps: EnrolmentDeps,
  request: { readonly actor: Actor; readonly id: UserId; readonly act: ChangeUser; readonly baseUrl: string },
): Promise<UserOutcome | Refused> {
  const { actor, id, act, baseUrl } = request;
  const { users, sessions, audit } = deps;
  const account = await users.findLocked(tx, id);
  if (account === undefined) throw userUnknown();
  const others = await otherActiveAdministrators(tx, id);
  const decision = decideUserAct(actor.principal, act, account, others);
  if (decision !== 'allowed') {
    return { refused: decision, audited: await recordAct(tx, audit, actor, { act, id, refusal: decision }) };
  }
  const link = await applyAct(tx, deps, { account, act, baseUrl });
  await users.notify(tx, id);
  tx.afterCommit(() => sessions.dropUser(id));
  const before = act.kind === 'roles' ? { rolesBefore: account.roles } : {};
  const audited = await recordAct(tx, audit, actor, { act, id, ...before });
  return { user: await afterwards(tx, deps, id), link, audited };
}

async function afterwards(tx: Transaction, { users }: EnrolmentDeps, id: UserId): Promise<User> {
  const user = await users.find(tx, id);
  if (user === undefined) throw userUnknown();
  return user;
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
