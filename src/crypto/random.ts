import { randomBytes as nodeRandomBytes, randomFillSync } from 'node:crypto';
import { toBase64Url } from '../kernel/bytes.ts';
import { type Branded, uuidV7 } from '../kernel/ids.ts';

/**
 * Randomness is drawn from the operating system a page at a time, because one call costs as much for 12 bytes as for
 * 4,096. Bytes are handed out once and wiped from the page as they go, so a later memory disclosure does not show them.
 */
const page = Buffer.alloc(4096);
let used = page.length;

/** Up to 64 random bytes from the page, in memory of their own. For nonces and ids; keys come from `randomBytes`. */
export function pooledRandomBytes(length: number): Buffer<ArrayBuffer> {
  if (length > 64) throw new RangeError('pooledRandomBytes is for nonces and ids');
  if (used + length > page.length) {
    randomFillSync(page);
    used = 0;
  }
  const taken = Buffer.allocUnsafe(length);
  page.copy(taken, 0, used, used + length);
  page.fill(0, used, used + length);
  used += length;
  return taken;
}

/** The same, written into the caller's memory at an offset. */
export function pooledRandomInto(target: Uint8Array, offset: number, length: number): void {
  if (length > 64) throw new RangeError('pooledRandomInto is for nonces and ids');
  if (used + length > page.length) {
    randomFillSync(page);
    used = 0;
  }
  page.copy(target, offset, used, used + length);
  page.fill(0, used, used + length);
  used += length;
}

/** Cryptographically secure random bytes. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(nodeRandomBytes(length));
}

/** A new UUIDv7 of the current time, branded by the caller's type. */
export function newId<Id extends Branded<string>>(): Id {
  return uuidV7<Id>(Date.now(), pooledRandomBytes(10));
}

/** An unguessable text of at least `bits` of entropy, base64url: session ids (≥128), set-up links (≥192). */
export function randomToken(bits: number): string {
  if (bits < 128) throw new RangeError('a token that stands for authority has 128 bits at least');
  return toBase64Url(randomBytes(Math.ceil(bits / 8)));
}
