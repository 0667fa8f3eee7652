import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTexts, createTokenLists, grown } from './image-tables.ts';

describe('columns of an image', () => {
  it('keep what they held as they grow', () => {
    const larger = grown(Int32Array.of(1, -2, 3), 5_000);
    expect(larger.length).toBeGreaterThanOrEqual(5_000);
    expect([...larger.subarray(0, 4)]).toEqual([1, -2, 3, 0]);
    expect(grown(larger, 10)).toBe(larger);
  });

  it('list records by token in the order of adding, whatever the tokens', () => {
    const token = fc.oneof(fc.bigInt({ min: -4n, max: 4n }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
    fc.assert(
      fc.property(fc.array(token, { maxLength: 300 }), (tokens) => {
        const lists = createTokenLists();
        const expected = new Map<bigint, number[]>();
        for (const [record, one] of tokens.entries()) {
          lists.add(one, record);
          expected.set(one, [...(expected.get(one) ?? []), record]);
        }
        for (const one of [...expected.keys(), 77n]) {
          const found: number[] = [];
          lists.each(one, (record) => found.push(record) > 0);
          expect(found).toEqual(expected.get(one) ?? []);
        }
      }),
    );
  });

  it('find every token again after growing, also those whose low bits are the same', () => {
    const lists = createTokenLists();
    const token = (at: number) => (BigInt(at) << 32n) | 5n;
    for (let at = 0; at < 6_000; at++) lists.add(token(at), at);
    for (let at = 0; at < 6_000; at += 97) {
      const found: number[] = [];
      lists.each(token(at), (record) => found.push(record) > 0);
      expect(found).toEqual([at]);
    }
  });

  it('stop when they are told to', () => {
    const lists = createTokenLists();
    for (let record = 0; record < 10; record++) lists.add(9n, record);
    const found: number[] = [];
    lists.each(9n, (record) => found.push(record) < 3);
    expect(found).toEqual([0, 1, 2]);
  });

  it('give texts back, also ones larger than a piece, and refuse numbers that were never given', () => {
    const texts = createTexts();
    const all = ['', 'Amina', 'مريم 🙂', 'x'.repeat(5_000_000), 'Ж'];
    for (const text of all) texts.add(text);
    expect(all.map((_, at) => texts.at(at))).toEqual(all);
    expect(() => texts.at(all.length)).toThrow(RangeError);
  });
});
