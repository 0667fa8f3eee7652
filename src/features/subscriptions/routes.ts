/** What administrators see of deliveries, and the rerun of dead letters. */
import { z } from 'zod';
import { event, permission, type RouteDeclaration, route } from '../../platform/http/index.ts';
import type { Audit } from '../audit/index.ts';
import type { Deliveries } from './deliveries.ts';
import {
  deliveryDetailSchema,
  deliveryListSchema,
  deliveryQuerySchema,
  rerunRequestSchema,
  rerunResponseSchema,
  subscriberListSchema,
} from './wire.ts';

interface RouteDeps {
  readonly deliveries: Deliveries;
  readonly audit: Pick<Audit, 'recordNow'>;
}

const none = z.object({});
const READ = { bodyBytesMax: 0, perMinute: 120 } as const;
const WRITE = { bodyBytesMax: 1_024, perMinute: 60 } as const;

export function deliveryRoutes(deps: RouteDeps): RouteDeclaration[] {
  return [...lookingRoutes(deps), ...rerunRoutes(deps)];
}

function lookingRoutes({ deliveries, audit }: RouteDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/deliveries',
      access: permission('node.read', { everywhere: true }),
      audit: event('delivery.list'),
      input: { params: none, query: deliveryQuerySchema, body: 'none' },
      output: deliveryListSchema,
      limits: READ,
      async handle({ actor, query }) {
        const body = await deliveries.list(query);
        const audited = await audit.recordNow([{ actor, event: 'delivery.list', action: 'R', outcome: 'success' }]);
        return { status: 200, body, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/deliveries/:id',
      access: permission('node.read', { everywhere: true }),
      audit: event('delivery.list'),
      input: { params: z.object({ id: z.uuid() }), query: none, body: 'none' },
      output: deliveryDetailSchema,
      limits: READ,
      async handle({ actor, params }) {
        const { delivery, audited } = await deliveries.look(actor, params.id);
        return { status: 200, body: delivery, audited };
      },
    }),
    route({
      doors: ['users'],
      method: 'GET',
      path: '/api/subscribers',
      access: permission('node.read', { everywhere: true }),
      audit: event('delivery.list'),
      input: { params: none, query: none, body: 'none' },
      output: subscriberListSchema,
      limits: READ,
      async handle({ actor }) {
        const subscribers = await deliveries.subscribers();
        const audited = await audit.recordNow([{ actor, event: 'delivery.list', action: 'R', outcome: 'success' }]);
        return { status: 200, body: { subscribers }, audited };
      },
    }),
  ];
}

function rerunRoutes({ deliveries }: RouteDeps): RouteDeclaration[] {
  return [
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/deliveries/:id/rerun',
      access: permission('node.manage', { everywhere: true }),
      audit: event('delivery.rerun'),
      input: { params: z.object({ id: z.uuid() }), query: none, body: 'none' },
      output: rerunResponseSchema,
      limits: { ...WRITE, bodyBytesMax: 0 },
      async handle({ actor, params }) {
        return { status: 200, body: { rerun: 1 }, audited: await deliveries.rerun(actor, params.id) };
      },
    }),
    route({
      doors: ['users'],
      method: 'POST',
      path: '/api/deliveries/rerun',
      access: permission('node.manage', { everywhere: true }),
      audit: event('delivery.rerun'),
      input: { params: none, query: none, body: rerunRequestSchema },
      output: rerunResponseSchema,
      limits: WRITE,
      async handle({ actor, body }) {
        const { rerun, audited } = await deliveries.rerunAll(actor, body.nodeId);
        return { status: 200, body: { rerun }, audited };
      },
    }),
  ];
}
