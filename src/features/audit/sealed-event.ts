import { newId, pooledRandomBytes, sealedAtRest, sha256 } from '../../crypto/index.ts';
import { utf8Decode } from '../../kernel/bytes.ts';
import type { AuditEventId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { Problem } from '../../kernel/problem.ts';
import { instant } from '../../kernel/time.ts';
import type { KeyRing } from '../../store/index.ts';
import { NONCE_BYTES } from '../../verifier/index.ts';
import type { createEventWriter } from './audit-event.ts';
import { idTimeMs } from './event-id.ts';
import { eventShape } from './events.ts';
import type { AuditInput } from './model.ts';
import { unpack } from './packing.ts';

/** One row of audit.event, as it is written and read. */
export interface EventRow {
  readonly id: AuditEventId;
  readonly recordedMs: number;
  readonly actor: bigint;
  readonly client: bigint | null;
  readonly address: bigint | null;
  readonly outcome: number;
  readonly event: string;
  readonly actorKind: Principal['kind'];
  readonly commitment: Uint8Array;
  /** Null after an erasure. */
  readonly sealed: Uint8Array | null;
}

/** Payload inside the seal: version ‖ nonce ‖ packed canonical JSON. */
const PAYLOAD_VERSION = 1;
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

/** Turns one input into its rows: one per patient, as BALP asks, or one. */
export function createEventSealer(keyRing: KeyRing, write: ReturnType<typeof createEventWriter>) {
  const recent = createRecentTokens(keyRing);
  return (input: AuditInput): EventRow[] => {
    const shape = eventShape(input.event);
    if (shape === undefined) throw new Problem('internal', 'audit-event-unknown', 'This act has no audit event.');
    const { principal, origin } = input.actor;
    const shared = {
      actor: recent(TOKEN.actor, actorId(principal)),
      address: origin.address === undefined ? null : recent(TOKEN.address, origin.address),
      outcome: OUTCOMES[input.outcome],
      event: input.event,
      actorKind: principal.kind,
    };
    const patients: readonly (string | undefined)[] = input.patients?.length ? input.patients : [undefined];
    return patients.map((patient) => {
      const id = newId<AuditEventId>();
      const recordedMs = idTimeMs(id);
      const client = patient === undefined ? null : keyRing.blind(TOKEN.client, clientId(patient));
      const packed = write({ id, recorded: instant(recordedMs), input, shape, patient });
      return sealRow(keyRing, { ...shared, id, recordedMs, client }, packed);
    });
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

/** Id in a reference to a client, without `Patient/` and version. */
export function clientId(reference: string): string {
  const id = reference.startsWith('Patient/') ? reference.slice('Patient/'.length) : reference;
  const version = id.indexOf('/');
  return version < 0 ? id : id.slice(0, version);
}

function sealRow(keyRing: KeyRing, columns: Omit<EventRow, 'commitment' | 'sealed'>, packed: string): EventRow {
  const nonce = pooledRandomBytes(NONCE_BYTES);
  const payload = Buffer.allocUnsafe(1 + NONCE_BYTES + Buffer.byteLength(packed));
  payload[0] = PAYLOAD_VERSION;
  payload.set(nonce, 1);
  payload.write(packed, 1 + NONCE_BYTES);
  return { ...columns, commitment: commitmentOf(nonce, unpack(packed)), sealed: keyRing.seal(payload, place(columns)) };
}

// Scratch space: written and read within one synchronous call. Events are two or three kilobytes.
const scratch = Buffer.allocUnsafe(32_768);

/** SHA-256(nonce ‖ UTF-8 of the canonical JSON). */
function commitmentOf(nonce: Uint8Array, json: string): Buffer {
  const room = json.length * 3 + NONCE_BYTES <= scratch.length;
  const bytes = room ? scratch : Buffer.allocUnsafe(NONCE_BYTES + Buffer.byteLength(json));
  bytes.set(nonce);
  return sha256(bytes.subarray(0, NONCE_BYTES + bytes.write(json, NONCE_BYTES)));
}

/** Where the seal belongs: all plain columns stand in it, so whoever changes one of them breaks the seal. */
function place(row: Omit<EventRow, 'commitment' | 'sealed'>) {
  const columns = [row.event, row.outcome, row.actorKind, row.recordedMs, row.actor, row.client, row.address];
  return { table: 'audit.event', type: columns.join('|'), id: row.id, version: 1 };
}

export interface OpenedEvent {
  readonly nonce: Uint8Array;
  /** FHIR R4 AuditEvent, canonical JSON. */
  readonly json: string;
  /** SHA-256(nonce ‖ json), computed from what was opened. */
  readonly commitment: Uint8Array;
}

/** Opens a row. Undefined when its content was erased; throws Problem('internal', 'seal-broken') when anything was changed. */
export function openRow(keyRing: KeyRing, row: EventRow): OpenedEvent | undefined {
  if (row.sealed === null) return undefined;
  const payload = keyRing.open(sealedAtRest(row.sealed), place(row));
  if (payload[0] !== PAYLOAD_VERSION) throw new Problem('internal', 'seal-broken', 'An audit event cannot be read.');
  const nonce = payload.subarray(1, 1 + NONCE_BYTES);
  const json = unpack(utf8Decode(payload.subarray(1 + NONCE_BYTES)));
  return { nonce, json, commitment: commitmentOf(nonce, json) };
}
