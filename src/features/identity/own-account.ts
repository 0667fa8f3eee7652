import { parseId, type SessionId } from '../../kernel/ids.ts';
import type { Actor, Principal, UserPrincipal } from '../../kernel/principal.ts';
import { instant } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { AuditReceipt } from '../../platform/http/audited.ts';
import type { Audit } from '../audit/index.ts';
import { notSignedIn, sessionUnknown } from './errors.ts';
import type { IdentitySettings, Session } from './model.ts';
import type { OrganisationStore } from './organisation-store.ts';
import type { Browser, Sessions } from './sessions.ts';
import { type SignInDeps, userEntity } from './sign-in.ts';
import { owesCode } from './sign-in-code.ts';
import type { UserStore } from './user-store.ts';
import type { SessionAnswer, SessionsAnswer } from './wire.ts';

interface OwnAccountDeps {
  readonly database: Database;
  readonly users: UserStore;
  readonly sessions: Sessions;
  readonly organisations: OrganisationStore;
  readonly signIn: SignInDeps;
  readonly audit: Audit;
  readonly settings: IdentitySettings;
}

export type OwnAccount = ReturnType<typeof createOwnAccount>;

/** What people see and end of their own: who they are, where they are signed in. */
export function createOwnAccount({
  database,
  users,
  organisations,
  sessions,
  signIn,
  audit,
  settings,
}: OwnAccountDeps) {
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
    /** Who is signed in here, with which rights. */
    async session(principal: Principal, browser: Browser): Promise<SessionAnswer> {
      const idleTimeoutSeconds = settings.sessionIdleMinutes * 60;
      const nobody: SessionAnswer = { state: 'anonymous', permissions: [], idleTimeoutSeconds };
      const account = principal.kind === 'user' ? await users.find(database, principal.userId) : undefined;
      if (account === undefined || principal.kind !== 'user') {
        return (await owesCode(signIn, browser)) ? { ...nobody, state: 'second-factor' } : nobody;
      }
      const organisation = await organisations.find(database, account.organisationId);
      const endsMs = await sessions.absoluteEnd(browser.sessionToken);
      const { id, name, email } = account;
      return {
        state: 'signed-in',
        user: {
          ...{ id, name, email },
          roles: [...principal.roles],
          organisation: { id: account.organisationId, name: organisation?.name ?? '' },
        },
        permissions: [...principal.permissions],
        idleTimeoutSeconds,
        ...(endsMs === undefined ? {} : { absoluteEndsAt: instant(endsMs) }),
      };
    },

    async sessions(actor: Actor): Promise<SessionsAnswer & { audited: AuditReceipt }> {
      const { userId, sessionId } = userOf(actor);
      const listed = (await sessions.ofUser(userId)).map((session) => entry(session, sessionId));
      const audited = await audit.recordNow([{ actor, event: 'session.list', action: 'R', outcome: 'success' }]);
      return { sessions: listed, audited };
    },

    /** Throws `session-unknown` for a session that has ended or is somebody else's. */
    async endSession(actor: Actor, id: string): Promise<AuditReceipt> {
      const parsed = parseId<SessionId>(id);
      if (parsed === undefined) throw sessionUnknown();
      return await endOwn(actor, parsed, 'session.end');
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
