import { expect, test } from 'vitest';
import type { ResourceId } from '../../kernel/ids.ts';
import { RoundState, type SourceState } from './batch-state.ts';
import { dependsOn, type Footprint, footprintOf } from './footprint.ts';
import type { Work } from './work.ts';

const id = (name: string) => name as ResourceId;

/** Only what footprints are made of. */
const work = (lookupTokens: readonly bigint[], keyTokens: readonly bigint[]) =>
  ({ content: { lookupTokens }, keyTokens }) as unknown as Work;
const source = (name: string, golden: string, more: Partial<SourceState>) =>
  ({ id: id(name), goldenId: id(golden), change: 'none', keyToken: null, ...more }) as SourceState;

function stateOf(sources: readonly SourceState[], touched: readonly string[]): RoundState {
  const state = new RoundState();
  for (const one of sources) state.add(one);
  for (const golden of touched) state.golden(id(golden)).touched = true;
  return state;
}

const NOTHING: Footprint = { asked: new Set(), seen: new Set(), left: new Set(), changed: new Set() };

test('a batch rests on what it asked for and whom it compared, and leaves what it wrote', () => {
  const known = source('m', 'g', { tokens: [8n], keyToken: 9n });
  const made = source('n', 'g', { change: 'written', tokens: [1n, 2n], keyToken: 3n });
  const found = footprintOf([work([1n, 2n, 7n], [3n])], stateOf([known, made], ['g']));
  expect(found.asked).toEqual(new Set([1n, 2n, 7n, 3n]));
  expect(found.seen).toEqual(new Set(['g']));
  expect(found.left).toEqual(new Set([1n, 2n, 3n]));
  expect(found.changed).toEqual(new Set(['g']));
});

test('one batch depends on another by a key, by an identifier, or by a person that both have to do with', () => {
  const earlier = { ...NOTHING, left: new Set([1n, 3n]), changed: new Set([id('g')]) };
  expect(dependsOn({ ...NOTHING, asked: new Set([1n]) }, earlier)).toBe(true);
  expect(dependsOn({ ...NOTHING, asked: new Set([3n, 5n]) }, earlier)).toBe(true);
  expect(dependsOn({ ...NOTHING, seen: new Set([id('g')]) }, earlier)).toBe(true);
  expect(dependsOn({ ...NOTHING, asked: new Set([2n]), seen: new Set([id('h')]) }, earlier)).toBe(false);
});
