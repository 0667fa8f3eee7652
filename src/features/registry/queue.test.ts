import { expect, test } from 'vitest';
import { PLANNED_MAX } from './bounds.ts';
import type { Flight, Group } from './flight.ts';
import { takeBatch } from './queue.ts';

type Kind = 'create' | 'update';

function group(name: string, keys: readonly bigint[], kind: Kind = 'create', options: Group['options'] = {}): Group {
  // Only what takeBatch looks at.
  const work = { submission: { kind, name }, keyTokens: keys } as unknown as Group['works'][number];
  return { works: [work], options, resolve: () => {}, reject: () => {} };
}
const flight = (left: readonly bigint[] | undefined): Flight => ({
  ...{ records: 1, begun: Promise.resolve(), ended: Promise.resolve(), couldBePlanned: true },
  footprint: left && { asked: new Set(), seen: new Set(), left: new Set(left), changed: new Set() },
});
const names = (groups: readonly Group[]) =>
  groups.map(({ works }) => (works[0] as unknown as { submission: { name: string } }).submission.name);

test('who has a key in common with a batch under way stays, and who came later with one of theirs', () => {
  const queue = [group('a', [1n]), group('b', [2n, 3n]), group('c', [3n, 4n]), group('d', [4n]), group('e', [5n])];
  expect(names(takeBatch(queue, [flight([2n])]))).toEqual(['a', 'e']);
  expect(names(queue)).toEqual(['b', 'c', 'd']);
  expect(names(takeBatch(queue, []))).toEqual(['b', 'c', 'd']);
});

test('nobody is taken while all depend on what is under way', () => {
  const queue = [group('a', [1n]), group('b', [1n])];
  expect(takeBatch(queue, [flight([9n]), flight([1n])])).toEqual([]);
  expect(names(queue)).toEqual(['a', 'b']);
});

test('where one changes a record, or a batch is decided under the lock, all go in the order they came', () => {
  expect(names(takeBatch([group('a', [1n]), group('b', [2n], 'update')], [flight([1n])]))).toEqual(['a', 'b']);
  expect(names(takeBatch([group('a', [1n]), group('b', [2n])], [flight(undefined)]))).toEqual(['a', 'b']);
});

test('all-or-nothing groups go alone, in their place', () => {
  const queue = [group('a', []), group('b', [], 'create', { atomic: true }), group('c', [])];
  expect(names(takeBatch(queue, []))).toEqual(['a']);
  expect(names(takeBatch(queue, []))).toEqual(['b']);
  expect(names(takeBatch(queue, []))).toEqual(['c']);
});

test('what is planned is bounded; who does not fit keeps the order', () => {
  const queue = Array.from({ length: PLANNED_MAX + 2 }, (_, at) => group(String(at), [BigInt(at)]));
  expect(takeBatch(queue, [flight([])])).toHaveLength(PLANNED_MAX);
  expect(names(queue)).toEqual([String(PLANNED_MAX), String(PLANNED_MAX + 1)]);
});
