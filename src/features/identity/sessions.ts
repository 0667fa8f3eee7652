import { hashToken, newId, randomToken } from '../../crypto/index.ts';
import type { SessionId, UserId } from '../../kernel/ids.ts';
import type { Principal, UserPrincipal } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { readCookie } from '../../platform/http/cookies.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import { rememberDevice } from './devices.ts';
import type { IdentitySettings, Session } from './model.ts';
import { ANONYMOUS, makePrincipal } from './principal.ts';
import { sessionAlive } from './rules.ts';
import { createSessionCheck, type SessionsDeps } from './session-check.ts';
import type { SessionStore } from './session-store.ts';
import { signInStore } from './sign-in-store.ts';
import type { Account } from './user-store.ts';

export const SESSION_COOKIE = 'session';
export const PRE_SESSION_COOKIE = 'sign-in';

/** What a browser brings along: the values of our cookies, how it calls itself and where it is. */
export interface Browser {
  readonly sessionToken?: string | undefined;
  readonly preSessionToken?: string | undefined;
  readonly deviceToken?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly address?: string | undefined;
}

export interface StartedSession {
  readonly principal: UserPrincipal;
  readonly cookies: readonly CookieChange[];
}

export type Sessions = ReturnType<typeof createSessions>;

/** Sessions of users: an opaque 256-bit token in a cookie, its hash in the database, and a cache of at most a second. */
export function createSessions(deps: SessionsDeps) {
  const { database, store, clock, settings } = deps;
  const check = createSessionCheck(deps);
  return {
    /** The principal of a request: the user of a live session, or anonymous. */
    async authenticate(cookieHeader: string | undefined): Promise<Principal> {
      const entry = await check.find(readCookie(cookieHeader, SESSION_COOKIE));
      return entry?.principal ?? ANONYMOUS;
    },

    /** Unix ms at which the session of this token ends whatever happens. */
    async absoluteEnd(token: string | undefined): Promise<number | undefined> {
      return (await check.find(token))?.absoluteEndsMs;
    },

    /**
     * Starts a session under a fresh token, whatever the browser held before (fixation), ends the one it held, and makes
     * the browser a known one.
     */
    async start(tx: Transaction, account: Account, browser: Browser): Promise<StartedSession> {
      const nowMs = clock.nowMs();
      const token = randomToken(256);
      const id = newId<SessionId>();
      await insertSession(tx, { store, settings, nowMs, id, tokenHash: hashToken(token), account, browser });
      const old = browser.sessionToken;
      if (old !== undefined) {
        await store.endToken(tx, hashToken(old));
        tx.afterCommit(() => check.drop(old));
      }
      const known = { oldToken: browser.deviceToken, nowMs, days: settings.knownDeviceDays };
      const device = await rememberDevice(tx, account.id, known);
      return {
        principal: makePrincipal(account, id, nowMs),
        cookies: [{ name: SESSION_COOKIE, value: token }, { name: PRE_SESSION_COOKIE, value: null }, device],
      };
    },

    /** The user's live sessions, the last used first. */
    async ofUser(userId: UserId): Promise<Session[]> {
      const nowMs = clock.nowMs();
      return (await store.ofUser(database, userId)).filter((session) => sessionAlive(session, nowMs, settings));
    },

    /** Ends one session of this user; false when there is none of that id. */
    end: (tx: Transaction, userId: UserId, id: SessionId): Promise<boolean> => store.end(tx, userId, id),

    /** Ends every session, half-done sign-in and known browser of the user. */
    async endEverything(tx: Transaction, userId: UserId): Promise<void> {
      await store.endAll(tx, userId);
      await signInStore.endAll(tx, userId);
    },

    /** Forgets what this process remembers of a user. */
    dropUser: (userId: string): void => check.dropUser(userId),
    /** Forgets everything, after notifications may have been missed. */
    dropAll: (): void => check.dropAll(),
  };
}

interface Starting {
  readonly store: SessionStore;
  readonly settings: IdentitySettings;
  readonly nowMs: number;
  readonly id: SessionId;
  readonly tokenHash: Uint8Array;
  readonly account: Account;
  readonly browser: Browser;
}

async function insertSession(tx: Transaction, starting: Starting): Promise<void> {
  const { store, settings, nowMs, id, tokenHash, account, browser } = starting;
  await store.insert(tx, {
    ...{ id, tokenHash, userId: account.id, address: browser.address, userAgent: oneLine(browser.userAgent) },
    startedMs: nowMs,
    authenticatedMs: nowMs,
    lastSeenMs: nowMs,
    absoluteEndsMs: nowMs + settings.sessionAbsoluteHours * 3_600_000,
  });
  await store.trim(tx, account.id, settings.sessionsPerUserMax);
}

/** A browser calls itself what it likes; it is shown in a list. */
function oneLine(text: string | undefined): string | undefined {
  return text?.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 200);
}
