import { z } from 'zod';
import { noneBecause, publicBecause, type RouteDeclaration, route } from './route.ts';

export interface OperationsDeps {
  /** `undefined` when ready, else what is missing, in plain words. */
  readonly notReady: () => Promise<string | undefined>;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
}

const ACCESS = publicBecause('listens on the loopback address only and tells nothing about people');
const AUDIT = noneBecause('holds no personal data; probes ask every few seconds');
const NOTHING = { params: z.object({}), query: z.object({}), body: 'none' } as const;
const LIMITS = { bodyBytesMax: 0, perMinute: 600 };
const TEXT = 'text/plain; charset=utf-8';

/** /healthz: the process answers. /readyz: it can serve (database reachable, keys open). /metrics: counters. */
export function operationsRoutes(deps: OperationsDeps): RouteDeclaration[] {
  const shared = { doors: ['operations'], method: 'GET', access: ACCESS, audit: AUDIT, input: NOTHING } as const;
  return [
    route({
      ...shared,
      path: '/healthz',
      output: 'bytes',
      limits: LIMITS,
      handle: async () => ({ status: 200, body: Buffer.from('ok\n'), contentType: TEXT, audited: null }),
    }),
    route({
      ...shared,
      path: '/readyz',
      output: 'bytes',
      limits: LIMITS,
      handle: async () => {
        const missing = await deps.notReady();
        const text = missing === undefined ? 'ready\n' : `not ready: ${missing}\n`;
        return { status: missing === undefined ? 200 : 503, body: Buffer.from(text), contentType: TEXT, audited: null };
      },
    }),
    route({
      ...shared,
      path: '/metrics',
      output: 'bytes',
      limits: LIMITS,
      handle: async () => {
        const body = Buffer.from(await deps.metrics());
        return { status: 200, body, contentType: 'text/plain; version=0.0.4; charset=utf-8', audited: null };
      },
    }),
  ];
}
