import { createSecretKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { toHex } from '../kernel/bytes.ts';
import { ed25519PublicKey, hkdfSha256, hmacKey, hmacSha256 } from './index.ts';
import { verifyEd25519 } from './portable.ts';
import { openParts, sealParts } from './seal.ts';

/** Google's Wycheproof vectors: known attacks on implementations, used where they lie beside the project. */
const folder = new URL('../../../shared/vectors/wycheproof/', import.meta.url);
const present = existsSync(folder);
if (!present) console.warn(`SKIPPED: the Wycheproof vectors are not at ${folder.pathname}`);

const hex = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'hex')));
const result = z.enum(['valid', 'invalid', 'acceptable']);

function groups<Group extends z.ZodType>(name: string, group: Group): z.output<Group>[] {
  if (!present) return [];
  const document: unknown = JSON.parse(readFileSync(new URL(`${name}_test.json`, folder), 'utf8'));
  return z.object({ testGroups: z.array(group) }).parse(document).testGroups;
}

describe.skipIf(!present)('Wycheproof', () => {
  test('AES-256-GCM with 96-bit nonces and 128-bit tags', () => {
    const tests = z.array(
      z.object({ tcId: z.number(), key: hex, iv: hex, aad: hex, msg: hex, ct: hex, tag: hex, result }),
    );
    const group = z.object({ ivSize: z.number(), keySize: z.number(), tagSize: z.number(), tests });
    let run = 0;
    for (const { ivSize, keySize, tagSize, tests } of groups('aes_gcm', group)) {
      if (ivSize !== 96 || keySize !== 256 || tagSize !== 128) continue;
      for (const { tcId, key, iv, aad, msg, ct, tag, result } of tests) {
        run++;
        const parts = { key: createSecretKey(key), nonce: iv, additional: aad };
        const opened = openParts({ ...parts, ciphertext: ct, tag });
        expect(opened === undefined ? 'refused' : toHex(opened), `test ${tcId}`).toBe(
          result === 'valid' ? toHex(msg) : 'refused',
        );
        if (result !== 'valid') continue;
        const made = sealParts({ ...parts, plaintext: msg });
        expect([toHex(made.ciphertext), toHex(made.tag)]).toEqual([toHex(ct), toHex(tag)]);
      }
    }
    expect(run).toBeGreaterThan(60);
  });

  test('HMAC-SHA-256', () => {
    const tests = z.array(z.object({ tcId: z.number(), key: hex, msg: hex, tag: hex, result }));
    let run = 0;
    for (const { tests: list } of groups('hmac_sha256', z.object({ tests }))) {
      for (const { tcId, key, msg, tag, result } of list) {
        if (key.length > 64) continue;
        run++;
        const made = toHex(hmacSha256(hmacKey(key), msg)).slice(0, tag.length * 2);
        expect(made === toHex(tag), `test ${tcId}`).toBe(result === 'valid');
      }
    }
    expect(run).toBeGreaterThan(100);
  });

  test('HKDF-SHA-256', () => {
    const tests = z.array(
      z.object({ tcId: z.number(), ikm: hex, salt: hex, info: hex, size: z.number(), okm: hex, result }),
    );
    let run = 0;
    for (const { tests: list } of groups('hkdf_sha256', z.object({ tests }))) {
      for (const { tcId, ikm, salt, info, size, okm, result } of list) {
        run++;
        const derive = (): string => toHex(hkdfSha256(ikm, salt, info, size));
        if (result === 'valid') expect(derive(), `test ${tcId}`).toBe(toHex(okm));
        else expect(derive, `test ${tcId}`).toThrow();
      }
    }
    expect(run).toBeGreaterThan(50);
  });

  test('Ed25519, with OpenSSL and with WebCrypto', async () => {
    const tests = z.array(z.object({ tcId: z.number(), msg: hex, sig: hex, result }));
    const group = z.object({ publicKey: z.object({ pk: hex }), tests });
    let run = 0;
    for (const { publicKey, tests: list } of groups('ed25519', group)) {
      const key = ed25519PublicKey(publicKey.pk);
      for (const { tcId, msg, sig, result } of list) {
        run++;
        expect(key.verify(msg, sig), `test ${tcId}`).toBe(result === 'valid');
        expect(await verifyEd25519(publicKey.pk, msg, sig), `test ${tcId} in WebCrypto`).toBe(result === 'valid');
      }
    }
    expect(run).toBeGreaterThan(100);
  });
});
