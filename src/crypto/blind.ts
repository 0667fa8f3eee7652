import { utf8Encode } from '../kernel/bytes.ts';
import { hkdfSha256, KEY_BYTES, type SecretKey } from './secret-key.ts';
import {
  type Sha256State,
  sha256Finish,
  sha256FinishDigest,
  sha256StateOfBlock,
  wordsToBytes,
} from './sha256-portable.ts';

/**
 * Blind tokens: the only thing the database can search by. A token is HMAC-SHA-256 under the key of its search parameter
 * over the normalised value, cut to its first 64 bits (formats/sealed-at-rest.md §5). The cut makes rare collisions, which
 * searches filter out after opening, and gives a thief 64 bits per token instead of 256.
 */
export interface BlindKey {
  /** The token of a value, as PostgreSQL's signed bigint. The caller has normalised the value. */
  blind(value: string): bigint;
}

/** HMAC keeps two hash states, one block each (RFC 2104); everything else is computed per message. */
export interface HmacKey {
  readonly inner: Sha256State;
  readonly outer: Sha256State;
}

/** Prepares an HMAC key of up to 64 bytes. */
export function hmacKey(key: Uint8Array): HmacKey {
  if (key.length > 64) throw new RangeError('an HMAC key here has at most 64 bytes');
  const padded = (pad: number): Sha256State => {
    const block = new Uint8Array(64).fill(pad);
    for (let i = 0; i < key.length; i++) block[i] = (key[i] ?? 0) ^ pad;
    return sha256StateOfBlock(block);
  };
  return { inner: padded(0x36), outer: padded(0x5c) };
}

// Scratch space: written and read within one synchronous call.
const digest = new Int32Array(8);
const text = new Uint8Array(1024);
const halves = new Int32Array(2);
const signed = new BigInt64Array(halves.buffer);
/** Where the high word of a 64-bit number lies in this machine's memory. */
const HIGH = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** HMAC-SHA-256 of a message, 32 bytes. */
export function hmacSha256(key: HmacKey, message: Uint8Array): Uint8Array<ArrayBuffer> {
  sha256Finish(key.inner, message, message.length, digest);
  sha256FinishDigest(key.outer, digest, digest);
  return wordsToBytes(digest);
}

/**
 * The key of one search parameter, derived from an index key: HKDF-SHA-256, no salt, info "careseal blind 1 " + parameter.
 * Equal values of different parameters so get unrelated tokens.
 */
export function blindKey(indexKey: SecretKey, parameter: string): BlindKey {
  const bytes = hkdfSha256(indexKey, new Uint8Array(0), utf8Encode(`careseal blind 1 ${parameter}`), KEY_BYTES);
  const key = hmacKey(bytes);
  bytes.fill(0);
  return { blind: (value) => token(key, value) };
}

function token(key: HmacKey, value: string): bigint {
  const ascii = writeAscii(value);
  const message = ascii ? text : utf8Encode(value);
  sha256Finish(key.inner, message, ascii ? value.length : message.length, digest);
  sha256FinishDigest(key.outer, digest, digest);
  halves[HIGH] = digest[0] as number;
  halves[1 - HIGH] = digest[1] as number;
  return signed[0] as bigint;
}

/** Most values are short and ASCII; their UTF-8 is written without an allocation. */
function writeAscii(value: string): boolean {
  if (value.length > text.length) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 0x7f) return false;
    text[i] = code;
  }
  return true;
}
