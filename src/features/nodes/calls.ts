import type { Clock } from '../../kernel/time.ts';
import type { Database } from '../../platform/db/index.ts';
import type { RequestSample } from '../../platform/http/index.ts';
import { CLEAR_CALLS, CLEAR_MINUTES, INSERT_CALLS, NOBODY, UPSERT_MINUTES } from './call-store.ts';

/** Upper bounds of the latency buckets, ms; one more bucket holds what took longer. */
export const BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] as const;
const FLUSH_MS = 1_000;
/** Single calls kept of one second and process; more are counted, not listed. Failures have room of their own. */
const KEPT_PER_FLUSH = 200;
const FAILURES_PER_FLUSH = 200;
const CALL_DAYS = 30;
const MINUTE_DAYS = 400;
const DAY_MS = 86_400_000;

/** Gathers what happened at the nodes' door and writes it once a second: a request never waits for it. */
export interface Calls {
  observe(sample: RequestSample): void;
  flush(): Promise<void>;
  /** Deletes what is older than it is kept for. */
  clear(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

interface Kept extends RequestSample {
  readonly atMs: number;
}

interface Minute {
  readonly minuteMs: number;
  readonly nodeId: string;
  readonly route: string;
  readonly statusClass: number;
  calls: number;
  totalMs: number;
  maxMs: number;
  readonly buckets: number[];
}

export function createCalls(deps: {
  readonly database: Database;
  readonly clock: Clock;
  readonly onBackgroundFailure: (error: unknown) => void;
}): Calls {
  const { database, clock } = deps;
  let kept: Kept[] = [];
  let failures = 0;
  let minutes = new Map<string, Minute>();
  let timer: NodeJS.Timeout | undefined;

  function observe(sample: RequestSample): void {
    if (sample.door !== 'nodes') return;
    const atMs = clock.nowMs();
    count(minutes, sample, atMs);
    const failed = sample.status >= 400;
    if (failed ? failures >= FAILURES_PER_FLUSH : kept.length - failures >= KEPT_PER_FLUSH) return;
    if (failed) failures += 1;
    kept.push({ ...sample, atMs });
  }

  async function flush(): Promise<void> {
    if (minutes.size === 0) return;
    const [calls, due] = [kept, [...minutes.values()]];
    kept = [];
    failures = 0;
    minutes = new Map();
    try {
      if (calls.length > 0) await database.run(INSERT_CALLS, callColumns(calls));
      await database.run(UPSERT_MINUTES, minuteColumns(due));
    } catch (error) {
      deps.onBackgroundFailure(error);
    }
  }

  return {
    observe,
    flush,
    async clear() {
      const nowMs = clock.nowMs();
      await database.run(CLEAR_CALLS, [new Date(nowMs - CALL_DAYS * DAY_MS)]);
      await database.run(CLEAR_MINUTES, [new Date(nowMs - MINUTE_DAYS * DAY_MS)]);
    },
    start() {
      timer = setInterval(() => void flush(), FLUSH_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await flush();
    },
  };
}

/** Nodes and routes are few; strangers are counted together, whatever they ask for. */
function count(
  minutes: Map<string, Minute>,
  { nodeId = NOBODY, route, status, seconds }: RequestSample,
  atMs: number,
): void {
  const minuteMs = Math.floor(atMs / 60_000) * 60_000;
  const statusClass = Math.floor(status / 100);
  const key = `${minuteMs} ${nodeId} ${route} ${statusClass}`;
  let minute = minutes.get(key);
  if (minute === undefined) {
    const buckets = Array.from({ length: BUCKETS_MS.length + 1 }, () => 0);
    minute = { minuteMs, nodeId, route, statusClass, calls: 0, totalMs: 0, maxMs: 0, buckets };
    minutes.set(key, minute);
  }
  const ms = seconds * 1_000;
  const place = BUCKETS_MS.findIndex((bound) => ms <= bound);
  const at = place < 0 ? BUCKETS_MS.length : place;
  minute.calls += 1;
  minute.totalMs += ms;
  minute.maxMs = Math.max(minute.maxMs, ms);
  minute.buckets[at] = (minute.buckets[at] ?? 0) + 1;
}

function callColumns(calls: readonly Kept[]) {
  return [
    calls.map(({ atMs }) => new Date(atMs)),
    calls.map(({ nodeId }) => nodeId ?? null),
    calls.map(({ method }) => method),
    calls.map(({ route }) => route),
    calls.map(({ status }) => status),
    calls.map(({ code }) => code ?? null),
    calls.map(({ seconds }) => seconds * 1_000),
    calls.map(({ bytesIn }) => bytesIn ?? null),
    calls.map(({ bytesOut }) => bytesOut ?? null),
    calls.map(({ requestId }) => requestId),
  ];
}

function minuteColumns(minutes: readonly Minute[]) {
  return [
    minutes.map(({ minuteMs }) => new Date(minuteMs)),
    minutes.map(({ nodeId }) => nodeId),
    minutes.map(({ route }) => route),
    minutes.map(({ statusClass }) => statusClass),
    minutes.map(({ calls }) => calls),
    minutes.map(({ totalMs }) => totalMs),
    minutes.map(({ maxMs }) => maxMs),
    minutes.map(({ buckets }) => `{${buckets.join(',')}}`),
  ];
}
