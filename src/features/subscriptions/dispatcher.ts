/** The loop that tells subscribers: woken by each change, and by the clock for what is tried again. */
import type { SubscriptionDeps } from './deps.ts';
import { deliverDue } from './deliver.ts';
import { fanOut } from './fan-out.ts';
import { openSubscription, sealOwners } from './sealing.ts';
import { CHANNEL, CLAIM, FORGET, NEXT_DUE } from './store.ts';

export interface Dispatcher {
  start(): Promise<void>;
  /** Ends the loop; what is on its way is cut off and sent again by the next. */
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
const BUSY_REST_MS = 1_000;

export function createDispatcher(deps: SubscriptionDeps): Dispatcher {
  const { database, changes } = deps;
  const bell = createBell();
  const cut = new AbortController();
  const turns = createTurns(deps, { onEnd: bell.ring, signal: cut.signal });
  let stopping = false;
  let working: Promise<void> | undefined;
  const unlisten: (() => Promise<void>)[] = [];

  async function work(): Promise<void> {
    const forget = forgetter(deps);
    while (!stopping) {
      try {
        const more = await fanOut(deps);
        const begun = await turns.begin();
        await forget();
        if (!more && !begun && !stopping) await bell.wait(turns.isBusy() ? BUSY_REST_MS : await restMs(deps));
      } catch (error) {
        deps.onFailure(error);
        if (!stopping) await bell.wait(AFTER_FAILURE_MS);
      }
    }
    await turns.done();
  }

  return {
    async start() {
      await sealOwners(deps);
      unlisten.push(await database.listen(changes.channel, bell.ring), await database.listen(CHANNEL, bell.ring));
      working = work();
    },
    async stop() {
      stopping = true;
      cut.abort();
      bell.ring();
      await working;
      for (const end of unlisten.splice(0)) await end();
    },
    async runOnce() {
      while (await fanOut(deps));
      while (await turns.begin()) await turns.done();
    },
  };
}

/** Subscribers being served, each by one turn at a time. */
function createTurns(
  deps: SubscriptionDeps,
  { onEnd, signal }: { readonly onEnd: () => void; readonly signal: AbortSignal },
) {
  const busy = new Set<Promise<void>>();
  return {
    isBusy: () => busy.size > 0,
    done: () => Promise.all(busy),
    /** Begins a turn for each subscriber with something due; answers whether there was one. */
    async begin(): Promise<boolean> {
      const room = PARALLEL_MAX - busy.size;
      if (room <= 0) return false;
      const nowMs = deps.clock.nowMs();
      const rows = await deps.database.rows(CLAIM, [new Date(nowMs), new Date(nowMs + LEASE_MS), room]);
      for (const row of rows) {
        const turn = deliverDue(deps, openSubscription(deps.keyRing, row), signal).catch(deps.onFailure);
        busy.add(turn);
        void turn.finally(() => {
          busy.delete(turn);
          onEnd();
        });
      }
      return rows.length > 0;
    },
  };
}

function forgetter({ database, clock }: SubscriptionDeps): () => Promise<void> {
  let forgottenAtMs = 0;
  return async () => {
    const nowMs = clock.nowMs();
    if (nowMs - forgottenAtMs < FORGET_EVERY_MS) return;
    forgottenAtMs = nowMs;
    await database.run(FORGET, [new Date(nowMs - KEPT_MS)]);
  };
}

/** Until something is due; a change rings before that. */
async function restMs({ database, clock }: SubscriptionDeps): Promise<number> {
  const [row] = await database.rows(NEXT_DUE);
  const at = row?.at?.getTime();
  if (at === undefined) return REST_MAX_MS;
  return Math.min(REST_MAX_MS, Math.max(REST_MIN_MS, at - clock.nowMs()));
}

/** Lets the loop sleep until somebody rings or time is up; a ring while awake is remembered. */
function createBell() {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring(): void {
      rung = true;
      wake?.();
    },
    async wait(ms: number): Promise<void> {
      if (!rung) {
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
    },
  };
}
