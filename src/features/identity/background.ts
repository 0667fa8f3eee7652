import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/sql.ts';
import type { IdentityParts } from './compose.ts';
import { retireInactive } from './inactivity.ts';
import { createProviderStore } from './provider-store.ts';
import type { BoundMark } from './row-binding.ts';
import { bindEarlierRows } from './row-upgrade.ts';
import { signInStore } from './sign-in-store.ts';

const HOUSEKEEPING_MS = 3_600_000;
/** Channel on which the end of somebody's access is told to every process; the payload is the user's id (user-store.ts). */
const CHANNEL = 'careseal_identity';

interface BackgroundDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly bound?: BoundMark;
  readonly onHousekeepingFailure: (error: unknown) => void;
}

/** What runs without a request: hearing of ended access elsewhere, and clearing what has expired. */
export function createBackground(parts: IdentityParts, deps: BackgroundDeps) {
  const { sessions, sessionStore, links, throttle, policy, trusted, challenges } = parts;
  const running: { stop(): Promise<void> }[] = [];

  /** Accounts made before lists could be searched. */
  async function completeTokens(): Promise<void> {
    while ((await deps.database.transaction((tx) => parts.users.addMissingTokens(tx))) > 0);
  }

  async function housekeep(): Promise<void> {
    const nowMs = deps.clock.nowMs();
    await sessionStore.deleteExpired(deps.database, nowMs);
    await signInStore.deleteExpired(deps.database, nowMs);
    await links.deleteExpired(deps.database, nowMs);
    await createProviderStore(parts.sealing).deleteExpired(deps.database, nowMs);
    await trusted.deleteExpired(deps.database, nowMs);
    await challenges.deleteExpired(deps.database, nowMs);
    await throttle.housekeep();
    await policy.refresh();
    await retireInactive(parts.enrolment);
  }

  return {
    housekeep,
    async start(): Promise<void> {
      if (deps.bound !== undefined) await bindEarlierRows(parts, deps.bound);
      await completeTokens();
      // An empty payload says that notifications may have been missed.
      const unlisten = await deps.database.listen(CHANNEL, (userId) =>
        userId === '' ? sessions.dropAll() : sessions.dropUser(userId),
      );
      const unlistenPolicy = await policy.start();
      const timer = setInterval(() => void housekeep().catch(deps.onHousekeepingFailure), HOUSEKEEPING_MS);
      timer.unref();
      running.push({
        async stop() {
          clearInterval(timer);
          await unlisten();
          await unlistenPolicy();
        },
      });
    },
    async stop(): Promise<void> {
      for (const part of running.splice(0)) await part.stop();
    },
  };
}
