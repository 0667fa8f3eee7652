/** Spends one request of a caller; 0 when allowed, else the seconds to wait. */
export type Limiter = (caller: string, nowMs: number) => number;

/** What callers spent in another process: name of the limit, caller, milliseconds of their minute. */
export type Spent = readonly (readonly [name: string, caller: string, ms: number])[];

/** All limits of a process. */
export interface Limits {
  /** Limiters of one name count together, whatever their rates; in every process that this one shares with. */
  limiter(name: string, perMinute: number): Limiter;
  /** Counts what was spent in other processes. */
  add(spent: Spent, nowMs: number): void;
}

interface LimitsOptions {
  /** Told at most every 50 ms what was spent here, where other processes have to know. Missing: nobody has to. */
  readonly share?: (spent: Spent) => void;
  readonly callersMax?: number;
}

const WINDOW_MS = 60_000;
/** How late others learn of it: a caller may get as much more as a process serves in that time, and pays for it by waiting longer. */
const SHARE_MS = 50;

interface Bucket {
  /** When the caller's minute is whole again, Unix ms. */
  readonly fullAt: Map<string, number>;
  /** Since it was last shared, ms. */
  spent: Map<string, number>;
}

/**
 * Requests per minute by the generic cell rate algorithm: one number per caller, the time at which its bucket would be
 * full again. Memory is bounded: at `callersMax` first the callers whose buckets are full are forgotten (they lose
 * nothing), then the oldest. Several processes tell each other what was spent, so that a request waits for nobody.
 */
export function createLimits({ share, callersMax = 5_000 }: LimitsOptions = {}): Limits {
  const buckets = new Map<string, Bucket>();
  let timer: NodeJS.Timeout | undefined;

  function bucketOf(name: string): Bucket {
    let bucket = buckets.get(name);
    if (bucket === undefined) buckets.set(name, (bucket = { fullAt: new Map(), spent: new Map() }));
    return bucket;
  }
  function spend({ fullAt }: Bucket, caller: string, next: { readonly atMs: number; readonly nowMs: number }): void {
    if (fullAt.size >= callersMax && !fullAt.has(caller)) makeRoom(fullAt, next.nowMs, callersMax);
    fullAt.set(caller, next.atMs);
  }
  function tell(): void {
    timer = undefined;
    const all: [string, string, number][] = [];
    for (const [name, bucket] of buckets) {
      if (bucket.spent.size === 0) continue;
      for (const [caller, ms] of bucket.spent) all.push([name, caller, ms]);
      bucket.spent = new Map();
    }
    share?.(all);
  }

  return {
    limiter(name, perMinute) {
      const bucket = bucketOf(name);
      const costMs = WINDOW_MS / perMinute;
      return (caller, nowMs) => {
        const atMs = Math.max(bucket.fullAt.get(caller) ?? nowMs, nowMs) + costMs;
        const overMs = atMs - nowMs - WINDOW_MS;
        // Half a millisecond of slack: the sum of perMinute costs is a minute only up to rounding.
        if (overMs > 0.5) return Math.max(1, Math.ceil(overMs / 1000));
        spend(bucket, caller, { atMs, nowMs });
        if (share !== undefined) {
          bucket.spent.set(caller, (bucket.spent.get(caller) ?? 0) + costMs);
          timer ??= setTimeout(tell, SHARE_MS).unref();
        }
        return 0;
      };
    },
    add(spent, nowMs) {
      for (const [name, caller, ms] of spent) {
        const bucket = bucketOf(name);
        spend(bucket, caller, { atMs: Math.max(bucket.fullAt.get(caller) ?? nowMs, nowMs) + ms, nowMs });
      }
    },
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
