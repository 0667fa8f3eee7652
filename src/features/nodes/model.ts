import type { NodeScope } from '../../kernel/access.ts';
import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import type { NodePrincipal } from '../../kernel/principal.ts';
import type { CertificateOrigin, CertificateRow, NodeRow } from './rows.ts';

/**
 * invited: has a one-time token and no certificate yet. active: may come in. suspended: may not, until resumed. revoked: never
 * again; its name and domains are free.
 */
export type NodeState = 'invited' | 'active' | 'suspended' | 'revoked';

/** A system that talks to Careseal. */
export interface Node {
  readonly id: NodeId;
  readonly name: string;
  readonly organisationId: OrganisationId;
  readonly state: NodeState;
  /** False when the row is not as Careseal wrote it: somebody changed the database, and the node is refused. */
  readonly intact: boolean;
  readonly domains: readonly string[];
  readonly scopes: readonly NodeScope[];
  /** CIDR; empty: from everywhere. */
  readonly networks: readonly string[];
  readonly perMinute: number;
  readonly tokenRequired: boolean;
  readonly jwksUrl?: string;
  readonly hasJwks: boolean;
  readonly contact?: string;
  readonly certificates: readonly NodeCertificate[];
  readonly createdAtMs: number;
  readonly lastSeenAtMs?: number;
  readonly revoked?: { readonly atMs: number; readonly reason: string };
}

export interface NodeCertificate {
  /** SHA-256 of the DER, lower-case hex. */
  readonly sha256: string;
  readonly subject: string;
  readonly serial: string;
  readonly origin: CertificateOrigin;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** When it stops to be accepted: its own end, or earlier when a newer one has taken its place. */
  readonly endsAtMs: number;
  readonly intact: boolean;
  readonly lastSeenAtMs?: number;
  readonly revokedAtMs?: number;
}

/** What is on record about a presented certificate: all that the decision needs. */
export interface Registration {
  readonly principal: NodePrincipal;
  readonly node: NodeRow;
  readonly certificate: CertificateRow;
  /** Both rows carry bindings that fit them. */
  readonly intact: boolean;
  isAllowedFrom(address: string): boolean;
}

export function stateOf(row: Pick<NodeRow, 'revoked_at' | 'suspended_at' | 'activated_at'>): NodeState {
  if (row.revoked_at !== null) return 'revoked';
  if (row.suspended_at !== null) return 'suspended';
  return row.activated_at === null ? 'invited' : 'active';
}

/** When a certificate stops to be accepted, Unix ms. */
export function endOf(row: Pick<CertificateRow, 'not_after' | 'ends_at'>): number {
  return Math.min(row.not_after.getTime(), row.ends_at?.getTime() ?? Number.POSITIVE_INFINITY);
}

/** An assigning authority (identifier `system`), its number in other tables, and who owns it. */
export interface Domain {
  readonly id: number;
  readonly system: string;
  readonly organisationId: OrganisationId;
  /** Missing where no node sends this domain: the organisation's own people load it. */
  readonly ownerNodeId?: NodeId;
  readonly ownerNodeName?: string;
  /** Its row is not as Careseal wrote it: nobody's, and nothing is filed in it. */
  readonly altered?: true;
}

/** All domains at one moment. */
export interface DomainTable {
  byId(id: number): Domain | undefined;
  bySystem(system: string): Domain | undefined;
  all(): readonly Domain[];
}

/** The last certificate of a node, about to end. */
export interface EndingCertificate {
  readonly nodeId: string;
  /** A system's name, not a person's. */
  readonly nodeName: string;
  readonly sha256: string;
  readonly endsAtMs: number;
  readonly days: number;
}
