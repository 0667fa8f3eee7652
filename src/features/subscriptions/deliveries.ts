/** Deliveries and dead letters, for administrators. */
import type { NodeId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import { instant } from '../../kernel/time.ts';
import type { Transaction } from '../../platform/db/index.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import type { SubscriptionDeps } from './deps.ts';
import type { DeliveryId, DeliveryState, SubscriptionId, SubscriptionProblemCode } from './model.ts';
import { openSubscription } from './sealing.ts';
import { ALL, COUNTS, DEAD_OF_NODE, FIND_DELIVERY, LIST, type ListedRow, NOTIFY, RERUN, REVIVE } from './store.ts';
import type { WireDelivery, WireSubscriber } from './wire.ts';

export interface DeliveryQuery {
  readonly state?: DeliveryState | undefined;
  readonly nodeId?: string | undefined;
  /** The last id of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export interface Deliveries {
  list(query: DeliveryQuery): Promise<{ readonly deliveries: WireDelivery[]; readonly next?: string }>;
  subscribers(): Promise<WireSubscriber[]>;
  /** Sends a dead letter again, as the record is now. Throws Problem where it is not dead or waits already. */
  rerun(actor: Actor, id: string): Promise<AuditReceipt>;
  /** All dead letters of a node, at most 10,000 at once. */
  rerunOfNode(actor: Actor, nodeId: string): Promise<{ readonly rerun: number; readonly audited: AuditReceipt }>;
}

export function createDeliveries(deps: SubscriptionDeps): Deliveries {
  const { database, keyRing, clock, audit, changes } = deps;

  async function again(
    tx: Transaction,
    ids: readonly DeliveryId[],
    subscriptions: readonly SubscriptionId[],
  ): Promise<number> {
    const now = new Date(clock.nowMs());
    const rerun = await tx.run(RERUN, [ids, now]);
    await tx.run(REVIVE, [[...new Set(subscriptions)], now]);
    await changes.want(tx, true);
    await tx.rows(NOTIFY);
    return rerun;
  }

  function recorded(tx: Transaction, actor: Actor, detail: Readonly<Record<string, string>>): Promise<AuditReceipt> {
    return audit.record(tx, [{ actor, event: 'delivery.rerun', action: 'E', outcome: 'success', detail }]);
  }

  return {
    async list({ state, nodeId, before, limit }) {
      const rows = await database.rows(LIST, [state ?? null, nodeId ?? null, before ?? null, limit + 1]);
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return { deliveries: shown.map(wire), ...(rows.length > limit && last ? { next: last.id } : {}) };
    },
    async subscribers() {
      const [rows, counts] = await Promise.all([database.rows(ALL), database.rows(COUNTS)]);
      const byId = new Map(counts.map((row) => [row.subscription_id, row]));
      return rows.map((row) => {
        const one = openSubscription(keyRing, row);
        const count = byId.get(one.id);
        return {
          id: one.id,
          nodeId: one.nodeId,
          status: one.status,
          channel: one.resource.channel.type === 'message' ? 'message' : 'rest-hook',
          failures: one.failures,
          ...(one.lastFailure === undefined ? {} : { lastFailure: one.lastFailure }),
          ...(one.lastSuccessAtMs === undefined ? {} : { lastSuccessAt: instant(one.lastSuccessAtMs) }),
          waiting: Number(count?.waiting ?? 0n),
          dead: Number(count?.dead ?? 0n),
        };
      });
    },
    rerun: (actor, id) =>
      database.transaction(async (tx) => {
        const [row] = await tx.rows(FIND_DELIVERY, [id]);
        if (!row) throw notFound();
        if (row.state !== 'dead' || (await again(tx, [row.id], [row.subscription_id])) === 0) throw notDead();
        return recorded(tx, actor, { delivery: row.id });
      }),
    rerunOfNode: (actor, nodeId) =>
      database.transaction(async (tx) => {
        const rows = await tx.rows(DEAD_OF_NODE, [nodeId as NodeId]);
        const ids = rows.map((row) => row.id);
        const rerun = await again(
          tx,
          ids,
          rows.map((row) => row.subscription_id),
        );
        return { rerun, audited: await recorded(tx, actor, { node: nodeId, deliveries: String(rerun) }) };
      }),
  };
}

function wire(row: ListedRow): WireDelivery {
  return {
    id: row.id,
    subscriptionId: row.subscription_id,
    nodeId: row.node_id,
    state: row.state,
    attempts: row.attempts,
    createdAt: row.created_at.toISOString(),
    ...(row.state === 'waiting' ? { retryAt: row.retry_at.toISOString() } : {}),
    ...(row.done_at === null ? {} : { doneAt: row.done_at.toISOString() }),
    ...(row.failure === null ? {} : { failure: row.failure }),
  };
}

const notFound = (): Problem =>
  new Problem<SubscriptionProblemCode>('not-found', 'delivery-not-found', 'There is no such delivery.');
const notDead = (): Problem =>
  new Problem<SubscriptionProblemCode>(
    'conflict',
    'delivery-not-dead',
    'This delivery is not given up, or its record is on its way again already. Nothing was changed.',
  );
