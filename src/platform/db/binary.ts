/**
 * Arrays as parameters in PostgreSQL's binary form (`array_send` and the elements' own `…_send`): the driver passes bytes on as they are,
 * and the server reads them without parsing. For statements that write very many rows; the statement must name the array's type
 * (`$1::uuid[]`).
 */

const OID = { bool: 16, bytea: 17, int8: 20, int4: 23, text: 25, float4: 700, timestamptz: 1184, uuid: 2950 } as const;
type ElementType = keyof typeof OID;

const HEADER_BYTES = 20;
/** Length in front of each element; this one stands for null. */
const LENGTH_BYTES = 4;
const IS_NULL = -1;

/** An array under way: its header is written, `at` is where the first element goes. */
interface Writing {
  readonly bytes: Buffer;
  readonly at: number;
}

function begin(type: ElementType, count: number, elementBytes: number): Writing {
  if (count === 0) {
    // No dimensions, no elements.
    const bytes = Buffer.alloc(12);
    bytes.writeInt32BE(OID[type], 8);
    return { bytes, at: bytes.length };
  }
  const bytes = Buffer.allocUnsafeSlow(HEADER_BYTES + count * LENGTH_BYTES + elementBytes);
  bytes.writeInt32BE(1, 0);
  // Whether there are nulls is a hint that PostgreSQL does not rely on.
  bytes.writeInt32BE(1, 4);
  bytes.writeInt32BE(OID[type], 8);
  bytes.writeInt32BE(count, 12);
  bytes.writeInt32BE(1, 16);
  return { bytes, at: HEADER_BYTES };
}

/** Elements of one size, nulls apart. */
function fixed<T>(
  type: ElementType,
  size: number,
  values: readonly (T | null)[],
  write: (view: DataView, value: T, at: number) => void,
): Buffer {
  const { bytes, at } = begin(type, values.length, values.length * size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let next = at;
  for (const value of values) {
    view.setInt32(next, value === null ? IS_NULL : size);
    next += LENGTH_BYTES;
    if (value === null) continue;
    write(view, value, next);
    next += size;
  }
  // What nulls left over.
  return bytes.subarray(0, next);
}

const UUID_BYTES = 16;
const NIBBLES = new Uint8Array(128);
for (let digit = 0; digit < 16; digit++) {
  NIBBLES[digit.toString(16).charCodeAt(0)] = digit;
  NIBBLES[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** 8-4-4-4-12 hexadecimal digits; nothing else is checked, the ids are ours. */
function writeUuid(view: DataView, id: string, at: number): void {
  let from = 0;
  for (let byte = 0; byte < UUID_BYTES; byte++) {
    if (id.charCodeAt(from) === 0x2d) from++;
    const high = NIBBLES[id.charCodeAt(from) & 0x7f] as number;
    view.setUint8(at + byte, (high << 4) | (NIBBLES[id.charCodeAt(from + 1) & 0x7f] as number));
    from += 2;
  }
}

export const uuidArray = (ids: readonly (string | null)[]): Buffer => fixed('uuid', UUID_BYTES, ids, writeUuid);

export const int4Array = (values: readonly (number | null)[]): Buffer =>
  fixed('int4', 4, values, (view, value, at) => view.setInt32(at, value));

export const int8Array = (values: readonly (bigint | null)[]): Buffer =>
  fixed('int8', 8, values, (view, value, at) => view.setBigInt64(at, value));

export const float4Array = (values: readonly (number | null)[]): Buffer =>
  fixed('float4', 4, values, (view, value, at) => view.setFloat32(at, value));

export const boolArray = (values: readonly (boolean | null)[]): Buffer =>
  fixed('bool', 1, values, (view, value, at) => view.setUint8(at, value ? 1 : 0));

/** PostgreSQL counts microseconds from 2000-01-01. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

/** Instants in ms of Unix time. */
export const timestamptzArray = (instantsMs: readonly (number | null)[]): Buffer =>
  fixed('timestamptz', 8, instantsMs, (view, value, at) => view.setBigInt64(at, BigInt(value - EPOCH_MS) * 1000n));

export function byteaArray(values: readonly (Uint8Array | null)[]): Buffer {
  let total = 0;
  for (const value of values) total += value?.length ?? 0;
  const { bytes, at } = begin('bytea', values.length, total);
  let next = at;
  for (const value of values) {
    bytes.writeInt32BE(value?.length ?? IS_NULL, next);
    next += LENGTH_BYTES;
    if (value === null) continue;
    bytes.set(value, next);
    next += value.length;
  }
  return bytes;
}

export function textArray(values: readonly (string | null)[]): Buffer {
  let total = 0;
  for (const value of values) total += value === null ? 0 : Buffer.byteLength(value);
  const { bytes, at } = begin('text', values.length, total);
  let next = at;
  for (const value of values) {
    const length = value === null ? IS_NULL : bytes.write(value, next + LENGTH_BYTES, 'utf8');
    bytes.writeInt32BE(length, next);
    next += LENGTH_BYTES + Math.max(0, length);
  }
  return bytes;
}
