import { sealedAtRest } from '../../crypto/index.ts';
import { toHex, utf8Decode } from '../../kernel/bytes.ts';
import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import type { Reach } from '../../kernel/principal.ts';
import type { Sql } from '../../platform/db/index.ts';
import type { KeyRing } from '../../store/index.ts';
import { knownScopes } from './authenticate.ts';
import type { Binder } from './binding.ts';
import { nodeProblem, nodeUnknown } from './errors.ts';
import { endOf, type Node, type NodeCertificate, stateOf } from './model.ts';
import type { CertificateRow, NodeRow } from './rows.ts';
import { FIND_NODE, FIND_NODE_BY_NAME, LIST_CERTIFICATES, LIST_NODES } from './store.ts';

export type WhichNode = { readonly id: NodeId } | { readonly name: string };

/** Reads nodes with their certificates, sealed texts opened, as far as the caller's permission reaches. */
export interface NodeReader {
  list(sql: Sql, reach: Reach): Promise<Node[]>;
  /** Throws `node-unknown` when there is none in reach; by name only those not revoked are found. */
  find(sql: Sql, reach: Reach, which: WhichNode): Promise<Node>;
  /** The row itself, for changing it. Throws `node-unknown`. */
  row(sql: Sql, reach: Reach, which: WhichNode): Promise<NodeRow>;
}

export function createNodeReader(keyRing: KeyRing, binder: Binder): NodeReader {
  async function row(sql: Sql, reach: Reach, which: WhichNode): Promise<NodeRow> {
    const organisations = organisationsOf(reach);
    const [found, another] =
      'id' in which
        ? await sql.rows(FIND_NODE, [organisations, which.id])
        : await sql.rows(FIND_NODE_BY_NAME, [organisations, which.name]);
    if (found === undefined) throw nodeUnknown();
    if (another !== undefined)
      throw nodeProblem(
        'conflict',
        'node-ambiguous',
        'Nodes of several organisations have this name. Nothing was changed.',
      );
    return found;
  }

  async function withCertificates(sql: Sql, rows: readonly NodeRow[]): Promise<Node[]> {
    const certificates = await sql.rows(LIST_CERTIFICATES, [rows.map((node) => node.id)]);
    const byNode = Map.groupBy(certificates, (certificate) => certificate.node_id);
    return rows.map((node) => toNode(node, byNode.get(node.id) ?? []));
  }

  function toNode(node: NodeRow, certificates: readonly CertificateRow[]): Node {
    return {
      id: node.id,
      name: node.name,
      organisationId: node.organisation_id,
      state: stateOf(node),
      intact: binder.isNodeIntact(node),
      domains: node.domains,
      scopes: knownScopes(node.scopes),
      networks: node.networks,
      perMinute: node.per_minute,
      tokenRequired: node.token_required,
      hasJwks: node.jwks !== null,
      ...(node.jwks_url === null ? {} : { jwksUrl: node.jwks_url }),
      ...(node.sealed_contact === null ? {} : { contact: openText(node.sealed_contact, contactContext(node.id)) }),
      certificates: certificates.map((certificate) => toCertificate(certificate, binder)),
      createdAtMs: node.created_at.getTime(),
      ...(node.last_seen_at === null ? {} : { lastSeenAtMs: node.last_seen_at.getTime() }),
      ...(node.revoked_at === null || node.sealed_reason === null
        ? {}
        : {
            revoked: { atMs: node.revoked_at.getTime(), reason: openText(node.sealed_reason, reasonContext(node.id)) },
          }),
    };
  }

  function openText(sealed: Uint8Array, context: ReturnType<typeof reasonContext>): string {
    return utf8Decode(keyRing.open(sealedAtRest(sealed), context));
  }

  return {
    row,
    list: async (sql, reach) => withCertificates(sql, await sql.rows(LIST_NODES, [organisationsOf(reach)])),
    async find(sql, reach, which) {
      const [node] = await withCertificates(sql, [await row(sql, reach, which)]);
      if (node === undefined) throw nodeUnknown();
      return node;
    },
  };
}

function toCertificate(certificate: CertificateRow, binder: Binder): NodeCertificate {
  return {
    sha256: toHex(certificate.sha256),
    subject: certificate.subject,
    serial: certificate.serial,
    origin: certificate.origin,
    notBeforeMs: certificate.not_before.getTime(),
    notAfterMs: certificate.not_after.getTime(),
    endsAtMs: endOf(certificate),
    intact: binder.isCertificateIntact(certificate),
    ...(certificate.last_seen_at === null ? {} : { lastSeenAtMs: certificate.last_seen_at.getTime() }),
    ...(certificate.revoked_at === null ? {} : { revokedAtMs: certificate.revoked_at.getTime() }),
  };
}

/** As statements take it: null for everywhere. */
function organisationsOf(reach: Reach): readonly OrganisationId[] | null {
  return reach === 'all' ? null : reach;
}

/** Binds a sealed reason to its node. Shared with the key rotation. */
export function reasonContext(id: string) {
  return { table: 'nodes.node', type: 'reason', id, version: 1 };
}

/** The same for the contact. */
export function contactContext(id: string) {
  return { table: 'nodes.node', type: 'contact', id, version: 1 };
}
