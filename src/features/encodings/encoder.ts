import { hkdfSha256, hmacKey, hmacSha256, secretKey } from '../../crypto/index.ts';
import { toBase64Url, utf8Encode } from '../../kernel/bytes.ts';
import type { MatchRecord } from '../matching/index.ts';
import { hasBit, setBit } from './bits.ts';
import { gramsOf } from './grams.ts';
import type { EncodingProject, Hardening } from './model.ts';

/** Bits of a filter before hardening. A record sets about a quarter of them. */
export const FILTER_BITS = 1024;
/** Bits of a hardened filter: balancing adds the complement, folding lays one half over the other. */
export const HARDENED_BITS: Readonly<Record<Hardening, number>> = {
  balanced: 2 * FILTER_BITS,
  'xor-folded': FILTER_BITS / 2,
};

export interface Encoder {
  /** The hardened filter; undefined for a record that says too little to be compared. */
  encode(record: MatchRecord): Uint8Array | undefined;
  readonly fingerprint: string;
}

/** Fields a record must have at least: less would match half the country. */
const FIELDS_MIN = 3;

/** Builds the encoder of a project. Derives one key per field, so that equal values of different fields set unrelated bits. */
export function createEncoder(project: EncodingProject): Encoder {
  const root = secretKey(project.key.slice());
  const derived = (use: string): Uint8Array =>
    hkdfSha256(root, new Uint8Array(0), utf8Encode(`careseal encoding 1 ${use}`), 32);
  const fieldKeys = new Map<string, ReturnType<typeof hmacKey>>();
  const keyOf = (field: string) => {
    const known = fieldKeys.get(field);
    if (known !== undefined) return known;
    const key = hmacKey(derived(`field ${field}`));
    fieldKeys.set(field, key);
    return key;
  };
  const order = permutation(derived('order'), HARDENED_BITS[project.hardening]);
  return {
    fingerprint: toBase64Url(derived('fingerprint').subarray(0, 9)),
    encode(record) {
      const fields = gramsOf(record);
      if (fields.length < FIELDS_MIN) return undefined;
      const filter = new Uint32Array(FILTER_BITS / 32);
      for (const { field, grams, bitsPerGram } of fields) {
        for (const gram of grams) {
          const digest = hmacSha256(keyOf(field), utf8Encode(gram));
          for (let n = 0; n < bitsPerGram; n++) setBit(filter, positionOf(digest, n));
        }
      }
      return hardened(filter, project.hardening, order);
    },
  };
}

/** The n-th of up to 16 independent positions that a digest gives: its n-th two bytes. */
function positionOf(digest: Uint8Array, n: number): number {
  return (((digest[2 * n] as number) << 8) | (digest[2 * n + 1] as number)) % FILTER_BITS;
}

function hardened(filter: Uint32Array, hardening: Hardening, order: Uint16Array): Uint8Array {
  const bits = HARDENED_BITS[hardening];
  const out = new Uint8Array(bits / 8);
  for (let bit = 0; bit < bits; bit++) {
    const from = order[bit] as number;
    const set =
      hardening === 'balanced'
        ? hasBit(filter, from % FILTER_BITS) !== from >= FILTER_BITS
        : hasBit(filter, from) !== hasBit(filter, from + FILTER_BITS / 2);
    if (set) out[bit >>> 3] = (out[bit >>> 3] as number) | (1 << (bit & 7));
  }
  return out;
}

/** A keyed shuffle (Fisher–Yates over HMAC output): without the key nobody knows which two bits belong together. */
function permutation(key: Uint8Array, length: number): Uint16Array {
  const order = Uint16Array.from({ length }, (_, at) => at);
  const hmac = hmacKey(key);
  for (let at = length - 1; at > 0; at--) {
    const digest = hmacSha256(hmac, utf8Encode(String(at)));
    // 48 bits against at most 2,048 places: the bias is below 2^-37.
    let number = 0;
    for (let byte = 0; byte < 6; byte++) number = number * 256 + (digest[byte] as number);
    const other = number % (at + 1);
    const moved = order[at] as number;
    order[at] = order[other] as number;
    order[other] = moved;
  }
  return order;
}
