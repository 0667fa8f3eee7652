import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../crypto/index.ts';
import { pack, PHRASES, unpack } from './packing.ts';

test('the phrases are frozen: events of years ago are read with them', () => {
  expect(PHRASES).toHaveLength(31);
  expect(sha256Hex(Buffer.from(PHRASES.join('\n')))).toBe(
    'f872e6243ff7e58fd638dc8f13728a443d85a4458e9fa534bc86f1cbcf14d112',
  );
});

test('unpacking undoes packing, of any JSON text', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...PHRASES), fc.json())), (parts) => {
      const text = parts.join('');
      expect(unpack(pack(text))).toBe(text);
    }),
  );
});
