import { newId, type SealContext, sealedAtRest, sha256 } from '../../crypto/index.ts';
import { utf8Decode } from '../../kernel/bytes.ts';
import type { AuditEventId, Branded } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import { instant } from '../../kernel/time.ts';
import type { KeyRing } from '../../store/index.ts';
import { NONCE_BYTES } from '../../verifier/index.ts';
import type { createEventWriter } from './audit-event.ts';
import { BATCH_MAX, type BatchedEvent, createBatchWriter, type PackedEvent, readPlaces } from './event-batch.ts';
import { idTimeMs } from './event-id.ts';
import { eventShape } from './events.ts';
import type { AuditInput } from './model.ts';
import { unpack } from './packing.ts';

export type BatchId = Branded<'AuditBatchId'>;

/** Plain columns of an event: what the database can filter by. */
export interface EventColumns {
  readonly id: AuditEventId;
  readonly recordedMs: number;
  readonly actor: bigint;
  readonly client: bigint | null;
  readonly address: bigint | null;
  readonly outcome: number;
  readonly event: string;
  readonly actorKind: Principal['kind'];
  readonly commitment: Uint8Array;
}

/** One row of audit.event. Its content rests in a batch, sealed together with the events that were written with it. */
export interface EventRow extends EventColumns {
  readonly batch: BatchId;
  /** From 0, in its batch. */
  readonly place: number;
}

/** One row of audit.batch, as it is written. */
export interface SealedBatch {
  readonly id: BatchId;
  readonly events: number;
  readonly sealed: Uint8Array;
}

/** One row of audit.batch, as it is read. */
export interface BatchRow extends Omit<SealedBatch, 'sealed'> {
  /** Null after all of it was erased. */
  readonly sealed: Uint8Array | null;
  /** Of an event that was written before there were batches: the columns its seal is bound to. */
  readonly former: FormerColumns | null;
}

/** Tokens in decimal, since JSON's numbers are too short for them. */
export interface FormerColumns {
  readonly recordedMs: number;
  readonly actor: string;
  readonly client: string | null;
  readonly address: string | null;
  readonly outcome: number;
  readonly event: string;
  readonly actorKind: Principal['kind'];
  /** Base64. */
  readonly commitment: string;
}

const OUTCOMES = { success: 0, 'minor-failure': 4, 'serious-failure': 8 } as const;

/** Blind parameters of the audit family; identifiers, so nothing is normalised but the `Patient/` in front. */
export const TOKEN = { actor: 'audit.actor', client: 'audit.client', address: 'audit.address' } as const;

/** The id an actor is known by in the log and in its filters. */
export function actorId(principal: Principal): string {
  switch (principal.kind) {
    case 'user':
      return principal.userId;
    case 'node':
      return principal.nodeId;
    case 'operator':
      return principal.osUser;
    default:
      return principal.kind;
  }
}

/** Id in a reference to a client, without `Patient/` and version. */
export function clientId(reference: string): string {
  const id = reference.startsWith('Patient/') ? reference.slice('Patient/'.length) : reference;
  const version = id.indexOf('/');
  return version < 0 ? id : id.slice(0, version);
}

/** Throws for an act that is in no table: before it waits together with others. */
export function assertKnown(input: AuditInput): void {
  if (eventShape(input.event) === undefined)
    throw new Problem('internal', 'audit-event-unknown', 'This act has no audit event.');
}

/** Turns inputs into sealed batches, one event per patient of each, in their order. */
export function createBatchSealer(
  keyRing: KeyRing,
  write: ReturnType<typeof createEventWriter>,
): (inputs: Iterable<AuditInput>) => SealedBatch[] {
  const writer = createBatchWriter();
  let waiting = 0;

  function add(input: AuditInput, patient: string | undefined): void {
    const shape = eventShape(input.event);
    if (shape === undefined) return;
    const { principal, origin } = input.actor;
    const id = newId<AuditEventId>();
    waiting++;
    writer.add({
      id,
      outcome: OUTCOMES[input.outcome],
      actorKind: principal.kind,
      event: input.event,
      actor: actorId(principal),
      address: origin.address,
      client: patient === undefined ? undefined : clientId(patient),
      content: write({ id, recorded: instant(idTimeMs(id)), input, shape, patient }),
    });
  }

  function flush(into: SealedBatch[]): void {
    if (waiting === 0) return;
    into.push(sealBatch(keyRing, { id: newId<BatchId>(), events: waiting, payload: writer.take() }));
    waiting = 0;
  }

  function sealAll(inputs: Iterable<AuditInput>): SealedBatch[] {
    const batches: SealedBatch[] = [];
    for (const input of inputs) {
      const { patients } = input;
      for (const patient of patients === undefined || patients.length === 0 ? NOBODY : patients) {
        if (waiting === BATCH_MAX) flush(batches);
        add(input, patient);
      }
    }
    flush(batches);
    return batches;
  }

  return (inputs) => {
    try {
      return sealAll(inputs);
    } catch (error) {
      // Nothing of a batch that came to nothing may be left for the next one.
      writer.take();
      waiting = 0;
      throw error;
    }
  };
}

const NOBODY = [undefined] as const;

interface Payload {
  readonly id: BatchId;
  readonly events: number;
  readonly payload: Uint8Array;
}

export function sealBatch(keyRing: Pick<KeyRing, 'seal'>, { id, events, payload }: Payload): SealedBatch {
  return { id, events, sealed: keyRing.seal(payload, placeOf(id, events)) };
}

/** Where a batch's seal belongs; the number of its events stands in it, since that is a plain column. */
const placeOf = (id: BatchId, events: number): SealContext => ({
  table: 'audit.batch',
  type: String(events),
  id,
  version: 1,
});

/** Opens a batch. Undefined when all of it was erased; throws Problem('internal', 'seal-broken') when anything was changed. */
export function openBatch(keyRing: KeyRing, row: BatchRow): readonly BatchedEvent[] | undefined {
  return openPlaces(keyRing, row, () => true)?.filter((event) => event !== undefined);
}

/** The same for some of its events; undefined at the other places. */
export function openPlaces(
  keyRing: KeyRing,
  row: BatchRow,
  isWanted: (place: number) => boolean,
): readonly (BatchedEvent | undefined)[] | undefined {
  if (row.sealed === null) return undefined;
  if (row.former !== null) return [openFormer(keyRing, row.id, { ...row.former, sealed: row.sealed })];
  const events = readPlaces(keyRing.open(sealedAtRest(row.sealed), placeOf(row.id, row.events)), isWanted);
  if (events.length !== row.events) throw new Problem('internal', 'seal-broken', 'An audit batch cannot be read.');
  return events;
}

/** Payload of the first format: 0x01 ‖ nonce ‖ packed JSON, of one event, bound to all of its columns. */
function openFormer(keyRing: KeyRing, id: BatchId, row: FormerColumns & { readonly sealed: Uint8Array }): BatchedEvent {
  const { event, outcome, actorKind, recordedMs, actor, client, address } = row;
  const type = [event, outcome, actorKind, recordedMs, actor, client, address].join('|');
  const payload = keyRing.open(sealedAtRest(row.sealed), { table: 'audit.event', type, id, version: 1 });
  if (payload[0] !== 1) throw new Problem('internal', 'seal-broken', 'An audit event cannot be read.');
  const own = utf8Decode(payload.subarray(1 + NONCE_BYTES));
  return {
    // Batches made of former events carry the event's id.
    id: id as string as AuditEventId,
    recordedMs,
    nonce: payload.subarray(1, 1 + NONCE_BYTES),
    outcome,
    actorKind,
    event,
    actor: '',
    address: undefined,
    client: undefined,
    content: { before: '', own, after: '' },
  };
}

/** FHIR R4 AuditEvent, canonical JSON; undefined after an erasure. */
export function jsonOf({ content }: BatchedEvent): string | undefined {
  return content === undefined ? undefined : unpackEvent(content);
}

/** Canonical JSON of an event that was not erased. */
export function unpackEvent({ before, own, after }: PackedEvent): string {
  return unpacked(before) + unpack(own) + unpacked(after);
}

/** Shared texts come again and again, batch after batch. */
const recentTexts = new Map<string, string>();
const RECENT_TEXTS_MAX = 500;

function unpacked(text: string): string {
  let known = recentTexts.get(text);
  if (known === undefined) {
    if (recentTexts.size >= RECENT_TEXTS_MAX) recentTexts.clear();
    known = unpack(text);
    recentTexts.set(text, known);
  }
  return known;
}

// Scratch space: written and read within one synchronous call. Events are two or three kilobytes.
const scratch = Buffer.allocUnsafe(32_768);

/** SHA-256(nonce ‖ UTF-8 of the canonical JSON). */
export function commitmentOf(nonce: Uint8Array, json: string): Buffer {
  const room = json.length * 3 + NONCE_BYTES <= scratch.length;
  const bytes = room ? scratch : Buffer.allocUnsafe(NONCE_BYTES + Buffer.byteLength(json));
  bytes.set(nonce);
  return sha256(bytes.subarray(0, NONCE_BYTES + bytes.write(json, NONCE_BYTES)));
}
