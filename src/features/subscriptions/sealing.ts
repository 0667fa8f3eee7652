import type { Subscription } from '@medplum/fhirtypes';
import { sealedAtRest } from '../../crypto/index.ts';
import { parseStoredJson } from '../../fhir/index.ts';
import type { NodeId } from '../../kernel/ids.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { Database } from '../../platform/db/index.ts';
import { utf8Encode } from '../../kernel/bytes.ts';
import type { KeyRing, ResealParticipant } from '../../store/index.ts';
import type { StoredSubscription, SubscriptionId } from './model.ts';
import { COUNT, RESEAL_NEXT, RESEAL_WRITE, type SubscriptionRow } from './store.ts';

const context = (id: string) => ({ table: 'subscriptions.subscription', type: 'resource', id, version: 1 });

/** Whose it is stands under the seal: the row's column is for lists, and whoever writes to the database could give it to another. */
interface Sealed {
  readonly nodeId: NodeId;
  readonly resource: Subscription;
}

export function sealResource(keyRing: KeyRing, id: SubscriptionId, { nodeId, resource }: Sealed): Uint8Array {
  return keyRing.seal(utf8Encode(JSON.stringify({ nodeId, resource } satisfies Sealed)), context(id));
}

/** Earlier versions sealed the resource alone; those rows are sealed anew at the next start (`sealOwners`). */
function openSealed(
  keyRing: KeyRing,
  row: Pick<SubscriptionRow, 'id' | 'node_id' | 'sealed'>,
): Sealed & { isOld: boolean } {
  // Written by sealResource from a validated resource; the seal vouches for the shape.
  const opened = parseStoredJson(keyRing.open(sealedAtRest(row.sealed), context(row.id))) as Sealed | Subscription;
  if ('resourceType' in opened) return { nodeId: row.node_id, resource: opened, isOld: true };
  return { ...opened, isOld: false };
}

export function openSubscription(keyRing: KeyRing, row: SubscriptionRow): StoredSubscription {
  const { nodeId, resource } = openSealed(keyRing, row);
  return {
    id: row.id,
    nodeId,
    organisationId: row.organisation_id,
    status: row.status,
    version: row.version,
    updatedAtMs: row.updated_at.getTime(),
    endsAtMs: row.ends_at?.getTime(),
    failures: row.failures,
    failingSinceMs: row.failing_since?.getTime(),
    lastFailure: row.last_failure ?? undefined,
    lastSuccessAtMs: row.last_success_at?.getTime(),
    resource,
  };
}

const FIRST = '00000000-0000-0000-0000-000000000000';

/** One that somebody has exchanged in the database does not keep the server from starting. */
function openWhole(...[keyRing, row]: Parameters<typeof openSealed>) {
  try {
    return openSealed(keyRing, row);
  } catch (error) {
    if (isProblem(error) && error.code === 'seal-broken') return undefined;
    throw error;
  }
}

/** Puts under the seal whose each subscription is, where an earlier version has not. */
export async function sealOwners({ database, keyRing }: { database: Database; keyRing: KeyRing }): Promise<void> {
  for (let after = FIRST; ; ) {
    const last = await database.transaction(async (tx) => {
      const rows = await tx.rows(RESEAL_NEXT, [after, 100]);
      for (const row of rows) {
        const sealed = openWhole(keyRing, row);
        if (sealed?.isOld) await tx.run(RESEAL_WRITE, [row.id, sealResource(keyRing, row.id, sealed)]);
      }
      return rows.at(-1)?.id;
    });
    if (last === undefined) return;
    after = last;
  }
}

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
          await tx.run(RESEAL_WRITE, [row.id, sealResource(keyRing, row.id, openSealed(keyRing, row))]);
        }
        return { cursor: rows.length < limit ? undefined : rows.at(-1)?.id, visited: rows.length };
      },
    },
  ];
}
