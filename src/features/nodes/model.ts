import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import type { NodePrincipal } from '../../kernel/principal.ts';

/** A system that talks to Careseal. */
export interface Node {
  readonly id: NodeId;
  readonly name: string;
  readonly organisationId: OrganisationId;
  readonly domains: readonly string[];
  readonly certificates: readonly NodeCertificate[];
  readonly createdAtMs: number;
  readonly lastSeenAtMs?: number;
  readonly revoked?: { readonly atMs: number; readonly reason: string };
}

export interface NodeCertificate {
  /** SHA-256 of the DER, lower-case hex. */
  readonly sha256: string;
  readonly subject: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly revokedAtMs?: number;
}

/** What is on record about a presented certificate: all that the decision needs. */
export interface Registration {
  readonly principal: NodePrincipal;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly certificateRevoked: boolean;
  readonly nodeRevoked: boolean;
}

/** An assigning authority (identifier `system`), its number in other tables, and who owns it. */
export interface Domain {
  readonly id: number;
  readonly system: string;
  readonly organisationId: OrganisationId;
  /** Missing where no node sends this domain: the organisation's own people load it. */
  readonly ownerNodeId?: NodeId;
  readonly ownerNodeName?: string;
}

/** All domains at one moment. */
export interface DomainTable {
  byId(id: number): Domain | undefined;
  bySystem(system: string): Domain | undefined;
  all(): readonly Domain[];
}
