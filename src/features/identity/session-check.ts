import { hashToken } from '../../crypto/index.ts';
import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import { homeOf, parseMemberships } from './membership-sql.ts';
import type { IdentitySettings } from './model.ts';
import type { Policy } from './policy.ts';
import { markOf } from './policy-store.ts';
import { makePrincipal } from './principal.ts';
import { accountRow, emergencyRow, sessionRow } from './row-facts.ts';
import { sessionAlive } from './rules.ts';
import type { Sealing } from './sealing.ts';
import { type CachedSession, createSessionCache } from './session-cache.ts';
import { type LiveSessionRow, type SessionStore, sessionFacts } from './session-store.ts';

/** Idle time is written down this coarsely, so that a page that loads twenty things makes one write and not twenty. */
const SEEN_EVERY_MS = 30_000;
/** A token as we make it; anything else is not worth a look-up. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

export interface SessionsDeps {
  readonly database: Database;
  readonly store: SessionStore;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly settings: IdentitySettings;
  readonly policy: Pick<Policy, 'refresh' | 'sawMark' | 'isNetworkAllowed'>;
}

/** The check of every request: the live session of a token, from memory when it was read within the last second. */
export interface SessionCheck {
  find(token: string | undefined): Promise<CachedSession | undefined>;
  drop(token: string): void;
  dropUser(userId: string): void;
  dropAll(): void;
}

export function createSessionCheck({ database, store, sealing, clock, settings, policy }: SessionsDeps): SessionCheck {
  const cache = createSessionCache();

  async function load(tokenHash: Buffer, key: string): Promise<CachedSession | undefined> {
    const generation = cache.generation();
    const askedMs = clock.nowMs();
    const row = await store.find(database, tokenHash);
    // The policy's mark comes with the session itself: a changed policy holds as soon as an ended session does.
    if (row === undefined) await policy.refresh();
    else await policy.sawMark(markOf({ version: row.policy_version, binding: row.policy_binding }), askedMs);
    const seenHereMs = cache.get(key)?.lastSeenMs ?? 0;
    const entry = row && cachedSession(row, { sealing, tokenHash, nowMs: clock.nowMs(), seenHereMs });
    if (entry === undefined) {
      cache.drop(key);
      return undefined;
    }
    cache.put(key, entry, generation);
    return entry;
  }

  return {
    async find(token) {
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
    },
    drop: (token) => cache.drop(hashToken(token).toString('base64')),
    dropUser: (userId) => cache.dropUser(userId),
    dropAll: () => cache.clear(),
  };
}

/** undefined where session, account or memberships are not as we wrote them: as if there were none. */
function cachedSession(
  row: LiveSessionRow,
  facts: {
    readonly sealing: Sealing;
    readonly tokenHash: Uint8Array;
    readonly nowMs: number;
    readonly seenHereMs: number;
  },
): CachedSession | undefined {
  const { rows } = facts.sealing;
  const { memberships, intact } = parseMemberships(row.memberships, row.user_id, rows);
  const isOurs = rows.fits(sessionRow(sessionFacts(row, facts.tokenHash)), row.binding);
  if (!intact || !isOurs || !rows.fits(accountRow(row.user_id, 'active'), row.account_binding)) return undefined;
  const account = {
    id: row.user_id,
    name: facts.sealing.open('sealed_profile', row.user_id, row.sealed_profile).name,
    organisationId: homeOf(memberships),
    memberships,
  };
  const emergency = openEmergency(row, facts);
  const writtenSeenMs = row.last_seen_at.getTime();
  return {
    principal: makePrincipal(account, {
      id: row.id,
      authenticatedAtMs: row.authenticated_at.getTime(),
      acting: row.organisation_id,
      emergency,
      mustRead: row.must_read,
    }),
    absoluteEndsMs: row.absolute_ends_at.getTime(),
    loadedMs: facts.nowMs,
    // This process may have seen the session later than it has written down.
    lastSeenMs: Math.max(writtenSeenMs, facts.seenHereMs),
    writtenSeenMs,
  };
}

/** The emergency this session is in; one that somebody else has begun or prolonged is none. */
function openEmergency(row: LiveSessionRow, { sealing, nowMs }: { readonly sealing: Sealing; readonly nowMs: number }) {
  const { emergency_id: id, emergency_started_at: started, emergency_ends_at: ends } = row;
  if (id === null || started === null || ends === null || ends.getTime() <= nowMs) return undefined;
  const times = { startedMs: started.getTime(), endsMs: ends.getTime() };
  const facts = emergencyRow({ id, userId: row.user_id, sessionId: row.id, ...times });
  return sealing.rows.fits(facts, row.emergency_binding) ? { id, endsMs: times.endsMs } : undefined;
}
