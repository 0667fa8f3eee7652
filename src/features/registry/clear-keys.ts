/**
 * Blocking keys that an earlier version of the program made and the present one does not: they cannot be computed any more, so
 * they are found by going over all keys and asking each record for its own. One batch is one transaction under the registry's lock.
 */
import { parseId, type ResourceId } from '../../kernel/ids.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { type KeyRow, relinkStore } from './relink-store.ts';
import type { RoundDeps } from './round-loading.ts';
import { removeBlockingKeys } from './round-store.ts';
import { REGISTRY_LOCK } from './store.ts';

export interface ClearKeysBatch {
  /** Where the last batch ended. */
  readonly after: string | undefined;
  readonly limit: number;
  /** Part of the same transaction; throws to undo the batch. */
  readonly alongside: (tx: Transaction, done: ClearedKeys) => Promise<void>;
}

export interface ClearedKeys {
  /** Undefined when no keys are left to look at. Holds a blind token and a record's id. */
  readonly after: string | undefined;
  readonly removed: number;
}

export async function clearKeys(live: RoundDeps, { after, limit, alongside }: ClearKeysBatch): Promise<ClearedKeys> {
  return await live.database.transaction(
    async (tx) => {
      const rows = await relinkStore.nextKeys(tx, placeOf(after), limit);
      const stale = await staleOf(live, tx, rows);
      await removeBlockingKeys(
        tx,
        stale.map((row) => ({ token: row.token, sourceId: row.source_id })),
      );
      const last = rows.length < limit ? undefined : rows.at(-1);
      const done = { after: last && `${last.token}|${last.source_id}`, removed: stale.length };
      await alongside(tx, done);
      return done;
    },
    { lock: REGISTRY_LOCK },
  );
}

async function staleOf({ records }: RoundDeps, tx: Transaction, rows: readonly KeyRow[]): Promise<KeyRow[]> {
  const sources = await relinkStore.sources(tx, [...new Set(rows.map((row) => row.source_id))]);
  const keys = new Map(
    sources.map((source) => [source.source_id, new Set(records.lookupKeys(records.open(source).prepared))]),
  );
  return rows.filter((row) => keys.get(row.source_id)?.has(row.token) !== true);
}

function placeOf(after: string | undefined): KeyRow | undefined {
  const [token, id] = after?.split('|') ?? [];
  const sourceId = parseId<ResourceId>(id);
  return token !== undefined && sourceId ? { token: BigInt(token), source_id: sourceId } : undefined;
}
