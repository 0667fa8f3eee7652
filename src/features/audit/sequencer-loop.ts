import type { Round } from './sequencer.ts';
import { TreeDamaged } from './tile-reader.ts';

/**
 * Runs a round every interval, in whichever processes it was started; the rounds themselves see to it that one works at a time.
 * Plain polling: a round that finds nothing is four look-ups, events of other processes need no message, and no commit pays
 * for a notification.
 */
export interface SequencerLoop {
  start(): void;
  /**
   * Runs rounds until no event is left, for the end of the process, the command line and tests. Gives up after `patienceMs`, or some
   * seconds: events behind a transaction that is still open (in any database of the cluster) are for a later round.
   */
  drain(patienceMs?: number): Promise<void>;
  /** Ends, after a last drain if it was started. */
  stop(): Promise<void>;
}

interface LoopDeps {
  readonly round: () => Promise<Round>;
  readonly everyMs: number;
  readonly onFailure: (code: 'sequencing-failed' | 'tree-damaged', error: unknown) => void;
}

/** A failure is tried again soon at first, then ever more slowly. */
const FAILURE_MS_MAX = 30_000;
const DRAIN_PAUSE_MS = 50;
/** Events of one round from which on the next is not waited for. */
const BUSY_EVENTS = 2_000;
const DRAIN_MS = 3_000;

export function createSequencerLoop({ round, everyMs, onFailure }: LoopDeps): SequencerLoop {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let started = false;
  let failures = 0;

  function schedule(inMs: number): void {
    if (!started) return;
    timer = setTimeout(() => {
      const begunMs = performance.now();
      running = once().then((nextMs) => schedule(Math.max(0, nextMs - (performance.now() - begunMs))));
    }, inMs);
    timer.unref();
  }

  /** One round; answers when the next is due, counted from the beginning of this one. */
  async function once(): Promise<number> {
    try {
      const done = await round();
      failures = 0;
      // Many came at once: the next round is smaller, and none of them waits for a second on top of it.
      return done.kind === 'done' && done.added >= BUSY_EVENTS ? everyMs / 4 : everyMs;
    } catch (error) {
      failures++;
      report(error);
      return Math.min(everyMs * 2 ** Math.min(failures, 10), FAILURE_MS_MAX);
    }
  }

  function report(error: unknown): void {
    onFailure(error instanceof TreeDamaged ? 'tree-damaged' : 'sequencing-failed', error);
  }

  async function drain(patienceMs = DRAIN_MS): Promise<void> {
    for (const begunMs = performance.now(); ; ) {
      const done = await round();
      if (done.kind === 'done' && !done.waiting) return;
      if (performance.now() - begunMs > patienceMs) return;
      if (done.kind === 'busy' || done.added === 0) await new Promise((resolve) => setTimeout(resolve, DRAIN_PAUSE_MS));
    }
  }

  return {
    start() {
      if (started) return;
      started = true;
      schedule(0);
    },
    drain,
    async stop() {
      const wasStarted = started;
      started = false;
      clearTimeout(timer);
      await running;
      if (wasStarted) await drain().catch(report);
    },
  };
}
