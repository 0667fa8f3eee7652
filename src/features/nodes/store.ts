import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import { statement } from '../../platform/db/index.ts';

/** SQL for schema `nodes`, and for nothing else. Times are timestamptz, ids uuid. */
export interface NodeRow {
  readonly id: NodeId;
  readonly name: string;
  readonly organisation_id: OrganisationId;
  readonly created_at: Date;
  readonly last_seen_at: Date | null;
  readonly revoked_at: Date | null;
  readonly sealed_reason: Buffer | null;
  readonly domains: string[];
}

const NODE_COLUMNS = `n.id, n.name, n.organisation_id, n.created_at, n.last_seen_at, n.revoked_at, n.sealed_reason,
  ARRAY(SELECT d.system FROM nodes.domain d WHERE d.node_id = n.id ORDER BY d.system) AS domains`;

/** $1 organisation. Active nodes first, by name. */
export const LIST_NODES = statement<NodeRow>(
  'nodes.list',
  `SELECT ${NODE_COLUMNS} FROM nodes.node n WHERE n.organisation_id = $1
   ORDER BY n.revoked_at IS NOT NULL, lower(n.name), n.id`,
);

/** $1 organisation, $2 id. */
export const FIND_NODE = statement<NodeRow>(
  'nodes.find',
  `SELECT ${NODE_COLUMNS} FROM nodes.node n WHERE n.organisation_id = $1 AND n.id = $2`,
);

/** $1 organisation, $2 name: the active node of that name. */
export const FIND_NODE_BY_NAME = statement<NodeRow>(
  'nodes.find-by-name',
  `SELECT ${NODE_COLUMNS} FROM nodes.node n WHERE n.organisation_id = $1 AND lower(n.name) = lower($2) AND n.revoked_at IS NULL`,
);

export const INSERT_NODE = statement(
  'nodes.insert',
  'INSERT INTO nodes.node (id, name, organisation_id, created_at) VALUES ($1, $2, $3, $4)',
);

/** $1 id, $2 time, $3 sealed reason; touches nothing when the node is revoked already. */
export const REVOKE_NODE = statement(
  'nodes.revoke',
  'UPDATE nodes.node SET revoked_at = $2, sealed_reason = $3 WHERE id = $1 AND revoked_at IS NULL',
);

export const REVOKE_CERTIFICATES = statement(
  'nodes.revoke-certificates',
  'UPDATE nodes.certificate SET revoked_at = $2 WHERE node_id = $1 AND revoked_at IS NULL',
);

/** $1 ids, $2 times, pairwise. Never moves a time back: workers write independently. */
export const TOUCH_NODES = statement(
  'nodes.touch',
  `UPDATE nodes.node n SET last_seen_at = seen.at
   FROM unnest($1::uuid[], $2::timestamptz[]) AS seen (id, at)
   WHERE n.id = seen.id AND (n.last_seen_at IS NULL OR n.last_seen_at < seen.at)`,
);

export interface CertificateRow {
  readonly node_id: NodeId;
  readonly sha256: Buffer;
  readonly subject: string;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly revoked_at: Date | null;
}

/** $1 node ids. */
export const LIST_CERTIFICATES = statement<CertificateRow>(
  'nodes.list-certificates',
  `SELECT node_id, sha256, subject, not_before, not_after, revoked_at FROM nodes.certificate
   WHERE node_id = ANY ($1::uuid[]) ORDER BY issued_at DESC, sha256`,
);

export const INSERT_CERTIFICATE = statement(
  'nodes.insert-certificate',
  `INSERT INTO nodes.certificate (sha256, node_id, der, subject, not_before, not_after, issued_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7)`,
);

export interface RegistrationRow {
  readonly node_id: NodeId;
  readonly name: string;
  readonly organisation_id: OrganisationId;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly certificate_revoked: boolean;
  readonly node_revoked: boolean;
  readonly domains: string[];
}

/** $1 SHA-256 of the certificate. */
export const FIND_REGISTRATION = statement<RegistrationRow>(
  'nodes.find-registration',
  `SELECT c.node_id, n.name, n.organisation_id, c.not_before, c.not_after,
     c.revoked_at IS NOT NULL AS certificate_revoked, n.revoked_at IS NOT NULL AS node_revoked,
     ARRAY(SELECT d.system FROM nodes.domain d WHERE d.node_id = n.id ORDER BY d.system) AS domains
   FROM nodes.certificate c JOIN nodes.node n ON n.id = c.node_id WHERE c.sha256 = $1`,
);

export interface DomainRow {
  readonly id: number;
  readonly system: string;
  readonly organisation_id: OrganisationId;
  readonly node_id: NodeId | null;
  readonly node_name: string | null;
}

/** A domain whose node is revoked belongs to the organisation until another node claims it. */
export const LIST_DOMAINS = statement<DomainRow>(
  'nodes.list-domains',
  `SELECT d.id, d.system, d.organisation_id, n.id AS node_id, n.name AS node_name
   FROM nodes.domain d LEFT JOIN nodes.node n ON n.id = d.node_id AND n.revoked_at IS NULL ORDER BY d.system`,
);

/** $1 system. The lock makes those who claim one domain at once wait for each other. */
export const LOCK_DOMAIN = statement('nodes.lock-domain', 'SELECT id FROM nodes.domain WHERE system = $1 FOR UPDATE');

/**
 * $1 system, $2 organisation, $3 node. Gives the domain to the node if it is its own organisation's and no active node has
 * it; touches nothing otherwise. Must follow LOCK_DOMAIN as a statement of its own: the subquery is answered from the
 * snapshot of the statement's beginning, which has to be later than the last claimer's commit.
 */
export const CLAIM_DOMAIN = statement(
  'nodes.claim-domain',
  `UPDATE nodes.domain d SET node_id = $3 WHERE d.system = $1 AND d.organisation_id = $2
     AND NOT EXISTS (SELECT FROM nodes.node n WHERE n.id = d.node_id AND n.revoked_at IS NULL)`,
);

/** $1 system, $2 organisation, $3 time: makes a domain without a node, unless it exists. */
export const INSERT_DOMAIN = statement<{ readonly id: number }>(
  'nodes.insert-domain',
  `INSERT INTO nodes.domain (system, organisation_id, created_at) VALUES ($1, $2, $3)
   ON CONFLICT (system) DO NOTHING RETURNING id`,
);

export interface AuthorityRow {
  readonly id: string;
  readonly kind: 'root' | 'issuing';
  readonly certificate: string;
  readonly sealed_key: Buffer;
  readonly not_after: Date;
}

/** Newest first, so that the first of a kind is the one that signs. */
export const LIST_AUTHORITIES = statement<AuthorityRow>(
  'nodes.list-authorities',
  'SELECT id, kind, certificate, sealed_key, not_after FROM nodes.authority ORDER BY created_at DESC, id DESC',
);

export const INSERT_AUTHORITY = statement(
  'nodes.insert-authority',
  `INSERT INTO nodes.authority (id, kind, certificate, sealed_key, not_after, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
);

/** Several processes start at once; one makes the authority. The number is this lock's own. */
export const LOCK_AUTHORITIES = statement(
  'nodes.lock-authorities',
  'SELECT pg_advisory_xact_lock(4010000000000000001)',
);

/** Tells all processes to forget what they know about nodes and domains. */
export const NOTIFY = statement('nodes.notify', `SELECT pg_notify('careseal_nodes', '')`);
export const CHANNEL = 'careseal_nodes';
