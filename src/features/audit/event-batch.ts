import { pooledRandomInto } from '../../crypto/index.ts';
import type { AuditEventId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/principal.ts';
import { NONCE_BYTES } from '../../verifier/index.ts';
import { idTimeMs } from './event-id.ts';

/**
 * What is inside the seal of a batch, formats/audit-tree.md §6: events one after the other, each with the texts that several of
 * them share (who acted, what the act was) written once per batch. Pure but for the nonces, which are random.
 */
export interface BatchedEvent {
  readonly id: AuditEventId;
  readonly recordedMs: number;
  /** 16 random bytes that hide the event behind its commitment; zero after an erasure. */
  readonly nonce: Uint8Array;
  /** 0, 4 or 8. */
  readonly outcome: number;
  readonly actorKind: Principal['kind'];
  readonly event: string;
  /** Id of the actor, empty after an erasure. */
  readonly actor: string;
  readonly address: string | undefined;
  /** Id of the client concerned. */
  readonly client: string | undefined;
  /** Packed JSON in three parts, of which the first and the last are shared; undefined after an erasure. */
  readonly content: PackedEvent | undefined;
}

/** Packed canonical JSON of one event: `before + own + after`. */
export interface PackedEvent {
  readonly before: string;
  readonly own: string;
  readonly after: string;
}

export type NewEvent = Omit<BatchedEvent, 'recordedMs' | 'nonce' | 'content'> & { readonly content: PackedEvent };

const VERSION = 2;
/** A reference to no text. */
const NONE = 0xff_ff;
/** The most events written into one batch: whoever lists one of them reads them all. */
export const BATCH_MAX = 64;
/** The most that a batch can hold. */
const EVENTS_MAX = 256;
const KINDS = ['user', 'node', 'operator', 'system', 'anonymous'] as const satisfies readonly Principal['kind'][];
/** Writes one batch after the other into the same memory. */
export interface BatchWriter {
  /** Adds an event, with a fresh nonce. */
  add(event: NewEvent): void;
  /** Adds an event that was read from a batch, as it is. */
  addAgain(event: BatchedEvent): void;
  /** The bytes so far, in memory that the next `add` reuses; the writer begins anew. */
  take(): Uint8Array;
}

const FIRST_BYTES = 65_536;
/** Room for everything of an event but its texts, and for a text's length. */
const FIXED_BYTES = 64;

/** Bytes that grow; all numbers big-endian. */
function createBytes() {
  let bytes = Buffer.allocUnsafe(FIRST_BYTES);
  let at = 0;

  function room(more: number): void {
    if (at + more <= bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(bytes.length * 2, at + more));
    bytes.copy(larger, 0, 0, at);
    bytes = larger;
  }

  return {
    u8(value: number): void {
      bytes[at++] = value;
    },
    u16(value: number): void {
      bytes[at++] = value >>> 8;
      bytes[at++] = value & 0xff;
    },
    /** Room for one event's fixed parts from here on. */
    begin: () => room(FIXED_BYTES),
    id(id: string): void {
      for (let i = 0; i < 36; i += 2) {
        if (i === 8 || i === 13 || i === 18 || i === 23) i++;
        bytes[at++] = (nibble(id.charCodeAt(i)) << 4) | nibble(id.charCodeAt(i + 1));
      }
    },
    nonce(nonce: Uint8Array | undefined): void {
      if (nonce === undefined) pooledRandomInto(bytes, at, NONCE_BYTES);
      else bytes.set(nonce, at);
      at += NONCE_BYTES;
    },
    text(text: string): void {
      room(text.length * 3 + FIXED_BYTES);
      const length = bytes.write(text, at + 4);
      at = bytes.writeUInt32BE(length, at) + length;
    },
    /** Everything, behind version and count; then begins anew. */
    take(count: number): Uint8Array {
      bytes[0] = VERSION;
      bytes.writeUInt16BE(count, 1);
      const taken = bytes.subarray(0, Math.max(at, HEADER_BYTES));
      at = HEADER_BYTES;
      return taken;
    },
    reset(): void {
      at = HEADER_BYTES;
    },
  };
}

const HEADER_BYTES = 3;

export function createBatchWriter(): BatchWriter {
  const bytes = createBytes();
  const texts = new Map<string, number>();
  let count = 0;
  bytes.reset();

  /** A text's number, and the text itself where it comes first. */
  function shared(text: string | undefined): void {
    if (text === undefined) return bytes.u16(NONE);
    const known = texts.get(text);
    if (known !== undefined) return bytes.u16(known);
    bytes.u16(texts.size);
    texts.set(text, texts.size);
    bytes.text(text);
  }

  function write(event: Omit<BatchedEvent, 'recordedMs' | 'nonce'>, nonce: Uint8Array | undefined): void {
    if (++count > EVENTS_MAX) throw new RangeError('A batch has at most 256 events');
    bytes.begin();
    bytes.id(event.id);
    bytes.nonce(nonce);
    bytes.u8(event.outcome);
    bytes.u8(KINDS.indexOf(event.actorKind));
    shared(event.event);
    shared(event.actor);
    shared(event.address);
    shared(event.content?.before);
    shared(event.content?.after);
    bytes.text(event.client ?? '');
    bytes.text(event.content?.own ?? '');
  }

  return {
    add: (event) => write(event, undefined),
    addAgain: (event) => write(event, event.nonce),
    take() {
      const taken = bytes.take(count);
      count = 0;
      texts.clear();
      return taken;
    },
  };
}

/** Value of a lower-case hexadecimal digit. */
const nibble = (code: number): number => (code < 58 ? code - 48 : code - 87);

/** Reads a batch. Throws RangeError when it is none: sealed bytes are, so a bug or another version made it. */
export function readBatch(payload: Uint8Array): BatchedEvent[] {
  return readPlaces(payload, () => true).filter((event) => event !== undefined);
}

/**
 * The same for a few of its events; undefined at the other places. Lists want one event of each of many batches: what is not wanted is
 * passed over without making a text of it.
 */
export function readPlaces(payload: Uint8Array, isWanted: (place: number) => boolean): (BatchedEvent | undefined)[] {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (bytes[0] !== VERSION) throw new RangeError('Not a batch of events of this version');
  const cursor = createCursor(bytes);
  const events = Array.from({ length: bytes.readUInt16BE(1) }, (_, place) => {
    const found = readFields(cursor);
    return isWanted(place) ? toBatchedEvent(bytes, cursor, found) : undefined;
  });
  if (cursor.at() !== bytes.length) throw new RangeError('The batch is longer than its events');
  return events;
}

/** Where a text lies; made into one only when somebody asks. */
interface Span {
  readonly start: number;
  readonly end: number;
}

function createCursor(bytes: Buffer) {
  const shared: Span[] = [];
  const made: (string | undefined)[] = [];
  let at = HEADER_BYTES;

  function span(): Span {
    const start = at + 4;
    const end = start + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new RangeError('The batch ends early');
    at = end;
    return { start, end };
  }

  return {
    at: () => at,
    skip(count: number): number {
      const start = at;
      at += count;
      return start;
    },
    span,
    /** Number of a shared text. */
    shared(): number {
      const number = bytes.readUInt16BE(at);
      at += 2;
      if (number === shared.length) shared.push(span());
      else if (number !== NONE && number > shared.length) throw new RangeError('The batch refers to a text it lacks');
      return number;
    },
    text: ({ start, end }: Span): string => bytes.toString('utf8', start, end),
    sharedText(number: number): string | undefined {
      const where = shared[number];
      if (where === undefined) return undefined;
      made[number] ??= bytes.toString('utf8', where.start, where.end);
      return made[number];
    },
  };
}

type Cursor = ReturnType<typeof createCursor>;

function readFields(cursor: Cursor) {
  const start = cursor.skip(16 + NONCE_BYTES + 2);
  const [event, actor, address] = [cursor.shared(), cursor.shared(), cursor.shared()];
  const [before, after] = [cursor.shared(), cursor.shared()];
  const [client, own] = [cursor.span(), cursor.span()];
  return { start, event, actor, address, before, after, client, own };
}

function toBatchedEvent(bytes: Buffer, cursor: Cursor, fields: ReturnType<typeof readFields>): BatchedEvent {
  const { start } = fields;
  const id = readId(bytes, start);
  const actorKind = KINDS[bytes.readUInt8(start + 17 + NONCE_BYTES)];
  const event = cursor.sharedText(fields.event);
  if (actorKind === undefined || event === undefined) throw new RangeError('The batch holds a broken event');
  const [before, after] = [cursor.sharedText(fields.before), cursor.sharedText(fields.after)];
  const client = cursor.text(fields.client);
  return {
    id,
    recordedMs: idTimeMs(id),
    nonce: bytes.subarray(start + 16, start + 16 + NONCE_BYTES),
    outcome: bytes.readUInt8(start + 16 + NONCE_BYTES),
    actorKind,
    event,
    actor: cursor.sharedText(fields.actor) ?? '',
    address: cursor.sharedText(fields.address),
    client: client === '' ? undefined : client,
    content: before === undefined || after === undefined ? undefined : { before, own: cursor.text(fields.own), after },
  };
}

function readId(bytes: Buffer, at: number): AuditEventId {
  const hex = bytes.toString('hex', at, at + 16);
  // Any 16 bytes print as a UUID; that they are one of ours, the seal proves.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as AuditEventId;
}

/** What is left of an event when its content is erased: what its leaf says of it, and nothing of who or whom. */
export function erasedEvent(event: BatchedEvent): BatchedEvent {
  const { id, recordedMs, outcome, actorKind } = event;
  const nonce = new Uint8Array(NONCE_BYTES);
  return {
    id,
    recordedMs,
    nonce,
    outcome,
    actorKind,
    event: event.event,
    actor: '',
    address: undefined,
    client: undefined,
    content: undefined,
  };
}
