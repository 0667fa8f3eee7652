import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { Config } from '../platform/config/index.ts';
import type { Connection } from '../platform/db/index.ts';
import type { OpenConnections, Spent } from '../platform/http/index.ts';

/** What the primary tells a worker process. */
export type ToWorker =
  | {
      readonly kind: 'serve';
      readonly config: Config;
      readonly connection: Connection;
      /** Whether this one takes other systems' audit events over UDP. */
      readonly datagrams: boolean;
    }
  | { readonly kind: 'metrics'; readonly request: number }
  /** What callers did in other workers. */
  | { readonly kind: 'spent'; readonly spent: Spent }
  /** Connections that another worker has open now. */
  | { readonly kind: 'open'; readonly worker: number; readonly open: OpenConnections }
  | { readonly kind: 'ended'; readonly worker: number }
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
  | { readonly kind: 'open'; readonly open: OpenConnections }
  | { readonly kind: 'failed'; readonly reason: string; readonly code?: string };
