import { z } from 'zod';

/** What other systems sent to this Careseal as their audit repository, as the user API speaks it. Newest first by the time they say. */
export const Transport = z.enum(['tls', 'udp', 'fhir']);
export type Transport = z.output<typeof Transport>;

/** The codes of `AuditEvent.outcome`. */
export const ReceivedOutcome = z.enum(['0', '4', '8', '12']);
export type ReceivedOutcome = z.output<typeof ReceivedOutcome>;

const said = z.string().trim().min(1).max(200);

/** `POST /api/audit/received`: what is asked may name a person, and addresses end up in histories. */
export const ReceivedQuery = z.strictObject({
  from: z.iso.datetime({ offset: true }).optional(),
  /** Exclusive. */
  to: z.iso.datetime({ offset: true }).optional(),
  /** What the event says of its source: an identifier, or the name of a site (ITI-81 `source.identifier`). */
  source: said.optional(),
  /** Code of `AuditEvent.type`, `110110` or `system|110110`. */
  kind: said.optional(),
  outcome: ReceivedOutcome.optional(),
  /** Identifier of a person, as the sender writes it, with or without `system|`. */
  person: said.optional(),
  limit: z.number().int().min(1).max(200).default(100),
  cursor: z
    .string()
    .regex(/^\d{1,14}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    .optional(),
});
export type ReceivedQuery = z.output<typeof ReceivedQuery>;

export const ReceivedEvent = z.object({
  id: z.string(),
  /** The time its sender says; the time it came where that cannot be. */
  recorded: z.string(),
  receivedAt: z.string(),
  transport: Transport,
  /** The node whose certificate the connection had; absent where nobody proved who sent it. */
  nodeId: z.string().optional(),
  /** False: no audit event was found in the message; it is kept as it came. */
  understood: z.boolean(),
  /** Somebody has changed it in the database since it came: neither its sender nor its times are known any more. */
  altered: z.boolean().optional(),
  /** What it said was destroyed, by law or at somebody's wish; the log tells why. */
  erased: z.boolean().optional(),
  /** Code of the kind of act and, where the sender gives them, its words. */
  type: z.string().optional(),
  title: z.string().optional(),
  action: z.string().optional(),
  outcome: ReceivedOutcome.optional(),
  /** Whom the event names as its source: the sender's word. */
  source: z.string().optional(),
  /** Who acted, by the sender's word. */
  who: z.string().optional(),
});
export type ReceivedEvent = z.output<typeof ReceivedEvent>;

export const ReceivedReply = z.object({
  /** Whether events of other systems are taken, and over which ways beside FHIR. */
  takes: z.boolean(),
  tlsPort: z.number().int().optional(),
  udpPort: z.number().int().optional(),
  events: z.array(ReceivedEvent),
  /** Where to go on. A page may be empty and yet have one: only so many events are looked at for an answer. */
  next: z.string().optional(),
});
export type ReceivedReply = z.output<typeof ReceivedReply>;

export const ReceivedParams = z.strictObject({ id: z.uuid() });

/** `GET /api/audit/received/:id`. */
export const ReceivedOneReply = z.object({
  event: ReceivedEvent,
  auditEvent: z.record(z.string(), z.unknown()).optional(),
  /** Over syslog: the message as it came, and from where. */
  message: z
    .object({
      /** IP address; over UDP a sender may write any. */
      address: z.string(),
      /** As many bytes as a datagram can have: what came after them is gone. */
      truncated: z.boolean(),
      bytes: z.number().int(),
      /** Its first 64 kB as UTF-8; what is no UTF-8 shows as �. */
      text: z.string(),
    })
    .optional(),
});
export type ReceivedOneReply = z.output<typeof ReceivedOneReply>;
