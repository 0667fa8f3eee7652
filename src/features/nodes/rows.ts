import type { NodeId, OrganisationId } from '../../kernel/ids.ts';

/** Rows of schema `nodes` as statements answer them. Times are timestamptz, ids uuid. */
export interface NodeRow {
  readonly id: NodeId;
  readonly name: string;
  readonly organisation_id: OrganisationId;
  readonly created_at: Date;
  readonly activated_at: Date | null;
  readonly suspended_at: Date | null;
  readonly revoked_at: Date | null;
  readonly last_seen_at: Date | null;
  readonly sealed_reason: Buffer | null;
  readonly sealed_contact: Buffer | null;
  readonly scopes: string[];
  readonly networks: string[];
  readonly per_minute: number;
  readonly token_required: boolean;
  readonly jwks: string | null;
  readonly jwks_url: string | null;
  readonly domains: string[];
  readonly binding: Buffer | null;
}

export type CertificateOrigin = 'issued' | 'trusted' | 'foreign';

export interface CertificateRow {
  readonly sha256: Buffer;
  readonly node_id: NodeId;
  readonly subject: string;
  readonly serial: string;
  readonly origin: CertificateOrigin;
  readonly authority_id: string | null;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly issued_at: Date;
  readonly ends_at: Date | null;
  readonly revoked_at: Date | null;
  readonly revocation_reason: string | null;
  readonly warned_days: number | null;
  readonly last_seen_at: Date | null;
  readonly binding: Buffer | null;
}

export interface EnrolmentRow {
  readonly token_hash: Buffer;
  readonly node_id: NodeId;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly ended_at: Date | null;
  readonly binding: Buffer;
}

/** An authority of others. */
export interface AuthorityTrustRow {
  readonly id: string;
  readonly organisation_id: OrganisationId;
  readonly name: string;
  readonly certificate: string;
  readonly sha256: Buffer;
  readonly not_after: Date;
  readonly accept_long: boolean;
  readonly crl: Buffer | null;
  readonly crl_next_update: Date | null;
  readonly crl_required: boolean;
  /** Where its lists are fetched from; null: they are given by hand. */
  readonly crl_url: string | null;
  readonly crl_tried_at: Date | null;
  readonly crl_failure: string | null;
  readonly crl_stale_told_at: Date | null;
  readonly created_at: Date;
  readonly removed_at: Date | null;
  readonly binding: Buffer;
}

export type NameAttribute = 'cn' | 'dns' | 'uri' | 'email';

export interface NameRuleRow {
  readonly id: string;
  readonly authority_id: string;
  readonly node_id: NodeId;
  readonly attribute: NameAttribute;
  readonly value: string;
  readonly created_at: Date;
  readonly removed_at: Date | null;
  readonly binding: Buffer;
}

/** The built-in authority. */
export interface AuthorityRow {
  readonly id: string;
  readonly kind: 'root' | 'issuing';
  readonly certificate: string;
  /** Null for a root whose key is kept elsewhere. */
  readonly sealed_key: Buffer | null;
  readonly not_after: Date;
  readonly crl: Buffer | null;
  readonly crl_number: number;
  readonly crl_next_update: Date | null;
}
