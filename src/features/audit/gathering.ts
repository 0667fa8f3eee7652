/**
 * When those who wait for the same thing set off together. One group is under way at a time. Who comes alone to an idle place
 * waits for a few turns of the event loop at most. After a group was served its members usually come again: the next group then
 * waits for them, for a moment, since it would leave without those whose answers are being written just now.
 */
export interface Gathering {
  /** Somebody came; `waiting` wait now, he among them. */
  joined(waiting: number): void;
  /** The group under way is done: so many were in it, and `waiting` wait now. */
  served(count: number, waiting: number): void;
}

/** Longest wait for others, where there were others. */
const GATHER_MS = 4;
const GATHER_TURNS_MAX = 4;

/**
 * How many of those who were there last time are waited for: all of a few, since a group costs as much as several of its
 * members; of many, half, so that one half is prepared while the other is under way.
 */
const wantedOf = (count: number): number => Math.max(Math.ceil(count / 2), Math.min(count, 16));

/** `leave` is called when those who wait shall set off; `served` must follow. */
export function createGathering(leave: () => void): Gathering {
  let state: 'idle' | 'turns' | 'timer' | 'under-way' = 'idle';
  let waiting = 0;
  let wanted = 0;
  let timer: NodeJS.Timeout | undefined;

  function go(): void {
    clearTimeout(timer);
    state = waiting > 0 ? 'under-way' : 'idle';
    if (waiting > 0) leave();
  }

  /** Goes on while each turn of the event loop brings more. */
  function turn(seen: number, left: number): void {
    state = 'turns';
    setImmediate(() => {
      if (waiting > seen && left > 0) turn(waiting, left - 1);
      else go();
    });
  }

  return {
    joined(now) {
      waiting = now;
      if (state === 'idle') turn(0, GATHER_TURNS_MAX);
      else if (state === 'timer' && waiting >= wanted) go();
    },
    served(count, now) {
      waiting = now;
      wanted = wantedOf(count + now);
      if (wanted > 1 && waiting < wanted) {
        state = 'timer';
        timer = setTimeout(go, GATHER_MS);
      } else if (waiting > 0) turn(0, GATHER_TURNS_MAX);
      else state = 'idle';
    },
  };
}
