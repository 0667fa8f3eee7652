import { equalBytes, toBase64 } from '../../kernel/bytes.ts';
import type { KeyRing } from '../../store/index.ts';
import { encodeLeaf } from '../../verifier/index.ts';
import type { BatchedEvent } from './event-batch.ts';
import type { IndexedEvent } from './event-store.ts';
import type { ProblemList } from './problem-list.ts';
import { commitmentOf, type FormerColumns, jsonOf, TOKEN } from './sealed-event.ts';
import { merkle } from './tile-reader.ts';
import type { Content } from './verify-batches.ts';

export interface CheckedLeaf {
  readonly hash: Uint8Array;
  /** Undefined where the event is gone or is not the one of this leaf. */
  readonly recordedMs: number | undefined;
}

export interface LeafCheck {
  /** Checks one leaf; `inTree` is its hash as the stored tile has it, undefined at the right edge. */
  check(tally: Tally, index: number, found: Found | undefined, inTree: Uint8Array | undefined): CheckedLeaf;
}

/** Where findings of a page are put down. */
export interface Tally {
  readonly problems: ProblemList;
  eventsChecked: number;
  erased: number;
}

export interface Found {
  readonly row: IndexedEvent;
  readonly content: Content;
}

/** Stands for a hash nobody has any more; no root with it in verifies. */
const NO_HASH = new Uint8Array(32);

/** Compares each event with its columns, its commitment and its leaf. Where they differ, the tile's hash goes on: one bad event, one finding. */
export function createLeafCheck(keyRing: KeyRing): LeafCheck {
  const tokens = createTokenCheck(keyRing);

  function checkContent(tally: Tally, row: IndexedEvent, content: Content): void {
    const { problems } = tally;
    const at = { index: row.index, eventId: row.id };
    switch (content.kind) {
      case 'missing':
        problems.add({ code: 'event-missing', ...at, detail: 'The batch with the content of this event is gone.' });
        return;
      case 'broken':
        problems.add({ code: 'event-changed', ...at, detail: 'The content was changed: the seal is broken.' });
        return;
      case 'erased':
        tally.erased++;
        if (content.because !== undefined) return;
        problems.add({ code: 'event-erased', ...at, detail: 'The content is gone, and no erasure was recorded.' });
        return;
      case 'open':
        checkOpen(problems, row, content.event, content.former);
    }
  }

  function checkOpen(
    problems: ProblemList,
    row: IndexedEvent,
    event: BatchedEvent,
    former: FormerColumns | null,
  ): void {
    const at = { index: row.index, eventId: row.id };
    const same = sameFacts(row, event) && (former === null ? tokens(row, event) : sameFormer(row, former));
    if (!same) problems.add({ code: 'event-changed', ...at, detail: 'A column says something else than the event.' });
    if (equalBytes(commitmentOf(event.nonce, jsonOf(event) ?? ''), row.commitment)) return;
    problems.add({ code: 'commitment-wrong', ...at, detail: 'The commitment is not of this content.' });
  }

  return {
    check(tally, index, found, inTree) {
      const { problems } = tally;
      const fallback = { hash: inTree ?? NO_HASH, recordedMs: undefined };
      if (found === undefined) {
        problems.add({ code: 'event-missing', index, detail: 'The event of this leaf is gone.' });
        return fallback;
      }
      const { row, content } = found;
      tally.eventsChecked++;
      checkContent(tally, row, content);
      const { recordedMs, commitment, event } = row;
      const hash = merkle.leafHash(encodeLeaf({ index, recordedMs, event, commitment }));
      if (inTree === undefined || equalBytes(hash, inTree)) return { hash, recordedMs };
      const detail = 'The event is not the one that was put into the tree here.';
      problems.add({ code: 'leaf-wrong', index, eventId: row.id, detail });
      return fallback;
    },
  };
}

function sameFacts(row: IndexedEvent, event: BatchedEvent): boolean {
  return (
    row.id === event.id &&
    row.recordedMs === event.recordedMs &&
    row.outcome === event.outcome &&
    row.event === event.event &&
    row.actorKind === event.actorKind
  );
}

function sameFormer(row: IndexedEvent, former: FormerColumns): boolean {
  return (
    String(row.actor) === former.actor &&
    (row.client === null ? null : String(row.client)) === former.client &&
    (row.address === null ? null : String(row.address)) === former.address &&
    toBase64(row.commitment) === former.commitment.replaceAll('\n', '')
  );
}

const KNOWN_MAX = 20_000;

/** Tokens may be under any index key in use; those of few actors and addresses are remembered. */
function createTokenCheck(keyRing: KeyRing): (row: IndexedEvent, event: BatchedEvent) => boolean {
  const known = new Map<string, readonly bigint[]>();
  function fits(parameter: string, value: string | undefined, token: bigint | null): boolean {
    if (value === undefined) return token === null;
    // Clients are too many to be remembered.
    if (parameter === TOKEN.client) return token !== null && keyRing.blindAll(parameter, value).includes(token);
    const key = `${parameter} ${value}`;
    let tokens = known.get(key);
    if (tokens === undefined) {
      if (known.size >= KNOWN_MAX) known.clear();
      tokens = keyRing.blindAll(parameter, value);
      known.set(key, tokens);
    }
    return token !== null && tokens.includes(token);
  }
  return (row, event) =>
    fits(TOKEN.actor, event.actor, row.actor) &&
    fits(TOKEN.client, event.client, row.client) &&
    fits(TOKEN.address, event.address, row.address);
}
