import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CSV_HEADER, CSV_MAP, csvLine, people } from '../../../bench/people.ts';
import { type LoadFixture, loadFixture, memoryFile, OPERATOR } from '../../../test/support/load.ts';
import type { MapDocument } from './wire.ts';

/** A file large enough for an image of the registry (registry/load-session.ts). */
let f: LoadFixture;
beforeAll(async () => {
  f = await loadFixture();
});
afterAll(() => f.close());

const lines = [...people({ seed: 31, count: 1_300, duplicates: 0.4 })].map(csvLine);
const MEGABYTE = 2 ** 20;

/** Whether the registry was asked for an image, and gave one. */
function watched() {
  const given: boolean[] = [];
  const registry: Parameters<LoadFixture['another']>[0] = {
    submit: f.registry.submit,
    async openLoad(load) {
      const session = await f.registry.openLoad(load);
      given.push(session !== undefined);
      return session;
    },
  };
  return { given, registry };
}

async function load(rows: readonly string[], signal: AbortSignal, onRows: (rows: number) => void = () => {}) {
  const { given, registry } = watched();
  const summary = await f.another(registry, 64 * MEGABYTE).load.loadFile(OPERATOR, {
    file: memoryFile([CSV_HEADER, ...rows].join('\n'), { pieceBytes: 4_000 }),
    domain: 'urn:l:large',
    map: CSV_MAP as unknown as MapDocument,
    dryRun: false,
    signal,
    onProgress: ({ rows: done }) => onRows(done),
  });
  return { summary, given };
}

const never = new AbortController().signal;
const sources = () => f.count('SELECT count(*) AS n FROM registry.source');

describe('a large load', () => {
  test('that is interrupted goes on where it was, loses and doubles nothing, and changes nothing when it comes again', async () => {
    const stop = new AbortController();
    const interrupted = load(lines, stop.signal, (rows) => rows >= 500 && stop.abort());
    await expect(interrupted).rejects.toMatchObject({ code: 'load-interrupted' });
    const before = await sources();
    expect(before).toBeGreaterThanOrEqual(500);
    expect(before).toBeLessThan(lines.length);

    const rest = await load(lines, never);
    expect(rest.summary).toMatchObject({ read: lines.length, rejected: 0, updated: 0 });
    expect(rest.summary.created).toBe(lines.length - before);
    expect(rest.summary.unchanged).toBe(before);
    expect(await sources()).toBe(lines.length);

    const again = await load(lines, never);
    expect(again.summary).toMatchObject({ created: 0, updated: 0, unchanged: lines.length });
    expect(again.given).not.toContain(true);
    expect(await f.count('SELECT count(*) AS n FROM registry.ledger')).toBe(lines.length);
  });

  test('says why rows were not taken, and takes the others', async () => {
    const more = [...people({ seed: 32, count: 1_300, duplicates: 0.2 })].map((one) =>
      csvLine({ ...one, id: `x${one.id}` }),
    );
    const before = await sources();
    const { summary, given } = await load([...more.slice(0, 700), 'ragged,row', ...more.slice(700)], never);
    expect(given).toEqual([true]);
    expect(summary).toMatchObject({ created: more.length, rejected: 1 });
    expect(await sources()).toBe(before + more.length);
  });
});
