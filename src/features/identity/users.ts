import { newId } from '../../crypto/index.ts';
import type { Role } from '../../kernel/access.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import { type AuditReceipt, markRefusalAudited } from '../../platform/http/audited.ts';
import type { Audit } from '../audit/index.ts';
import type { CredentialStore } from './credential-store.ts';
import type { Enrolment, IssuedLink } from './enrolment.ts';
import {
  emailTaken,
  type IdentityProblem,
  lastAdministrator,
  ownRights,
  rightsExceed,
  setUpFirst,
  userUnknown,
  wrongState,
} from './errors.ts';
import type { User } from './model.ts';
import { decideUserAct, type UserAct, type UserActRefusal } from './rules.ts';
import type { Sessions } from './sessions.ts';
import type { Throttle } from './throttle.ts';
import type { Account, UserStore } from './user-store.ts';

export interface UsersDeps {
  readonly database: Database;
  readonly users: UserStore;
  readonly credentials: CredentialStore;
  readonly enrolment: Enrolment;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
  readonly audit: Audit;
  readonly clock: Clock;
}

export interface UserOutcome {
  readonly user: User;
  /** For acts that make an enrolment link. */
  readonly link: IssuedLink | undefined;
  readonly audited: AuditReceipt;
}

export type ChangeUser = Exclude<UserAct, { kind: 'add' }>;

export type Users = ReturnType<typeof createUsers>;

const REFUSALS: Readonly<Record<UserActRefusal, () => IdentityProblem>> = {
  'rights-exceed': rightsExceed,
  'own-rights': ownRights,
  'last-administrator': lastAdministrator,
  'wrong-state': wrongState,
};

type Outcome = UserOutcome | { readonly refused: IdentityProblem; readonly audited: AuditReceipt };

/** Management of users, by administrators and by the operator's command line alike. Decided in rules.ts, under one lock. */
export function createUsers({ database, users, credentials, enrolment, sessions, throttle, audit, clock }: UsersDeps) {
  /** A refusal is audited in the transaction that decided it, and thrown once that has committed. */
  async function settled(work: (tx: Transaction) => Promise<Outcome>): Promise<UserOutcome> {
    const outcome = await database.transaction(async (tx) => {
      await users.lockAdministrators(tx);
      return await work(tx);
    });
    if ('refused' in outcome) throw markRefusalAudited(outcome.refused, outcome.audited);
    return outcome;
  }

  async function refused(
    tx: Transaction,
    actor: Actor,
    what: { act: UserAct; refusal: UserActRefusal; id?: UserId },
  ): Promise<Outcome> {
    const audited = await record(tx, actor, { ...what, failure: what.refusal });
    return { refused: REFUSALS[what.refusal](), audited };
  }

  function record(
    tx: Transaction,
    actor: Actor,
    what: { act: UserAct; id?: UserId; failure?: string; before?: readonly Role[] },
  ) {
    const { act, id, failure, before } = what;
    const roles = 'roles' in act ? { roles: act.roles.join(' ') } : {};
    return audit.record(tx, [
      {
        actor,
        event: `user.${act.kind}`,
        action: act.kind === 'add' ? 'C' : 'U',
        outcome: failure === undefined ? 'success' : 'serious-failure',
        detail: { ...roles, ...(before === undefined ? {} : { rolesBefore: before.join(' ') }) },
        ...(failure === undefined ? {} : { reason: failure }),
        ...(id === undefined ? {} : { entities: [{ reference: `User/${id}`, role: 'user' as const }] }),
      },
    ]);
  }

  async function apply(
    tx: Transaction,
    account: Account,
    act: ChangeUser,
    baseUrl: string,
  ): Promise<IssuedLink | undefined> {
    const { id } = account;
    switch (act.kind) {
      case 'roles':
        await users.setRoles(tx, id, act.roles);
        return undefined;
      case 'disable':
        await users.setState(tx, id, 'disabled');
        await enrolment.withdraw(tx, id);
        await sessions.endEverything(tx, id);
        return undefined;
      case 'enable':
        await users.setState(tx, id, account.passwordHash === undefined ? 'invited' : 'active');
        return undefined;
      case 'reset':
        await users.invite(tx, id);
        await credentials.deleteAll(tx, id);
        await sessions.endEverything(tx, id);
        await throttle.clear(tx, account.email);
        return await enrolment.issue(tx, id, baseUrl);
      case 'invite-again':
        return await enrolment.issue(tx, id, baseUrl);
    }
  }

  async function afterwards(tx: Transaction, id: UserId): Promise<User> {
    const user = await users.find(tx, id);
    if (user === undefined) throw userUnknown();
    return user;
  }

  return {
    async list(actor: Actor): Promise<{ users: User[]; audited: AuditReceipt }> {
      const listed = await users.list(database);
      const audited = await audit.recordNow([{ actor, event: 'user.list', action: 'R', outcome: 'success' }]);
      return { users: listed.toSorted((a, b) => a.name.localeCompare(b.name)), audited };
    },

    /** Invites a person: no password and no factor, a one-time link to choose them. */
    async add(
      actor: Actor,
      person: { readonly name: string; readonly email: string; readonly roles: readonly Role[] },
      baseUrl: string,
    ): Promise<UserOutcome> {
      const { name, email, roles } = person;
      return await settled(async (tx) => {
        const act: UserAct = { kind: 'add', roles };
        const decision = decideUserAct(actor.principal, act, undefined, 0);
        if (decision !== 'allowed') return await refused(tx, actor, { act, refusal: decision });
        const organisationId = await organisationOf(tx, actor);
        // Adds go one after the other (the lock), so nobody takes the address between this look and the insert.
        if ((await users.findByEmail(tx, email)) !== undefined) throw emailTaken();
        const id = newId<UserId>();
        await users.insert(tx, { id, name, email, state: 'invited', organisationId, roles, nowMs: clock.nowMs() });
        const link = await enrolment.issue(tx, id, baseUrl);
        return { user: await afterwards(tx, id), link, audited: await record(tx, actor, { act, id }) };
      });
    },

    /** Changes a user's state or roles. What it ends, it ends for the next request. */
    async change(actor: Actor, id: UserId, act: ChangeUser, baseUrl: string): Promise<UserOutcome> {
      return await settled(async (tx) => {
        const account = await users.findLocked(tx, id);
        if (account === undefined) throw userUnknown();
        const others = await users.otherActiveAdministrators(tx, id);
        const decision = decideUserAct(actor.principal, act, account, others);
        if (decision !== 'allowed') return await refused(tx, actor, { act, refusal: decision, id });
        const link = await apply(tx, account, act, baseUrl);
        await users.notify(tx, id);
        tx.afterCommit(() => sessions.dropUser(id));
        const before = act.kind === 'roles' ? { before: account.roles } : {};
        return { user: await afterwards(tx, id), link, audited: await record(tx, actor, { act, id, ...before }) };
      });
    },
  };

  /** New users join the organisation of whoever adds them; the operator's is the first there is. */
  async function organisationOf(tx: Transaction, { principal }: Actor): Promise<OrganisationId> {
    if (principal.kind === 'user') return principal.organisationId;
    const organisation = await users.firstOrganisation(tx);
    if (organisation === undefined) throw setUpFirst();
    return organisation.id;
  }
}
