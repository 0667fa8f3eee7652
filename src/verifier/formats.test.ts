import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ed25519PrivateKey, ed25519PublicKey, sha256 } from '../crypto/index.ts';
import { utf8Encode } from '../kernel/bytes.ts';
import {
  checkpointText,
  parseCheckpoint,
  parseVerifierKey,
  printVerifierKey,
  signatureBy,
  signedNote,
  verifierKey,
} from './checkpoint.ts';
import { encodeLeaf, parseLeaf } from './leaf.ts';
import { encodeEntries, parseEntries, parseTilePath, tilePath } from './tile.ts';

describe('a leaf', () => {
  const leaf = fc.record({
    index: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    recordedMs: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    event: fc.stringMatching(/^[a-z]{1,20}\.[a-z-]{1,20}$/),
    commitment: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  });

  test('comes back as it was written', () => {
    fc.assert(
      fc.property(leaf, (value) => {
        expect(parseLeaf(encodeLeaf(value))).toEqual(value);
      }),
    );
  });

  test('is refused when cut, lengthened or of another version', () => {
    const bytes = encodeLeaf({ index: 7, recordedMs: 1, event: 'client.read', commitment: new Uint8Array(32) });
    expect(parseLeaf(bytes.slice(0, -1))).toBeUndefined();
    expect(parseLeaf(new Uint8Array([...bytes, 0]))).toBeUndefined();
    expect(parseLeaf(new Uint8Array([2, ...bytes.slice(1)]))).toBeUndefined();
    expect(parseLeaf(new Uint8Array(0))).toBeUndefined();
  });
});

describe('tiles', () => {
  test.each([
    [{ level: 0, number: 0, width: 256 }, 'tile/0/000'],
    [{ level: 1, number: 5, width: 13 }, 'tile/1/005.p/13'],
    [{ level: 0, number: 1_234_067, width: 256 }, 'tile/0/x001/x234/067'],
    [{ level: 'entries', number: 1000, width: 1 }, 'tile/entries/x001/000.p/1'],
  ] as const)('%j is at %s', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  test.each([
    'tile/0/0',
    'tile/9/000',
    'tile/0/000.p/256',
    'tile/0/000.p/0',
    'tile/0/x000/001',
    'tile/0/../000',
    'tile/0/000/',
  ])('%s is no tile', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });

  test('bundles of entries come back, and cut ones are refused', () => {
    const entry = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
        expect(parseEntries(encodeEntries(entries))).toEqual(entries);
      }),
    );
    expect(parseEntries(encodeEntries([utf8Encode('abc')]).slice(0, -1))).toBeUndefined();
    expect(parseEntries(Uint8Array.of(0))).toBeUndefined();
  });
});

describe('a checkpoint', () => {
  const privateKey = ed25519PrivateKey(new Uint8Array(32).fill(7));
  const key = verifierKey(sha256, 'careseal.example/audit/log', privateKey.publicKey.bytes);
  const text = checkpointText({
    origin: key.name,
    size: 12,
    root: new Uint8Array(32).fill(1),
    signedAt: '2026-01-31T09:30:00.000Z',
  });
  const note = signedNote(text, key, privateKey.sign(utf8Encode(text)));
  const verify = (candidate: string): boolean => {
    const parsed = parseCheckpoint(candidate);
    const signature = parsed === undefined ? undefined : signatureBy(parsed, key);
    if (parsed === undefined || signature === undefined) return false;
    return ed25519PublicKey(key.publicKey).verify(parsed.message, signature);
  };

  test('is read back and verifies', () => {
    expect(parseCheckpoint(note)).toMatchObject({ origin: key.name, size: 12, signedAt: '2026-01-31T09:30:00.000Z' });
    expect(verify(note)).toBe(true);
  });

  test('verifies beside the signatures of others', () => {
    expect(verify(`${note}— witness.example AAAAAAAA\n`)).toBe(true);
  });

  test('does not verify after any change of a character', () => {
    fc.assert(
      fc.property(fc.nat({ max: note.length - 1 }), (at) => {
        const changed = note.slice(0, at) + (note[at] === '1' ? '2' : '1') + note.slice(at + 1);
        expect(verify(changed)).toBe(false);
      }),
    );
  });

  test('its key has a text form that is checked', () => {
    const printed = printVerifierKey(key);
    expect(parseVerifierKey(sha256, printed)).toEqual(key);
    expect(parseVerifierKey(sha256, printed.replace('careseal', 'carefool'))).toBeUndefined();
    expect(parseVerifierKey(sha256, 'nonsense')).toBeUndefined();
  });
});
