import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { concatBytes, fromHex } from '../kernel/bytes.ts';
import { randomBytes } from './random.ts';

/** Ed25519 (RFC 8032): 32-byte seeds and public keys, 64-byte signatures. Keys are parsed once; a PEM per call is 11× slower. */
export interface Ed25519PublicKey {
  /** The raw 32 bytes. */
  readonly bytes: Uint8Array;
  /** False for a wrong signature of any length; never throws. */
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

export interface Ed25519PrivateKey {
  readonly publicKey: Ed25519PublicKey;
  sign(message: Uint8Array): Uint8Array;
}

const PKCS8 = bytesOf('302e020100300506032b657004220420');
const SPKI = bytesOf('302a300506032b6570032100');

function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new RangeError('not hexadecimal');
  return bytes;
}

/** A new seed, to be sealed by the caller; the seed is the private key. */
export function newEd25519Seed(): Uint8Array {
  return randomBytes(32);
}

/** The private key of a 32-byte seed. */
export function ed25519PrivateKey(seed: Uint8Array): Ed25519PrivateKey {
  if (seed.length !== 32) throw new RangeError('an Ed25519 seed has 32 bytes');
  const der = Buffer.from(concatBytes(PKCS8, seed));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const publicKey = wrapPublicKey(createPublicKey(key));
  return { publicKey, sign: (message) => new Uint8Array(sign(null, message, key)) };
}

/** The public key of 32 raw bytes. */
export function ed25519PublicKey(bytes: Uint8Array): Ed25519PublicKey {
  if (bytes.length !== 32) throw new RangeError('an Ed25519 public key has 32 bytes');
  const der = Buffer.from(concatBytes(SPKI, bytes));
  return wrapPublicKey(createPublicKey({ key: der, format: 'der', type: 'spki' }));
}

function wrapPublicKey(key: KeyObject): Ed25519PublicKey {
  const bytes = new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length));
  return {
    bytes,
    verify: (message, signature) => signature.length === 64 && verify(null, message, key, signature),
  };
}
