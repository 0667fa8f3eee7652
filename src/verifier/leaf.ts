/**
 * A leaf of the audit tree: a commitment to one event that says nothing about a person. formats/audit-tree.md has the layout:
 * version 0x01 ‖ index u64 ‖ recorded u64 (Unix ms) ‖ name length u8 ‖ name ASCII ‖ SHA-256(nonce ‖ canonical JSON).
 */
export interface Leaf {
  readonly index: number;
  readonly recordedMs: number;
  /** The event's name, `client.read`. */
  readonly event: string;
  /** SHA-256(nonce ‖ canonical JSON of the AuditEvent), 32 bytes. */
  readonly commitment: Uint8Array;
}

const VERSION = 1;
const FIXED_BYTES = 1 + 8 + 8 + 1;
const COMMITMENT_BYTES = 32;
const NAME = /^[a-z0-9.-]{1,100}$/;

/** Nonce in front of the JSON: hides an event whose content could be guessed. */
export const NONCE_BYTES = 16;

export function encodeLeaf(leaf: Leaf): Uint8Array {
  const { event } = leaf;
  const bytes = new Uint8Array(FIXED_BYTES + event.length + COMMITMENT_BYTES);
  bytes[0] = VERSION;
  putU64(bytes, 1, leaf.index);
  putU64(bytes, 9, leaf.recordedMs);
  bytes[17] = event.length;
  for (let i = 0; i < event.length; i++) bytes[FIXED_BYTES + i] = event.charCodeAt(i);
  bytes.set(leaf.commitment, FIXED_BYTES + event.length);
  return bytes;
}

/** Undefined when the bytes are not a leaf, to the byte. */
export function parseLeaf(bytes: Uint8Array): Leaf | undefined {
  const nameLength = bytes[17];
  if (bytes[0] !== VERSION || nameLength === undefined) return undefined;
  if (bytes.length !== FIXED_BYTES + nameLength + COMMITMENT_BYTES) return undefined;
  const event = String.fromCharCode(...bytes.subarray(FIXED_BYTES, FIXED_BYTES + nameLength));
  const index = getU64(bytes, 1);
  const recordedMs = getU64(bytes, 9);
  if (!NAME.test(event) || !Number.isSafeInteger(index) || !Number.isSafeInteger(recordedMs)) return undefined;
  return { index, recordedMs, event, commitment: bytes.slice(FIXED_BYTES + nameLength) };
}

function putU64(bytes: Uint8Array, offset: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  const low = value % 0x1_0000_0000;
  for (let i = 0; i < 4; i++) {
    bytes[offset + i] = (high >>> (24 - 8 * i)) & 0xff;
    bytes[offset + 4 + i] = (low >>> (24 - 8 * i)) & 0xff;
  }
}

function getU64(bytes: Uint8Array, offset: number): number {
  let value = 0;
  for (let i = 0; i < 8; i++) value = value * 256 + (bytes[offset + i] ?? Number.NaN);
  return value;
}
