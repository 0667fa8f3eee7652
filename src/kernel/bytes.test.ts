import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromBase64Url,
  fromHex,
  toBase64,
  toBase64Url,
  toHex,
  utf8Decode,
  utf8Encode,
} from './bytes.ts';

const bytes = fc.uint8Array({ maxLength: 80 });

test('texts of bytes agree with Buffer and come back', () => {
  fc.assert(
    fc.property(bytes, (b) => {
      expect(toHex(b)).toBe(Buffer.from(b).toString('hex'));
      expect(toBase64(b)).toBe(Buffer.from(b).toString('base64'));
      expect(toBase64Url(b)).toBe(Buffer.from(b).toString('base64url'));
      expect(fromHex(toHex(b))).toEqual(b);
      expect(fromBase64(toBase64(b))).toEqual(b);
      expect(fromBase64Url(toBase64Url(b))).toEqual(b);
    }),
  );
});

test('a text that decodes is the one its bytes encode to', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'ABcd09-_+/= \n'), maxLength: 12 });
  fc.assert(
    fc.property(letters, (text) => {
      const url = fromBase64Url(text);
      if (url !== undefined) expect(toBase64Url(url)).toBe(text);
      const standard = fromBase64(text);
      if (standard !== undefined) expect(toBase64(standard)).toBe(text);
    }),
    { numRuns: 2000 },
  );
  for (const stray of ['QR', 'QQ==', 'Q', 'Q Q', 'Q+Q']) expect(fromBase64Url(stray)).toBeUndefined();
  for (const stray of ['QQ', 'QR==', 'Q===', 'QQ=Q', 'Q-Q=', '====']) expect(fromBase64(stray)).toBeUndefined();
  for (const stray of ['0', 'zz', 'AA']) expect(fromHex(stray)).toBeUndefined();
});

test('UTF-8 is decoded strictly and keeps a byte order mark', () => {
  expect(utf8Decode(utf8Encode('Ọládélé 🙂'))).toBe('Ọládélé 🙂');
  expect(utf8Decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe('\ufeffA');
  for (const broken of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
    expect(() => utf8Decode(Uint8Array.from(broken))).toThrow(TypeError);
  }
});

test('concatenation and comparison', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(concatBytes(a, b)).toEqual(Uint8Array.from([...a, ...b]));
      expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
    }),
  );
});
