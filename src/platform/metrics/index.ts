/** Counts and durations for the operations door. Labels are closed lists (route, status); never a name, an id or an address. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  /** Text in the Prometheus format. */
  text(): Promise<string>;
  readonly contentType: string;
  /** For features that count something of their own. */
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  histogram(name: string, help: string, buckets: readonly number[], labels?: readonly string[]): Histogram;
  /** `read` is asked when somebody fetches the metrics. */
  gauge(name: string, help: string, read: () => number | Promise<number>): Gauge;
  /** What a worker sends to the primary, which adds them up. */
  readonly registry: Registry;
}

const PREFIX = 'careseal_';

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const common = { registers: [registry] };
  return {
    registry,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    counter: (name, help, labels = []) =>
      new Counter({ ...common, name: PREFIX + name, help, labelNames: [...labels] }),
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({ ...common, name: PREFIX + name, help, buckets: [...buckets], labelNames: [...labels] }),
    gauge: (name, help, read) =>
      new Gauge({
        ...common,
        name: PREFIX + name,
        help,
        async collect() {
          this.set(await read());
        },
      }),
  };
}
