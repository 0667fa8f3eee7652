/**
 * Sign-ins of each network that this process is about to compare: with the failures in the database they are what a network has
 * used up. Kept in memory, so that people behind one address do not wait for each other at one row.
 */
export interface UnderWay {
  /** `network` is a blind token. To be ended in `finally`. */
  begin(network: bigint): Slot;
  count(network: bigint): number;
}

export interface Slot {
  /** Counted until the outcome, or the attempt itself, stands in the database. */
  readonly counts: () => boolean;
  /** May be called twice. */
  readonly end: () => void;
}

export function createUnderWay(): UnderWay {
  const counted = new Map<bigint, number>();
  const count = (network: bigint): number => counted.get(network) ?? 0;
  return {
    count,
    begin(network) {
      counted.set(network, count(network) + 1);
      let counts = true;
      return {
        counts: () => counts,
        end() {
          if (!counts) return;
          counts = false;
          const left = count(network) - 1;
          if (left > 0) counted.set(network, left);
          else counted.delete(network);
        },
      };
    },
  };
}
