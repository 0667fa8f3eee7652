import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CSV_HEADER, CSV_MAP, csvLine, people } from '../../../bench/people.ts';
import { type LoadFixture, loadFixture, memoryFile, OPERATOR } from '../../../test/support/load.ts';
import type { RegistryCore } from '../registry/index.ts';
import type { MapDocument } from './wire.ts';

/** Batches are sent ahead; whichever is answered first, they commit in the order of the file, and none is sent twice. */
let f: LoadFixture;
beforeAll(async () => {
  f = await loadFixture();
});
afterAll(() => f.close());

const map = CSV_MAP as unknown as MapDocument;
const never = new AbortController().signal;
const rows = (seed: number, count: number): string[] => [...people({ seed, count, duplicates: 0 })].map(csvLine);
const loadWith = (registry: Pick<RegistryCore, 'submit'>, lines: readonly string[], dryRun: boolean) =>
  f.another(registry).load.loadFile(OPERATOR, {
    file: memoryFile([CSV_HEADER, ...lines].join('\n')),
    domain: 'urn:l:order',
    map,
    dryRun,
    signal: never,
  });

/** A registry whose odd answers arrive late. */
function unevenRegistry(): Pick<RegistryCore, 'submit'> & { asked(): number } {
  let asked = 0;
  return {
    asked: () => asked,
    async submit(actor, submissions, options) {
      const late = asked++ % 2 === 0;
      const result = await f.registry.submit(actor, submissions, options);
      if (late) await new Promise((resolve) => setTimeout(resolve, 300));
      return result;
    },
  };
}

describe('a load whose batches are answered out of order', () => {
  test('as a dry run', async () => {
    const registry = unevenRegistry();
    const summary = await loadWith(registry, rows(5, 1_000), true);
    expect(summary).toMatchObject({ read: 1_000, created: 1_000, rejected: 0 });
    expect(registry.asked()).toBe(4);
  });

  test('with whole batches of rows that never reach the registry', async () => {
    const bad = Array.from({ length: 250 }, () => 'ragged,row');
    const lines = [...rows(6, 250), ...bad, ...bad, ...rows(7, 250).map((line) => `q${line}`)];
    const registry = unevenRegistry();
    const summary = await loadWith(registry, lines, false);
    expect(summary).toMatchObject({ read: 1_000, created: 500, rejected: 500 });
    expect(registry.asked()).toBe(2);
  });
});
