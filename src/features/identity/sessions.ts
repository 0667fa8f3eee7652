import { hashToken, newId, randomToken } from '../../crypto/index.ts';
import type { SessionId, UserId } from '../../kernel/ids.ts';
import type { AnonymousPrincipal, Principal, UserPrincipal } from '../../kernel/principal.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database, Transaction } from '../../platform/db/sql.ts';
import { readCookie } from '../../platform/http/cookies.ts';
import type { CookieChange } from '../../platform/http/route.ts';
import type { IdentitySettings, Session } from './model.ts';
import { permissionsOf, sessionAlive } from './rules.ts';
import type { Sealing } from './sealing.ts';
import { type CachedSession, createSessionCache } from './session-cache.ts';
import type { LiveSessionRow, SessionStore } from './session-store.ts';
import { type Account, parseRoles } from './user-store.ts';

export const SESSION_COOKIE = 'session';
export const PRE_SESSION_COOKIE = 'sign-in';
export const DEVICE_COOKIE = 'device';
/** Channel on which the end of somebody's access is told to every process; the payload is the user's id. */
export const IDENTITY_CHANNEL = 'careseal_identity';

/** Idle time is written down this coarsely, so that a page that loads twenty things makes one write and not twenty. */
const SEEN_EVERY_MS = 30_000;
const TOKEN_BITS = 256;
/** A token as we make it; anything else is not worth a look-up. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const DAY_MS = 86_400_000;

export const ANONYMOUS: AnonymousPrincipal = Object.freeze({ kind: 'anonymous', permissions: new Set<never>() });

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

export interface SessionsDeps {
  readonly database: Database;
  readonly store: SessionStore;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly settings: IdentitySettings;
}

export type Sessions = ReturnType<typeof createSessions>;

/** Sessions of users: an opaque 256-bit token in a cookie, its hash in the database, and a cache of at most a second. */
export function createSessions({ database, store, sealing, clock, settings }: SessionsDeps) {
  const cache = createSessionCache();

  async function load(tokenHash: Buffer, key: string): Promise<CachedSession | undefined> {
    const generation = cache.generation();
    const row = await store.find(database, tokenHash);
    if (row === undefined) {
      cache.drop(key);
      return undefined;
    }
    const writtenSeenMs = row.last_seen_at.getTime();
    const entry: CachedSession = {
      principal: principalOf(row, sealing),
      absoluteEndsMs: row.absolute_ends_at.getTime(),
      loadedMs: clock.nowMs(),
      // This process may have seen the session later than it has written down.
      lastSeenMs: Math.max(writtenSeenMs, cache.get(key)?.lastSeenMs ?? 0),
      writtenSeenMs,
    };
    cache.put(key, entry, generation);
    return entry;
  }

  async function find(token: string | undefined): Promise<CachedSession | undefined> {
    if (token === undefined || !TOKEN.test(token)) return undefined;
    const tokenHash = hashToken(token);
    const key = tokenHash.toString('base64');
    const nowMs = clock.nowMs();
    const cached = cache.get(key);
    const entry = cached !== undefined && cache.fresh(cached, nowMs) ? cached : await load(tokenHash, key);
    if (entry === undefined || !sessionAlive(entry, nowMs, settings)) return undefined;
    entry.lastSeenMs = Math.max(entry.lastSeenMs, nowMs);
    if (nowMs - entry.writtenSeenMs >= SEEN_EVERY_MS) {
      entry.writtenSeenMs = nowMs;
      await store.seen(database, tokenHash, nowMs);
    }
    return entry;
  }

  /** A fresh device token for this browser; whoever else uses the browser moves on to it. */
  async function rememberDevice(tx: Transaction, userId: UserId, oldToken: string | undefined): Promise<CookieChange> {
    const token = randomToken(TOKEN_BITS);
    const tokenHash = hashToken(token);
    if (oldToken !== undefined && TOKEN.test(oldToken)) await store.moveDevice(tx, hashToken(oldToken), tokenHash);
    await store.rememberDevice(tx, tokenHash, userId, clock.nowMs() + settings.knownDeviceDays * DAY_MS);
    return { name: DEVICE_COOKIE, value: token, maxAgeSeconds: (settings.knownDeviceDays * DAY_MS) / 1000 };
  }

  return {
    /** The principal of a request: the user of a live session, or anonymous. */
    async authenticate(cookieHeader: string | undefined): Promise<Principal> {
      const entry = await find(readCookie(cookieHeader, SESSION_COOKIE));
      return entry?.principal ?? ANONYMOUS;
    },

    /** Unix ms at which the session of this token ends whatever happens. */
    async absoluteEnd(token: string | undefined): Promise<number | undefined> {
      return (await find(token))?.absoluteEndsMs;
    },

    /**
     * Starts a session under a fresh token, whatever the browser held before (fixation), ends the one it held, and makes
     * the browser a known one.
     */
    async start(tx: Transaction, account: Account, browser: Browser): Promise<StartedSession> {
      const nowMs = clock.nowMs();
      const token = randomToken(TOKEN_BITS);
      const session = { id: newId<SessionId>(), userId: account.id, startedMs: nowMs, authenticatedMs: nowMs };
      await store.insert(tx, {
        ...session,
        tokenHash: hashToken(token),
        lastSeenMs: nowMs,
        absoluteEndsMs: nowMs + settings.sessionAbsoluteHours * 3_600_000,
        address: browser.address,
        userAgent: plainText(browser.userAgent),
      });
      await store.trim(tx, account.id, settings.sessionsPerUserMax);
      if (browser.sessionToken !== undefined) {
        const old = hashToken(browser.sessionToken);
        await store.endToken(tx, old);
        tx.afterCommit(() => cache.drop(old.toString('base64')));
      }
      const device = await rememberDevice(tx, account.id, browser.deviceToken);
      return {
        principal: makePrincipal(account, session.id, nowMs),
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
    endEverything: (tx: Transaction, userId: UserId): Promise<void> => store.endEverything(tx, userId),

    /** Whether this browser has signed in to the account before; its counter's name if so. */
    async knownDevice(account: Account | undefined, token: string | undefined): Promise<Buffer | undefined> {
      if (account === undefined || token === undefined || !TOKEN.test(token)) return undefined;
      const tokenHash = hashToken(token);
      return (await store.knowsDevice(database, tokenHash, account.id, clock.nowMs())) ? tokenHash : undefined;
    },

    /** Forgets what this process remembers of a user. */
    dropUser: (userId: string): void => cache.dropUser(userId),
    /** Forgets everything, after notifications may have been missed. */
    dropAll: (): void => cache.clear(),
  };
}

function principalOf(row: LiveSessionRow, sealing: Sealing): UserPrincipal {
  const account = {
    id: row.user_id,
    name: sealing.open('sealed_profile', row.user_id, row.sealed_profile).name,
    organisationId: row.organisation_id,
    roles: parseRoles(row.roles),
  };
  return makePrincipal(account, row.id, row.authenticated_at.getTime());
}

function makePrincipal(
  account: Pick<Account, 'id' | 'name' | 'organisationId' | 'roles'>,
  sessionId: SessionId,
  authenticatedAtMs: number,
): UserPrincipal {
  return {
    kind: 'user',
    userId: account.id,
    displayName: account.name,
    organisationId: account.organisationId,
    roles: account.roles,
    permissions: permissionsOf(account.roles),
    sessionId,
    authenticatedAtMs,
  };
}

/** A browser calls itself what it likes: one line, shown in a list. */
function plainText(text: string | undefined): string | undefined {
  return text?.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 200);
}
