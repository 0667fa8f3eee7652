import { z } from 'zod';

/** Calls of nodes, as the transactions page shows them. Neither query nor content of a call is kept, so none is here. */
export const callSchema = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  /** Missing where nobody known called. */
  node: z.object({ id: z.string(), name: z.string() }).optional(),
  method: z.string(),
  /** As declared: `/fhir/Patient/:id`. */
  route: z.string(),
  status: z.int(),
  /** Of the refusal: `scope-missing`, `certificate-unknown` … */
  code: z.string().optional(),
  milliseconds: z.number(),
  bytesIn: z.int().optional(),
  bytesOut: z.int().optional(),
  /** What the caller got as X-Request-Id; it may choose it. */
  requestId: z.string(),
});
export type WireCall = z.infer<typeof callSchema>;

const id = z.string().max(40).optional();
const time = z.iso.datetime().optional();

/** GET /api/calls */
export const callQuerySchema = z.object({
  node: id,
  from: time,
  to: time,
  status: z.enum(['ok', 'failed', 'refused', 'broken']).optional(),
  request: z.string().max(64).optional(),
  before: z
    .string()
    .regex(/^\d{1,18}$/)
    .optional(),
});
export const callListSchema = z.object({ calls: z.array(callSchema), more: z.boolean() });

export const failureGroupSchema = z.object({
  node: z.object({ id: z.string(), name: z.string() }).optional(),
  method: z.string(),
  route: z.string(),
  status: z.int(),
  code: z.string().optional(),
  calls: z.int(),
  firstAt: z.iso.datetime(),
  lastAt: z.iso.datetime(),
  lastRequest: z.string(),
});
export type WireFailureGroup = z.infer<typeof failureGroupSchema>;

export const callSlotSchema = z.object({
  at: z.iso.datetime(),
  calls: z.int(),
  failed: z.int(),
  /** Half, and 95 of 100, of the calls took at most this many ms; upper bounds of buckets. */
  medianMs: z.number(),
  p95Ms: z.number(),
  maxMs: z.number(),
});
export type WireCallSlot = z.infer<typeof callSlotSchema>;

/** GET /api/calls/figures */
export const figuresQuerySchema = z.object({ node: id, hours: z.enum(['1', '24', '168', '720']).optional() });
export const callFiguresSchema = z.object({
  hours: z.int(),
  slotSeconds: z.int(),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  /** Slots without calls are left out. */
  slots: z.array(callSlotSchema),
  failures: z.array(failureGroupSchema),
});
export type WireCallFigures = z.infer<typeof callFiguresSchema>;
