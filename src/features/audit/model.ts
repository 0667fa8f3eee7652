import type { Branded } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';

/**
 * What happened, in Careseal's terms; `features/audit` turns it into a FHIR R4 AuditEvent in the shape of IHE BALP 1.1.
 * Carries ids and search parameters, never a result's content.
 */
export interface AuditInput {
  readonly actor: Actor;
  /** Dotted name as in the golden route list: `client.read`, `sign-in.code`, `review.decide`, `node.add`. */
  readonly event: string;
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  readonly outcome: 'success' | 'minor-failure' | 'serious-failure';
  /** FHIR interaction for REST events: read, vread, search, create, update, delete, history, operation name … */
  readonly interaction?: string;
  /** Patients concerned; a search with n patients in its result becomes n AuditEvents (IHE BALP). */
  readonly patients?: readonly string[]; // `Patient/<id>`
  /** Other resources or objects touched: `Review/…`, `Node/…`, `User/…`, `Load/…`. */
  readonly entities?: readonly AuditEntity[];
  /** Raw search request (path and query or body); base64 in entity.query. */
  readonly query?: string;
  /** A plain-word reason given by the user, or the refusal's problem code. */
  readonly reason?: string;
  readonly detail?: Readonly<Record<string, string>>;
}

export interface AuditEntity {
  readonly reference: string;
  readonly role?: 'patient' | 'report' | 'domain-resource' | 'user' | 'security-resource' | 'job' | 'query';
}

/** SHA-256 Merkle tree hash, 32 bytes, as base64. */
export type RootHash = Branded<'RootHash'>;
