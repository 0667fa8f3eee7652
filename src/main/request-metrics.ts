import type { RequestSample } from '../platform/http/index.ts';
import type { Metrics } from '../platform/metrics/index.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Counts and times requests by declared route and status: closed lists, nothing of the request itself. */
export function requestMetrics(metrics: Metrics): (sample: RequestSample) => void {
  const duration = metrics.histogram('request_seconds', 'Time to answer', SECONDS, [
    'door',
    'method',
    'route',
    'status',
  ]);
  return ({ door, method, route, status, seconds }) => {
    duration.observe({ door, method, route, status: String(status) }, seconds);
  };
}
