import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CLOSED_RETRY_SECONDS,
  type Counter,
  type CounterKind,
  charge,
  settle,
  THROTTLE_LIMITS,
  COUNTER_KINDS,
  quietBounds,
} from './throttle-rules.ts';

const fresh = (kind: CounterKind): Counter => ({ kind, failures: 0, waitsUntilMs: 0, lastMs: 0 });
const DAY = 86_400_000;

/** Guesses as fast as the rules let one, for so long; answers how many were taken. */
function guessFor(kinds: readonly CounterKind[], durationMs: number): number {
  let counters: readonly Counter[] = kinds.map(fresh);
  let now = 1;
  let taken = 0;
  while (now <= durationMs) {
    const decision = charge(counters, now);
    if (decision.kind === 'allowed') {
      taken++;
      counters = decision.charged;
    } else if (decision.closed) break;
    else now += decision.retryAfterSeconds * 1000;
  }
  return taken;
}

describe('an unknown browser', () => {
  test('has ten guesses, then waits a minute, two, four … up to an hour', () => {
    let counters: readonly Counter[] = [fresh('unknown-devices')];
    let now = 1_000_000;
    const waits: number[] = [];
    for (let i = 0; i < 20; i++) {
      const decision = charge(counters, now);
      if (decision.kind !== 'allowed') throw new Error('refused');
      counters = decision.charged;
      const wait = (counters[0]?.waitsUntilMs ?? 0) - now;
      waits.push(wait / 60_000);
      now += wait;
    }
    expect(waits.slice(0, 9)).toEqual(new Array(9).fill(0));
    expect(waits.slice(9)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]);
  });

  test('takes at most half of an account’s hundred guesses, in any time', () => {
    expect(guessFor(['account', 'unknown-devices'], 10 * DAY)).toBe(50);
    expect(guessFor(['account', 'unknown-devices'], 400 * DAY)).toBe(50);
    expect(guessFor(['account', 'unknown-devices'], DAY)).toBeLessThan(40);
  });

  test('being refused costs nothing, so hammering does not lengthen the wait', () => {
    const blocked: Counter = { kind: 'unknown-devices', failures: 12, waitsUntilMs: 240_000, lastMs: 0 };
    expect(charge([blocked, fresh('network')], 0)).toEqual({ kind: 'refused', retryAfterSeconds: 240, closed: false });
  });
});

describe('a known browser', () => {
  test('is not held up by strangers', () => {
    const closed: Counter = { kind: 'unknown-devices', failures: 50, waitsUntilMs: DAY, lastMs: 0 };
    expect(charge([closed], 0)).toMatchObject({
      kind: 'refused',
      retryAfterSeconds: CLOSED_RETRY_SECONDS,
      closed: true,
    });
    expect(charge([{ ...fresh('account'), failures: 50 }, fresh('device')], 0).kind).toBe('allowed');
  });
  test('alone cannot go beyond its own fifty either', () => {
    expect(guessFor(['account', 'device'], 100 * DAY)).toBe(50);
  });
  test('its success gives strangers no new tries', () => {
    const strangers: Counter = { kind: 'unknown-devices', failures: 37, waitsUntilMs: 5_000, lastMs: 0 };
    const after = settle(strangers, 'device', 1_000);
    expect(after).toEqual({ ...strangers, failures: 10 });
    expect(charge([after], 1_000).kind).toBe('refused');
  });
});

test('never more than a hundred consecutive failures, whatever comes from where', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('device', 'other-device', 'unknown'), { maxLength: 400 }), (channels) => {
      const counters = new Map<string, Counter>([['account', fresh('account')]]);
      let taken = 0;
      let now = 0;
      for (const channel of channels) {
        now += 3_600_000;
        const own = counters.get(channel) ?? fresh(channel === 'unknown' ? 'unknown-devices' : 'device');
        const decision = charge([counters.get('account') ?? own, own], now);
        if (decision.kind !== 'allowed') continue;
        taken++;
        counters.set('account', decision.charged[0] ?? own);
        counters.set(channel, decision.charged[1] ?? own);
      }
      expect(taken).toBeLessThanOrEqual(100);
    }),
  );
});

test('success starts a channel and the sum again', () => {
  for (const kind of ['account', 'device'] as const) {
    expect(settle({ ...fresh(kind), failures: 9, waitsUntilMs: 99 }, 'device', 50)).toMatchObject({
      failures: 0,
      waitsUntilMs: 50,
    });
  }
  expect(settle({ ...fresh('unknown-devices'), failures: 30 }, 'unknown-devices', 50).failures).toBe(0);
});

describe('a network', () => {
  test('never closes, and forgets after a day', () => {
    const busy: Counter = { kind: 'network', failures: 500, waitsUntilMs: 1_000, lastMs: 0 };
    expect(charge([busy], 2_000).kind).toBe('allowed');
    expect(charge([busy], DAY)).toMatchObject({ charged: [{ failures: 1, waitsUntilMs: DAY }] });
  });
  test('gets back only the attempt that was right', () => {
    expect(settle({ ...fresh('network'), failures: 30 }, 'unknown-devices', 9).failures).toBe(29);
    const over: Counter = { kind: 'network', failures: 80, waitsUntilMs: 77, lastMs: 0 };
    expect(settle(over, 'unknown-devices', 9)).toEqual({ ...over, failures: 79 });
  });
});

test('a clock set back keeps nobody out who has nothing to wait for', () => {
  // Signed in, or wrong a few times, while the clock was a day ahead.
  const ahead = { waitsUntilMs: DAY, lastMs: DAY };
  const counters: Counter[] = (['account', 'unknown-devices', 'network'] as const).map((kind) => ({
    ...{ kind, failures: 3, ...ahead },
  }));
  expect(charge(counters, 0).kind).toBe('allowed');
  // And who has to wait waits as long as so many failures bring.
  const waiting: Counter = { kind: 'unknown-devices', failures: 11, ...ahead };
  expect(charge([waiting], 0)).toMatchObject({ kind: 'refused', retryAfterSeconds: 120 });
});

test('a clock set back does not make a wait longer than the longest', () => {
  const waiting: Counter = { kind: 'unknown-devices', failures: 20, waitsUntilMs: 400 * DAY, lastMs: 400 * DAY };
  const decision = charge([waiting], 0);
  expect(decision).toMatchObject({ retryAfterSeconds: THROTTLE_LIMITS['unknown-devices'].longestWaitMs / 1000 });
});

test('within the bounds that need no look at a counter, a charge is taken and leads to no wait', () => {
  const nowMs = Date.UTC(2026, 0, 15);
  const counters = fc.record({
    kind: fc.constantFrom(...COUNTER_KINDS),
    failures: fc.integer({ min: 0, max: 120 }),
    waitsUntilMs: fc.integer({ min: nowMs - 10_000, max: nowMs }),
    lastMs: fc.integer({ min: nowMs - 48 * 3_600_000, max: nowMs }),
  });
  fc.assert(
    fc.property(counters, fc.integer({ min: 1, max: 20 }), (counter, attemptsFree) => {
      const { free, rememberedFromMs } = quietBounds(counter.kind, nowMs, attemptsFree);
      fc.pre(counter.failures + 1 < free && counter.lastMs > rememberedFromMs);
      const expected = { ...counter, failures: counter.failures + 1, waitsUntilMs: nowMs, lastMs: nowMs };
      expect(charge([counter], nowMs, attemptsFree)).toEqual({ kind: 'allowed', charged: [expected] });
    }),
  );
});
