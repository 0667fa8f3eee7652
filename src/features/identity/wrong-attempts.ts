import type { Clock } from '../../kernel/time.ts';

/** Whose secret is tried, which one, and whether in browsers its owner has used before, all of them together. */
export interface Tried {
  /** Blind token of the e-mail address. */
  readonly subject: bigint;
  readonly stage: 'password' | 'factor';
  readonly channel: 'device' | 'unknown-devices';
}

/**
 * Wrong attempts as this process has seen them, which nobody can take back by writing to the database: the counters there decide about
 * waits, this one is above them and is reached by those alone who reset them (decisions/wrong-attempts.md). Bounded: the one not
 * tried for longest is forgotten first.
 */
export interface WrongAttempts {
  /** Counts one more before it is compared; false, and nothing is counted, when there were too many today. */
  charge(tried: Tried): boolean;
  /** It was not compared at all. */
  giveBack(tried: Tried): void;
  /** It was right. */
  forget(tried: Tried): void;
  /** Whether there were too many today. */
  isFull(tried: Tried): boolean;
}

/** SP 800-63B-4 §3.2.2, of each channel of an account, a day and a process. */
export const WRONG_A_DAY = 100;
const DAY_MS = 86_400_000;
const REMEMBERED_MAX = 20_000;

export function createWrongAttempts(clock: Clock, rememberedMax = REMEMBERED_MAX): WrongAttempts {
  const counted = new Map<string, { readonly sinceMs: number; readonly count: number }>();
  const keyOf = ({ subject, stage, channel }: Tried): string => `${subject} ${stage} ${channel}`;

  function today(key: string): { readonly sinceMs: number; readonly count: number } {
    const found = counted.get(key);
    const nowMs = clock.nowMs();
    // A clock set back does not make the day longer than a day.
    return found !== undefined && Math.abs(nowMs - found.sinceMs) < DAY_MS ? found : { sinceMs: nowMs, count: 0 };
  }

  return {
    charge(tried) {
      const key = keyOf(tried);
      const { sinceMs, count } = today(key);
      if (count >= WRONG_A_DAY) return false;
      counted.delete(key);
      counted.set(key, { sinceMs, count: count + 1 });
      const [oldest] = counted.keys();
      if (counted.size > rememberedMax && oldest !== undefined) counted.delete(oldest);
      return true;
    },
    giveBack(tried) {
      const key = keyOf(tried);
      const found = counted.get(key);
      if (found !== undefined) counted.set(key, { ...found, count: Math.max(0, found.count - 1) });
    },
    forget: (tried) => void counted.delete(keyOf(tried)),
    isFull: (tried) => today(keyOf(tried)).count >= WRONG_A_DAY,
  };
}
