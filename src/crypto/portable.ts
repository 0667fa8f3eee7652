/**
 * What of the crypto room also runs in a browser. The verifier and the web import this file, never `index.ts`, which needs
 * Node. It reaches WebCrypto through `globalThis`, which both run times have.
 */
export { sha256Portable } from './sha256-portable.ts';

/** WebCrypto of whichever run time this is. */
export const subtle = globalThis.crypto.subtle;

/** Verifies an Ed25519 signature with a raw 32-byte public key. False for anything malformed. */
export async function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const key = await subtle.importKey('raw', copy(publicKey), 'Ed25519', false, ['verify']);
    return await subtle.verify('Ed25519', key, copy(signature), copy(message));
  } catch {
    // A point that is not on the curve is refused by some run times at import, by others at verification.
    return false;
  }
}

/** WebCrypto wants memory that is not shared with another thread. */
function copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
