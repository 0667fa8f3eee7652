import { z } from 'zod';

/**
 * Requests and answers of the node pages and of `careseal node … --json`. Shared with web and command line, so nothing here
 * touches Node or the database.
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

export const nodeCertificateSchema = z.object({
  /** SHA-256 of the DER certificate, lower-case hex. */
  sha256: z.string(),
  subject: z.string(),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  revokedAt: z.iso.datetime().optional(),
});

export const nodeSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** Identifier systems this node owns; nobody else may send records of these. */
  domains: z.array(z.string()),
  state: z.enum(['active', 'revoked']),
  certificates: z.array(nodeCertificateSchema),
  createdAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime().optional(),
  revokedAt: z.iso.datetime().optional(),
  revokedReason: z.string().optional(),
});
export type WireNode = z.infer<typeof nodeSchema>;

/** GET /api/nodes */
export const nodeListSchema = z.object({ nodes: z.array(nodeSchema) });

/** POST /api/nodes. `csr` is a PEM certificate request; without it Careseal makes the key and hands it out once. */
export const addNodeRequestSchema = z.strictObject({
  name: nodeNameSchema,
  domain: domainSystemSchema,
  csr: z.string().max(16_384).optional(),
});

/** PEM files by name. `node.key` is there only when Careseal made the key; it is not kept and cannot be shown again. */
export const nodeFilesSchema = z.object({
  'node.crt': z.string(),
  'ca.crt': z.string(),
  'node.key': z.string().optional(),
});
/** `fhirUrl`: where the system reaches FHIR from outside, the nodes' door with its port. */
export const addNodeResponseSchema = z.object({ node: nodeSchema, files: nodeFilesSchema, fhirUrl: z.url() });
export type AddNodeResponse = z.infer<typeof addNodeResponseSchema>;

/** POST /api/nodes/:id/revoke */
export const revokeNodeRequestSchema = z.strictObject({ reason: z.string().trim().min(3).max(500) });
export const revokeNodeResponseSchema = z.object({ node: nodeSchema });

/** GET /api/domains: every known assigning authority; `node` is missing where the organisation itself owns it. */
export const domainListSchema = z.object({
  domains: z.array(z.object({ system: z.string(), node: z.object({ id: z.string(), name: z.string() }).optional() })),
});
export type WireDomainList = z.infer<typeof domainListSchema>;
