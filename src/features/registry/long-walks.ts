import { searchesBusy } from './problems.ts';

/**
 * Whose turn it is to read very much. A search that opens more than its first thousand records keeps the processor and the memory
 * of this process busy for a second or more; a few callers sending such searches would leave nothing for everybody else's.
 */
export interface LongWalks {
  /** Runs `walk` when there is room for it. Throws `searches-busy` at once when enough others wait already. */
  run<T>(walk: () => Promise<T>): Promise<T>;
}

export interface LongWalksBounds {
  readonly atOnce: number;
  readonly waitingMax: number;
}

/** Of one process. Those who wait hold what they have opened: their first thousand records. */
const BOUNDS: LongWalksBounds = { atOnce: 2, waitingMax: 8 };

export function createLongWalks({ atOnce, waitingMax }: LongWalksBounds = BOUNDS): LongWalks {
  const waiting: (() => void)[] = [];
  let free = atOnce;

  async function enter(): Promise<void> {
    if (free > 0) {
      free -= 1;
      return;
    }
    if (waiting.length >= waitingMax) throw searchesBusy();
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  /** The place is handed on: nobody who comes later gets in between. */
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return {
    async run(walk) {
      await enter();
      try {
        return await walk();
      } finally {
        leave();
      }
    },
  };
}
