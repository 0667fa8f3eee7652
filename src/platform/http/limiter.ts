/** Spends one request of a caller; 0 when allowed, else the seconds to wait. */
export type Limiter = (caller: string, nowMs: number) => number;

const WINDOW_MS = 60_000;

/**
 * Requests per minute by the generic cell rate algorithm: one number per caller, the time at which its bucket would be
 * full again. Memory is bounded: at `callersMax` first the callers whose buckets are full are forgotten (they lose
 * nothing), then the oldest. Counts are per process; with N workers a caller may get N times as much.
 */
export function createLimiter(perMinute: number, callersMax = 5_000): Limiter {
  const costMs = WINDOW_MS / perMinute;
  const fullAt = new Map<string, number>();
  return (caller, nowMs) => {
    const known = fullAt.get(caller);
    if (known === undefined && fullAt.size >= callersMax) makeRoom(fullAt, nowMs, callersMax);
    const next = Math.max(known ?? nowMs, nowMs) + costMs;
    const overMs = next - nowMs - WINDOW_MS;
    // Half a millisecond of slack: the sum of perMinute costs is a minute only up to rounding.
    if (overMs > 0.5) return Math.max(1, Math.ceil(overMs / 1000));
    fullAt.set(caller, next);
    return 0;
  };
}

function makeRoom(fullAt: Map<string, number>, nowMs: number, callersMax: number): void {
  for (const [caller, at] of fullAt) if (at <= nowMs) fullAt.delete(caller);
  // A tenth at once, so that a flood of addresses does not sweep the whole map on every request.
  const target = Math.floor(callersMax * 0.9);
  for (const caller of fullAt.keys()) {
    if (fullAt.size <= target) return;
    fullAt.delete(caller);
  }
}
