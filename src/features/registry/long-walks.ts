import { searchesBusy } from './problems.ts';

/**
 * Whose turn it is to read very much. A search that opens more than its first thousand records keeps the processor and the memory
 * of this process busy for a second or more; a few callers sending such searches would leave nothing for everybody else's.
 */
export interface LongWalks {
  /**
   * Runs `walk` when there is room for it: of those who wait, the caller with the fewest under way goes first. Throws
   * `searches-busy` at once when enough wait already, or later when somebody with fewer came.
   */
  run<T>(walk: () => Promise<T>, caller?: string): Promise<T>;
}

export interface LongWalksBounds {
  readonly atOnce: number;
  readonly waitingMax: number;
}

/** Of one process. Those who wait hold what they have opened: their first thousand records. */
const BOUNDS: LongWalksBounds = { atOnce: 2, waitingMax: 8 };

interface Waiting {
  readonly caller: string;
  readonly enter: () => void;
  readonly refuse: (busy: Error) => void;
}

export function createLongWalks({ atOnce, waitingMax }: LongWalksBounds = BOUNDS): LongWalks {
  const waiting: Waiting[] = [];
  const underWay: string[] = [];
  const running = (caller: string): number => underWay.filter((one) => one === caller).length;
  const queued = (caller: string): number => waiting.filter((one) => one.caller === caller).length;

  async function enter(caller: string): Promise<void> {
    if (underWay.length < atOnce) {
      underWay.push(caller);
      return;
    }
    if (waiting.length >= waitingMax) makeRoomFor(caller);
    await new Promise<void>((resolve, refuse) => waiting.push({ caller, enter: resolve, refuse }));
  }

  /** The last of whoever has most waiting leaves, so that nobody keeps others out by asking often. */
  function makeRoomFor(caller: string): void {
    const most = waiting.toSorted((a, b) => queued(b.caller) - queued(a.caller))[0];
    if (most === undefined || queued(most.caller) <= queued(caller) + 1) throw searchesBusy();
    const at = waiting.findLastIndex((one) => one.caller === most.caller);
    waiting.splice(at, 1)[0]?.refuse(searchesBusy());
  }

  /** The place is handed on: nobody who comes later gets in between. */
  function leave(caller: string): void {
    underWay.splice(underWay.indexOf(caller), 1);
    // Who has just had a turn lets others go first, however few it has under way now.
    const turnOf = (one: Waiting): number => running(one.caller) + (one.caller === caller ? 1 : 0);
    const fewest = Math.min(...waiting.map(turnOf));
    const at = waiting.findIndex((one) => turnOf(one) === fewest);
    const next = at < 0 ? undefined : waiting.splice(at, 1)[0];
    if (next === undefined) return;
    underWay.push(next.caller);
    next.enter();
  }

  return {
    async run(walk, caller = '') {
      await enter(caller);
      try {
        return await walk();
      } finally {
        leave(caller);
      }
    },
  };
}
