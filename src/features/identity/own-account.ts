import { type OrganisationId, parseId, type SessionId } from '../../kernel/ids.ts';
import type { Actor, Principal, UserPrincipal } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Audit } from '../audit/index.ts';
import { notSignedIn, organisationUnknown, sessionUnknown } from './errors.ts';
import type { IdentitySettings, Session } from './model.ts';
import type { OrganisationStore } from './organisation-store.ts';
import { policyWarnings } from './policy-words.ts';
import { roleStore } from './role-store.ts';
import type { Sealing } from './sealing.ts';
import type { Browser, Sessions } from './sessions.ts';
import { type SignInDeps, userEntity } from './sign-in.ts';
import { owesCode } from './sign-in-code.ts';
import type { UserStore } from './user-store.ts';
import type { RoleName, SessionAnswer, SessionsAnswer } from './wire.ts';

interface OwnAccountDeps {
  readonly database: Database;
  readonly users: UserStore;
  readonly sessions: Sessions;
  readonly organisations: OrganisationStore;
  readonly sealing: Sealing;
  readonly signIn: SignInDeps;
  readonly audit: Audit;
  readonly settings: IdentitySettings;
}

export type OwnAccount = ReturnType<typeof createOwnAccount>;

/** What people see and end of their own: who they are, where they are signed in. */
export function createOwnAccount(deps: OwnAccountDeps) {
  return { ...whoIsHere(deps), ...acting(deps), ...ending(deps) };
}

function whoIsHere({ database, users, organisations, sealing, sessions, signIn, settings }: OwnAccountDeps) {
  return {
    /** Who is signed in here, with which rights. */
    async session(principal: Principal, browser: Browser): Promise<SessionAnswer> {
      const idleTimeoutSeconds = settings.sessionIdleMinutes * 60;
      const nobody: SessionAnswer = { state: 'anonymous', permissions: [], idleTimeoutSeconds };
      const isPerson = principal.kind === 'user' && principal.tokenId === undefined;
      const account = isPerson ? await users.find(database, principal.userId) : undefined;
      if (account === undefined || principal.kind !== 'user') {
        return (await owesCode(signIn, browser)) ? { ...nobody, state: 'second-factor' } : nobody;
      }
      const ids = account.memberships.map((one) => one.organisationId);
      const [names, own] = await Promise.all([organisations.names(database, ids), roleStore.list(database, sealing)]);
      const named = (organisationId: OrganisationId) => ({ id: organisationId, name: names.get(organisationId) ?? '' });
      const central = account.memberships.find((one) => one.organisationId === principal.organisationId)?.central;
      const endsMs = await sessions.absoluteEnd(browser.sessionToken);
      const { id, name, email } = account;
      return {
        state: 'signed-in',
        user: {
          ...{ id, name, email },
          roles: principal.roles as RoleName[],
          organisation: { ...named(principal.organisationId), central: central ?? false },
          organisations: ids.map(named),
          roleNames: Object.fromEntries(
            own.filter((role) => principal.roles.includes(role.id)).map((role) => [role.id, role.name]),
          ),
        },
        permissions: [...principal.permissions],
        warnings: principal.permissions.has('settings.manage')
          ? policyWarnings(settings, signIn.policy.isChanged())
          : [],
        idleTimeoutSeconds,
        ...(endsMs === undefined ? {} : { absoluteEndsAt: instant(endsMs) }),
        ...(principal.emergency === undefined
          ? {}
          : { emergency: { id: principal.emergency.id, endsAt: instant(principal.emergency.endsMs) } }),
      };
    },
  };
}

function acting({ database, users, sessions, audit }: OwnAccountDeps) {
  return {
    /** The session acts in another of the person's organisations from its next request on. */
    async actIn(actor: Actor, organisationId: OrganisationId): Promise<AuditReceipt> {
      const { userId, sessionId } = userOf(actor);
      return await database.transaction(async (tx) => {
        const account = await users.find(tx, userId);
        if (!account?.memberships.some((one) => one.organisationId === organisationId)) throw organisationUnknown();
        await sessions.actIn(tx, { userId, id: sessionId, organisationId });
        await users.notify(tx, userId);
        tx.afterCommit(() => sessions.dropUser(userId));
        const detail = { organisation: organisationId };
        return await audit.record(tx, [{ actor, event: 'session.act-in', action: 'U', outcome: 'success', detail }]);
      });
    },

    async sessions(actor: Actor): Promise<SessionsAnswer & { audited: AuditReceipt }> {
      const { userId, sessionId } = userOf(actor);
      const listed = (await sessions.ofUser(userId)).map((session) => entry(session, sessionId));
      const audited = await audit.recordNow([{ actor, event: 'session.list', action: 'R', outcome: 'success' }]);
      return { sessions: listed, audited };
    },
  };
}

function ending({ database, users, sessions, audit }: OwnAccountDeps) {
  async function endOwn(actor: Actor, id: SessionId, event: 'sign-out' | 'session.end'): Promise<AuditReceipt> {
    const { userId } = userOf(actor);
    return await database.transaction(async (tx) => {
      if (!(await sessions.end(tx, userId, id))) throw sessionUnknown();
      await users.notify(tx, userId);
      tx.afterCommit(() => sessions.dropUser(userId));
      const entities = [userEntity(userId)];
      return await audit.record(tx, [
        { actor, event, action: 'E', outcome: 'success', entities, detail: { session: id } },
      ]);
    });
  }

  return {
    /** Throws `session-unknown` for a session that has ended or is somebody else's. */
    async endSession(actor: Actor, id: string): Promise<AuditReceipt> {
      const parsed = parseId<SessionId>(id);
      if (parsed === undefined) throw sessionUnknown();
      return await endOwn(actor, parsed, 'session.end');
    },

    /** Every session of this person but the one that asks. */
    async endOthers(actor: Actor): Promise<AuditReceipt> {
      const { userId, sessionId } = userOf(actor);
      return await database.transaction(async (tx) => {
        const ended = await sessions.endOthers(tx, userId, sessionId);
        await users.notify(tx, userId);
        tx.afterCommit(() => sessions.dropUser(userId));
        const detail = { ended: String(ended) };
        const entities = [userEntity(userId)];
        return await audit.record(tx, [
          { actor, event: 'session.end-all', action: 'E', outcome: 'success', entities, detail },
        ]);
      });
    },

    signOut: (actor: Actor): Promise<AuditReceipt> => endOwn(actor, userOf(actor).sessionId, 'sign-out'),
  };
}

function userOf({ principal }: Actor): UserPrincipal {
  if (principal.kind !== 'user') throw notSignedIn();
  return principal;
}

function entry(session: Session, current: SessionId): SessionsAnswer['sessions'][number] {
  const { id, address, userAgent } = session;
  return {
    id,
    current: id === current,
    startedAt: instant(session.startedMs),
    lastSeenAt: instant(session.lastSeenMs),
    ...(address === undefined ? {} : { address }),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}
