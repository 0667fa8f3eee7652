import { newId } from '../../crypto/index.ts';
import type { NodeScope } from '../../kernel/access.ts';
import { utf8Encode } from '../../kernel/bytes.ts';
import type { NodeId, OrganisationId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import { type AuditReceipt, isNetwork } from '../../platform/http/index.ts';
import { knownScopes } from './authenticate.ts';
import { keyToCertify, type NodeFiles, nodeFiles, putCertificate } from './certificates.ts';
import type { Enrolment, Invitation } from './enrolment.ts';
import { nodeProblem } from './errors.ts';
import { assertMayGive } from './giving.ts';
import { type Node, stateOf } from './model.ts';
import { contactContext, reasonContext, type WhichNode } from './node-reader.ts';
import { assertLiving, type Changed, changeNode, nodeEvent, type NodeParts } from './parts.ts';
import type { NodeRow } from './rows.ts';
import { DEFAULT_SCOPES } from './rules.ts';
import { LIST_CERTIFICATES, NOTIFY, OPEN_ENROLMENTS } from './store.ts';

/** A hospital's night load at ten thousand records a second is within it; an administrator sets less for a small clinic. */
const REQUESTS_PER_MINUTE = 600_000;

/** What an administrator decides about a node. */
export interface NodeSettings {
  readonly name: string;
  /** Identifier systems the node owns. */
  readonly domains: readonly string[];
  readonly scopes: readonly NodeScope[];
  /** CIDR; empty: from everywhere. */
  readonly networks: readonly string[];
  readonly perMinute: number;
  /** Whether its certificate alone is not enough: each request needs a token besides. */
  readonly tokenRequired: boolean;
  /** Whom to call; sealed. Empty: nobody is known. */
  readonly contact: string;
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

export interface NewNode extends Optional<Omit<NodeSettings, 'name'>> {
  readonly name: string;
  /** Shorthand for one domain. */
  readonly domain?: string | undefined;
  /** For the operator only: another organisation's node. */
  readonly organisationId?: OrganisationId | undefined;
  /** PKCS #10, PEM; without it a key is made here and handed out once. */
  readonly csr?: string | undefined;
}

export interface AddedNode {
  readonly node: Node;
  readonly files: NodeFiles;
  readonly audited: AuditReceipt;
}

export interface InvitedNode extends Changed {
  readonly invitation: Invitation;
}

export interface NodeService {
  /** Registers a node with its domains and first certificate. All of it and the audit event commit together or not at all. */
  addNode(actor: Actor, wanted: NewNode): Promise<AddedNode>;
  /** Registers a node that will fetch its certificate itself, with a one-time token. */
  inviteNode(actor: Actor, wanted: NewNode): Promise<InvitedNode>;
  /** Registers a node whose certificates come from elsewhere: trusted by themselves or by a name rule. */
  addNodeWithoutCertificate(actor: Actor, wanted: NewNode): Promise<Changed>;
  changeSettings(actor: Actor, which: WhichNode, settings: Optional<NodeSettings>): Promise<Changed>;
  /** Ends a node's access for a while, from its next request on, also on open connections. */
  suspendNode(actor: Actor, which: WhichNode, reason: string): Promise<Changed>;
  resumeNode(actor: Actor, which: WhichNode): Promise<Changed>;
  /** Ends a node's access for ever. */
  revokeNode(actor: Actor, which: WhichNode, reason: string): Promise<Changed>;
  /** Makes a row that was written by other means (an upgrade, a repair) count: the operator vouches for it. */
  confirmNode(actor: Actor, which: WhichNode): Promise<Changed>;
  listNodes(actor: Actor): Promise<{ nodes: readonly Node[]; audited: AuditReceipt }>;
}

export function createNodeService(parts: NodeParts, enrolment: Pick<Enrolment, 'put'>): NodeService {
  return { ...addingActs(parts, enrolment), ...settingActs(parts), ...stateActs(parts), ...readingActs(parts) };
}

type Adding = Pick<NodeService, 'addNode' | 'inviteNode' | 'addNodeWithoutCertificate'>;

function addingActs(parts: NodeParts, enrolment: Pick<Enrolment, 'put'>): Adding {
  const { database, clock, audit, reader, writing, keyRing, authorities } = parts;

  async function add(
    actor: Actor,
    wanted: NewNode,
    how: { readonly detail: Readonly<Record<string, string>>; readonly activated: boolean; readonly more: More },
  ) {
    const isOperator = actor.principal.kind === 'operator';
    const own = isOperator ? wanted.organisationId : undefined;
    const organisationId = own ?? (await parts.organisationFor(actor));
    const now = new Date(clock.nowMs());
    const row = newRow({ wanted, id: how.more.nodeId, organisationId, now, activated: how.activated }, keyRing);
    assertMayGive(actor.principal, knownScopes(row.scopes), organisationId);
    return database.transaction(async (tx) => {
      tx.afterCommit(parts.forget);
      await writing.insertNode(tx, row);
      await writing.setDomains(tx, row, now.getTime());
      const invitation = await how.more.put?.(tx);
      const detail = { node: row.name, domain: row.domains.join(' '), scopes: row.scopes.join(' '), ...how.detail };
      const audited = await audit.record(tx, [nodeEvent(actor, row.id, { event: 'node.add', action: 'C', detail })]);
      await tx.rows(NOTIFY);
      return { node: await reader.find(tx, [organisationId], { id: row.id }), audited, invitation };
    });
  }

  async function addNode(actor: Actor, wanted: NewNode): Promise<AddedNode> {
    const nodeId = newId<NodeId>();
    const key = await keyToCertify(wanted.name, wanted.csr);
    const issued = await authorities.issueForNode({ nodeId, commonName: key.commonName, spki: key.spki });
    const { node, audited } = await add(actor, wanted, {
      activated: true,
      detail: {
        certificateSha256: issued.certificate.sha256,
        key: key.keyPem === undefined ? 'own request' : 'made here',
      },
      more: {
        nodeId,
        async put(tx) {
          await putCertificate(parts, tx, { row: { id: nodeId }, issued });
          return undefined;
        },
      },
    });
    return { node, files: await nodeFiles(parts, issued, key), audited };
  }

  async function inviteNode(actor: Actor, wanted: NewNode): Promise<InvitedNode> {
    const nodeId = newId<NodeId>();
    const more = { nodeId, put: (tx: Tx) => enrolment.put(tx, nodeId) };
    const { invitation, ...added } = await add(actor, wanted, {
      activated: false,
      detail: { key: 'by invitation' },
      more,
    });
    if (invitation === undefined) throw new Error('unreachable');
    return { ...added, invitation };
  }

  async function addNodeWithoutCertificate(actor: Actor, wanted: NewNode): Promise<Changed> {
    const more = { nodeId: newId<NodeId>() };
    const { node, audited } = await add(actor, wanted, { activated: true, detail: { key: 'from elsewhere' }, more });
    return { node, audited };
  }

  return { addNode, inviteNode, addNodeWithoutCertificate };
}

function settingActs(parts: NodeParts): Pick<NodeService, 'changeSettings' | 'confirmNode'> {
  const { clock, writing, keyRing } = parts;

  function changeSettings(actor: Actor, which: WhichNode, settings: Optional<NodeSettings>) {
    return changeNode(parts, { actor, which }, async (tx, row) => {
      assertLiving(parts, row);
      const { contact } = settings;
      const added = (settings.scopes ?? []).filter((scope) => !row.scopes.includes(scope));
      assertMayGive(actor.principal, added, row.organisation_id);
      const domains = settings.domains === undefined ? row.domains : unique(settings.domains);
      const next: NodeRow = {
        ...row,
        name: settings.name ?? row.name,
        domains,
        scopes: settings.scopes === undefined ? row.scopes : unique(settings.scopes),
        networks: settings.networks === undefined ? row.networks : networksOf(settings.networks),
        per_minute: settings.perMinute ?? row.per_minute,
        token_required: settings.tokenRequired ?? row.token_required,
        sealed_contact: contact === undefined ? row.sealed_contact : sealContact(keyRing, row.id, contact),
      };
      if (settings.domains !== undefined) await writing.setDomains(tx, next, clock.nowMs());
      await writing.writeNode(tx, next);
      return { event: 'node.update', detail: { node: next.name, changed: changes(row, next) } };
    });
  }

  function confirmNode(actor: Actor, which: WhichNode) {
    return changeNode(parts, { actor, which }, async (tx, row) => {
      await writing.writeNode(tx, row);
      const certificates = await tx.rows(LIST_CERTIFICATES, [[row.id]]);
      for (const certificate of certificates) await writing.writeCertificate(tx, certificate);
      return { event: 'node.confirm', detail: { node: row.name, certificates: String(certificates.length) } };
    });
  }

  return { changeSettings, confirmNode };
}

function stateActs(parts: NodeParts): Pick<NodeService, 'suspendNode' | 'resumeNode' | 'revokeNode'> {
  const { clock, writing, keyRing, authorities } = parts;

  function suspendNode(actor: Actor, which: WhichNode, reason: string) {
    return changeNode(parts, { actor, which }, async (tx, row) => {
      assertLiving(parts, row);
      if (stateOf(row) === 'suspended')
        throw nodeProblem('conflict', 'node-suspended', `The node "${row.name}" is suspended already.`);
      await writing.writeNode(tx, { ...row, suspended_at: new Date(clock.nowMs()) });
      return { event: 'node.suspend', reason };
    });
  }

  function resumeNode(actor: Actor, which: WhichNode) {
    return changeNode(parts, { actor, which }, async (tx, row) => {
      assertLiving(parts, row);
      await writing.writeNode(tx, { ...row, suspended_at: null });
      return { event: 'node.resume' };
    });
  }

  /** Works on a row that somebody else changed as well: it takes access away and gives none. */
  function revokeNode(actor: Actor, which: WhichNode, reason: string) {
    return changeNode(parts, { actor, which }, async (tx, row) => {
      if (row.revoked_at !== null) throw nodeProblem('conflict', 'node-revoked', 'This node has been revoked already.');
      const now = new Date(clock.nowMs());
      const sealed_reason = Buffer.from(keyRing.seal(utf8Encode(reason), reasonContext(row.id)));
      await writing.writeNode(tx, { ...row, revoked_at: now, sealed_reason });
      for (const certificate of await tx.rows(LIST_CERTIFICATES, [[row.id]]))
        if (certificate.revoked_at === null)
          await writing.writeCertificate(tx, {
            ...certificate,
            revoked_at: now,
            revocation_reason: 'cessationOfOperation',
          });
      for (const open of await tx.rows(OPEN_ENROLMENTS, [row.id])) await writing.endEnrolment(tx, open, now);
      await authorities.publishCrl(tx);
      return { event: 'node.revoke', reason };
    });
  }

  return { suspendNode, resumeNode, revokeNode };
}

function readingActs(parts: NodeParts): Pick<NodeService, 'listNodes'> {
  const { database, audit, reader } = parts;

  async function listNodes(actor: Actor) {
    const nodes = await reader.list(database, reachOf(actor.principal, 'node.read'));
    const audited = await audit.recordNow([
      { actor, event: 'node.list', action: 'R', outcome: 'success', detail: { nodes: String(nodes.length) } },
    ]);
    return { nodes, audited };
  }

  return { listNodes };
}

type Tx = Parameters<Enrolment['put']>[0];

interface More {
  readonly nodeId: NodeId;
  /** What is written with the node, in its transaction. */
  readonly put?: (tx: Tx) => Promise<Invitation | undefined>;
}

interface RowToMake {
  readonly wanted: NewNode;
  readonly id: NodeId;
  readonly organisationId: NodeRow['organisation_id'];
  readonly now: Date;
  readonly activated: boolean;
}

function newRow({ wanted, id, organisationId, now, activated }: RowToMake, keyRing: NodeParts['keyRing']): NodeRow {
  const domains = [...(wanted.domain === undefined ? [] : [wanted.domain]), ...(wanted.domains ?? [])];
  return {
    id,
    name: wanted.name,
    organisation_id: organisationId,
    created_at: now,
    activated_at: activated ? now : null,
    suspended_at: null,
    revoked_at: null,
    last_seen_at: null,
    sealed_reason: null,
    sealed_contact: sealContact(keyRing, id, wanted.contact ?? ''),
    scopes: unique(wanted.scopes ?? DEFAULT_SCOPES),
    networks: networksOf(wanted.networks ?? []),
    per_minute: wanted.perMinute ?? REQUESTS_PER_MINUTE,
    token_required: wanted.tokenRequired ?? false,
    jwks: null,
    jwks_url: null,
    domains: unique(domains),
    binding: null,
  };
}

function sealContact(keyRing: NodeParts['keyRing'], id: NodeId, contact: string): Buffer | null {
  return contact === '' ? null : Buffer.from(keyRing.seal(utf8Encode(contact), contactContext(id)));
}

function networksOf(texts: readonly string[]): string[] {
  const wrong = texts.find((text) => !isNetwork(text));
  if (wrong === undefined) return unique(texts);
  throw nodeProblem(
    'invalid',
    'network-malformed',
    `"${wrong}" is not a network such as 192.0.2.0/24. Nothing was changed.`,
  );
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

/** Names of what differs, for the audit log; values there that are no names of people. */
function changes(before: NodeRow, after: NodeRow): string {
  const facts = (row: NodeRow): Record<string, string> => ({
    name: row.name,
    domains: row.domains.join(' '),
    scopes: row.scopes.join(' '),
    networks: row.networks.join(' '),
    perMinute: String(row.per_minute),
    tokenRequired: String(row.token_required),
  });
  const [was, is] = [facts(before), facts(after)];
  const changed = Object.keys(is).filter((key) => was[key] !== is[key]);
  return changed.map((key) => `${key}: ${is[key] ?? ''}`).join('; ') || 'contact';
}
