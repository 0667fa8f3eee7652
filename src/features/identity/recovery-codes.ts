import { hashToken, randomBytes } from '../../crypto/index.ts';
import type { UserId } from '../../kernel/ids.ts';

/** Crockford's base 32: no I, L, O or U, so that a code written on paper is read as it was meant. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 120 bits: a plain hash is enough from 112 on (ASVS 5.0 V6.5.2). */
const CHARACTERS = 24;
export const RECOVERY_CODE_COUNT = 10;

/** Ten codes of 120 random bits, in groups of four as they are shown. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODE_COUNT }, () => {
    // 256 is a multiple of 32, so the low five bits of a random byte are evenly spread.
    const characters = Array.from(randomBytes(CHARACTERS), (byte) => ALPHABET[byte & 31]).join('');
    return characters.replaceAll(/(.{4})(?=.)/g, '$1-');
  });
}

/**
 * What is kept of a code. 120 random bits need no slow hash; the user's id keeps one person's code from being another's.
 * `code` without dashes, upper case (wire.ts).
 */
export function recoveryCodeHash(userId: UserId, code: string): Buffer {
  return hashToken(`recovery-code ${userId} ${code.replaceAll('-', '')}`);
}
