import type { NodeId } from '../../kernel/ids.ts';
import type { Actor, NodePrincipal } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import { newId, randomToken } from '../../crypto/index.ts';
import { fromHex, toBase64 } from '../../kernel/bytes.ts';
import { isUniqueViolation, type Transaction } from '../../platform/db/index.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import {
  assertFitForNode,
  type CertificateFacts,
  inspectCertificate,
  isTooLong,
  makePkcs12,
  newLeafKey,
  parseCertificateRequest,
  type RevocationReason,
} from '../../platform/tls/index.ts';
import { knownScopes } from './authenticate.ts';
import type { IssuedChain } from './authorities.ts';
import { nodeProblem } from './errors.ts';
import { assertMayGive } from './giving.ts';
import { endOf } from './model.ts';
import type { WhichNode } from './node-reader.ts';
import { assertLiving, type Changed, changeNode, nodeEvent, type NodeParts } from './parts.ts';
import type { CertificateOrigin, CertificateRow, NodeRow } from './rows.ts';
import { FIND_CERTIFICATE, FIND_NODE_BY_ID, LIST_CERTIFICATES, LOCK_NODE, NOTIFY } from './store.ts';
import type { ForeignMatch } from './trust.ts';

const DAY_MS = 86_400_000;
/** How long a certificate goes on to be accepted after a newer one was issued: time to install that one everywhere. */
export const OVERLAP_DAYS = 14;
/** Of one node, that may come in at the same time. */
const VALID_MAX = 8;
/** ITI-19: nothing is trusted for longer than two years, whatever it says of itself. */
const TRUST_DAYS_MAX = 731;

/** Files for the node: PEM by file name; the PKCS #12 bundle as base64. */
export interface NodeFiles {
  readonly 'node.crt': string;
  readonly 'ca.crt': string;
  /** Only when the key was made here. It is kept nowhere and cannot be shown again. */
  readonly 'node.key'?: string;
  readonly 'node.p12'?: string;
  readonly p12Password?: string;
}

export interface KeyToCertify {
  readonly spki: Uint8Array<ArrayBuffer>;
  readonly commonName: string;
  readonly keyPem: string | undefined;
}

/** Certificates of nodes: issuing, renewing, trusting, revoking. */
export interface Certificates {
  /** A new certificate for a node that has one already or lost it. The others go on for `OVERLAP_DAYS`. */
  issue(actor: Actor, which: WhichNode, csr: string | undefined): Promise<Changed & { readonly files: NodeFiles }>;
  /** A node renews by itself, over the connection that its present certificate proved. */
  renew(
    actor: Actor,
    node: NodePrincipal,
    csr: string,
  ): Promise<{ readonly chain: string; readonly audited: AuditReceipt }>;
  /** Accepts a certificate that was made elsewhere, for itself: self-signed ones included. */
  trust(actor: Actor, which: WhichNode, wanted: CertificateToTrust): Promise<Changed>;
  revoke(actor: Actor, which: WhichNode, wanted: CertificateToRevoke): Promise<Changed>;
  /** Puts a certificate of a trusted authority on record when it is seen first. */
  learn(match: ForeignMatch): Promise<void>;
}

export interface CertificateToTrust {
  /** PEM. */
  readonly certificate: string;
  /** Takes one of more than two years, and ends it after two. */
  readonly acceptLong: boolean;
}

export interface CertificateToRevoke {
  readonly sha256: string;
  readonly why: RevocationReason;
  readonly reason: string;
}

export function createCertificates(parts: NodeParts): Certificates {
  return { ...issuingActs(parts), ...trustingActs(parts) };
}

function issuingActs(parts: NodeParts): Pick<Certificates, 'issue' | 'renew'> {
  const { writing, authorities, clock } = parts;

  async function issue(actor: Actor, which: WhichNode, csr: string | undefined) {
    const reach = reachOf(actor.principal, 'node.manage');
    const { id, name } = await parts.reader.row(parts.database, reach, which);
    const key = await keyToCertify(name, csr);
    const issued = await authorities.issueForNode({ nodeId: id, commonName: key.commonName, spki: key.spki });
    const changed = await changeNode(parts, { actor, which: { id } }, async (tx, row) => {
      assertLiving(parts, row);
      assertMayGive(actor.principal, knownScopes(row.scopes), row.organisation_id);
      await putCertificate(parts, tx, { row, issued });
      if (row.activated_at === null) await writing.writeNode(tx, { ...row, activated_at: new Date(clock.nowMs()) });
      const detail = { node: row.name, certificateSha256: issued.certificate.sha256 };
      return { event: 'certificate.issue', action: 'C', detail };
    });
    return { ...changed, files: await nodeFiles(parts, issued, key) };
  }

  async function renew(actor: Actor, { nodeId, certificateSha256 }: NodePrincipal, csr: string) {
    const request = await parseCertificateRequest(csr);
    const { database } = parts;
    const [known] = await database.rows(FIND_NODE_BY_ID, [nodeId]);
    const issued = await authorities.issueForNode({ nodeId, commonName: known?.name ?? 'node', spki: request.spki });
    const audited = await database.transaction(async (tx) => {
      tx.afterCommit(parts.forget);
      await tx.rows(LOCK_NODE, [nodeId]);
      const [row] = await tx.rows(FIND_NODE_BY_ID, [nodeId]);
      if (row === undefined) throw new Error('An authenticated node is not there.');
      assertLiving(parts, row);
      await putCertificate(parts, tx, { row, issued });
      const detail = { node: row.name, former: certificateSha256, certificateSha256: issued.certificate.sha256 };
      const receipt = await parts.audit.record(tx, [
        nodeEvent(actor, nodeId, { event: 'node.renew', action: 'C', detail }),
      ]);
      await tx.rows(NOTIFY);
      return receipt;
    });
    return { chain: issued.chain, audited };
  }

  return { issue, renew };
}

function trustingActs(parts: NodeParts): Pick<Certificates, 'trust' | 'revoke' | 'learn'> {
  const { writing, authorities, clock } = parts;

  async function trust(actor: Actor, which: WhichNode, { certificate, acceptLong }: CertificateToTrust) {
    const facts = inspectCertificate(certificate);
    assertFitForNode(facts, { acceptLong });
    const nowMs = clock.nowMs();
    if (facts.notAfterMs <= nowMs)
      throw nodeProblem('unprocessable', 'certificate-not-valid', 'This certificate has expired. Nothing was changed.');
    return changeNode(parts, { actor, which }, async (tx, row) => {
      assertLiving(parts, row);
      assertMayGive(actor.principal, knownScopes(row.scopes), row.organisation_id);
      await assertRoom(tx, row.id, nowMs);
      await writing.insertCertificate(
        tx,
        certificateRow(facts, { nodeId: row.id, origin: 'trusted', authorityId: null, nowMs }),
        facts.der,
      );
      if (row.activated_at === null) await writing.writeNode(tx, { ...row, activated_at: new Date(nowMs) });
      return { event: 'trust.add', action: 'C', detail: { node: row.name, certificateSha256: facts.sha256 } };
    });
  }

  function revoke(actor: Actor, which: WhichNode, { sha256, why, reason }: CertificateToRevoke) {
    return changeNode(parts, { actor, which }, async (tx, row) => {
      const [found] = await tx.rows(FIND_CERTIFICATE, [fromHex(sha256) ?? new Uint8Array(0)]);
      if (found === undefined || found.node_id !== row.id)
        throw nodeProblem('not-found', 'certificate-unknown', 'This node has no such certificate.');
      if (found.revoked_at !== null)
        throw nodeProblem('conflict', 'certificate-revoked', 'This certificate has been revoked already.');
      await writing.writeCertificate(tx, { ...found, revoked_at: new Date(clock.nowMs()), revocation_reason: why });
      await authorities.publishCrl(tx);
      return {
        event: 'certificate.revoke',
        action: 'D',
        reason,
        detail: { node: row.name, certificateSha256: sha256, why },
      };
    });
  }

  async function learn({ nodeId, authority, certificate }: ForeignMatch): Promise<void> {
    const nowMs = clock.nowMs();
    const row = certificateRow(certificate, { nodeId, origin: 'foreign', authorityId: authority.id, nowMs });
    const actor: Actor = {
      principal: { kind: 'system', permissions: new Set() },
      origin: { door: 'background', requestId: newId() },
    };
    const detail = { authority: authority.name, certificateSha256: certificate.sha256 };
    try {
      await parts.database.transaction(async (tx) => {
        await writing.insertCertificate(tx, row, certificate.der);
        await parts.audit.record(tx, [nodeEvent(actor, nodeId, { event: 'certificate.learn', action: 'C', detail })]);
      });
    } catch (error) {
      // Another request of the same node was quicker; the row is there, which is all that was wanted.
      if (!isUniqueViolation(error, 'certificate_pkey') && !isTaken(error)) throw error;
    }
  }

  return { trust, revoke, learn };
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'certificate-taken';
}

/** Registers what was issued and lets the node's other issued certificates end after the overlap. */
export async function putCertificate(
  parts: NodeParts,
  tx: Transaction,
  { row, issued }: { readonly row: Pick<NodeRow, 'id'>; readonly issued: IssuedChain },
): Promise<void> {
  const nowMs = parts.clock.nowMs();
  await assertRoom(tx, row.id, nowMs);
  const overlapEnds = new Date(nowMs + OVERLAP_DAYS * DAY_MS);
  for (const other of await tx.rows(LIST_CERTIFICATES, [[row.id]])) {
    const isInUse = other.revoked_at === null && endOf(other) > overlapEnds.getTime();
    if (isInUse && other.origin === 'issued' && parts.binder.isCertificateIntact(other))
      await parts.writing.writeCertificate(tx, { ...other, ends_at: overlapEnds });
  }
  const facts = inspectCertificate(issued.certificate.der);
  const made = { nodeId: row.id, origin: 'issued', authorityId: issued.authorityId, nowMs } as const;
  await parts.writing.insertCertificate(tx, certificateRow(facts, made), facts.der);
}

async function assertRoom(tx: Transaction, nodeId: NodeId, nowMs: number): Promise<void> {
  const valid = (await tx.rows(LIST_CERTIFICATES, [[nodeId]])).filter(
    (certificate) => certificate.revoked_at === null && endOf(certificate) > nowMs,
  );
  if (valid.length < VALID_MAX) return;
  throw nodeProblem(
    'conflict',
    'certificates-too-many',
    `A node has at most ${VALID_MAX} valid certificates. Revoke one that is not used, or wait until one has ended.`,
  );
}

interface Made {
  readonly nodeId: NodeId;
  readonly origin: CertificateOrigin;
  readonly authorityId: string | null;
  readonly nowMs: number;
}

function certificateRow(facts: CertificateFacts, { nodeId, origin, authorityId, nowMs }: Made): CertificateRow {
  const latestMs = nowMs + TRUST_DAYS_MAX * DAY_MS;
  const isCut = origin !== 'issued' && (isTooLong(facts) || facts.notAfterMs > latestMs);
  return {
    sha256: Buffer.from(facts.sha256, 'hex'),
    node_id: nodeId,
    subject: facts.subject,
    serial: facts.serial,
    origin,
    authority_id: authorityId,
    not_before: new Date(facts.notBeforeMs),
    not_after: new Date(facts.notAfterMs),
    issued_at: new Date(nowMs),
    ends_at: isCut ? new Date(Math.min(latestMs, facts.notAfterMs)) : null,
    revoked_at: null,
    revocation_reason: null,
    warned_days: null,
    last_seen_at: null,
    binding: null,
  };
}

/** The key to certify: the request's, proved by its self-signature, or a new one. */
export async function keyToCertify(name: string, csr: string | undefined): Promise<KeyToCertify> {
  if (csr === undefined) {
    const made = await newLeafKey();
    return { spki: made.spki, commonName: name, keyPem: made.pem };
  }
  const request = await parseCertificateRequest(csr);
  return {
    spki: request.spki,
    commonName: isPlainName(request.commonName) ? request.commonName : name,
    keyPem: undefined,
  };
}

/** X.520 allows 64 characters; control characters would upset whoever prints the certificate. */
function isPlainName(name: string | undefined): name is string {
  return name !== undefined && /^[^\p{C}]{1,64}$/u.test(name);
}

export async function nodeFiles(parts: NodeParts, issued: IssuedChain, key: KeyToCertify): Promise<NodeFiles> {
  const ca = await parts.authorities.rootsPem();
  const common = { 'node.crt': issued.chain, 'ca.crt': ca };
  if (key.keyPem === undefined) return common;
  const p12Password = randomToken(128);
  const bundle = await makePkcs12({
    keyPem: key.keyPem,
    chainPem: issued.chain,
    alias: key.commonName,
    password: p12Password,
  });
  return { ...common, 'node.key': key.keyPem, 'node.p12': toBase64(bundle), p12Password };
}
