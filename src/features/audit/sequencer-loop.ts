import type { Round } from './sequencer.ts';
import { TreeDamaged } from './tile-reader.ts';

/** Runs rounds: soon after events were committed here, at most one per interval; and now and then for those of other processes. */
export interface SequencerLoop {
  start(): void;
  /** Events were committed in this process. */
  wake(): void;
  /** Runs rounds until no event is left that could be taken. For the end of the process, the command line and tests. */
  drain(): Promise<void>;
  /** Drains and ends. */
  stop(): Promise<void>;
}

interface LoopDeps {
  readonly round: () => Promise<Round>;
  readonly everyMs: number;
  readonly onFailure: (code: 'sequencing-failed' | 'tree-damaged', error: unknown) => void;
}

/** Other processes (a worker that was killed, a command line) may have left events behind. */
const IDLE_MS = 5_000;
/** A failure is tried again soon at first, then ever more slowly. */
const FAILURE_MS_MAX = 30_000;

export function createSequencerLoop({ round, everyMs, onFailure }: LoopDeps): SequencerLoop {
  let timer: NodeJS.Timeout | undefined;
  let dueAtMs = Number.POSITIVE_INFINITY;
  let lastRoundMs = 0;
  let failures = 0;
  let running: Promise<void> | undefined;
  let wokenMeanwhile = false;
  let started = false;

  function schedule(inMs: number): void {
    const at = performance.now() + inMs;
    if (!started || running !== undefined || at >= dueAtMs) return;
    clearTimeout(timer);
    dueAtMs = at;
    timer = setTimeout(run, inMs);
    timer.unref();
  }

  function run(): void {
    dueAtMs = Number.POSITIVE_INFINITY;
    wokenMeanwhile = false;
    running = once().then((nextMs) => {
      running = undefined;
      schedule(wokenMeanwhile ? Math.min(nextMs, everyMs) : nextMs);
    });
  }

  /** One round; answers when the next is due. */
  async function once(): Promise<number> {
    lastRoundMs = performance.now();
    try {
      const done = await round();
      failures = 0;
      // Another process has the lock: it takes our events too, unless it ended before it saw them.
      return done.kind === 'busy' || done.waiting ? everyMs : IDLE_MS;
    } catch (error) {
      failures++;
      onFailure(error instanceof TreeDamaged ? 'tree-damaged' : 'sequencing-failed', error);
      return Math.min(everyMs * 2 ** Math.min(failures, 10), FAILURE_MS_MAX);
    }
  }

  async function drain(): Promise<void> {
    await running;
    // Rounds of another process end by themselves; transactions still open in this cluster are nothing to wait for.
    for (let tries = 0; tries < 50; tries++) {
      const done = await round();
      if (done.kind === 'done' && done.added === 0) return;
      if (done.kind === 'busy') await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  return {
    start() {
      started = true;
      schedule(0);
    },
    wake() {
      wokenMeanwhile = true;
      schedule(Math.max(0, lastRoundMs + everyMs - performance.now()));
    },
    drain,
    async stop() {
      const wasStarted = started;
      started = false;
      clearTimeout(timer);
      dueAtMs = Number.POSITIVE_INFINITY;
      if (wasStarted) await drain().catch((error: unknown) => onFailure('sequencing-failed', error));
      else await running;
    },
  };
}
