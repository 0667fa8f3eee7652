import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../kernel/bytes.ts';
import { parseId } from '../kernel/ids.ts';
import {
  blindKey,
  createSha256,
  ed25519PrivateKey,
  ed25519PublicKey,
  exportSecretKey,
  hashToken,
  hkdfSha256,
  hmacKey,
  hmacSha256,
  newEd25519Seed,
  newId,
  newSecretKey,
  randomToken,
  sha256,
  sha256Hex,
  timingSafeEqual,
} from './index.ts';
import { sha256Portable, verifyEd25519 } from './portable.ts';

const bytes = fc.uint8Array({ maxLength: 300 });

describe('hashes', () => {
  test('every way to SHA-256 agrees with OpenSSL', () => {
    fc.assert(
      fc.property(bytes, fc.nat(300), (message, cut) => {
        const wanted = createHash('sha256').update(message).digest('hex');
        const stream = createSha256();
        stream.update(message.subarray(0, cut));
        stream.update(message.subarray(cut));
        expect([toHex(sha256(message)), sha256Hex(message), toHex(stream.digest())]).toEqual([wanted, wanted, wanted]);
        expect(toHex(sha256Portable(message))).toBe(wanted);
      }),
    );
    for (let length = 0; length < 260; length++) {
      const message = new Uint8Array(length).fill(0xa5);
      expect(toHex(sha256Portable(message))).toBe(sha256Hex(message));
    }
    expect(toHex(hashToken('Ọ'))).toBe(createHash('sha256').update('Ọ').digest('hex'));
  });

  test('HMAC agrees with OpenSSL', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), bytes, (key, message) => {
        expect(toHex(hmacSha256(hmacKey(key), message))).toBe(createHmac('sha256', key).update(message).digest('hex'));
      }),
    );
  });

  test('secrets are compared whole', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(timingSafeEqual(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect(timingSafeEqual(a, Uint8Array.from(a))).toBe(true);
      }),
    );
  });
});

describe('blind tokens', () => {
  const index = newSecretKey();

  test('are the first 64 bits of HMAC under the derived key of the parameter', () => {
    const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 1000, maxLength: 1100 }));
    fc.assert(
      fc.property(fc.string(), value, (parameter, text) => {
        const info = Buffer.from(`careseal blind 1 ${parameter}`);
        const key = hkdfSha256(index, new Uint8Array(0), info, 32);
        const mac = createHmac('sha256', key).update(text).digest();
        expect(blindKey(index, parameter).blind(text)).toBe(mac.readBigInt64BE());
      }),
    );
  });

  test('differ between parameters and between index keys', () => {
    const token = blindKey(index, 'family').blind('okello');
    expect(blindKey(index, 'given').blind('okello')).not.toBe(token);
    expect(blindKey(newSecretKey(), 'family').blind('okello')).not.toBe(token);
    expect(blindKey(index, 'family').blind('okello')).toBe(token);
  });
});

describe('Ed25519', () => {
  test('signs and verifies, on the server and with WebCrypto', async () => {
    const key = ed25519PrivateKey(newEd25519Seed());
    await fc.assert(
      fc.asyncProperty(bytes, fc.nat(63), async (message, at) => {
        const signature = key.sign(message);
        const wrong = signature.with(at, (signature[at] ?? 0) ^ 1);
        const again = ed25519PublicKey(key.publicKey.bytes);
        expect([again.verify(message, signature), again.verify(message, wrong)]).toEqual([true, false]);
        expect(await verifyEd25519(again.bytes, message, signature)).toBe(true);
        expect(await verifyEd25519(again.bytes, message, wrong)).toBe(false);
      }),
      { numRuns: 30 },
    );
    expect(key.publicKey.verify(new Uint8Array(1), new Uint8Array(63))).toBe(false);
    expect(await verifyEd25519(new Uint8Array(31), new Uint8Array(1), new Uint8Array(64))).toBe(false);
  });
});

describe('randomness', () => {
  test('ids are distinct UUIDv7 of the present', () => {
    const before = Date.now();
    const ids = new Set(Array.from({ length: 3000 }, () => newId()));
    expect(ids.size).toBe(3000);
    for (const id of ids) {
      expect(parseId(id)).toBe(id);
      expect(id[14]).toBe('7');
      const time = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
      expect(time >= before && time <= Date.now()).toBe(true);
    }
  });

  test('tokens have the entropy asked for, and never less than 128 bits', () => {
    expect(randomToken(192)).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(randomToken(129)).toHaveLength(23);
    expect(() => randomToken(64)).toThrow(RangeError);
  });

  test('keys do not print', () => {
    const key = newSecretKey();
    const hex = toHex(exportSecretKey(key));
    expect(JSON.stringify({ key })).not.toContain(hex);
    expect(String(key)).not.toContain(hex);
  });
});
