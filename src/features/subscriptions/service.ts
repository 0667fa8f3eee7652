/** Subscriptions as their nodes make, change and end them (PMIR ITI-94). A node sees its own and no others. */
import type { Subscription } from '@medplum/fhirtypes';
import { newId } from '../../crypto/index.ts';
import type { NodePrincipal } from '../../kernel/principal.ts';
import type { Actor } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import type { Transaction } from '../../platform/db/index.ts';
import type { AuditReceipt } from '../../platform/http/index.ts';
import type { AuditInput } from '../audit/index.ts';
import type { SubscriptionDeps } from './deps.ts';
import type { StoredSubscription, SubscriptionId, SubscriptionProblemCode, SubscriptionStatus } from './model.ts';
import { assertSubscription } from './rules.ts';
import { openSubscription, sealResource } from './sealing.ts';
import {
  FIND,
  INSERT,
  LISTENING,
  LOCK,
  NOTIFY,
  OF_NODE,
  REMOVE,
  REMOVE_DELIVERIES,
  type SubscriptionRow,
  UPDATE,
} from './store.ts';

const PER_NODE_MAX = 100;

export interface SubscriptionService {
  create(actor: Actor, resource: Subscription): Promise<Changed>;
  update(actor: Actor, id: string, resource: Subscription): Promise<Changed>;
  remove(actor: Actor, id: string): Promise<AuditReceipt>;
  read(actor: Actor, id: string): Promise<StoredSubscription>;
  /** Of the actor's node. */
  own(actor: Actor): Promise<readonly StoredSubscription[]>;
}

export interface Changed {
  readonly stored: StoredSubscription;
  readonly audited: AuditReceipt;
}

export function createSubscriptionService(deps: SubscriptionDeps): SubscriptionService {
  const { database, keyRing, clock, audit, changes } = deps;

  async function stored(tx: Pick<Transaction, 'rows'>, id: SubscriptionId): Promise<StoredSubscription> {
    const [row] = await tx.rows(FIND, [id]);
    if (!row) throw notFound();
    return openSubscription(keyRing, row);
  }

  async function own(actor: Actor): Promise<readonly StoredSubscription[]> {
    const rows = await database.rows(OF_NODE, [nodeOf(actor).nodeId]);
    return rows.map((row) => openSubscription(keyRing, row)).filter(({ nodeId }) => nodeId === nodeOf(actor).nodeId);
  }

  return {
    own,
    async create(actor, resource) {
      const node = nodeOf(actor);
      assertSubscription(resource, clock.nowMs());
      assertReachable(deps, resource);
      const id = newId<SubscriptionId>();
      return database.transaction(async (tx) => {
        if ((await tx.rows(OF_NODE, [node.nodeId])).length >= PER_NODE_MAX) throw tooMany();
        const now = new Date(clock.nowMs());
        const sealed = sealResource(keyRing, id, { nodeId: node.nodeId, resource: bare(resource) });
        await tx.run(INSERT, [id, node.nodeId, node.organisationId, sealed, now, endOf(resource)]);
        await changes.want(tx, true);
        await tx.rows(NOTIFY);
        const audited = await audit.record(tx, [eventOf(actor, 'subscription.create', id)]);
        return { stored: await stored(tx, id), audited };
      });
    },
    async update(actor, text, resource) {
      assertSubscription(resource, clock.nowMs());
      assertReachable(deps, resource);
      return database.transaction(async (tx) => {
        const known = await ownLocked(deps, tx, { actor, text });
        const status: SubscriptionStatus = resource.status === 'off' ? 'off' : 'requested';
        const now = new Date(clock.nowMs());
        const sealed = sealResource(keyRing, known.id, { nodeId: known.nodeId, resource: bare(resource) });
        await tx.run(UPDATE, [known.id, status, known.version + 1, sealed, now, endOf(resource)]);
        if (status === 'off') await tx.run(REMOVE_DELIVERIES, [known.id]);
        await wantIfAny(deps, tx);
        await tx.rows(NOTIFY);
        const audited = await audit.record(tx, [eventOf(actor, 'subscription.update', known.id)]);
        return { stored: await stored(tx, known.id), audited };
      });
    },
    async remove(actor, text) {
      return database.transaction(async (tx) => {
        const { id } = await ownLocked(deps, tx, { actor, text });
        await tx.run(REMOVE_DELIVERIES, [id]);
        await tx.run(REMOVE, [id]);
        await wantIfAny(deps, tx);
        return audit.record(tx, [eventOf(actor, 'subscription.delete', id)]);
      });
    },
    async read(actor, text) {
      const [row] = UUID.test(text) ? await database.rows(FIND, [text]) : [];
      return ownOf(deps, actor, row);
    },
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

async function ownLocked(
  deps: SubscriptionDeps,
  tx: Transaction,
  { actor, text }: { readonly actor: Actor; readonly text: string },
): Promise<StoredSubscription> {
  const [row] = UUID.test(text) ? await tx.rows(LOCK, [text]) : [];
  return ownOf(deps, actor, row);
}

function ownOf({ keyRing }: SubscriptionDeps, actor: Actor, row: SubscriptionRow | undefined): StoredSubscription {
  const { nodeId } = nodeOf(actor);
  if (row?.node_id !== nodeId) throw notFound();
  const stored = openSubscription(keyRing, row);
  if (stored.nodeId !== nodeId) throw notFound();
  return stored;
}

/** While nobody listens, nothing is noted down. */
export async function wantIfAny({ changes }: SubscriptionDeps, tx: Transaction): Promise<void> {
  await changes.want(tx, (await tx.rows(LISTENING)).length > 0);
}

function nodeOf({ principal }: Actor): NodePrincipal {
  if (principal.kind === 'node') return principal;
  throw new Problem('forbidden', 'access-denied', 'Subscriptions belong to systems: ask with a client certificate.');
}

/** Said at once where the address shows it; names are resolved and checked again at each connection. */
function assertReachable({ outbound }: SubscriptionDeps, { channel }: Subscription): void {
  try {
    outbound.assertAllowed(channel.endpoint ?? '');
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause;
    throw new Problem<SubscriptionProblemCode>(
      'unprocessable',
      'subscription-refused',
      `${cause.publicDetail} Nothing was stored.`,
      {
        cause,
        fhirCode: 'business-rule',
        expression: ['Subscription.channel.endpoint'],
      },
    );
  }
}

/** What the server keeps by itself is not kept twice. */
function bare({ id: _id, meta: _meta, error: _error, ...resource }: Subscription): Subscription {
  return resource;
}

const endOf = ({ end }: Subscription): Date | null => (end === undefined ? null : new Date(end));

function eventOf(
  actor: Actor,
  event: 'subscription.create' | 'subscription.update' | 'subscription.delete',
  id: SubscriptionId,
): AuditInput {
  const action = ({ create: 'C', update: 'U', delete: 'D' } as const)[
    event.slice(13) as 'create' | 'update' | 'delete'
  ];
  const entities = [{ reference: `Subscription/${id}`, role: 'job' as const }];
  return { actor, event, action, outcome: 'success', entities };
}

const notFound = (): Problem =>
  new Problem<SubscriptionProblemCode>(
    'not-found',
    'subscription-not-found',
    'There is no such subscription of yours.',
  );
const tooMany = (): Problem =>
  new Problem<SubscriptionProblemCode>(
    'unprocessable',
    'subscriptions-too-many',
    `A system has at most ${PER_NODE_MAX} subscriptions. Delete one first.`,
    { fhirCode: 'too-costly' },
  );
