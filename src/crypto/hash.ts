import { createHash, hash, timingSafeEqual as nodeTimingSafeEqual } from 'node:crypto';
import { utf8Encode } from '../kernel/bytes.ts';

/** SHA-256, 32 bytes. One shot: 1.2 µs for short inputs, half the price of an incremental hash. */
export function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

/** SHA-256 as lower-case hexadecimal: certificate fingerprints, file digests. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** SHA-512 as lower-case hexadecimal, for protocols of others that ask for it. */
export function sha512Hex(bytes: Uint8Array): string {
  return hash('sha512', bytes, 'hex');
}

/** Incremental SHA-256 for streams. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

export function createSha256(): Sha256 {
  const inner = createHash('sha256');
  return { update: (bytes) => void inner.update(bytes), digest: () => inner.digest() };
}

/**
 * What the database keeps of a bearer token (session cookie, set-up link): its SHA-256. Tokens have ≥128 random bits, so
 * no salt and no slow hash are needed, and a thief of the database cannot use what he finds.
 */
export function hashToken(token: string): Buffer {
  return sha256(utf8Encode(token));
}

/** Compares secrets in time that depends on their lengths only; different lengths are unequal. */
export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && nodeTimingSafeEqual(a, b);
}
