import { equalBytes } from '../../kernel/bytes.ts';
import type { KeyRing } from '../../store/index.ts';
import { encodeLeaf } from '../../verifier/index.ts';
import type { ProblemList } from './problem-list.ts';
import { type EventRow, openRow } from './sealed-event.ts';
import { merkle } from './tile-reader.ts';
import type { LeafRow } from './verify-store.ts';

export interface CheckedLeaf {
  readonly hash: Uint8Array;
  /** Undefined where the event is gone or is not the one of this leaf. */
  readonly recordedMs: number | undefined;
}

export interface LeafCheck {
  /** Checks one leaf; `inTree` is its hash as the stored tile has it, undefined at the right edge. */
  check(index: number, leaf: LeafRow | undefined, inTree: Uint8Array | undefined): CheckedLeaf;
  counts(): { readonly eventsChecked: number; readonly erased: number };
}

interface Place {
  readonly index: number;
  readonly eventId: string;
}

/** Stands for a hash nobody has any more; no root with it in verifies. */
const NO_HASH = new Uint8Array(32);

/** Opens each event and computes its leaf. Where that is not what the tile has, the tile's hash goes on: one bad event, one finding. */
export function createLeafCheck(keyRing: KeyRing, problems: ProblemList): LeafCheck {
  let [eventsChecked, erased] = [0, 0];

  function checkContent(event: EventRow, erasedBecause: string | null, at: Place): void {
    if (event.sealed === null) {
      erased++;
      if (erasedBecause !== null) return;
      problems.add({ code: 'event-erased', ...at, detail: 'The content is gone, and no erasure was recorded.' });
      return;
    }
    try {
      const opened = openRow(keyRing, event);
      if (opened !== undefined && equalBytes(opened.commitment, event.commitment)) return;
      problems.add({ code: 'commitment-wrong', ...at, detail: 'The commitment is not of this content.' });
    } catch {
      problems.add({
        code: 'event-changed',
        ...at,
        detail: 'The content or a column was changed: the seal is broken.',
      });
    }
  }

  return {
    check(index, leaf, inTree) {
      const fallback = { hash: inTree ?? NO_HASH, recordedMs: undefined };
      if (leaf === undefined) {
        problems.add({ code: 'leaf-missing', index, detail: 'There is no leaf of this number.' });
        return fallback;
      }
      const { event, eventId } = leaf;
      if (event === undefined) {
        problems.add({ code: 'event-missing', index, eventId, detail: 'The event of this leaf is gone.' });
        return fallback;
      }
      eventsChecked++;
      checkContent(event, leaf.erasedBecause, { index, eventId });
      const { recordedMs, commitment } = event;
      const hash = merkle.leafHash(encodeLeaf({ index, recordedMs, event: event.event, commitment }));
      if (inTree === undefined || equalBytes(hash, inTree)) return { hash, recordedMs };
      const detail = 'The event is not the one that was put into the tree here.';
      problems.add({ code: 'leaf-wrong', index, eventId, detail });
      return fallback;
    },
    counts: () => ({ eventsChecked, erased }),
  };
}
