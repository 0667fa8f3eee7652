import { fromBase64 } from '../../kernel/bytes.ts';
import type { KeyRing } from '../../store/index.ts';
import type { BatchedEvent } from './event-batch.ts';
import { type BatchRow, commitmentOf, type EventColumns, jsonOf, openBatch, TOKEN } from './sealed-event.ts';

/** Makes the function that computes the plain columns of a batch's events: commitments, and the blind tokens of who and whom. */
export function createColumnMaker(keyRing: KeyRing): (row: BatchRow) => EventColumns[] {
  const token = createRecentTokens(keyRing);

  function columns(event: BatchedEvent): EventColumns {
    const { id, recordedMs, outcome, actorKind, nonce, client, address } = event;
    return {
      id,
      recordedMs,
      outcome,
      actorKind,
      event: event.event,
      actor: token(TOKEN.actor, event.actor),
      client: client === undefined ? null : keyRing.blind(TOKEN.client, client),
      address: address === undefined ? null : token(TOKEN.address, address),
      commitment: commitmentOf(nonce, jsonOf(event) ?? ''),
    };
  }

  return (row) => {
    const events = openBatch(keyRing, row);
    if (events === undefined) throw new Error('A batch was erased before it was numbered');
    return row.former === null ? events.map(columns) : [formerColumns(row, events[0])];
  };
}

function formerColumns({ former }: BatchRow, event: BatchedEvent | undefined): EventColumns {
  if (former === null || event === undefined) throw new Error('Not a former event');
  const { recordedMs, outcome, actorKind, client, address } = former;
  return {
    id: event.id,
    recordedMs,
    outcome,
    actorKind,
    event: former.event,
    actor: BigInt(former.actor),
    client: client === null ? null : BigInt(client),
    address: address === null ? null : BigInt(address),
    commitment: fromBase64(former.commitment) ?? new Uint8Array(),
  };
}

const RECENT_MS = 10_000;
const RECENT_MAX = 2_000;

/**
 * Tokens of the few actors and addresses at work just now, since each costs an HMAC per event. Forgotten after seconds, so that a
 * new index key comes into use; until then the old key's tokens are found as well, because audit keys are never retired.
 */
function createRecentTokens(keyRing: KeyRing): (parameter: string, value: string) => bigint {
  const tokens = new Map<string, bigint>();
  let sinceMs = 0;
  return (parameter, value) => {
    const nowMs = performance.now();
    if (nowMs - sinceMs > RECENT_MS || tokens.size > RECENT_MAX) {
      tokens.clear();
      sinceMs = nowMs;
    }
    const key = `${parameter} ${value}`;
    const known = tokens.get(key) ?? keyRing.blind(parameter, value);
    tokens.set(key, known);
    return known;
  };
}
