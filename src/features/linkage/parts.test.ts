import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCsvReader } from '../load/csv-reader.ts';
import { blocksOf, forEachRun } from './blocks.ts';
import { blockSet, forEachCandidate } from './candidates.ts';
import { clusterPairs } from './clusters.ts';
import { createCsvSplitter } from './csv-splitter.ts';
import { Interner } from './interner.ts';
import type { PairScorer } from './pair-scorer.ts';
import { sortByKey } from './radix-sort.ts';
import { seededRandom } from './seeded-random.ts';
import { countPairs } from './truth.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the splitter reads CSV as the loader does', () => {
  const field = fc.stringMatching(/^[a-z ",é\n]{0,6}$/);
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

  test('any fields, in pieces of any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 9 }),
        (rows, size) => {
          const text = rows.map((row) => row.map(quoted).join(',')).join('\n');
          const expected: string[][] = [];
          const reader = createCsvReader(',', (row) => expected.push([...row.fields]));
          reader.push(text);
          reader.end();
          const found: string[][] = [];
          const decoder = new TextDecoder();
          const splitter = createCsvSplitter(44, (row) => {
            found.push(
              Array.from({ length: row.count }, (_, at) =>
                decoder.decode(row.bytes.subarray(row.starts[at], row.ends[at])),
              ),
            );
          });
          const all = bytes(text);
          for (let at = 0; at < all.length; at += size) splitter.push(all.slice(at, at + size));
          splitter.end();
          expect(found).toEqual(expected);
        },
      ),
    );
  });

  test('text after a closing quotation mark makes the row faulty, and the next row is read', () => {
    const rows: boolean[] = [];
    const splitter = createCsvSplitter(44, ({ faulty }) => rows.push(faulty));
    splitter.push(bytes('"a"b,c\nd,e\n'));
    splitter.end();
    expect(rows).toEqual([true, false]);
  });
});

test('the interner numbers equal texts alike and gives them back', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 300 }), (texts) => {
      const interner = new Interner();
      const numbers = texts.map((text) => {
        const value = bytes(text);
        return interner.intern(value, 0, value.length);
      });
      for (const [at, text] of texts.entries()) {
        expect(interner.text(numbers[at] ?? 0)).toBe(new TextDecoder().decode(bytes(text)));
        expect(numbers[at]).toBe(numbers[texts.indexOf(text)]);
      }
    }),
  );
});

test('sorting by key puts the records of every shared key together, in their own order', () => {
  fc.assert(
    fc.property(fc.uint32Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (values, few) => {
      const keys = values.map((value) => (value % 3 === 0 ? 0 : (value % few) + 1));
      const found = sortByKey(keys);
      const runs: number[][] = [];
      forEachRun(found, (from, to) => runs.push([...found.records.subarray(from, to)]));
      const expected = new Map<number, number[]>();
      for (const [record, key] of keys.entries()) {
        if (key !== 0) expected.set(key, [...(expected.get(key) ?? []), record]);
      }
      const shared = [...expected].filter(([, records]) => records.length > 1).toSorted(([a], [b]) => a - b);
      expect(runs).toEqual(shared.map(([, records]) => records));
    }),
  );
});

test('every pair that some rule brings together comes exactly once', () => {
  const keys = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(keys, { minLength: 1, maxLength: 4 }), (rules) => {
      const list = rules.map((own, at) => blocksOf({ name: String(at), parts: ['x'] }, Uint32Array.from(own)));
      const found: string[] = [];
      for (const [at, { starts }] of list.entries()) {
        forEachCandidate(blockSet(list, 12), at, { from: 0, to: starts.length - 1 }, (a, b) =>
          found.push(`${Math.min(a, b)}-${Math.max(a, b)}`),
        );
      }
      const expected = new Set<string>();
      for (const own of rules) {
        for (let a = 0; a < 12; a++) {
          for (let b = a + 1; b < 12; b++) if (own[a] !== 0 && own[a] === own[b]) expected.add(`${a}-${b}`);
        }
      }
      const order = (a: string, b: string): number => (a < b ? -1 : 1);
      expect(found.toSorted(order)).toEqual([...expected].toSorted(order));
    }),
  );
});

describe('groups', () => {
  const pairs = (links: readonly (readonly [number, number, number])[]) => ({
    compared: links.length,
    first: Uint32Array.from(links, ([a]) => a),
    second: Uint32Array.from(links, ([, b]) => b),
    weights: Float32Array.from(links, ([, , weight]) => weight),
  });
  const inOrder = (group: readonly number[]): number[] => group.toSorted((a, b) => a - b);
  /** Who is not linked weighs -20. */
  const scorerOf = (links: readonly (readonly [number, number, number])[]): Pick<PairScorer, 'weight'> => ({
    weight: (a, b) => links.find(([x, y]) => (x === a && y === b) || (x === b && y === a))?.[2] ?? -20,
  });

  test('a record that resembles two people does not chain them together', () => {
    const links = [
      [0, 1, 20],
      [2, 3, 20],
      [1, 4, 6],
      [4, 2, 5],
    ] as const;
    const { groups, conflicts } = clusterPairs(5, pairs(links), 3, scorerOf(links) as PairScorer);
    // It joins the one it resembles more; the second link is a conflict.
    expect(groups.map(inOrder)).toEqual([
      [0, 1, 4],
      [2, 3],
    ]);
    expect(conflicts).toEqual([3]);
  });

  test('records that all resemble each other come together', () => {
    const links = [
      [0, 1, 9],
      [1, 2, 8],
      [0, 2, 4],
    ] as const;
    const { groups, conflicts } = clusterPairs(3, pairs(links), 3, scorerOf(links) as PairScorer);
    expect(groups.map(inOrder)).toEqual([[0, 1, 2]]);
    expect(conflicts).toEqual([]);
  });
});

test('true pairs are counted', () => {
  expect(countPairs(Uint32Array.of(1, 1, 2, 1, 3, 2))).toBe(4);
});

test('the same seed draws the same numbers', () => {
  const [a, b] = [seededRandom(7), seededRandom(7)];
  expect(Array.from({ length: 5 }, a)).toEqual(Array.from({ length: 5 }, b));
});
