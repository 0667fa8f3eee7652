/** The loop that tells subscribers: woken by each change, and by the clock for what is tried again. */
import type { SubscriptionDeps } from './deps.ts';
import { deliverDue } from './deliver.ts';
import { fanOut } from './fan-out.ts';
import { openSubscription } from './sealing.ts';
import { CHANNEL, CLAIM, FORGET, NEXT_DUE } from './store.ts';

export interface Dispatcher {
  start(): Promise<void>;
  /** Ends the loop; what is on its way is waited for. */
  stop(): Promise<void>;
  /** Everything that is due now, once; for tests. */
  runOnce(): Promise<void>;
}

/** Subscribers served at once. */
const PARALLEL_MAX = 64;
/** A process that died while it delivered holds its subscribers this long at most. */
const LEASE_MS = 120_000;
const REST_MAX_MS = 30_000;
const REST_MIN_MS = 50;
const KEPT_MS = 30 * 86_400_000;
const FORGET_EVERY_MS = 3_600_000;
const AFTER_FAILURE_MS = 2_000;

export function createDispatcher(deps: SubscriptionDeps): Dispatcher {
  const { database, clock, changes } = deps;
  let stopping = false;
  let wake: (() => void) | undefined;
  let rung = false;
  let working: Promise<void> | undefined;
  let forgottenAtMs = 0;
  const busy = new Set<Promise<void>>();
  const unlisten: (() => Promise<void>)[] = [];

  const ring = (): void => {
    rung = true;
    wake?.();
  };

  /** Begins a turn for each subscriber with something due; answers whether there was one. */
  async function beginDue(): Promise<boolean> {
    const room = PARALLEL_MAX - busy.size;
    if (room <= 0) return false;
    const nowMs = clock.nowMs();
    const rows = await database.rows(CLAIM, [new Date(nowMs), new Date(nowMs + LEASE_MS), room]);
    for (const row of rows) {
      const turn = deliverDue(deps, openSubscription(deps.keyRing, row)).catch(deps.onFailure);
      busy.add(turn);
      void turn.finally(() => {
        busy.delete(turn);
        ring();
      });
    }
    return rows.length > 0;
  }

  async function housekeeping(): Promise<void> {
    const nowMs = clock.nowMs();
    if (nowMs - forgottenAtMs < FORGET_EVERY_MS) return;
    forgottenAtMs = nowMs;
    await database.run(FORGET, [new Date(nowMs - KEPT_MS)]);
  }

  async function restMs(): Promise<number> {
    const [row] = await database.rows(NEXT_DUE);
    const at = row?.at?.getTime();
    if (at === undefined) return REST_MAX_MS;
    return Math.min(REST_MAX_MS, Math.max(REST_MIN_MS, at - clock.nowMs()));
  }

  async function rest(ms: number): Promise<void> {
    if (!rung && !stopping) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    wake = undefined;
    rung = false;
  }

  async function work(): Promise<void> {
    while (!stopping) {
      try {
        const more = await fanOut(deps);
        const begun = await beginDue();
        await housekeeping();
        if (!more && !begun) await rest(busy.size > 0 ? 1_000 : await restMs());
      } catch (error) {
        deps.onFailure(error);
        await rest(AFTER_FAILURE_MS);
      }
    }
    await Promise.all(busy);
  }

  return {
    async start() {
      unlisten.push(await database.listen(changes.channel, ring), await database.listen(CHANNEL, ring));
      working = work();
    },
    async stop() {
      stopping = true;
      ring();
      await working;
      for (const end of unlisten.splice(0)) await end();
    },
    async runOnce() {
      while (await fanOut(deps));
      while (await beginDue()) await Promise.all(busy);
    },
  };
}
