import type { UserPrincipal } from '../../kernel/principal.ts';
import type { SessionTimes } from './rules.ts';

/** How long a session's check may rest on what was read before; the end of access is notified at once besides. */
const FRESH_MS = 1_000;
const ENTRIES_MAX = 10_000;

export interface CachedSession extends SessionTimes {
  readonly principal: UserPrincipal;
  readonly loadedMs: number;
  /** What this process knows of the last request; the database learns it every half minute. */
  lastSeenMs: number;
  /** What the database was last told. */
  writtenSeenMs: number;
}

/** Sessions seen in the last second, by the hash of their token. Bounded; the one not loaded for longest goes first. */
export interface SessionCache {
  get(key: string): CachedSession | undefined;
  /** Whether the entry may answer without asking the database. A clock set back makes it stale, never fresh for long. */
  fresh(entry: CachedSession, nowMs: number): boolean;
  /** To be taken before a load, and given to `put`: what was invalidated meanwhile is not stored. */
  generation(): number;
  put(key: string, entry: CachedSession, generation: number): void;
  drop(key: string): void;
  dropUser(userId: string): void;
  clear(): void;
}

export function createSessionCache(): SessionCache {
  const entries = new Map<string, CachedSession>();
  let generation = 0;
  return {
    get: (key) => entries.get(key),
    fresh: (entry, nowMs) => nowMs >= entry.loadedMs && nowMs - entry.loadedMs < FRESH_MS,
    generation: () => generation,
    put(key, entry, loadedIn) {
      if (loadedIn !== generation) return;
      entries.delete(key);
      entries.set(key, entry);
      const [oldest] = entries.keys();
      if (entries.size > ENTRIES_MAX && oldest !== undefined) entries.delete(oldest);
    },
    drop(key) {
      entries.delete(key);
    },
    dropUser(userId) {
      generation++;
      for (const [key, entry] of entries) if (entry.principal.userId === userId) entries.delete(key);
    },
    clear() {
      generation++;
      entries.clear();
    },
  };
}
