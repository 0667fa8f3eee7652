import { type SealedAtRest, sealedAtRest, sha256 } from '../../crypto/index.ts';
import { equalBytes, toHex, utf8Encode } from '../../kernel/bytes.ts';
import { isProblem } from '../../kernel/problem.ts';
import type { KeyRing } from '../../store/index.ts';
import type { BoundKind, BoundRow } from './row-facts.ts';

/**
 * Binds rows to a key outside the database: a seal over the digest of a row's facts, in the row's place. Whoever writes to the
 * database alone can make or change such a row, but no binding that fits it. A row that somebody restores whole, binding
 * included, fits (SECURITY.md, what is not promised).
 */
export interface RowBinder {
  bind(row: BoundRow): SealedAtRest;
  /** Whether the row is as we wrote it; tells the listener when it is not. Throws `key-unknown` while a new key is on its way. */
  fits(row: BoundRow, binding: Uint8Array | null): boolean;
  /** The same binding under the current key. */
  reseal(kind: BoundKind, id: string, binding: Uint8Array): SealedAtRest;
  /** Told of every look at a row that does not fit. */
  onChanged(listener: (row: Pick<BoundRow, 'kind' | 'id'>) => void): void;
}

/** Whether rows of an earlier version have been bound; kept outside the database. */
export interface BoundMark {
  isSet(): Promise<boolean>;
  set(): Promise<void>;
}

/** Bindings seen to fit, so that a session checked every second costs a comparison and no deciphering. */
const REMEMBERED_MAX = 50_000;

export function createRowBinder(keyRing: KeyRing): RowBinder {
  const remembered = new Set<string>();
  const listeners: ((row: Pick<BoundRow, 'kind' | 'id'>) => void)[] = [];
  const context = (kind: BoundKind, id: string) => ({ table: 'identity.bindings', type: kind, id, version: 1 });

  function opens({ kind, id, facts }: BoundRow, binding: Uint8Array): boolean {
    try {
      return equalBytes(keyRing.open(sealedAtRest(binding), context(kind, id)), digest(facts));
    } catch (error) {
      if (isProblem(error) && error.code === 'seal-broken') return false;
      throw error;
    }
  }

  return {
    bind: ({ kind, id, facts }) => keyRing.seal(digest(facts), context(kind, id)),
    fits(row, binding) {
      const key = binding === null ? '' : `${row.kind} ${row.id} ${JSON.stringify(row.facts)} ${toHex(binding)}`;
      if (remembered.has(key)) return true;
      if (binding !== null && opens(row, binding)) {
        if (remembered.size >= REMEMBERED_MAX) remembered.clear();
        remembered.add(key);
        return true;
      }
      for (const listener of listeners) listener({ kind: row.kind, id: row.id });
      return false;
    },
    reseal: (kind, id, binding) =>
      keyRing.seal(keyRing.open(sealedAtRest(binding), context(kind, id)), context(kind, id)),
    onChanged: (listener) => void listeners.push(listener),
  };
}

function digest(facts: BoundRow['facts']): Uint8Array {
  return sha256(utf8Encode(JSON.stringify(facts)));
}
