import { z } from 'zod';

/** Forwarding of the audit log to other systems (IHE ATNA, ITI-20), as the user API speaks it. */
export const TargetProtocol = z.enum(['tls', 'tcp', 'udp', 'fhir']);
export type TargetProtocol = z.output<typeof TargetProtocol>;

const HOST = /^(?=.{1,253}$)([a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$|^[0-9a-f:]+$/i;

export const TargetFilter = z.strictObject({
  /** Names (`client.read`) and families (`client.*`); none: every event. */
  events: z
    .array(
      z
        .string()
        .max(100)
        .regex(/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*(\.\*)?$/),
    )
    .max(50),
  outcome: z.enum(['all', 'failure']),
});
export type TargetFilter = z.output<typeof TargetFilter>;

const settings = {
  name: z.string().trim().min(1).max(80),
  protocol: TargetProtocol,
  host: z.string().regex(HOST, 'must be a host name or an IP address'),
  port: z.number().int().min(1).max(65_535),
  /** `fhir` only: path of the repository's FHIR base, for example `/fhir`. */
  path: z
    .string()
    .max(200)
    .regex(/^(\/[A-Za-z0-9._~/-]*)?$/)
    .default(''),
  /** Certificate authorities to trust, PEM; empty: those of the operating system. */
  authorities: z
    .string()
    .max(100_000)
    .regex(/^\s*$|-----BEGIN CERTIFICATE-----/)
    .default(''),
  filter: TargetFilter.default({ events: [], outcome: 'all' }),
};

/** `POST /api/forwarding`. */
export const AddTarget = z.strictObject({
  ...settings,
  /** Where to begin: with what happens from now on, or with everything there is. */
  from: z.enum(['now', 'beginning']).default('now'),
});
export type AddTarget = z.output<typeof AddTarget>;

/** `PUT /api/forwarding/:id`. What it has reached already stays. */
export const ChangeTarget = z.strictObject({ ...settings, paused: z.boolean() });
export type ChangeTarget = z.output<typeof ChangeTarget>;

export const TargetFailure = z.enum([
  'refused', // nobody listens there
  'unreachable', // no way there, or no such name
  'timeout',
  'stalled', // connected, and takes nothing
  'certificate', // theirs is not trusted, expired, or for another name
  'identity', // they do not accept ours, or want one
  'closed', // ended the connection early
  'changed', // somebody else wrote to it in the database: nothing is sent until it is saved anew
  'answer', // FHIR: an answer that says it was not taken
  'internal',
]);
export type TargetFailure = z.output<typeof TargetFailure>;

export const TargetView = z.object({
  id: z.string(),
  name: z.string(),
  protocol: TargetProtocol,
  host: z.string(),
  port: z.number().int(),
  path: z.string(),
  authorities: z.string(),
  filter: TargetFilter,
  paused: z.boolean(),
  createdAt: z.string(),
  /** Events of the log that have not reached it yet (those it does not want among them). */
  waiting: z.number().int(),
  delivered: z.number().int(),
  /** Events that this way cannot carry or that the receiver refuses for good; each is in the log. */
  skipped: z.number().int(),
  deliveredAt: z.string().optional(),
  failingSince: z.string().optional(),
  failure: TargetFailure.optional(),
});
export type TargetView = z.output<typeof TargetView>;

/** `GET /api/forwarding`. */
export const ForwardingReply = z.object({
  targets: z.array(TargetView),
  /** Whether a client certificate is set up (`atnaCertificateFile`). */
  identity: z.boolean(),
  /** Ports this Careseal takes other systems' events on; absent where it does not. */
  repository: z.object({ tlsPort: z.number().int().optional(), udpPort: z.number().int().optional() }).optional(),
});
export type ForwardingReply = z.output<typeof ForwardingReply>;

export const TargetParams = z.strictObject({ id: z.uuid() });
export const TargetReply = z.object({ target: TargetView });
