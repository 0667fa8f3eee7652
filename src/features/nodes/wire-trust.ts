import { z } from 'zod';

/** Authorities of others, their name rules, and our own authority, as the trust page shows them. */
export const nameRuleSchema = z.object({
  id: z.string(),
  nodeId: z.string(),
  attribute: z.enum(['cn', 'dns', 'uri', 'email']),
  value: z.string(),
});

export const foreignAuthoritySchema = z.object({
  id: z.string(),
  name: z.string(),
  subject: z.string(),
  sha256: z.string(),
  notAfter: z.iso.datetime(),
  acceptLong: z.boolean(),
  crlRequired: z.boolean(),
  hasCrl: z.boolean(),
  crlNextUpdate: z.iso.datetime().optional(),
  /** Where its lists are fetched from; missing: they are given by hand. */
  crlUrl: z.string().optional(),
  crlTriedAt: z.iso.datetime().optional(),
  /** Why the last fetch failed: `outbound-timeout`, `crl-signature` … */
  crlFailure: z.string().optional(),
  intact: z.boolean(),
  rules: z.array(nameRuleSchema),
});
export type WireForeignAuthority = z.infer<typeof foreignAuthoritySchema>;

export const ownAuthoritySchema = z.object({
  id: z.string(),
  kind: z.enum(['root', 'issuing']),
  subject: z.string(),
  sha256: z.string(),
  notAfter: z.iso.datetime(),
  /** False for a root whose key is kept elsewhere. */
  keyIsHere: z.boolean(),
  crlUrl: z.url(),
  crlNextUpdate: z.iso.datetime().optional(),
});

/** GET /api/trust, and the answer of every change. */
export const trustSchema = z.object({ own: z.array(ownAuthoritySchema), foreign: z.array(foreignAuthoritySchema) });
export type WireTrust = z.infer<typeof trustSchema>;

/** POST /api/trust/authorities */
export const addAuthorityRequestSchema = z.strictObject({
  name: z.string().trim().min(1).max(100),
  certificate: z.string().max(32_768),
  acceptLong: z.boolean(),
  crlRequired: z.boolean(),
});

/** POST /api/trust/rules: "a certificate of this authority with this name is this node". */
export const addRuleRequestSchema = z.strictObject({
  authorityId: z.string(),
  nodeId: z.string(),
  attribute: z.enum(['cn', 'dns', 'uri', 'email']),
  value: z.string().trim().min(1).max(255),
});

/** POST /api/trust/authorities/:id/remove */
export const removeAuthorityRequestSchema = z.strictObject({ reason: z.string().trim().min(3).max(500) });

/** POST /api/trust/authorities/:id/crl-url: fetch lists from here; null: no more. */
export const crlUrlRequestSchema = z.strictObject({ url: z.string().max(2_000).nullable() });
