/** SQL for schema `subscriptions`, and for nothing else. */
import type { NodeId, OrganisationId, ResourceId } from '../../kernel/ids.ts';
import { statement } from '../../platform/db/index.ts';
import type { DeliveryId, DeliveryState, SubscriptionId, SubscriptionStatus } from './model.ts';

export interface SubscriptionRow {
  readonly id: SubscriptionId;
  readonly node_id: NodeId;
  readonly organisation_id: OrganisationId;
  readonly status: SubscriptionStatus;
  readonly version: number;
  readonly sealed: Buffer;
  readonly updated_at: Date;
  readonly ends_at: Date | null;
  readonly failures: number;
  readonly failing_since: Date | null;
  readonly last_failure: string | null;
  readonly last_success_at: Date | null;
}

const COLUMNS = `id, node_id, organisation_id, status, version, sealed, updated_at, ends_at, failures, failing_since,
  last_failure, last_success_at`;

export const INSERT = statement(
  'subscriptions.insert',
  `INSERT INTO subscriptions.subscription (id, node_id, organisation_id, status, version, sealed, created_at, updated_at,
     ends_at, retry_at) VALUES ($1, $2, $3, 'requested', 1, $4, $5, $5, $6, $5)`,
);
/** A subscriber who changes something wants to be tried at once. */
export const UPDATE = statement(
  'subscriptions.update',
  `UPDATE subscriptions.subscription SET status = $2, version = $3, sealed = $4, updated_at = $5, ends_at = $6, failures = 0,
     failing_since = NULL, retry_at = $5 WHERE id = $1`,
);
export const REMOVE = statement('subscriptions.remove', 'DELETE FROM subscriptions.subscription WHERE id = $1');
export const REMOVE_DELIVERIES = statement(
  'subscriptions.remove-deliveries',
  'DELETE FROM subscriptions.delivery WHERE subscription_id = $1',
);
export const FIND = statement<SubscriptionRow>(
  'subscriptions.find',
  `SELECT ${COLUMNS} FROM subscriptions.subscription WHERE id = $1`,
);
export const LOCK = statement<SubscriptionRow>(
  'subscriptions.lock',
  `SELECT ${COLUMNS} FROM subscriptions.subscription WHERE id = $1 FOR UPDATE`,
);
export const OF_NODE = statement<SubscriptionRow>(
  'subscriptions.of-node',
  `SELECT ${COLUMNS} FROM subscriptions.subscription WHERE node_id = $1 ORDER BY id`,
);
export const ALL = statement<SubscriptionRow>(
  'subscriptions.all',
  `SELECT ${COLUMNS} FROM subscriptions.subscription ORDER BY node_id, id LIMIT 1000`,
);
/** Whom changes are told. */
export const LISTENING = statement<SubscriptionRow>(
  'subscriptions.listening',
  `SELECT ${COLUMNS} FROM subscriptions.subscription WHERE status <> 'off' ORDER BY id`,
);
export const ACTIVATE = statement(
  'subscriptions.activate',
  `UPDATE subscriptions.subscription SET status = 'active', version = version + 1, updated_at = $1 WHERE status = 'requested'`,
);
export const END = statement(
  'subscriptions.end',
  `UPDATE subscriptions.subscription SET status = 'off', version = version + 1, updated_at = $1
   WHERE status <> 'off' AND ends_at <= $1`,
);

/**
 * $1 ids, $2 subscriptions, $3 records, $4 versions, $5 now. A record that waits already keeps its place and is sent once, as it is
 * then: who lags hears of a record that changes without pause as soon as of any other.
 */
export const ENQUEUE = statement(
  'subscriptions.enqueue',
  `INSERT INTO subscriptions.delivery (id, subscription_id, golden_id, version, state, retry_at, created_at)
   SELECT n.id, n.subscription_id, n.golden_id, n.version, 'waiting', $5, $5
   FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[]) AS n (id, subscription_id, golden_id, version)
   ON CONFLICT (subscription_id, golden_id) WHERE state = 'waiting' DO UPDATE SET version = excluded.version`,
);
/** $1 subscriptions, $2 records that were replaced. They go behind what waits, so that nobody is led to a survivor before hearing of it. */
export const REPLACED_LAST = statement(
  'subscriptions.replaced-last',
  `UPDATE subscriptions.delivery d SET position = nextval('subscriptions.delivery_position')
   FROM unnest($1::uuid[], $2::uuid[]) AS r (subscription_id, golden_id)
   WHERE d.subscription_id = r.subscription_id AND d.golden_id = r.golden_id AND d.state = 'waiting'`,
);

/** Subscribers with something due, leased to this process. $1 now, $2 lease, $3 how many. */
export const CLAIM = statement<SubscriptionRow>(
  'subscriptions.claim',
  `UPDATE subscriptions.subscription SET lease_until = $2 WHERE id IN (
     SELECT s.id FROM subscriptions.subscription s
     WHERE s.status IN ('active', 'error') AND s.retry_at <= $1 AND (s.lease_until IS NULL OR s.lease_until <= $1)
       AND EXISTS (SELECT FROM subscriptions.delivery d
                   WHERE d.subscription_id = s.id AND d.state = 'waiting' AND d.retry_at <= $1)
     ORDER BY s.retry_at LIMIT $3 FOR UPDATE SKIP LOCKED)
   RETURNING ${COLUMNS}`,
);
export const RELEASE = statement(
  'subscriptions.release',
  'UPDATE subscriptions.subscription SET lease_until = NULL WHERE id = $1',
);

export interface DeliveryRow {
  readonly id: DeliveryId;
  readonly subscription_id: SubscriptionId;
  readonly golden_id: ResourceId;
  readonly version: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly retry_at: Date;
  readonly created_at: Date;
  readonly done_at: Date | null;
  readonly failure: string | null;
}
const DELIVERY = 'id, subscription_id, golden_id, version, state, attempts, retry_at, created_at, done_at, failure';

/** $1 subscription, $2 now, $3 how many, longest waiting first. One that was refused by itself rests, and lets the others pass. */
export const DUE = statement<DeliveryRow>(
  'subscriptions.due',
  `SELECT ${DELIVERY} FROM subscriptions.delivery
   WHERE subscription_id = $1 AND state = 'waiting' AND retry_at <= $2 ORDER BY position LIMIT $3`,
);
/**
 * What changed again while it was on its way stays waiting, behind all others: it was told of just now. $1 ids, $2 versions sent,
 * $3 now.
 */
export const DELIVERED = statement(
  'subscriptions.delivered',
  `UPDATE subscriptions.delivery d SET failure = NULL,
     state = CASE WHEN d.version = sent.version THEN 'delivered' ELSE d.state END,
     done_at = CASE WHEN d.version = sent.version THEN $3::timestamptz END,
     attempts = CASE WHEN d.version = sent.version THEN d.attempts + 1 ELSE 0 END,
     position = CASE WHEN d.version = sent.version THEN d.position ELSE nextval('subscriptions.delivery_position') END
   FROM unnest($1::uuid[], $2::int[]) AS sent (id, version)
   WHERE d.id = sent.id AND d.state = 'waiting'`,
);
export const SUCCEEDED = statement(
  'subscriptions.succeeded',
  `UPDATE subscriptions.subscription SET status = 'active', failures = 0, failing_since = NULL, last_success_at = $2,
     retry_at = $2 WHERE id = $1 AND status <> 'off'`,
);
/** $1 id, $2 now, $3 code, $4 next try, $5 failures until `error`. */
export const FAILED = statement(
  'subscriptions.failed',
  `UPDATE subscriptions.subscription SET failures = failures + 1, failing_since = coalesce(failing_since, $2),
     last_failure = $3, retry_at = $4, status = CASE WHEN failures + 1 >= $5 THEN 'error' ELSE status END
   WHERE id = $1 AND status <> 'off'`,
);
export const REFUSED = statement(
  'subscriptions.refused',
  `UPDATE subscriptions.delivery SET attempts = attempts + 1, failure = $2, retry_at = $3,
     state = CASE WHEN attempts + 1 >= $4 THEN 'dead' ELSE state END,
     done_at = CASE WHEN attempts + 1 >= $4 THEN $5 ELSE done_at END
   WHERE id = ANY($1::uuid[]) AND state = 'waiting'`,
);
export const NOTE_ATTEMPT = statement(
  'subscriptions.note-attempt',
  `UPDATE subscriptions.delivery SET attempts = attempts + 1, failure = $2 WHERE id = ANY($1::uuid[]) AND state = 'waiting'`,
);
export const SWITCH_OFF = statement(
  'subscriptions.switch-off',
  `UPDATE subscriptions.subscription SET status = 'off', version = version + 1, updated_at = $2, last_failure = $3
   WHERE id = $1`,
);
export const BURY = statement(
  'subscriptions.bury',
  `UPDATE subscriptions.delivery SET state = 'dead', done_at = $2, failure = $3 WHERE subscription_id = $1 AND state = 'waiting'`,
);
export const NEXT_DUE = statement<{ at: Date | null }>(
  'subscriptions.next-due',
  `SELECT min(greatest(s.retry_at, d.retry_at)) AS at
   FROM subscriptions.subscription s JOIN subscriptions.delivery d ON d.subscription_id = s.id
   WHERE d.state = 'waiting' AND s.status IN ('active', 'error')`,
);
/** Delivered ones are kept for the page of transactions, not for ever. */
export const FORGET = statement(
  'subscriptions.forget',
  `DELETE FROM subscriptions.delivery WHERE state = 'delivered' AND done_at < $1`,
);

export interface ListedRow extends DeliveryRow {
  readonly node_id: NodeId;
}
/** $1 state, $2 node, $3 before, $4 limit; newest first. */
export const LIST = statement<ListedRow>(
  'subscriptions.list-deliveries',
  `SELECT d.id, d.subscription_id, d.golden_id, d.version, d.state, d.attempts, d.retry_at, d.created_at, d.done_at, d.failure,
     s.node_id
   FROM subscriptions.delivery d JOIN subscriptions.subscription s ON s.id = d.subscription_id
   WHERE ($1::text IS NULL OR d.state = $1) AND ($2::uuid IS NULL OR s.node_id = $2) AND ($3::uuid IS NULL OR d.id < $3)
   ORDER BY d.id DESC LIMIT $4`,
);
export const FIND_LISTED = statement<ListedRow>(
  'subscriptions.find-listed',
  `SELECT d.id, d.subscription_id, d.golden_id, d.version, d.state, d.attempts, d.retry_at, d.created_at, d.done_at, d.failure,
     s.node_id
   FROM subscriptions.delivery d JOIN subscriptions.subscription s ON s.id = d.subscription_id WHERE d.id = $1`,
);
export const FIND_DELIVERY = statement<DeliveryRow>(
  'subscriptions.find-delivery',
  `SELECT ${DELIVERY} FROM subscriptions.delivery WHERE id = $1 FOR UPDATE`,
);
/** Sent again, unless the record waits already as something newer. $1 delivery ids, $2 now. */
export const RERUN = statement(
  'subscriptions.rerun',
  `UPDATE subscriptions.delivery d SET state = 'waiting', attempts = 0, retry_at = $2, done_at = NULL, failure = NULL,
     position = nextval('subscriptions.delivery_position')
   WHERE d.id IN (
     SELECT DISTINCT ON (o.subscription_id, o.golden_id) o.id FROM subscriptions.delivery o
     WHERE o.id = ANY($1::uuid[]) AND o.state = 'dead' AND NOT EXISTS (
       SELECT FROM subscriptions.delivery w
       WHERE w.subscription_id = o.subscription_id AND w.golden_id = o.golden_id AND w.state = 'waiting')
     ORDER BY o.subscription_id, o.golden_id, o.id DESC)`,
);
/** $1 node; null: of all. */
export const DEAD = statement<{ id: DeliveryId; subscription_id: SubscriptionId }>(
  'subscriptions.dead',
  `SELECT d.id, d.subscription_id FROM subscriptions.delivery d JOIN subscriptions.subscription s ON s.id = d.subscription_id
   WHERE ($1::uuid IS NULL OR s.node_id = $1) AND d.state = 'dead' ORDER BY d.id LIMIT 10000`,
);
/** A rerun tries the endpoint anew, given up or not. */
export const REVIVE = statement(
  'subscriptions.revive',
  `UPDATE subscriptions.subscription SET failures = 0, failing_since = NULL, retry_at = $2,
     status = CASE WHEN ends_at IS NULL OR ends_at > $2 THEN 'active' ELSE status END
   WHERE id = ANY($1::uuid[])`,
);
export const COUNTS = statement<{ subscription_id: SubscriptionId; waiting: bigint; dead: bigint }>(
  'subscriptions.counts',
  `SELECT subscription_id, count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'dead') AS dead
   FROM subscriptions.delivery WHERE state <> 'delivered' GROUP BY subscription_id`,
);

/** One fan-out at a time, whatever the number of processes. */
export const LOCK_FAN_OUT = statement('subscriptions.lock-fan-out', 'SELECT pg_advisory_xact_lock(1129533007)');
export const CHANNEL = 'careseal_subscriptions';
export const NOTIFY = statement('subscriptions.notify', `SELECT pg_notify('${CHANNEL}', '')`);

export interface SealedRow {
  readonly id: SubscriptionId;
  readonly node_id: NodeId;
  readonly sealed: Buffer;
}
export const COUNT = statement<{ n: bigint }>(
  'subscriptions.count',
  'SELECT count(*) AS n FROM subscriptions.subscription',
);
export const RESEAL_NEXT = statement<SealedRow>(
  'subscriptions.reseal-next',
  'SELECT id, node_id, sealed FROM subscriptions.subscription WHERE id > $1 ORDER BY id LIMIT $2 FOR UPDATE',
);
export const RESEAL_WRITE = statement(
  'subscriptions.reseal-write',
  'UPDATE subscriptions.subscription SET sealed = $2 WHERE id = $1',
);
