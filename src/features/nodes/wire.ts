import { z } from 'zod';
import { NODE_SCOPES } from '../../kernel/access.ts';

/**
 * Requests and answers of the node pages and of `careseal node … --json`. Shared with web and command line, so nothing here
 * touches Node or the database. `wire-trust.ts` has authorities of others, `wire-calls.ts` the calls.
 */

/** An assigning authority: an absolute URI such as `urn:ug:nin` or `https://clinic.example/ids`, without blanks. */
export const domainSystemSchema = z
  .string()
  .trim()
  .min(3)
  .max(255)
  .regex(/^[A-Za-z][A-Za-z0-9+.-]*:[^\s|<>"\\^`{}\p{Cc}]+$/u, 'must be an absolute URI such as urn:example:clinic-a');

export const nodeNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u, 'letters, digits, blank, dot, underscore and hyphen only');

/** `192.0.2.0/24` or a single address; the server checks that it is one. */
export const networkSchema = z
  .string()
  .trim()
  .max(43)
  .regex(/^[0-9a-fA-F.:]+(?:\/\d{1,3})?$/, 'must be an address or a network such as 192.0.2.0/24');

/** PEM of a certificate, request or key set. */
const pemSchema = z.string().max(32_768);

export const nodeCertificateSchema = z.object({
  /** SHA-256 of the DER certificate, lower-case hex. */
  sha256: z.string(),
  subject: z.string(),
  serial: z.string(),
  /** Issued here, trusted for itself, or of an authority that is trusted. */
  origin: z.enum(['issued', 'trusted', 'foreign']),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  /** When it stops to be accepted: `notAfter`, or earlier where a newer one has taken its place. */
  endsAt: z.iso.datetime(),
  /** False where the database holds something that Careseal did not write. */
  intact: z.boolean(),
  lastSeenAt: z.iso.datetime().optional(),
  revokedAt: z.iso.datetime().optional(),
});
export type WireCertificate = z.infer<typeof nodeCertificateSchema>;

export const nodeSchema = z.object({
  id: z.string(),
  name: z.string(),
  organisationId: z.string(),
  /** Its name, in lists. */
  organisation: z.string().optional(),
  state: z.enum(['invited', 'active', 'suspended', 'revoked']),
  intact: z.boolean(),
  /** Identifier systems this node owns; nobody else may send records of these. */
  domains: z.array(z.string()),
  scopes: z.array(z.enum(NODE_SCOPES)),
  networks: z.array(z.string()),
  perMinute: z.int(),
  tokenRequired: z.boolean(),
  jwksUrl: z.string().optional(),
  hasJwks: z.boolean(),
  contact: z.string().optional(),
  certificates: z.array(nodeCertificateSchema),
  createdAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime().optional(),
  revokedAt: z.iso.datetime().optional(),
  revokedReason: z.string().optional(),
});
export type WireNode = z.infer<typeof nodeSchema>;

/** GET /api/nodes */
export const nodeListSchema = z.object({ nodes: z.array(nodeSchema) });

const settings = {
  name: nodeNameSchema,
  domains: z.array(domainSystemSchema).max(50),
  scopes: z.array(z.enum(NODE_SCOPES)),
  networks: z.array(networkSchema).max(50),
  perMinute: z.int().min(1).max(1_000_000),
  tokenRequired: z.boolean(),
  contact: z.string().trim().max(300),
};

/**
 * POST /api/nodes. `way`: Careseal makes a key (`make`), the node gave a request (`csr`), it gets a one-time token (`invite`),
 * it has a certificate already (`trust`), or a certificate of a trusted authority will speak for it (`later`).
 */
export const addNodeRequestSchema = z
  .strictObject({
    ...z.object(settings).partial().shape,
    name: nodeNameSchema,
    domain: domainSystemSchema.optional(),
    way: z.enum(['make', 'csr', 'invite', 'trust', 'later']).optional(),
    csr: pemSchema.optional(),
    certificate: pemSchema.optional(),
    acceptLong: z.boolean().optional(),
  })
  .refine((wanted) => wanted.domain !== undefined || (wanted.domains?.length ?? 0) > 0, {
    path: ['domain'],
    message: 'at least one domain is needed',
  });
export type AddNodeRequest = z.infer<typeof addNodeRequestSchema>;

/** PEM files by name, the PKCS #12 bundle as base64. The key and the bundle are there only when Careseal made the key; they are not kept. */
export const nodeFilesSchema = z.object({
  'node.crt': z.string().optional(),
  'ca.crt': z.string(),
  'node.key': z.string().optional(),
  'node.p12': z.string().optional(),
  p12Password: z.string().optional(),
});
export type WireNodeFiles = z.infer<typeof nodeFilesSchema>;

/** A one-time token for `POST <enrolUrl>`. */
export const invitationSchema = z.object({ token: z.string(), enrolUrl: z.url(), expiresAt: z.iso.datetime() });

/** `fhirUrl`: where the system reaches FHIR from outside, the nodes' door with its port. */
export const addNodeResponseSchema = z.object({
  node: nodeSchema,
  files: nodeFilesSchema,
  invitation: invitationSchema.optional(),
  fhirUrl: z.url(),
});
export type AddNodeResponse = z.infer<typeof addNodeResponseSchema>;

/** PATCH /api/nodes/:id */
export const changeNodeRequestSchema = z.strictObject(settings).partial();

/** GET /api/nodes/:id and every change of one. */
export const oneNodeSchema = z.object({ node: nodeSchema });

/** POST /api/nodes/:id/revoke and …/suspend */
export const revokeNodeRequestSchema = z.strictObject({ reason: z.string().trim().min(3).max(500) });

/** POST /api/nodes/:id/certificates: a new one, for a request or with a key made here. */
export const issueCertificateRequestSchema = z.strictObject({ csr: pemSchema.optional() });
/** POST /api/nodes/:id/trusted-certificates */
export const trustCertificateRequestSchema = z.strictObject({ certificate: pemSchema, acceptLong: z.boolean() });
/** POST /api/nodes/:id/certificates/:sha256/revoke */
export const revokeCertificateRequestSchema = z.strictObject({
  why: z.enum(['unspecified', 'keyCompromise', 'superseded', 'cessationOfOperation']),
  reason: z.string().trim().min(3).max(500),
});

/** PUT /api/nodes/:id/keys: public keys for signed token requests; exactly one of them, or none to take them away. */
export const nodeKeysRequestSchema = z
  .strictObject({ jwks: z.string().max(65_536).optional(), jwksUrl: z.url().max(500).optional() })
  .refine((keys) => keys.jwks === undefined || keys.jwksUrl === undefined, {
    message: 'give keys or their address, not both',
  });

/** GET /api/domains: every known assigning authority; `node` is missing where the organisation itself owns it. */
export const domainListSchema = z.object({
  domains: z.array(z.object({ system: z.string(), node: z.object({ id: z.string(), name: z.string() }).optional() })),
});
export type WireDomainList = z.infer<typeof domainListSchema>;
