import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Problem } from '../kernel/problem.ts';
import { pooledRandomBytes } from './random.ts';
import type { SecretKey } from './secret-key.ts';

/**
 * The seal of everything that rests in the database (formats/sealed-at-rest.md):
 *
 *   version (1) ‖ key id (4, big-endian) ‖ nonce (12) ‖ ciphertext (n) ‖ tag (16)
 *
 * AES-256-GCM with a random nonce. The additional data names the place the bytes belong to, so that whoever can write to
 * the database cannot move one person's sealed record into another's row, or bring back an old version of it.
 */
declare const atRest: unique symbol;
/** Encrypted by the server, readable by the server. Not to be confused with what only a recipient can open. */
export type SealedAtRest = Uint8Array & { readonly [atRest]: true };

/** The place a seal belongs to. Any well-formed texts; `version` is 0 where rows have none. */
export interface SealContext {
  readonly table: string;
  readonly type: string;
  readonly id: string;
  readonly version: number;
}

/** A key and the number it goes by in the header, 0 to 2³²−1. */
export interface SealingKey {
  readonly id: number;
  readonly key: SecretKey;
}

export const SEAL_VERSION = 1;
const NONCE_AT = 5;
const NONCE_BYTES = 12;
const TEXT_AT = NONCE_AT + NONCE_BYTES;
const TAG_BYTES = 16;
/** What a seal adds to its plaintext. */
export const SEAL_OVERHEAD_BYTES = TEXT_AT + TAG_BYTES;

/** Additional data: `[1,keyId,"table","type","id",version]`, which JSON makes unambiguous whatever the texts hold. */
function additionalData(keyId: number, { table, type, id, version }: SealContext): Buffer {
  return Buffer.from(JSON.stringify([SEAL_VERSION, keyId, table, type, id, version]));
}

/** Seals with a fresh random nonce. */
export function seal(key: SealingKey, plaintext: Uint8Array, context: SealContext): SealedAtRest {
  return sealWithNonce(key, plaintext, { context, nonce: pooledRandomBytes(NONCE_BYTES) });
}

/** For vectors only: a nonce used twice under one key breaks the seal. */
export function sealWithNonce(
  { id, key }: SealingKey,
  plaintext: Uint8Array,
  { context, nonce }: { readonly context: SealContext; readonly nonce: Uint8Array },
): SealedAtRest {
  const { ciphertext, tag } = sealParts({ key, nonce, additional: additionalData(id, context), plaintext });
  const sealed = Buffer.allocUnsafe(SEAL_OVERHEAD_BYTES + ciphertext.length);
  sealed[0] = SEAL_VERSION;
  sealed.writeUInt32BE(id, 1);
  sealed.set(nonce, NONCE_AT);
  sealed.set(ciphertext, TEXT_AT);
  sealed.set(tag, TEXT_AT + ciphertext.length);
  return sealedAtRest(sealed);
}

/** Names bytes read from the database as sealed; `open` is what proves it. */
export function sealedAtRest(bytes: Uint8Array): SealedAtRest {
  // The brand marks a claim, not a proof: it keeps plaintext columns out of `open` and sealed ones out of answers.
  return bytes as SealedAtRest;
}

/** The id of the key a seal was made with. Not authenticated until it is opened. Throws `seal-broken` when it is no seal. */
export function sealKeyId(sealed: SealedAtRest): number {
  if (sealed.length < SEAL_OVERHEAD_BYTES || sealed[0] !== SEAL_VERSION) throw broken();
  return (((sealed[1] ?? 0) << 24) | ((sealed[2] ?? 0) << 16) | ((sealed[3] ?? 0) << 8) | (sealed[4] ?? 0)) >>> 0;
}

/** Opens a seal in its place. Throws `Problem('internal', 'seal-broken')` for any other bytes, key or place. */
export function open({ id, key }: SealingKey, sealed: SealedAtRest, context: SealContext): Buffer {
  if (sealKeyId(sealed) !== id) throw broken();
  const textEnd = sealed.length - TAG_BYTES;
  const plaintext = openParts({
    key,
    nonce: sealed.subarray(NONCE_AT, TEXT_AT),
    additional: additionalData(id, context),
    ciphertext: sealed.subarray(TEXT_AT, textEnd),
    tag: sealed.subarray(textEnd),
  });
  if (plaintext === undefined) throw broken();
  return plaintext;
}

function broken(): Problem<'seal-broken'> {
  return new Problem('internal', 'seal-broken', 'A stored record failed its integrity check and was not used.');
}

interface GcmInput {
  readonly key: SecretKey;
  readonly nonce: Uint8Array;
  readonly additional: Uint8Array;
}

/** Plain AES-256-GCM; apart from the format so that published vectors can be run through it. */
export function sealParts(input: GcmInput & { readonly plaintext: Uint8Array }): { ciphertext: Buffer; tag: Buffer } {
  const cipher = createCipheriv('aes-256-gcm', input.key, input.nonce);
  cipher.setAAD(input.additional);
  const ciphertext = cipher.update(input.plaintext);
  cipher.final();
  return { ciphertext, tag: cipher.getAuthTag() };
}

/** `undefined` when the tag does not fit. */
export function openParts(
  input: GcmInput & { readonly ciphertext: Uint8Array; readonly tag: Uint8Array },
): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', input.key, input.nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(input.additional);
  decipher.setAuthTag(input.tag);
  const plaintext = decipher.update(input.ciphertext);
  try {
    decipher.final();
  } catch {
    // What was decrypted is not authentic and must not survive.
    plaintext.fill(0);
    return undefined;
  }
  return plaintext;
}
