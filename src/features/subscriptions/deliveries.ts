/** Deliveries and dead letters, for administrators. */
import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import { reachOf } from '../../kernel/reach.ts';
import { instant } from '../../kernel/time.ts';
import type { Transaction } from '../../platform/db/index.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import type { SubscriptionDeps } from './deps.ts';
import type {
  DeliveryId,
  DeliveryState,
  StoredSubscription,
  SubscriptionId,
  SubscriptionProblemCode,
} from './model.ts';
import { openSubscription } from './sealing.ts';
import {
  ALL,
  COUNTS,
  DEAD,
  FIND,
  FIND_DELIVERY,
  FIND_LISTED,
  LIST,
  type ListedRow,
  NOTIFY,
  RERUN,
  REVIVE,
} from './store.ts';
import type { WireDelivery, WireDeliveryDetail, WireSubscriber } from './wire.ts';

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
  /** All dead letters, or those of a node; at most 10,000 at once. */
  rerunAll(
    actor: Actor,
    nodeId: string | undefined,
  ): Promise<{ readonly rerun: number; readonly audited: AuditReceipt }>;
  /** One delivery with where it goes and, for who may read every client, whom it is about. Throws Problem `delivery-not-found`. */
  look(actor: Actor, id: string): Promise<{ readonly delivery: WireDeliveryDetail; readonly audited: AuditReceipt }>;
}

export function createDeliveries(deps: SubscriptionDeps): Deliveries {
  return { ...lookingActs(deps), ...rerunActs(deps) };
}

function rerunActs({ database, clock, audit, changes }: SubscriptionDeps): Pick<Deliveries, 'rerun' | 'rerunAll'> {
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
    rerun: (actor, id) =>
      database.transaction(async (tx) => {
        const [row] = await tx.rows(FIND_DELIVERY, [id]);
        if (!row) throw notFound();
        if (row.state !== 'dead' || (await again(tx, [row.id], [row.subscription_id])) === 0) throw notDead();
        return recorded(tx, actor, { delivery: row.id });
      }),
    rerunAll: (actor, nodeId) =>
      database.transaction(async (tx) => {
        const rows = await tx.rows(DEAD, [nodeId ?? null]);
        const ids = rows.map((row) => row.id);
        const rerun = await again(
          tx,
          ids,
          rows.map((row) => row.subscription_id),
        );
        const detail = { node: nodeId ?? 'all', deliveries: String(rerun) };
        return { rerun, audited: await recorded(tx, actor, detail) };
      }),
  };
}

function lookingActs({
  database,
  keyRing,
  audit,
}: SubscriptionDeps): Pick<Deliveries, 'list' | 'subscribers' | 'look'> {
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
    async look(actor, id) {
      const [row] = await database.rows(FIND_LISTED, [id]);
      const [stored] = row === undefined ? [] : await database.rows(FIND, [row.subscription_id]);
      if (row === undefined || stored === undefined) throw notFound();
      const subscription = openSubscription(keyRing, stored);
      // Who is told of clients here is no right to know of them.
      const mayKnow = reachOf(actor.principal, 'client.read') === 'all';
      const delivery = { ...wire(row), ...whereTo(subscription), ...(mayKnow ? { clientId: row.golden_id } : {}) };
      const patients = mayKnow ? { patients: [`Patient/${row.golden_id}`] } : {};
      const audited = await audit.recordNow([
        { actor, event: 'delivery.list', action: 'R', outcome: 'success', detail: { delivery: row.id }, ...patients },
      ]);
      return { delivery, audited };
    },
  };
}

/** The host alone: paths and queries may hold secrets. */
function whereTo({ resource, status, failures }: StoredSubscription) {
  const { endpoint = '', type } = resource.channel;
  const channel = type === 'message' ? ('message' as const) : ('rest-hook' as const);
  return { endpointHost: URL.parse(endpoint)?.host ?? '', channel, subscriber: status, failures };
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
