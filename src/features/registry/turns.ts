/**
 * What this process knows of the registry's turns (migrations/000600-registry-turn.sql). As long as the numbers it gets follow each
 * other, nobody else has changed who is the same person, and what was read before a turn still holds in it.
 */
export interface Turns {
  /** Whether a batch may be decided before it has the lock: others were not here lately. */
  readonly areOurs: boolean;
  /** Changes whenever somebody else was here: what was read under another era may be out of date. */
  readonly era: number;
  /** The number that the next batch has, if it comes next. */
  readonly expected: bigint | undefined;
  /** A batch of this process has the lock, and this number. */
  had(turn: bigint): void;
  /** A batch did not get the number it expected. */
  lost(): void;
}

/** Turns taken in the ordinary way after somebody else was here, before the next try: with several processes most would be in vain. */
const WARY_TURNS = 8;

export function createTurns(): Turns {
  let last: bigint | undefined;
  let era = 0;
  let wary = 0;
  return {
    get areOurs() {
      return last !== undefined && wary === 0;
    },
    get era() {
      return era;
    },
    get expected() {
      return last === undefined ? undefined : last + 1n;
    },
    had(turn) {
      if (last !== undefined && turn === last + 1n) wary = Math.max(0, wary - 1);
      else {
        era += 1;
        // The first turn of this process tells nothing about others.
        wary = last === undefined ? 0 : WARY_TURNS;
      }
      last = turn;
    },
    lost() {
      era += 1;
      wary = WARY_TURNS;
    },
  };
}
