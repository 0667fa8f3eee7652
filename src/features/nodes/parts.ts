import type { Actor } from '../../kernel/principal.ts';
import { reachOf } from '../../kernel/reach.ts';
import type { NodeId } from '../../kernel/ids.ts';
import type { Transaction } from '../../platform/db/index.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import type { AuditInput } from '../audit/model.ts';
import type { Authorities } from './authorities.ts';
import type { Binder } from './binding.ts';
import type { NodesDeps } from './deps.ts';
import { nodeProblem } from './errors.ts';
import type { Node } from './model.ts';
import type { NodeReader, WhichNode } from './node-reader.ts';
import type { NodeWriting } from './node-writing.ts';
import type { NodeRow } from './rows.ts';
import { LOCK_NODE, NOTIFY } from './store.ts';

/** What the acts on nodes share. */
export interface NodeParts extends NodesDeps {
  readonly binder: Binder;
  readonly reader: NodeReader;
  readonly writing: NodeWriting;
  readonly authorities: Authorities;
  /** Drops what this process remembers of nodes, domains and trust. */
  readonly forget: () => void;
}

export interface Changed {
  readonly node: Node;
  readonly audited: AuditReceipt;
}

export interface Change {
  readonly event: AuditInput['event'];
  readonly action?: AuditInput['action'];
  readonly detail?: Readonly<Record<string, string>>;
  readonly reason?: string;
}

/**
 * One change of a node by an actor of its organisation: locked, written, audited and announced in one transaction. `act`
 * writes what it changes and answers what to record.
 */
export async function changeNode(
  parts: NodeParts,
  { actor, which }: { readonly actor: Actor; readonly which: WhichNode },
  act: (tx: Transaction, row: NodeRow) => Promise<Change>,
): Promise<Changed> {
  const reach = reachOf(actor.principal, 'node.manage');
  return parts.database.transaction(async (tx) => {
    tx.afterCommit(parts.forget);
    const found = await parts.reader.row(tx, reach, which);
    await tx.rows(LOCK_NODE, [found.id]);
    const row = await parts.reader.row(tx, reach, { id: found.id });
    const change = await act(tx, row);
    const audited = await parts.audit.record(tx, [nodeEvent(actor, row.id, { detail: { node: row.name }, ...change })]);
    await tx.rows(NOTIFY);
    return { node: await parts.reader.find(tx, reach, { id: row.id }), audited };
  });
}

/** Refuses what cannot be done to a revoked node, and what would make a forged row genuine by writing it anew. */
export function assertLiving(parts: Pick<NodeParts, 'binder'>, row: NodeRow): void {
  if (row.revoked_at !== null)
    throw nodeProblem('conflict', 'node-revoked', `The node "${row.name}" has been revoked. Add it again.`);
  assertIntact(parts, row);
}

export function assertIntact({ binder }: Pick<NodeParts, 'binder'>, row: NodeRow): void {
  if (binder.isNodeIntact(row)) return;
  throw nodeProblem(
    'conflict',
    'registration-changed',
    `What is on record about the node "${row.name}" was not written by this server, so nothing is built on it. Look into the audit log; then revoke it and add it again, or confirm it with "careseal node confirm".`,
  );
}

export function nodeEvent(actor: Actor, nodeId: NodeId, change: Change): AuditInput {
  const { event, action = 'U', detail, reason } = change;
  const entities = [{ reference: `Node/${nodeId}`, role: 'security-resource' as const }];
  return {
    actor,
    event,
    action,
    outcome: 'success',
    entities,
    ...(detail === undefined ? {} : { detail }),
    ...(reason === undefined ? {} : { reason }),
  };
}
