import { newId } from '../../crypto/index.ts';
import { utf8Encode } from '../../kernel/bytes.ts';
import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { isUniqueViolation, type Transaction } from '../../platform/db/index.ts';
import { newLeafKey, parseCertificateRequest } from '../../platform/tls/index.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import type { AuditInput } from '../audit/model.ts';
import type { Authorities, IssuedChain } from './authorities.ts';
import type { NodesDeps } from './deps.ts';
import { nodeProblem } from './errors.ts';
import type { Node } from './model.ts';
import { createNodeReader, reasonContext, type WhichNode } from './node-reader.ts';
import {
  CLAIM_DOMAIN,
  INSERT_CERTIFICATE,
  INSERT_DOMAIN,
  INSERT_NODE,
  LIST_DOMAINS,
  LOCK_DOMAIN,
  NOTIFY,
  REVOKE_CERTIFICATES,
  REVOKE_NODE,
} from './store.ts';

export interface NewNode {
  readonly name: string;
  /** Identifier system the node will own. */
  readonly domain: string;
  /** PKCS #10, PEM; without it a key is made here and handed out once. */
  readonly csr?: string | undefined;
}

/** Files for the node, PEM by file name. */
export interface NodeFiles {
  readonly 'node.crt': string;
  readonly 'ca.crt': string;
  readonly 'node.key'?: string;
}

export interface AddedNode {
  readonly node: Node;
  readonly files: NodeFiles;
  readonly audited: AuditReceipt;
}

export interface NodeService {
  /** Registers a node with its domain and first certificate. All three and the audit event commit together or not at all. */
  addNode(actor: Actor, wanted: NewNode): Promise<AddedNode>;
  /** Ends a node's access: its certificates stop working at its next request, also on open connections. */
  revokeNode(actor: Actor, which: WhichNode, reason: string): Promise<{ node: Node; audited: AuditReceipt }>;
  listNodes(actor: Actor): Promise<{ nodes: readonly Node[]; audited: AuditReceipt }>;
}

export function createNodeService(deps: NodesDeps, authorities: Authorities, forget: () => void): NodeService {
  const { database, keyRing, clock, audit } = deps;
  const reader = createNodeReader(keyRing);

  async function addNode(actor: Actor, wanted: NewNode): Promise<AddedNode> {
    const organisationId = await deps.organisationFor(actor);
    const nodeId = newId<NodeId>();
    const { spki, commonName, keyPem } = await keyFor(wanted);
    const issued = await authorities.issueForNode({ nodeId, commonName, spki });
    const { node, audited } = await database.transaction(async (tx) => {
      tx.afterCommit(forget);
      await insert(tx, { nodeId, organisationId, wanted, issued, nowMs: clock.nowMs() });
      const receipt = await audit.record(tx, [
        nodeEvent(actor, 'node.add', 'C', nodeId, {
          node: wanted.name,
          domain: wanted.domain,
          certificateSha256: issued.certificate.sha256,
          key: keyPem === undefined ? 'own request' : 'made here',
        }),
      ]);
      await tx.rows(NOTIFY);
      return { node: await reader.find(tx, organisationId, { id: nodeId }), audited: receipt };
    });
    const ca = await authorities.rootsPem();
    const files = { 'node.crt': issued.chain, 'ca.crt': ca, ...(keyPem === undefined ? {} : { 'node.key': keyPem }) };
    return { node, files, audited };
  }

  async function revokeNode(actor: Actor, which: WhichNode, reason: string) {
    const organisationId = await deps.organisationFor(actor);
    return database.transaction(async (tx) => {
      tx.afterCommit(forget);
      const { id, name } = await reader.find(tx, organisationId, which);
      const now = new Date(clock.nowMs());
      const sealed = keyRing.seal(utf8Encode(reason), reasonContext(id));
      if ((await tx.run(REVOKE_NODE, [id, now, sealed])) === 0)
        throw nodeProblem('conflict', 'node-revoked', 'This node has been revoked already.');
      await tx.run(REVOKE_CERTIFICATES, [id, now]);
      const event = { ...nodeEvent(actor, 'node.revoke', 'U', id, { node: name }), reason };
      const audited = await audit.record(tx, [event]);
      await tx.rows(NOTIFY);
      return { node: await reader.find(tx, organisationId, { id }), audited };
    });
  }

  async function listNodes(actor: Actor) {
    const organisationId = await deps.organisationFor(actor);
    const nodes = await reader.list(database, organisationId);
    const audited = await audit.recordNow([
      { actor, event: 'node.list', action: 'R', outcome: 'success', detail: { nodes: String(nodes.length) } },
    ]);
    return { nodes, audited };
  }

  return { addNode, revokeNode, listNodes };
}

interface NodeToInsert {
  readonly nowMs: number;
  readonly nodeId: NodeId;
  readonly organisationId: OrganisationId;
  readonly wanted: NewNode;
  readonly issued: IssuedChain;
}

async function insert(tx: Transaction, what: NodeToInsert): Promise<void> {
  const { nodeId, organisationId, wanted } = what;
  const { certificate } = what.issued;
  const now = new Date(what.nowMs);
  try {
    await tx.run(INSERT_NODE, [nodeId, wanted.name, organisationId, now]);
  } catch (error) {
    if (isUniqueViolation(error, 'node_name'))
      throw nodeProblem('conflict', 'node-name-taken', 'There is an active node of this name already.');
    throw error;
  }
  await tx.rows(INSERT_DOMAIN, [wanted.domain, organisationId, now]);
  await tx.rows(LOCK_DOMAIN, [wanted.domain]);
  const claimed = await tx.run(CLAIM_DOMAIN, [wanted.domain, organisationId, nodeId]);
  if (claimed === 0) throw await domainTaken(tx, wanted.domain, organisationId);
  const { notBeforeMs, notAfterMs, subject, der, sha256 } = certificate;
  const dates = [new Date(notBeforeMs), new Date(notAfterMs), now];
  await tx.run(INSERT_CERTIFICATE, [Buffer.from(sha256, 'hex'), nodeId, der, subject, ...dates]);
}

/** The key to certify: the request's, proved by its self-signature, or a new one. */
async function keyFor(wanted: NewNode) {
  if (wanted.csr === undefined) {
    const made = await newLeafKey();
    return { spki: made.spki, commonName: wanted.name, keyPem: made.pem };
  }
  const request = await parseCertificateRequest(wanted.csr);
  const commonName = isPlainName(request.commonName) ? request.commonName : wanted.name;
  return { spki: request.spki, commonName, keyPem: undefined };
}

/** X.520 allows 64 characters; control characters would upset whoever prints the certificate. */
function isPlainName(name: string | undefined): name is string {
  return name !== undefined && /^[^\p{C}]{1,64}$/u.test(name);
}

/** Two nodes claiming one domain: says who has it, as far as the caller's own organisation goes. */
async function domainTaken(tx: Transaction, system: string, organisationId: OrganisationId) {
  const owner = (await tx.rows(LIST_DOMAINS)).find((domain) => domain.system === system);
  const who =
    owner?.organisation_id === organisationId && owner.node_name !== null
      ? `the node "${owner.node_name}"`
      : 'another organisation';
  return nodeProblem('conflict', 'domain-owned', `This domain belongs to ${who} already. Each domain has one owner.`);
}

function nodeEvent(
  actor: Actor,
  event: 'node.add' | 'node.revoke',
  action: AuditInput['action'],
  nodeId: NodeId,
  detail: Readonly<Record<string, string>>,
): AuditInput {
  const entities = [{ reference: `Node/${nodeId}`, role: 'security-resource' as const }];
  return { actor, event, action, outcome: 'success', entities, detail };
}
