import { z } from 'zod';

/**
 * The audit log as the user API speaks it. Newest first; a cursor is opaque. Names of actors are those they had when they
 * acted: they come out of the sealed event, not out of today's user list.
 */
export const AuditOutcome = z.enum(['success', 'minor-failure', 'serious-failure']);
export type AuditOutcome = z.output<typeof AuditOutcome>;

export const ActorKind = z.enum(['user', 'node', 'operator', 'system', 'anonymous']);
export type ActorKind = z.output<typeof ActorKind>;

const text = (max: number) => z.string().trim().min(1).max(max);

/** `GET /api/audit/events`. `from` and `to` are instants, `from` included, `to` excluded. */
export const AuditListQuery = z.strictObject({
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  /** One event name (`client.read`), or a family (`client.*`). */
  event: z
    .string()
    .max(100)
    .regex(/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*(\.\*)?$/)
    .optional(),
  /** `actor.id` of a listed event. */
  actor: text(200).optional(),
  /** Id of a client or source record, with or without `Patient/`. */
  client: text(80).optional(),
  /** Network address exactly as listed. */
  address: text(64).optional(),
  /** Kind of actor. */
  kind: ActorKind.optional(),
  outcome: z.union([AuditOutcome, z.literal('failure')]).optional(),
  cursor: z
    .string()
    .max(100)
    .regex(/^[A-Za-z0-9_-]+$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type AuditListQuery = z.output<typeof AuditListQuery>;

export const AuditActor = z.object({
  kind: ActorKind,
  /** User id, node id, operating system user name; `system` and `anonymous` for those two. Usable as `actor` filter. */
  id: z.string(),
  /** Display name at the time of the event. */
  name: z.string(),
});

export const AuditEventSummary = z.object({
  id: z.string(),
  /** Position in the tree; missing for the second or so until the event is sequenced. */
  index: z.number().int().optional(),
  recorded: z.string(),
  event: z.string(),
  /** Plain words for the event: "Client read". */
  title: z.string(),
  action: z.enum(['C', 'R', 'U', 'D', 'E']),
  outcome: AuditOutcome,
  actor: AuditActor,
  /** Ids of the clients concerned (a golden or source record's id, without `Patient/`). */
  client: z.array(z.string()).optional(),
  /** Other things touched, as `Kind/id`. */
  entities: z.array(z.string()).optional(),
  door: z.enum(['users', 'nodes', 'operations', 'command-line', 'background']).optional(),
  address: z.string().optional(),
  requestId: z.string(),
  reason: z.string().optional(),
  detail: z.record(z.string(), z.string()).optional(),
  /** True when the content was erased: only time, name, outcome and kind of actor are left. */
  erased: z.boolean().optional(),
});
export type AuditEventSummary = z.output<typeof AuditEventSummary>;

export const AuditListReply = z.object({ events: z.array(AuditEventSummary), next: z.string().optional() });
export type AuditListReply = z.output<typeof AuditListReply>;

export const AuditEventParams = z.strictObject({ id: z.uuid() });

/** Proof that the event is in the tree whose signed head is `checkpoint`. Missing until the event is sequenced. */
export const AuditProof = z.object({
  index: z.number().int(),
  size: z.number().int(),
  /** Base64. */
  rootHash: z.string(),
  /** The leaf's bytes and the nonce that opens its commitment, base64; with `path` all an outsider needs. */
  leaf: z.string(),
  nonce: z.string().optional(),
  path: z.array(z.string()),
  checkpoint: z.string(),
  /** Recomputed by the server for this answer. */
  ok: z.boolean(),
});
export type AuditProof = z.output<typeof AuditProof>;

/** `GET /api/audit/events/:id`. `auditEvent` is FHIR R4 JSON; missing when the content was erased. */
export const AuditEventReply = z.object({
  event: AuditEventSummary,
  auditEvent: z.record(z.string(), z.unknown()).optional(),
  proof: AuditProof.optional(),
});
export type AuditEventReply = z.output<typeof AuditEventReply>;

/** Somebody outside who signs our heads. */
export const AuditWitness = z.object({
  name: z.string(),
  /** Of the newest head it signed; 0 before the first. */
  size: z.number().int(),
  /** When, by its clock. */
  cosignedAt: z.string().optional(),
  /** Set when it has signed nothing for 15 minutes while the log grew. */
  silentSince: z.string().optional(),
  /** Why the last try came to nothing, in a few words; known to the process that asks. */
  failure: z.string().optional(),
});
export type AuditWitness = z.output<typeof AuditWitness>;

/** `GET /api/audit/status`. `ok` is false when events wait too long or the head does not verify. */
export const AuditStatusReply = z.object({
  size: z.number().int(),
  rootHash: z.string(),
  /** The signed note (C2SP tlog-checkpoint); empty before the first event. */
  checkpoint: z.string(),
  signedAt: z.string().optional(),
  /** Events committed and not yet in the tree. */
  pending: z.number().int(),
  /** Verifier key (C2SP signed note `vkey`) to check checkpoints with. */
  verifierKey: z.string(),
  /** Empty where none is set up. */
  witnesses: z.array(AuditWitness).default([]),
  ok: z.boolean(),
});
export type AuditStatusReply = z.output<typeof AuditStatusReply>;

/** `GET /api/audit/names`: what the event filter offers. */
export const AuditNamesReply = z.object({ names: z.array(z.object({ event: z.string(), title: z.string() })) });
export type AuditNamesReply = z.output<typeof AuditNamesReply>;
