/**
 * Throttling of guesses, decided without a clock or a database. After OWASP's device-cookie protocol: browsers that have
 * signed in before have a counter of their own, all others share one per account, so that a stranger's guesses never lock the
 * owner out of their own browser. An attempt is charged before it is checked and given back when it was right: a thousand
 * attempts at the same moment are a thousand charges.
 */
export const COUNTER_KINDS = ['account', 'unknown-devices', 'device', 'network'] as const;
export type CounterKind = (typeof COUNTER_KINDS)[number];

export interface Counter {
  readonly kind: CounterKind;
  /** Consecutive failures, attempts under way included. */
  readonly failures: number;
  readonly waitsUntilMs: number;
  readonly lastMs: number;
}

interface Limit {
  /** Failures without any wait. */
  readonly free: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** At so many consecutive failures no further attempt is taken; a success elsewhere or a reset opens again. */
  readonly closesAt: number;
  readonly forgetsAfterMs: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * SP 800-63B-4 §3.2.2: never more than 100 consecutive failures per authenticator. `account` is that sum over all channels.
 * Strangers may use up half of it, so half is always left to the browsers the owner has used before.
 * A network (a clinic behind one address) gets more room, never closes, and does not hinder a known browser at all.
 */
export const THROTTLE_LIMITS: Readonly<Record<CounterKind, Limit>> = {
  account: { free: 100, firstWaitMs: 0, longestWaitMs: 0, closesAt: 100, forgetsAfterMs: Infinity },
  'unknown-devices': {
    free: 10,
    firstWaitMs: MINUTE,
    longestWaitMs: HOUR,
    closesAt: 50,
    forgetsAfterMs: Infinity,
  },
  device: { free: 10, firstWaitMs: MINUTE, longestWaitMs: 15 * MINUTE, closesAt: 50, forgetsAfterMs: Infinity },
  network: {
    free: 50,
    firstWaitMs: 10_000,
    longestWaitMs: HOUR,
    closesAt: Infinity,
    forgetsAfterMs: 24 * HOUR,
  },
};

/** Told to whoever meets a closed counter: waiting is not what opens it, but the answer must look like any other. */
export const CLOSED_RETRY_SECONDS = 3600;

export type ThrottleDecision =
  | { readonly kind: 'allowed'; readonly charged: readonly Counter[] }
  | { readonly kind: 'refused'; readonly retryAfterSeconds: number; readonly closed: boolean };

/**
 * Charges one attempt to every counter, or to none when one of them refuses. `attemptsFree` is the policy's: fewer than the
 * limits' ten make waiting begin earlier, more are not possible.
 */
export function charge(
  counters: readonly Counter[],
  nowMs: number,
  attemptsFree = Number.POSITIVE_INFINITY,
): ThrottleDecision {
  let waitMs = 0;
  for (const counter of counters.map((each) => forget(each, nowMs))) {
    if (counter.failures >= THROTTLE_LIMITS[counter.kind].closesAt) {
      return { kind: 'refused', retryAfterSeconds: CLOSED_RETRY_SECONDS, closed: true };
    }
    waitMs = Math.max(waitMs, remainingWaitMs(counter, nowMs, attemptsFree));
  }
  if (waitMs > 0) return { kind: 'refused', retryAfterSeconds: Math.ceil(waitMs / 1000), closed: false };
  return { kind: 'allowed', charged: counters.map((each) => chargeOne(forget(each, nowMs), nowMs, attemptsFree)) };
}

/** Charges what was compared already, whatever has become of the counter meanwhile; a wait under way does not get shorter. */
export function chargeCompared(counter: Counter, nowMs: number, attemptsFree: number): Counter {
  const remembered = forget(counter, nowMs);
  const charged = chargeOne(remembered, nowMs, attemptsFree);
  return {
    ...charged,
    waitsUntilMs: Math.max(charged.waitsUntilMs, nowMs + remainingWaitMs(remembered, nowMs, attemptsFree)),
  };
}

/**
 * After a success: its own channel and the sum start again. What strangers have used up stays used up to the free part, so
 * that an owner's daily sign-in does not hand a guesser ten new tries a day. A network only gets this attempt back, if it was `charged`.
 */
export function settle(counter: Counter, channel: Channel, nowMs: number, { charged } = { charged: true }): Counter {
  const { takeBack, atMost, waitsFrom } = settlement(counter.kind, channel);
  const failures = Math.min(Math.max(0, counter.failures - (charged ? takeBack : 0)), atMost);
  return { ...counter, failures, waitsUntilMs: failures < waitsFrom ? nowMs : counter.waitsUntilMs };
}

export type Channel = 'device' | 'unknown-devices';

/** What a success does to a counter, as numbers, so that one statement can do it: failures taken back, at most so many left. */
export interface Settlement {
  readonly takeBack: number;
  readonly atMost: number;
  /** Fewer than so many left end the wait. */
  readonly waitsFrom: number;
}

export function settlement(kind: CounterKind, channel: Channel): Settlement {
  const { free } = THROTTLE_LIMITS[kind];
  if (kind === 'network') return { takeBack: 1, atMost: COUNT_MAX, waitsFrom: free };
  if (kind === 'unknown-devices' && channel === 'device') return { takeBack: 0, atMost: free, waitsFrom: 0 };
  return { takeBack: 0, atMost: 0, waitsFrom: 1 };
}

/** PostgreSQL's int. */
const COUNT_MAX = 2_147_483_647;

/** Within these bounds a charge leads to no wait, whatever the counter stands at. */
export function quietBounds(
  kind: CounterKind,
  nowMs: number,
  attemptsFree: number,
): { readonly free: number; readonly rememberedFromMs: number } {
  return {
    free: Math.min(freeOf(kind, attemptsFree), THROTTLE_LIMITS[kind].closesAt),
    rememberedFromMs: nowMs - THROTTLE_LIMITS[kind].forgetsAfterMs,
  };
}

function freeOf(kind: CounterKind, attemptsFree: number): number {
  const { free } = THROTTLE_LIMITS[kind];
  return kind === 'device' || kind === 'unknown-devices' ? Math.min(free, attemptsFree) : free;
}

function forget(counter: Counter, nowMs: number): Counter {
  const old = nowMs - counter.lastMs >= THROTTLE_LIMITS[counter.kind].forgetsAfterMs;
  return old ? { ...counter, failures: 0, waitsUntilMs: nowMs } : counter;
}

/**
 * Never longer than what so many failures bring, even when the clock was set back since the wait began: who has none, or few, waits for
 * nothing, however far ahead the last attempt was written down.
 */
function remainingWaitMs(counter: Counter, nowMs: number, attemptsFree: number): number {
  return Math.min(counter.waitsUntilMs - nowMs, waitMsAfter(counter.kind, counter.failures, attemptsFree));
}

function waitMsAfter(kind: CounterKind, failures: number, attemptsFree: number): number {
  const { firstWaitMs, longestWaitMs } = THROTTLE_LIMITS[kind];
  const free = freeOf(kind, attemptsFree);
  return failures < free ? 0 : Math.min(longestWaitMs, firstWaitMs * 2 ** (failures - free));
}

function chargeOne(counter: Counter, nowMs: number, attemptsFree: number): Counter {
  const failures = counter.failures + 1;
  const waitsUntilMs = nowMs + waitMsAfter(counter.kind, failures, attemptsFree);
  return { kind: counter.kind, failures, waitsUntilMs, lastMs: nowMs };
}
