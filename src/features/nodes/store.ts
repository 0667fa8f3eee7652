import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import { statement } from '../../platform/db/index.ts';
import type { AuthorityRow, CertificateRow, EnrolmentRow, NodeRow } from './rows.ts';

/** SQL for schema `nodes`: nodes, their certificates and domains, the built-in authority. `trust-store.ts` has the rest. */
const NODE_COLUMNS = `n.id, n.name, n.organisation_id, n.created_at, n.activated_at, n.suspended_at, n.revoked_at, n.last_seen_at,
  n.sealed_reason, n.sealed_contact, n.scopes, n.networks, n.per_minute, n.token_required, n.jwks, n.jwks_url, n.binding,
  ARRAY(SELECT d.system FROM nodes.domain d WHERE d.node_id = n.id ORDER BY d.system) AS domains`;

const REACHED = '($1::uuid[] IS NULL OR n.organisation_id = ANY ($1))';

/** $1 organisations, null for all. Those that may come in first, by name. */
export const LIST_NODES = statement<NodeRow>(
  'nodes.list',
  `SELECT ${NODE_COLUMNS} FROM nodes.node n WHERE ${REACHED}
   ORDER BY n.revoked_at IS NOT NULL, lower(n.name), n.id`,
);

/** $1 organisations, null for all, $2 id. */
export const FIND_NODE = statement<NodeRow>(
  'nodes.find',
  `SELECT ${NODE_COLUMNS} FROM nodes.node n WHERE ${REACHED} AND n.id = $2`,
);

/** $1 id, of whichever organisation: for who was authenticated by other means. */
export const FIND_NODE_BY_ID = statement<NodeRow>(
  'nodes.find-by-id',
  `SELECT ${NODE_COLUMNS} FROM nodes.node n WHERE n.id = $1`,
);

/** $1 organisations, null for all, $2 name: nodes of that name that are not revoked, one of each organisation at most. */
export const FIND_NODE_BY_NAME = statement<NodeRow>(
  'nodes.find-by-name',
  `SELECT ${NODE_COLUMNS} FROM nodes.node n WHERE ${REACHED} AND lower(n.name) = lower($2) AND n.revoked_at IS NULL`,
);

/** $1 id. Comes before reading a row that will be written again. */
export const LOCK_NODE = statement('nodes.lock', 'SELECT id FROM nodes.node WHERE id = $1 FOR UPDATE');

export const INSERT_NODE = statement(
  'nodes.insert',
  `INSERT INTO nodes.node (id, name, organisation_id, created_at, activated_at, suspended_at, revoked_at, sealed_reason,
     sealed_contact, scopes, networks, per_minute, token_required, jwks, jwks_url, binding)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
);

/** The whole row but what never changes: its binding covers all of it. $3 and $4, organisation and creation, stay. */
export const WRITE_NODE = statement(
  'nodes.write',
  `UPDATE nodes.node SET name = $2, activated_at = $5, suspended_at = $6, revoked_at = $7, sealed_reason = $8,
     sealed_contact = $9, scopes = $10, networks = $11, per_minute = $12, token_required = $13, jwks = $14, jwks_url = $15,
     binding = $16 WHERE id = $1 AND organisation_id = $3 AND created_at = $4`,
);

/** $1 ids, $2 times, pairwise. Never moves a time back: workers write independently. */
export const TOUCH_NODES = statement(
  'nodes.touch',
  `UPDATE nodes.node n SET last_seen_at = seen.at
   FROM unnest($1::uuid[], $2::timestamptz[]) AS seen (id, at)
   WHERE n.id = seen.id AND (n.last_seen_at IS NULL OR n.last_seen_at < seen.at)`,
);

/** $1 fingerprints, $2 times. */
export const TOUCH_CERTIFICATES = statement(
  'nodes.touch-certificates',
  `UPDATE nodes.certificate c SET last_seen_at = seen.at
   FROM unnest($1::bytea[], $2::timestamptz[]) AS seen (sha256, at)
   WHERE c.sha256 = seen.sha256 AND (c.last_seen_at IS NULL OR c.last_seen_at < seen.at)`,
);

const CERTIFICATE_COLUMNS = `c.sha256, c.node_id, c.subject, c.serial, c.origin, c.authority_id, c.not_before, c.not_after, c.issued_at,
  c.ends_at, c.revoked_at, c.revocation_reason, c.warned_days, c.last_seen_at, c.binding`;

/** $1 node ids. */
export const LIST_CERTIFICATES = statement<CertificateRow>(
  'nodes.list-certificates',
  `SELECT ${CERTIFICATE_COLUMNS} FROM nodes.certificate c WHERE c.node_id = ANY ($1::uuid[]) ORDER BY c.issued_at DESC, c.sha256`,
);

/** $1 SHA-256. */
export const FIND_CERTIFICATE = statement<CertificateRow>(
  'nodes.find-certificate',
  `SELECT ${CERTIFICATE_COLUMNS} FROM nodes.certificate c WHERE c.sha256 = $1`,
);

export const INSERT_CERTIFICATE = statement(
  'nodes.insert-certificate',
  `INSERT INTO nodes.certificate (sha256, node_id, der, subject, serial, origin, authority_id, not_before, not_after, issued_at,
     ends_at, binding)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
);

/** $1 SHA-256, $2 end, $3 revocation, $4 its reason, $5 binding. */
export const WRITE_CERTIFICATE = statement(
  'nodes.write-certificate',
  'UPDATE nodes.certificate SET ends_at = $2, revoked_at = $3, revocation_reason = $4, binding = $5 WHERE sha256 = $1',
);

/** $1 issuing authority, $2 now: what its list of revoked certificates has to say. Expired ones fall off (RFC 5280 §3.3). */
export const LIST_REVOKED = statement<Pick<CertificateRow, 'serial' | 'revoked_at' | 'revocation_reason'>>(
  'nodes.list-revoked',
  `SELECT serial, revoked_at, revocation_reason FROM nodes.certificate
   WHERE authority_id = $1 AND origin = 'issued' AND revoked_at IS NOT NULL AND not_after > $2 ORDER BY revoked_at, serial`,
);

/** $1 from, $2 until: certificates in use that end in that time. A node that has a later one needs no warning. */
export const LIST_ENDING = statement<{
  readonly sha256: Buffer;
  readonly node_id: NodeId;
  readonly node_name: string;
  readonly ends: Date;
  readonly warned_days: number | null;
}>(
  'nodes.list-ending',
  `SELECT c.sha256, c.node_id, n.name AS node_name, least(c.not_after, c.ends_at) AS ends, c.warned_days
   FROM nodes.certificate c JOIN nodes.node n ON n.id = c.node_id
   WHERE c.revoked_at IS NULL AND n.revoked_at IS NULL AND least(c.not_after, c.ends_at) BETWEEN $1 AND $2
     AND NOT EXISTS (SELECT FROM nodes.certificate later WHERE later.node_id = c.node_id AND later.revoked_at IS NULL
       AND least(later.not_after, later.ends_at) > least(c.not_after, c.ends_at))`,
);

export const WRITE_WARNED = statement(
  'nodes.write-warned',
  'UPDATE nodes.certificate SET warned_days = $2 WHERE sha256 = $1',
);

export interface DomainRow {
  readonly id: number;
  readonly system: string;
  readonly organisation_id: OrganisationId;
  readonly node_id: NodeId | null;
  readonly node_name: string | null;
  readonly binding: Buffer | null;
}

/** A domain whose node is revoked belongs to the organisation until another node claims it. */
export const LIST_DOMAINS = statement<DomainRow>(
  'nodes.list-domains',
  `SELECT d.id, d.system, d.organisation_id, d.binding, n.id AS node_id, n.name AS node_name
   FROM nodes.domain d LEFT JOIN nodes.node n ON n.id = d.node_id AND n.revoked_at IS NULL ORDER BY d.system`,
);

/** $1 system. The lock makes those who claim one domain at once wait for each other. */
export const LOCK_DOMAIN = statement('nodes.lock-domain', 'SELECT id FROM nodes.domain WHERE system = $1 FOR UPDATE');

/**
 * $1 system, $2 organisation, $3 node. Gives the domain to the node if it is its own organisation's and no other living node
 * has it; touches nothing otherwise. Must follow LOCK_DOMAIN as a statement of its own: the subquery is answered from the
 * snapshot of the statement's beginning, which has to be later than the last claimer's commit.
 */
export const CLAIM_DOMAIN = statement(
  'nodes.claim-domain',
  `UPDATE nodes.domain d SET node_id = $3 WHERE d.system = $1 AND d.organisation_id = $2
     AND NOT EXISTS (SELECT FROM nodes.node n WHERE n.id = d.node_id AND n.id <> $3 AND n.revoked_at IS NULL)`,
);

/** $1 node, $2 systems it keeps: the others are its organisation's again. */
export const RELEASE_DOMAINS = statement(
  'nodes.release-domains',
  'UPDATE nodes.domain SET node_id = NULL WHERE node_id = $1 AND NOT system = ANY ($2)',
);

/** $1 system, $2 organisation, $3 time: makes a domain without a node, unless it exists. */
export const INSERT_DOMAIN = statement<{ readonly id: number }>(
  'nodes.insert-domain',
  `INSERT INTO nodes.domain (system, organisation_id, created_at) VALUES ($1, $2, $3)
   ON CONFLICT (system) DO NOTHING RETURNING id`,
);

/** $1 id, $2 binding: of one that was just made, or that an earlier version made. */
export const BIND_DOMAIN = statement(
  'nodes.bind-domain',
  'UPDATE nodes.domain SET binding = $2 WHERE id = $1 AND binding IS NULL',
);

export const INSERT_ENROLMENT = statement(
  'nodes.insert-enrolment',
  `INSERT INTO nodes.enrolment (token_hash, node_id, created_at, expires_at, ended_at, binding) VALUES ($1, $2, $3, $4, $5, $6)`,
);

/** $1 hash of the token. */
export const LOCK_ENROLMENT = statement<EnrolmentRow>(
  'nodes.lock-enrolment',
  `SELECT token_hash, node_id, created_at, expires_at, ended_at, binding FROM nodes.enrolment WHERE token_hash = $1 FOR UPDATE`,
);

/** $1 node: invitations that still work. */
export const OPEN_ENROLMENTS = statement<EnrolmentRow>(
  'nodes.open-enrolments',
  `SELECT token_hash, node_id, created_at, expires_at, ended_at, binding FROM nodes.enrolment
   WHERE node_id = $1 AND ended_at IS NULL FOR UPDATE`,
);

export const END_ENROLMENT = statement(
  'nodes.end-enrolment',
  'UPDATE nodes.enrolment SET ended_at = $2, binding = $3 WHERE token_hash = $1',
);

/** Newest first, so that the first of a kind is the one that signs. */
export const LIST_AUTHORITIES = statement<AuthorityRow>(
  'nodes.list-authorities',
  `SELECT id, kind, certificate, sealed_key, not_after, crl, crl_number, crl_next_update
   FROM nodes.authority ORDER BY created_at DESC, id DESC`,
);

export const INSERT_AUTHORITY = statement(
  'nodes.insert-authority',
  `INSERT INTO nodes.authority (id, kind, certificate, sealed_key, not_after, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
);

/** $1 root: its key is kept elsewhere from now on. */
export const FORGET_ROOT_KEY = statement(
  'nodes.forget-root-key',
  `UPDATE nodes.authority SET sealed_key = NULL WHERE id = $1 AND kind = 'root'`,
);

/** $1 id, $2 list, $3 number, $4 next one is due. An older list never takes the place of a newer one. */
export const WRITE_CRL = statement(
  'nodes.write-crl',
  'UPDATE nodes.authority SET crl = $2, crl_number = $3, crl_next_update = $4 WHERE id = $1 AND crl_number < $3',
);

/** Several processes start at once; one makes the authority. The number is this lock's own. */
export const LOCK_AUTHORITIES = statement(
  'nodes.lock-authorities',
  'SELECT pg_advisory_xact_lock(4010000000000000001)',
);

/** Tells all processes to forget what they know about nodes and domains. */
export const NOTIFY = statement('nodes.notify', `SELECT pg_notify('careseal_nodes', '')`);
export const CHANNEL = 'careseal_nodes';
