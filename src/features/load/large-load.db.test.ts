import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CSV_HEADER, CSV_MAP, csvLine, people } from '../../../bench/people.ts';
import { type LoadFixture, loadFixture, memoryFile, OPERATOR } from '../../../test/support/load.ts';
import { Problem } from '../../kernel/problem.ts';
import type { RegistryCore } from '../registry/index.ts';
import type { MapDocument } from './wire.ts';

/** A file large enough for an image of the registry (registry/load-session.ts). */
let f: LoadFixture;
beforeAll(async () => {
  f = await loadFixture();
});
afterAll(() => f.close());

const lines = [...people({ seed: 31, count: 700, duplicates: 0.4 })].map(csvLine);
const MEGABYTE = 2 ** 20;

/** Whether the registry was asked for an image, and gave one; `onGroup` is told of each group before it is submitted. */
function watched(onGroup: () => void) {
  const given: boolean[] = [];
  const registry: Parameters<LoadFixture['another']>[0] = {
    submit: f.registry.submit,
    async openLoad(load) {
      const session = await f.registry.openLoad(load);
      given.push(session !== undefined);
      return session && { ...session, submit: (...of) => (onGroup(), session.submit(...of)) };
    },
  };
  return { given, registry };
}

type OnReading = (done: number, of: number) => void;

async function load(
  rows: readonly string[],
  signal: AbortSignal,
  onGroup: () => void = () => {},
  onReading: OnReading = () => {},
) {
  const { given, registry } = watched(onGroup);
  const summary = await f.another(registry, 64 * MEGABYTE).load.loadFile(OPERATOR, {
    file: memoryFile([CSV_HEADER, ...rows].join('\n'), { pieceBytes: 4_000 }),
    domain: 'urn:l:large',
    map: CSV_MAP as unknown as MapDocument,
    ...{ dryRun: false, signal, onReading },
  });
  return { summary, given };
}

const never = new AbortController().signal;
const sources = () => f.count('SELECT count(*) AS n FROM registry.source');

describe('a large load', () => {
  test('that is interrupted goes on where it was, loses and doubles nothing, and changes nothing when it comes again', async () => {
    const stop = new AbortController();
    let groups = 0;
    const interrupted = load(lines, stop.signal, () => ++groups === 2 && stop.abort());
    await expect(interrupted).rejects.toMatchObject({ code: 'load-interrupted' });
    const before = await sources();
    expect(before).toBe(500);

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

  test('goes the ordinary way for a while after somebody else registered, and thinks of an image again', async () => {
    let last: Promise<unknown> = Promise.resolve();
    const submit: RegistryCore['submit'] = async (_actor, records, options = {}) => {
      const outcomes = records.map(() => ({
        status: 'refused' as const,
        problem: new Problem('conflict', 'test', 'no'),
      }));
      // In order, as the registry commits.
      last = last.then(() => f.db.database.transaction(async (tx) => await options.alongside?.(tx, outcomes)));
      await last;
      return { outcomes, audited: undefined };
    };
    const asked: string[] = [];
    const registry: Parameters<LoadFixture['another']>[0] = {
      submit: (...of) => (asked.push('ordinary'), submit(...of)),
      async openLoad() {
        asked.push('image');
        let left = 3;
        return {
          isQuick: () => left > 0,
          submit: (...of) => (left--, asked.push('quick'), submit(...of)),
          end: async () => void asked.push('end'),
        };
      },
    };
    const rows = [...people({ seed: 33, count: 7_500, duplicates: 0 })].map(csvLine);
    const summary = await f.another(registry, 1).load.loadFile(OPERATOR, {
      ...{ file: memoryFile([CSV_HEADER, ...rows].join('\n')), domain: 'urn:l:large', dryRun: false, signal: never },
      map: CSV_MAP as unknown as MapDocument,
    });
    expect(summary).toMatchObject({ read: 7_500, rejected: 7_500 });
    const quick = ['image', 'quick', 'quick', 'quick', 'end'];
    expect(asked).toEqual([...quick, ...Array(20).fill('ordinary'), ...quick, ...Array(4).fill('ordinary')]);
  });

  test('says why rows were not taken, and takes the others', async () => {
    const more = [...people({ seed: 32, count: 700, duplicates: 0.2 })].map((one) =>
      csvLine({ ...one, id: `x${one.id}` }),
    );
    const before = await sources();
    const read: number[][] = [];
    const rows = [...more.slice(0, 300), 'ragged,row', ...more.slice(300)];
    const { summary, given } = await load(
      rows,
      never,
      () => {},
      (...progress) => read.push(progress),
    );
    expect(given).toEqual([true]);
    // The registry is read first, and whoever waits is told how far that is.
    expect(read.at(-1)).toEqual([before, before]);
    expect(summary).toMatchObject({ created: more.length, rejected: 1 });
    expect(await sources()).toBe(before + more.length);
  });
});
