/** The link ledger: how its entries are sealed and opened. */
import { newId, sealedAtRest } from '../../crypto/index.ts';
import type { LinkEntryId, ResourceId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { KeyRing, SealContext } from '../../store/index.ts';
import { clientAltered } from './altered-problem.ts';
import type { PendingLedgerEntry } from './batch-state.ts';
import type { LedgerDetail, LedgerEntry } from './model.ts';
import type { LedgerRow } from './store.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
// The ledger is append-only, so it cannot be sealed anew: keys of the `audit.` family are re-wrapped but never retired.
const TABLE = 'audit.registry-ledger';
/** What an entry says of whom, and when, stands in its place: moved to another client, it does not open. */
const context = (row: Omit<LedgerRow, 'detail'>) => {
  const { entry_id, golden_id, kind, source_id, other_source_id, other_golden_id, at } = row;
  const named = [entry_id, golden_id, kind, source_id ?? '-', other_source_id ?? '-', other_golden_id ?? '-'];
  return { table: TABLE, type: 'detail', id: `${named.join(' ')} ${at.getTime()}`, version: 2 };
};
/** Of earlier versions, whose columns are bound by nothing. */
const formerContext = (id: LinkEntryId) => ({ table: TABLE, type: 'detail', id, version: 1 });

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
  const row = {
    entry_id: entryId,
    golden_id: entry.goldenId,
    kind: entry.kind,
    at: new Date(nowMs),
    source_id: entry.sourceId ?? null,
    other_source_id: entry.otherSourceId ?? null,
    other_golden_id: entry.otherGoldenId ?? null,
  };
  return { ...row, detail: keyRing.seal(encoder.encode(JSON.stringify(entry.detail)), context(row)) };
}

/** Entries as they were written; of those that somebody has changed or moved, `onAltered` is told. */
export function openLedger(
  { keyRing, onAltered }: { readonly keyRing: KeyRing; readonly onAltered: (id: ResourceId) => void },
  rows: readonly LedgerRow[],
): LedgerEntry[] {
  return rows.flatMap((row) => {
    const entry = openLedgerEntry(keyRing, row);
    if (entry === undefined) onAltered(row.golden_id);
    return entry ?? [];
  });
}

/** The same for who decides by them: throws Problem `client-altered` where one was changed. */
export function openWholeLedger(deps: Parameters<typeof openLedger>[0], rows: readonly LedgerRow[]): LedgerEntry[] {
  const entries = openLedger(deps, rows);
  if (entries.length < rows.length) throw clientAltered();
  return entries;
}

function openLedgerEntry(keyRing: KeyRing, row: LedgerRow): LedgerEntry | undefined {
  const plain = opened(keyRing, row, context(row)) ?? opened(keyRing, row, formerContext(row.entry_id));
  if (plain === undefined) return undefined;
  // Written by sealLedgerEntry; the seal vouches for the shape.
  const detail = JSON.parse(decoder.decode(plain)) as LedgerDetail;
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

function opened(keyRing: KeyRing, row: LedgerRow, place: SealContext): Uint8Array | undefined {
  try {
    return keyRing.open(sealedAtRest(row.detail), place);
  } catch (error) {
    if (isProblem(error) && error.code === 'seal-broken') return undefined;
    throw error;
  }
}
