import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '../kernel/bytes.ts';
import { newSecretKey, open, SEAL_OVERHEAD_BYTES, type SealContext, seal, sealedAtRest, sealKeyId } from './index.ts';

const key = { id: 0xfffffffe, key: newSecretKey() };
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const place: fc.Arbitrary<SealContext> = fc.record({ table: text, type: text, id: text, version: fc.nat() });
const bytes = fc.uint8Array({ maxLength: 300 });
const HERE: SealContext = { table: 'store.resource', type: 'Patient', id: 'a', version: 1 };

test('what was sealed in a place opens there', () => {
  fc.assert(
    fc.property(bytes, place, (plaintext, context) => {
      const sealed = seal(key, plaintext, context);
      expect(sealed.length).toBe(plaintext.length + SEAL_OVERHEAD_BYTES);
      expect(sealKeyId(sealed)).toBe(key.id);
      expect(toHex(open(key, sealed, context))).toBe(toHex(plaintext));
    }),
  );
});

test('any flipped bit, cut or addition is detected', () => {
  fc.assert(
    fc.property(bytes, fc.nat(), fc.nat(7), (plaintext, at, bit) => {
      const sealed = Uint8Array.from(seal(key, plaintext, HERE));
      const place = at % sealed.length;
      const flipped = sealed.with(place, (sealed[place] ?? 0) ^ (1 << bit));
      for (const damaged of [flipped, sealed.subarray(0, place), Uint8Array.from([...sealed, 0])]) {
        expect(() => open(key, sealedAtRest(damaged), HERE)).toThrow('seal-broken');
      }
    }),
    { numRuns: 500 },
  );
});

test('every byte of a seal is covered', () => {
  const sealed = Uint8Array.from(seal(key, Buffer.from('{"resourceType":"Patient"}'), HERE));
  for (let at = 0; at < sealed.length; at++) {
    expect(() => open(key, sealedAtRest(sealed.with(at, (sealed[at] ?? 0) ^ 0x80)), HERE)).toThrow('seal-broken');
  }
});

test('a seal does not open in another place or under another key', () => {
  fc.assert(
    fc.property(bytes, place, place, (plaintext, here, there) => {
      fc.pre(JSON.stringify(here) !== JSON.stringify(there));
      expect(() => open(key, seal(key, plaintext, here), there)).toThrow('seal-broken');
    }),
  );
  const sealed = seal(key, Buffer.from('x'), HERE);
  const moved = [
    { ...HERE, table: 'store.resourc', type: 'ePatient' },
    { ...HERE, type: 'Patient","a' },
    { ...HERE, version: 2 },
  ];
  for (const there of moved) expect(() => open(key, sealed, there)).toThrow('seal-broken');
  expect(() => open({ id: key.id, key: newSecretKey() }, sealed, HERE)).toThrow('seal-broken');
  expect(() => open({ id: 1, key: key.key }, sealed, HERE)).toThrow('seal-broken');
});

test('nonces differ', () => {
  const nonces = new Set<string>();
  for (let i = 0; i < 5000; i++) nonces.add(toHex(seal(key, new Uint8Array(0), HERE).subarray(5, 17)));
  expect(nonces.size).toBe(5000);
});
