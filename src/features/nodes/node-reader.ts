import { sealedAtRest } from '../../crypto/index.ts';
import { toHex, utf8Decode } from '../../kernel/bytes.ts';
import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import type { Sql } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import { nodeProblem } from './errors.ts';
import type { Node } from './model.ts';
import {
  type CertificateRow,
  FIND_NODE,
  FIND_NODE_BY_NAME,
  LIST_CERTIFICATES,
  LIST_NODES,
  type NodeRow,
} from './store.ts';

export type WhichNode = { readonly id: NodeId } | { readonly name: string };

/** Reads nodes of one organisation with their certificates, reasons opened. */
export interface NodeReader {
  list(sql: Sql, organisationId: OrganisationId): Promise<Node[]>;
  /** Throws `node-unknown` when the organisation has no such node; by name only active ones are found. */
  find(sql: Sql, organisationId: OrganisationId, which: WhichNode): Promise<Node>;
}

export function createNodeReader(keyRing: KeyRing): NodeReader {
  async function find(sql: Sql, organisationId: OrganisationId, which: WhichNode): Promise<Node> {
    const rows =
      'id' in which
        ? await sql.rows(FIND_NODE, [organisationId, which.id])
        : await sql.rows(FIND_NODE_BY_NAME, [organisationId, which.name]);
    const [node] = await withCertificates(sql, rows);
    if (node === undefined) throw nodeProblem('not-found', 'node-unknown', 'There is no such node.');
    return node;
  }

  async function list(sql: Sql, organisationId: OrganisationId): Promise<Node[]> {
    return withCertificates(sql, await sql.rows(LIST_NODES, [organisationId]));
  }

  async function withCertificates(sql: Sql, rows: readonly NodeRow[]): Promise<Node[]> {
    const certificates = await sql.rows(LIST_CERTIFICATES, [rows.map((row) => row.id)]);
    return rows.map((row) =>
      toNode(
        row,
        certificates.filter((candidate) => candidate.node_id === row.id),
      ),
    );
  }

  function toNode(row: NodeRow, certificates: readonly CertificateRow[]): Node {
    return {
      id: row.id,
      name: row.name,
      organisationId: row.organisation_id,
      domains: row.domains,
      certificates: certificates.map((certificate) => ({
        sha256: toHex(certificate.sha256),
        subject: certificate.subject,
        notBeforeMs: certificate.not_before.getTime(),
        notAfterMs: certificate.not_after.getTime(),
        ...(certificate.revoked_at === null ? {} : { revokedAtMs: certificate.revoked_at.getTime() }),
      })),
      createdAtMs: row.created_at.getTime(),
      ...(row.last_seen_at === null ? {} : { lastSeenAtMs: row.last_seen_at.getTime() }),
      ...(row.revoked_at === null || row.sealed_reason === null
        ? {}
        : { revoked: { atMs: row.revoked_at.getTime(), reason: openReason(row.id, row.sealed_reason) } }),
    };
  }

  function openReason(id: NodeId, sealed: Uint8Array): string {
    return utf8Decode(keyRing.open(sealedAtRest(sealed), reasonContext(id)));
  }

  return { list, find };
}

/** Binds a sealed reason to its node. Shared with the key rotation. */
export function reasonContext(id: string) {
  return { table: 'nodes.node', type: 'reason', id, version: 1 };
}
