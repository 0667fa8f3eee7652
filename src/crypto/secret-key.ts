import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { randomBytes } from './random.ts';

/**
 * Symmetric keys live as `KeyObject`s: they do not print, do not serialise by accident, and are 3 to 6 times faster than
 * raw bytes because OpenSSL need not set them up per call.
 */
export type SecretKey = KeyObject;

export const KEY_BYTES = 32;

/** A 256-bit key of the given bytes. The caller may wipe its copy afterwards. */
export function secretKey(bytes: Uint8Array): SecretKey {
  if (bytes.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes`);
  return createSecretKey(bytes);
}

/** A new random 256-bit key. */
export function newSecretKey(): SecretKey {
  const bytes = randomBytes(KEY_BYTES);
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** The key's bytes, in memory of the caller's own, to be wrapped or written to the key file. */
export function exportSecretKey(key: SecretKey): Uint8Array {
  return key.export();
}

/** HKDF-SHA-256 (RFC 5869): a subkey for one purpose. Output at most 8,160 bytes. */
export function hkdfSha256(
  key: SecretKey | Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, info, length));
}
