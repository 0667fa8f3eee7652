import type { Subscription } from '@medplum/fhirtypes';
import { sealedAtRest } from '../../crypto/index.ts';
import { parseStoredJson } from '../../fhir/index.ts';
import { utf8Encode } from '../../kernel/bytes.ts';
import type { KeyRing, ResealParticipant } from '../../store/index.ts';
import type { StoredSubscription, SubscriptionId } from './model.ts';
import { COUNT, RESEAL_NEXT, RESEAL_WRITE, type SubscriptionRow } from './store.ts';

const context = (id: string) => ({ table: 'subscriptions.subscription', type: 'resource', id, version: 1 });

export function sealResource(keyRing: KeyRing, id: SubscriptionId, resource: Subscription): Uint8Array {
  return keyRing.seal(utf8Encode(JSON.stringify(resource)), context(id));
}

export function openSubscription(keyRing: KeyRing, row: SubscriptionRow): StoredSubscription {
  return {
    id: row.id,
    nodeId: row.node_id,
    organisationId: row.organisation_id,
    status: row.status,
    version: row.version,
    updatedAtMs: row.updated_at.getTime(),
    endsAtMs: row.ends_at?.getTime(),
    failures: row.failures,
    failingSinceMs: row.failing_since?.getTime(),
    lastFailure: row.last_failure ?? undefined,
    lastSuccessAtMs: row.last_success_at?.getTime(),
    // Written by sealResource from a validated resource; the seal vouches for the shape.
    resource: parseStoredJson(keyRing.open(sealedAtRest(row.sealed), context(row.id))) as Subscription,
  };
}

const FIRST = '00000000-0000-0000-0000-000000000000';

export function resealParticipants(keyRing: KeyRing): readonly ResealParticipant[] {
  return [
    {
      name: 'subscriptions.subscription',
      kinds: ['data'],
      async count(sql) {
        const [row] = await sql.rows(COUNT);
        return Number(row?.n ?? 0n);
      },
      async resealBatch(tx, { cursor, limit }) {
        const rows = await tx.rows(RESEAL_NEXT, [cursor ?? FIRST, limit]);
        for (const row of rows) {
          const opened = keyRing.open(sealedAtRest(row.sealed), context(row.id));
          await tx.run(RESEAL_WRITE, [row.id, keyRing.seal(opened, context(row.id))]);
        }
        return { cursor: rows.length < limit ? undefined : rows.at(-1)?.id, visited: rows.length };
      },
    },
  ];
}
