import type { RegistryDeps } from './deps.ts';

/** Some time after the last write of a burst, and long enough that a steady stream of writes is not slowed by it. */
const QUIET_MS = 2_000;

export interface Settling {
  /** Something was written: searches shall be cheap again soon. */
  written(): void;
}

/**
 * Has the store settle its tokens soon after something was written, once for all that was written meanwhile. Needed by nobody for
 * an answer to be right: when it fails, the database does the same when it tidies up.
 */
export function createSettling({ database, resources }: Pick<RegistryDeps, 'database' | 'resources'>): Settling {
  let planned = false;
  return {
    written() {
      if (planned) return;
      planned = true;
      setTimeout(() => {
        planned = false;
        resources.settleTokens(database).catch(() => undefined);
      }, QUIET_MS).unref();
    },
  };
}
