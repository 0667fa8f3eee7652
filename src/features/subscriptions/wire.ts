import { z } from 'zod';

/** Shapes of the pages that show subscribers and deliveries. No endpoint, criteria or client is among them. */
export const deliveryStateSchema = z.enum(['waiting', 'delivered', 'dead']);

export const deliverySchema = z.object({
  id: z.string(),
  subscriptionId: z.string(),
  nodeId: z.string(),
  state: deliveryStateSchema,
  attempts: z.int(),
  createdAt: z.iso.datetime(),
  /** When it is tried next; of waiting ones. */
  retryAt: z.iso.datetime().optional(),
  doneAt: z.iso.datetime().optional(),
  /** Why it failed last, as a code: `outbound-timeout`, `http-503` … */
  failure: z.string().optional(),
});
export const deliveryListSchema = z.object({
  deliveries: z.array(deliverySchema),
  /** Give it as `before` for the next page. */
  next: z.string().optional(),
});

export const deliveryQuerySchema = z.object({
  state: deliveryStateSchema.optional(),
  nodeId: z.uuid().optional(),
  before: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** GET /api/deliveries/:id: what is known of one, for deciding whether to send it again. */
export const deliveryDetailSchema = deliverySchema.extend({
  /** Host and port; paths and queries may hold secrets. */
  endpointHost: z.string(),
  channel: z.enum(['message', 'rest-hook']),
  subscriber: z.enum(['requested', 'active', 'error', 'off']),
  /** Of the subscriber: attempts in a row that failed. */
  failures: z.int(),
  /** Whom it is about; for those who may read every client. */
  clientId: z.string().optional(),
});

/** Without a node: all dead letters. */
export const rerunRequestSchema = z.strictObject({ nodeId: z.uuid().optional() });
export const rerunResponseSchema = z.object({ rerun: z.int() });

export const subscriberSchema = z.object({
  id: z.string(),
  nodeId: z.string(),
  status: z.enum(['requested', 'active', 'error', 'off']),
  channel: z.enum(['message', 'rest-hook']),
  /** Attempts in a row that failed. */
  failures: z.int(),
  lastFailure: z.string().optional(),
  lastSuccessAt: z.iso.datetime().optional(),
  waiting: z.int(),
  dead: z.int(),
});
export const subscriberListSchema = z.object({ subscribers: z.array(subscriberSchema) });

export type WireDelivery = z.infer<typeof deliverySchema>;
export type WireSubscriber = z.infer<typeof subscriberSchema>;
export type WireDeliveryDetail = z.infer<typeof deliveryDetailSchema>;
