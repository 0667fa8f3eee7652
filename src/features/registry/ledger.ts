/** The link ledger: how its entries are sealed and opened. */
import { newId, sealedAtRest } from '../../crypto/index.ts';
import type { LinkEntryId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { KeyRing } from '../../store/index.ts';
import type { PendingLedgerEntry } from './batch-state.ts';
import type { LedgerDetail, LedgerEntry } from './model.ts';
import type { LedgerRow } from './store.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
// The ledger is append-only, so it cannot be sealed anew: keys of the `audit.` family are re-wrapped but never retired.
const context = (id: LinkEntryId) => ({ table: 'audit.registry-ledger', type: 'detail', id, version: 1 });

/** Who decided, as the ledger shows it later: names may change, the ledger does not. */
export function ledgerActor(actor: Actor): LedgerDetail['actor'] {
  const { principal } = actor;
  switch (principal.kind) {
    case 'user':
      return { kind: 'user', id: principal.userId, name: principal.displayName };
    case 'node':
      return { kind: 'node', id: principal.nodeId, name: principal.name };
    case 'operator':
      return { kind: 'operator', name: principal.osUser };
    case 'system':
      return { kind: 'system', name: 'Careseal' };
    case 'anonymous':
      return { kind: 'anonymous', name: 'nobody' };
  }
}

export function sealLedgerEntry(keyRing: KeyRing, entry: PendingLedgerEntry, nowMs: number): LedgerRow {
  const entryId = entry.entryId ?? newId<LinkEntryId>();
  return {
    entry_id: entryId,
    golden_id: entry.goldenId,
    kind: entry.kind,
    at: new Date(nowMs),
    source_id: entry.sourceId ?? null,
    other_source_id: entry.otherSourceId ?? null,
    other_golden_id: entry.otherGoldenId ?? null,
    detail: keyRing.seal(encoder.encode(JSON.stringify(entry.detail)), context(entryId)),
  };
}

export function openLedgerEntry(keyRing: KeyRing, row: LedgerRow): LedgerEntry {
  // Written by sealLedgerEntry; the seal vouches for the shape.
  const detail = JSON.parse(
    decoder.decode(keyRing.open(sealedAtRest(row.detail), context(row.entry_id))),
  ) as LedgerDetail;
  return {
    ...detail,
    entryId: row.entry_id,
    kind: row.kind,
    atMs: row.at.getTime(),
    goldenId: row.golden_id,
    ...(row.source_id ? { sourceId: row.source_id } : {}),
    ...(row.other_source_id ? { otherSourceId: row.other_source_id } : {}),
    ...(row.other_golden_id ? { otherGoldenId: row.other_golden_id } : {}),
  };
}
