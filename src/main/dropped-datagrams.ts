import type { Logger } from '../platform/log/index.ts';
import type { Metrics } from '../platform/metrics/index.ts';

const TOLD_EVERY_MS = 60_000;

/**
 * Says that audit events of other systems came over UDP faster than they are taken: each is counted for the operations door; the
 * log says so at the first one and then once a minute at most, with how many there were since.
 */
export function tellDropped(
  log: Pick<Logger, 'warn'>,
  metrics: Pick<Metrics, 'counter'>,
  everyMs = TOLD_EVERY_MS,
): { one(): void; stop(): void } {
  const counter = metrics.counter(
    'audit_datagrams_dropped_total',
    'Audit events of other systems that came over UDP and were dropped, because too many came',
  );
  let untold = 0;
  let pause: NodeJS.Timeout | undefined;

  function tell(): void {
    pause = undefined;
    if (untold === 0) return;
    log.warn('Audit events came over UDP faster than they are taken; some were dropped', { dropped: untold });
    untold = 0;
    pause = setTimeout(tell, everyMs).unref();
  }

  return {
    one() {
      counter.inc();
      untold += 1;
      if (pause === undefined) tell();
    },
    stop() {
      clearTimeout(pause);
      tell();
      clearTimeout(pause);
    },
  };
}
