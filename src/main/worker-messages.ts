import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { Config } from '../platform/config/index.ts';
import type { Connection } from '../platform/db/index.ts';
import type { Spent } from '../platform/http/index.ts';

/** What the primary tells a worker process. */
export type ToWorker =
  | { readonly kind: 'serve'; readonly config: Config; readonly connection: Connection }
  | { readonly kind: 'metrics'; readonly request: number }
  /** What callers did in other workers. */
  | { readonly kind: 'spent'; readonly spent: Spent }
  | { readonly kind: 'stop'; readonly drainMs: number };

/** What a worker process tells the primary. */
export type FromWorker =
  | {
      readonly kind: 'serving';
      readonly usersPort: number;
      readonly nodesPort: number;
      readonly redirectPort?: number;
      readonly hl7Port?: number;
    }
  | {
      readonly kind: 'metrics';
      readonly request: number;
      readonly values: MetricObjectWithValues<MetricValue<string>>[];
    }
  | { readonly kind: 'spent'; readonly spent: Spent }
  | { readonly kind: 'failed'; readonly reason: string; readonly code?: string };
