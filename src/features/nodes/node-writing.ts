import { toHex } from '../../kernel/bytes.ts';
import type { OrganisationId } from '../../kernel/ids.ts';
import { isUniqueViolation, type Transaction } from '../../platform/db/index.ts';
import type { Binder } from './binding.ts';
import { nodeProblem } from './errors.ts';
import type { CertificateRow, EnrolmentRow, NodeRow } from './rows.ts';
import {
  BIND_DOMAIN,
  CLAIM_DOMAIN,
  END_ENROLMENT,
  INSERT_CERTIFICATE,
  INSERT_DOMAIN,
  INSERT_ENROLMENT,
  INSERT_NODE,
  LIST_DOMAINS,
  LOCK_DOMAIN,
  RELEASE_DOMAINS,
  WRITE_CERTIFICATE,
  WRITE_NODE,
} from './store.ts';

/** Writes rows with the bindings that make them count. Everything that changes a node, certificate or token goes through here. */
export interface NodeWriting {
  insertNode(tx: Transaction, row: NodeRow): Promise<void>;
  writeNode(tx: Transaction, row: NodeRow): Promise<void>;
  /** Makes the node's domains exactly these. Throws `domain-owned` when another node or organisation has one. */
  setDomains(tx: Transaction, row: Pick<NodeRow, 'id' | 'organisation_id' | 'domains'>, nowMs: number): Promise<void>;
  insertCertificate(tx: Transaction, row: CertificateRow, der: Uint8Array): Promise<void>;
  writeCertificate(tx: Transaction, row: CertificateRow): Promise<void>;
  insertEnrolment(tx: Transaction, row: Omit<EnrolmentRow, 'binding'>): Promise<void>;
  endEnrolment(tx: Transaction, row: EnrolmentRow, at: Date): Promise<void>;
}

export function createNodeWriting(binder: Binder): NodeWriting {
  return {
    async insertNode(tx, row) {
      try {
        await tx.run(INSERT_NODE, nodeValues(row, binder));
      } catch (error) {
        throw nameTaken(error);
      }
    },
    async writeNode(tx, row) {
      try {
        await tx.run(WRITE_NODE, nodeValues(row, binder));
      } catch (error) {
        throw nameTaken(error);
      }
    },
    async setDomains(tx, { id, organisation_id, domains }, nowMs) {
      await tx.run(RELEASE_DOMAINS, [id, domains]);
      // In one order for everybody, so that two who claim several do not wait for each other for ever.
      for (const system of [...domains].sort()) {
        const [made] = await tx.rows(INSERT_DOMAIN, [system, organisation_id, new Date(nowMs)]);
        if (made) await tx.run(BIND_DOMAIN, [made.id, binder.domain({ id: made.id, system, organisation_id })]);
        await tx.rows(LOCK_DOMAIN, [system]);
        const claimed = await tx.run(CLAIM_DOMAIN, [system, organisation_id, id]);
        if (claimed === 0) throw await domainTaken(tx, system, organisation_id);
      }
    },
    async insertCertificate(tx, row, der) {
      const { sha256, node_id, subject, serial, origin, authority_id, not_before, not_after, issued_at, ends_at } = row;
      const facts = [
        sha256,
        node_id,
        der,
        subject,
        serial,
        origin,
        authority_id,
        not_before,
        not_after,
        issued_at,
        ends_at,
      ];
      try {
        await tx.run(INSERT_CERTIFICATE, [...facts, binder.certificate(row)]);
      } catch (error) {
        if (!isUniqueViolation(error, 'certificate_pkey')) throw error;
        const text = `The certificate ${toHex(sha256).slice(0, 16)}… is registered already. Nothing was changed.`;
        throw nodeProblem('conflict', 'certificate-taken', text);
      }
    },
    async writeCertificate(tx, row) {
      const { sha256, ends_at, revoked_at, revocation_reason } = row;
      await tx.run(WRITE_CERTIFICATE, [sha256, ends_at, revoked_at, revocation_reason, binder.certificate(row)]);
    },
    async insertEnrolment(tx, row) {
      const values = [row.token_hash, row.node_id, row.created_at, row.expires_at, row.ended_at];
      await tx.run(INSERT_ENROLMENT, [...values, binder.enrolment(row)]);
    },
    async endEnrolment(tx, row, at) {
      await tx.run(END_ENROLMENT, [row.token_hash, at, binder.enrolment({ ...row, ended_at: at })]);
    },
  };
}

function nodeValues(row: NodeRow, binder: Binder) {
  return [
    row.id,
    row.name,
    row.organisation_id,
    row.created_at,
    row.activated_at,
    row.suspended_at,
    row.revoked_at,
    row.sealed_reason,
    row.sealed_contact,
    row.scopes,
    row.networks,
    row.per_minute,
    row.token_required,
    row.jwks,
    row.jwks_url,
    binder.node(row),
  ];
}

function nameTaken(error: unknown): unknown {
  if (!isUniqueViolation(error, 'node_name')) return error;
  return nodeProblem('conflict', 'node-name-taken', 'There is an active node of this name already.');
}

/** Two nodes claiming one domain: says which domain and who has it, as far as the caller's own organisation goes. */
async function domainTaken(tx: Transaction, system: string, organisationId: OrganisationId) {
  const owner = (await tx.rows(LIST_DOMAINS)).find((domain) => domain.system === system);
  const who =
    owner?.organisation_id === organisationId && owner.node_name !== null
      ? `the node "${owner.node_name}"`
      : 'another organisation';
  return nodeProblem(
    'conflict',
    'domain-owned',
    `The domain ${system} belongs to ${who} already. Each domain has one owner.`,
  );
}
