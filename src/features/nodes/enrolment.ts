import { hashToken, randomToken } from '../../crypto/index.ts';
import type { NodeId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Transaction } from '../../platform/db/index.ts';
import { type AuditReceipt, markRefusalAudited } from '../../platform/http/index.ts';
import { parseCertificateRequest } from '../../platform/tls/index.ts';
import { knownScopes } from './authenticate.ts';
import { putCertificate } from './certificates.ts';
import { nodeProblem } from './errors.ts';
import { assertMayGive } from './giving.ts';
import { stateOf } from './model.ts';
import type { WhichNode } from './node-reader.ts';
import { assertIntact, assertLiving, type Changed, changeNode, nodeEvent, type NodeParts } from './parts.ts';
import type { EnrolmentRow, NodeRow } from './rows.ts';
import { FIND_NODE_BY_ID, LOCK_ENROLMENT, LOCK_NODE, NOTIFY, OPEN_ENROLMENTS } from './store.ts';

/** Long enough for a technician's visit, short enough for a forgotten letter. */
export const INVITATION_HOURS = 72;

export interface Invitation {
  /** 256 random bits; shown once, kept as a hash. */
  readonly token: string;
  readonly expiresAtMs: number;
}

/** How a node that made its own key gets its first certificate without anybody carrying files. */
export interface Enrolment {
  /** A new one-time token for a node; the former one stops working. */
  invite(actor: Actor, which: WhichNode): Promise<Changed & { readonly invitation: Invitation }>;
  /** The same within the transaction that makes the node. */
  put(tx: Transaction, nodeId: NodeId): Promise<Invitation>;
  /**
   * Trades a token and a certificate request for a certificate. A token works once, for its node, until it ends; every other
   * one is refused alike, and the refusal is recorded.
   */
  enrol(actor: Actor, token: string, csr: string): Promise<{ readonly chain: string; readonly audited: AuditReceipt }>;
}

export function createEnrolment(parts: NodeParts): Enrolment {
  const { writing, clock, database } = parts;

  async function put(tx: Transaction, nodeId: NodeId): Promise<Invitation> {
    const now = new Date(clock.nowMs());
    for (const former of await tx.rows(OPEN_ENROLMENTS, [nodeId])) await writing.endEnrolment(tx, former, now);
    const token = randomToken(256);
    const expires = new Date(now.getTime() + INVITATION_HOURS * 3_600_000);
    const row = { token_hash: hashToken(token), node_id: nodeId, created_at: now, expires_at: expires, ended_at: null };
    await writing.insertEnrolment(tx, row);
    return { token, expiresAtMs: expires.getTime() };
  }

  async function invite(actor: Actor, which: WhichNode) {
    let invitation: Invitation | undefined;
    const changed = await changeNode(parts, { actor, which }, async (tx, row) => {
      assertLiving(parts, row);
      assertMayGive(actor.principal, knownScopes(row.scopes), row.organisation_id);
      invitation = await put(tx, row.id);
      return { event: 'node.invite', action: 'C', detail: { node: row.name } };
    });
    if (invitation === undefined) throw new Error('unreachable');
    return { ...changed, invitation };
  }

  async function enrol(actor: Actor, token: string, csr: string) {
    // Before the token is spent: a request that cannot be certified must not cost it.
    const request = await parseCertificateRequest(csr);
    const done = await database.transaction(async (tx) => {
      const claimed = await claim(parts, tx, token);
      if (claimed === undefined) return undefined;
      const { enrolment, row } = claimed;
      assertIntact(parts, row);
      tx.afterCommit(parts.forget);
      const now = new Date(clock.nowMs());
      await writing.endEnrolment(tx, enrolment, now);
      const issued = await parts.authorities.issueForNode({ nodeId: row.id, commonName: row.name, spki: request.spki });
      await putCertificate(parts, tx, { row, issued });
      if (row.activated_at === null) await writing.writeNode(tx, { ...row, activated_at: now });
      const detail = { node: row.name, certificateSha256: issued.certificate.sha256 };
      const audited = await parts.audit.record(tx, [
        nodeEvent(actor, row.id, { event: 'node.enrol', action: 'C', detail }),
      ]);
      await tx.rows(NOTIFY);
      return { chain: issued.chain, audited };
    });
    return done ?? (await refuse(parts, actor));
  }

  return { invite, put, enrol };
}

/** The living token and its node, both locked; undefined for every reason why not. */
async function claim(
  { binder, clock }: NodeParts,
  tx: Transaction,
  token: string,
): Promise<{ enrolment: EnrolmentRow; row: NodeRow } | undefined> {
  const [enrolment] = await tx.rows(LOCK_ENROLMENT, [hashToken(token)]);
  if (enrolment === undefined || enrolment.ended_at !== null || !binder.isEnrolmentIntact(enrolment)) return undefined;
  if (enrolment.expires_at.getTime() <= clock.nowMs()) return undefined;
  await tx.rows(LOCK_NODE, [enrolment.node_id]);
  const [row] = await tx.rows(FIND_NODE_BY_ID, [enrolment.node_id]);
  if (row === undefined || stateOf(row) === 'revoked' || stateOf(row) === 'suspended') return undefined;
  return { enrolment, row };
}

async function refuse({ audit }: NodeParts, actor: Actor): Promise<never> {
  const problem = nodeProblem(
    'forbidden',
    'enrolment-refused',
    'This enrolment token is unknown, was used already, was replaced by a newer one, or has run out. Ask the administrator for a new invitation.',
  );
  const audited = await audit.recordNow([
    { actor, event: 'node.enrol', action: 'C', outcome: 'minor-failure', reason: problem.code },
  ]);
  throw markRefusalAudited(problem, audited);
}
