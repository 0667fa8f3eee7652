import { createCipheriv, createHmac, hkdfSync } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { blindKey, newSecretKey, open, sealedAtRest, sealKeyId, secretKey } from '../crypto/index.ts';
import { sealWithNonce } from '../crypto/seal.ts';
import { toHex } from '../kernel/bytes.ts';
import { rootSealingKey, unwrapAll } from './key-hierarchy.ts';
import { createKeyRing, type KeySet } from './key-ring.ts';

/** formats/vectors/sealed-at-rest.json through every code path, and through node:crypto as the document tells. */
const file = new URL('../../formats/vectors/sealed-at-rest.json', import.meta.url);
const hex = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'hex')));
const vectors = z
  .object({
    seals: z.array(
      z.object({
        comment: z.string(),
        keyId: z.number(),
        key: hex,
        nonce: hex,
        table: z.string(),
        type: z.string(),
        id: z.string(),
        version: z.number(),
        additionalData: hex,
        plaintext: hex,
        sealed: hex,
      }),
    ),
    rootKey: z.object({ key: hex, id: z.number() }),
    wrapped: z.array(
      z.object({
        purpose: z.enum(['key-encryption', 'data', 'index']),
        family: z.enum(['all', 'record', 'audit']),
        id: z.number(),
        wrappingKeyId: z.number(),
        wrappingKey: hex,
        nonce: hex,
        key: hex,
        wrapped: hex,
      }),
    ),
    tokens: z.array(
      z.object({ indexKey: hex, parameter: z.string(), parameterKey: hex, value: z.string(), token: z.string() }),
    ),
  })
  .parse(JSON.parse(readFileSync(file, 'utf8')));

/** §2 and §3 by hand. */
function byHand(
  keyId: number,
  parts: { key: Uint8Array; nonce: Uint8Array; additional: Uint8Array; text: Uint8Array },
) {
  const cipher = createCipheriv('aes-256-gcm', parts.key, parts.nonce).setAAD(parts.additional);
  const body = Buffer.concat([cipher.update(parts.text), cipher.final(), cipher.getAuthTag()]);
  const header = Buffer.alloc(5);
  header[0] = 1;
  header.writeUInt32BE(keyId, 1);
  return toHex(Buffer.concat([header, parts.nonce, body]));
}

function keyRingWith(keyId: number, key: Uint8Array) {
  const data = { id: keyId, key: secretKey(key) };
  const keys = { data, index: newSecretKey(), otherIndex: [] };
  const keySet: KeySet = { dataKeys: new Map([[keyId, data]]), current: { record: keys, audit: keys } };
  return createKeyRing(() => keySet);
}

describe.each(vectors.seals)('seal: $comment', ({ keyId, key, nonce, table, type, id, version, ...vector }) => {
  const place = { table, type, id, version };
  const sealed = sealedAtRest(vector.sealed);

  test('is what the document describes', () => {
    expect(Buffer.from(vector.additionalData).toString()).toBe(JSON.stringify([1, keyId, table, type, id, version]));
    const parts = { key, nonce, additional: vector.additionalData, text: vector.plaintext };
    expect(byHand(keyId, parts)).toBe(toHex(sealed));
  });

  test('is made and opened by the code', () => {
    const sealing = { id: keyId, key: secretKey(key) };
    expect(toHex(sealWithNonce(sealing, vector.plaintext, { context: place, nonce }))).toBe(toHex(sealed));
    expect(sealKeyId(sealed)).toBe(keyId);
    expect(toHex(open(sealing, sealed, place))).toBe(toHex(vector.plaintext));
    const keyRing = keyRingWith(keyId, key);
    expect(toHex(keyRing.open(sealed, place))).toBe(toHex(vector.plaintext));
    expect(toHex(keyRing.open(keyRing.seal(vector.plaintext, place), place))).toBe(toHex(vector.plaintext));
  });

  test('with any one bit flipped opens nowhere', () => {
    const keyRing = keyRingWith(keyId, key);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const at = bit >> 3;
      const flipped = sealedAtRest(Uint8Array.from(sealed).with(at, (sealed[at] ?? 0) ^ (1 << (bit & 7))));
      // Another key id is a key this ring does not have; everything else is a broken seal.
      const code = at >= 1 && at <= 4 ? 'key-unknown' : 'seal-broken';
      expect(() => keyRing.open(flipped, place)).toThrow(code);
      expect(() => open({ id: keyId, key: secretKey(key) }, flipped, place)).toThrow('seal-broken');
    }
  });
});

test('the root key has the id the document describes', () => {
  const { key, id } = vectors.rootKey;
  expect(createHmac('sha256', key).update('careseal root key id').digest().readUInt32BE()).toBe(id);
  expect(rootSealingKey(secretKey(key)).id).toBe(id);
});

test('wrapped keys are unwrapped by the code, and are what the document describes', () => {
  const rows = vectors.wrapped.map(({ purpose, family, id, wrapped }) => {
    return { id, purpose, family, state: 'current' as const, wrapped: sealedAtRest(wrapped), stateSince: new Date(0) };
  });
  const opened = unwrapAll(rows, rootSealingKey(secretKey(vectors.rootKey.key)), new Map());
  for (const { id, purpose, family, key, nonce, wrapped, ...by } of vectors.wrapped) {
    expect(opened.get(id)?.key.equals(secretKey(key))).toBe(true);
    const additional = Buffer.from(
      JSON.stringify([1, by.wrappingKeyId, 'keys.key', `${purpose}/${family}`, String(id), 1]),
    );
    expect(byHand(by.wrappingKeyId, { key: by.wrappingKey, nonce, additional, text: key })).toBe(toHex(wrapped));
  }
  // A wrapped key that is passed off as one of another purpose does not open.
  const disguised = rows.map((row) => (row.purpose === 'data' ? { ...row, purpose: 'index' as const } : row));
  expect(() => unwrapAll(disguised, rootSealingKey(secretKey(vectors.rootKey.key)), new Map())).toThrow('seal-broken');
});

test.each(vectors.tokens)('token of $parameter $value', ({ indexKey, parameter, parameterKey, value, token }) => {
  const derived = hkdfSync('sha256', indexKey, '', `careseal blind 1 ${parameter}`, 32);
  expect(toHex(new Uint8Array(derived))).toBe(toHex(parameterKey));
  expect(createHmac('sha256', parameterKey).update(value).digest().readBigInt64BE().toString()).toBe(token);
  expect(blindKey(secretKey(indexKey), parameter).blind(value).toString()).toBe(token);
});

test('the generator makes the committed file again', () => {
  const directory = mkdtempSync(join(tmpdir(), 'careseal-vectors-'));
  try {
    const out = join(directory, 'made.json');
    const generator = new URL('../../scripts/generate-seal-vectors.ts', import.meta.url).pathname;
    execFileSync(process.execPath, [generator, out]);
    expect(readFileSync(out, 'utf8')).toBe(readFileSync(file, 'utf8'));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
