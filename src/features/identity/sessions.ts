import { hashToken, newId, randomToken } from '../../crypto/index.ts';
import type { OrganisationId, SessionId, UserId } from '../../kernel/ids.ts';
import type { Principal, UserPrincipal } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { readCookie } from '../../platform/http/cookies.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import { rememberDevice } from './devices.ts';
import type { IdentitySettings, Session } from './model.ts';
import { ANONYMOUS, makePrincipal } from './principal.ts';
import { sessionAlive } from './rules.ts';
import { createSessionCheck, type SessionCheck, type SessionsDeps } from './session-check.ts';
import type { SessionStore } from './session-store.ts';
import { revokePersonalTokens } from './personal-tokens.ts';
import { signInStore } from './sign-in-store.ts';
import type { Account } from './user-store.ts';

export const SESSION_COOKIE = 'session';
export const PRE_SESSION_COOKIE = 'sign-in';

/** What a browser brings along: the values of our cookies, how it calls itself and where it is. */
export interface Browser {
  readonly sessionToken?: string | undefined;
  readonly preSessionToken?: string | undefined;
  readonly deviceToken?: string | undefined;
  readonly trustedToken?: string | undefined;
  readonly challengeToken?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly address?: string | undefined;
}

/** What opened a session; each is a row of “Ways in” in the README. */
export const SIGN_IN_METHODS = [
  'code',
  'passkey',
  'recovery-code',
  'trusted-device',
  'password-only',
  'enrolment',
  'provider',
] as const;
export type SignInMethod = (typeof SIGN_IN_METHODS)[number];

export interface HowSignedIn {
  readonly method: SignInMethod;
  /** Unix ms of the last full proof; default now. A trusted device's is that of its second factor. */
  readonly authenticatedAtMs?: number;
}

/** A session that is about to begin. */
export interface PreparedSession {
  readonly id: SessionId;
  readonly authenticatedMs: number;
  readonly method: SignInMethod;
  readonly principal: UserPrincipal;
}

export interface StartedSession {
  readonly principal: UserPrincipal;
  readonly cookies: readonly CookieChange[];
}

export type Sessions = ReturnType<typeof createSessions>;

/** Sessions of users: an opaque 256-bit token in a cookie, its hash in the database, and a cache of at most a second. */
export function createSessions(deps: SessionsDeps) {
  const check = createSessionCheck(deps);
  return {
    /** The principal of a request: the user of a live session, or anonymous. */
    async authenticate(cookieHeader: string | undefined, address?: string): Promise<Principal> {
      const entry = await check.find(readCookie(cookieHeader, SESSION_COOKIE));
      if (entry === undefined) return ANONYMOUS;
      // Checked at every request: a cookie that has left the allowed networks is worth nothing outside of them.
      return deps.policy.isNetworkAllowed('users', address, entry.principal) ? entry.principal : ANONYMOUS;
    },

    /** Unix ms at which the session of this token ends whatever happens. */
    async absoluteEnd(token: string | undefined): Promise<number | undefined> {
      return (await check.find(token))?.absoluteEndsMs;
    },

    ...starting(deps, check),
    ...managing(deps),

    /** Forgets what this process remembers of a user. */
    dropUser: (userId: string): void => check.dropUser(userId),
    /** Forgets everything, after notifications may have been missed. */
    dropAll: (): void => check.dropAll(),
  };
}

function starting({ store, clock, settings }: SessionsDeps, check: SessionCheck) {
  return {
    /**
     * Starts a session under a fresh token, whatever the browser held before (fixation), ends the one it held, and makes
     * the browser a known one.
     */
    async start(
      tx: Transaction,
      { account, browser, session }: { account: Account; browser: Browser; session: PreparedSession },
    ): Promise<StartedSession> {
      const nowMs = clock.nowMs();
      const token = randomToken(256);
      const old = browser.sessionToken;
      if (old !== undefined) tx.afterCommit(() => check.drop(old));
      const known = { oldToken: browser.deviceToken, nowMs, days: settings.knownDeviceDays };
      const [device] = await Promise.all([
        rememberDevice(tx, account.id, known),
        insertSession(tx, { store, settings, nowMs, tokenHash: hashToken(token), account, browser, session }),
        old === undefined ? undefined : store.endToken(tx, hashToken(old)),
      ]);
      const { principal } = session;
      return {
        principal,
        cookies: [{ name: SESSION_COOKIE, value: token }, { name: PRE_SESSION_COOKIE, value: null }, device],
      };
    },

    /** Who will be signed in, before anything is written: for what is written together with it. */
    prepare(account: Account, how: HowSignedIn): PreparedSession {
      const authenticatedMs = how.authenticatedAtMs ?? clock.nowMs();
      const id = newId<SessionId>();
      const principal = makePrincipal(account, { id, authenticatedAtMs: authenticatedMs });
      return { id, authenticatedMs, method: how.method, principal };
    },
  };
}

function managing({ database, store, clock, settings }: SessionsDeps) {
  return {
    /** The user's live sessions, the last used first. */
    async ofUser(userId: UserId): Promise<Session[]> {
      const nowMs = clock.nowMs();
      return (await store.ofUser(database, userId)).filter((session) => sessionAlive(session, nowMs, settings));
    },

    /** The session acts in this organisation from its next request on. */
    async actIn(
      tx: Transaction,
      session: { userId: UserId; id: SessionId; organisationId: OrganisationId },
    ): Promise<void> {
      await store.actIn(tx, session);
    },

    /** Ends one session of this user; false when there is none of that id. */
    end: (tx: Transaction, userId: UserId, id: SessionId): Promise<boolean> => store.end(tx, userId, id),

    /**
     * A new proof within a session: it goes on under a fresh token (rotation), proved now. undefined when it has ended.
     */
    async renew(tx: Transaction, session: { userId: UserId; id: SessionId }): Promise<CookieChange | undefined> {
      const token = randomToken(256);
      const renewed = await store.renew(tx, { ...session, tokenHash: hashToken(token), nowMs: clock.nowMs() });
      return renewed ? { name: SESSION_COOKIE, value: token } : undefined;
    },

    /** Ends every session of the user but this one; how many. */
    endOthers: (tx: Transaction, userId: UserId, keep: SessionId): Promise<number> => store.endOthers(tx, userId, keep),

    /** Ends every session, half-done sign-in, known browser and personal token of the user. */
    async endEverything(tx: Transaction, userId: UserId): Promise<void> {
      await store.endAll(tx, userId);
      await signInStore.endAll(tx, userId);
      await revokePersonalTokens(tx, userId, clock.nowMs());
    },
  };
}

interface Starting {
  readonly store: SessionStore;
  readonly settings: IdentitySettings;
  readonly nowMs: number;
  readonly tokenHash: Uint8Array;
  readonly account: Account;
  readonly browser: Browser;
  readonly session: PreparedSession;
}

async function insertSession(tx: Transaction, starting: Starting): Promise<void> {
  const { store, settings, nowMs, tokenHash, account, browser } = starting;
  const { id, authenticatedMs, method } = starting.session;
  const inserted = store.insert(tx, {
    ...{ id, tokenHash, userId: account.id, address: browser.address, userAgent: oneLine(browser.userAgent) },
    startedMs: nowMs,
    authenticatedMs,
    method,
    lastSeenMs: nowMs,
    absoluteEndsMs: nowMs + settings.sessionAbsoluteHours * 3_600_000,
  });
  await Promise.all([inserted, store.trim(tx, account.id, settings.sessionsPerUserMax)]);
}

/** A browser calls itself what it likes; it is shown in a list. */
function oneLine(text: string | undefined): string | undefined {
  return text?.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 200);
}
