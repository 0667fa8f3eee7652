import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { MapDocument } from '../load/wire.ts';
import { evaluate } from './index.ts';
import type { Evaluation } from './wire.ts';

const folder = mkdtempSync(join(tmpdir(), 'careseal-linkage-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const map = MapDocument.parse({
  id: 'id',
  given: 'given',
  family: 'family',
  birthDate: 'born',
  phone: 'phone',
  address: { city: 'city' },
});
type Row = readonly [given: string, family: string, born: string, phone: string, city: string];

let files = 0;
/** Every two rows are one person, or each one alone. */
async function judged(rows: readonly Row[], twins = false): Promise<Evaluation> {
  const path = join(folder, `${files++}.csv`);
  const lines = rows.map((row, at) => [at, twins ? at >> 1 : at, ...row].join(','));
  writeFileSync(path, `id,person,given,family,born,phone,city\n${lines.join('\n')}\n`);
  return await evaluate({ path, map, truth: 'person', seed: 1, today: '2026-01-01', nowMs: () => 0 });
}

const letters = (value: number): string =>
  [...value.toString(26)].map((digit) => 'aeioubdgklmnprstvzfhjwycqx'[parseInt(digit, 26)]).join('');
const born = (at: number): string => `19${20 + (at % 70)}-${String(1 + (at % 12)).padStart(2, '0')}-${10 + (at % 19)}`;

describe('files that nobody wants', { timeout: 300_000 }, () => {
  test('one record', async () => {
    const found = await judged([['Ann', 'Lee', '1990-02-03', '0772123456', 'Gulu']]);
    expect(found).toMatchObject({ records: 1, truePairs: 0, linked: { pairs: 0 }, clusters: { groups: 0 } });
  });

  test('no record is a refusal in plain words', async () => {
    await expect(judged([])).rejects.toThrow(/no rows that can be read/);
  });

  test('all values equal: nobody is told from anybody, nothing is linked, and the full blocks are reported', async () => {
    const found = await judged(Array.from({ length: 3000 }, () => ['Ann', 'Lee', '1990-02-03', '0772123456', 'Gulu']));
    expect(found.linked.pairs).toBe(0);
    expect(
      found.blocking.rules.some(({ overfullBlocks, pairsNotCompared }) => overfullBlocks > 0 && pairsNotCompared > 0),
    ).toBe(true);
    expect(found.warnings.join(' ')).toMatch(/so common/);
  });

  test('one name for everybody: dates and telephones decide', async () => {
    const rows = Array.from({ length: 3000 }, (_, at): Row => {
      const person = at >> 1;
      return ['Mohamed', 'Ali', born(person * 7), `077${2_000_000 + person * 7919}`, 'Gulu'];
    });
    const found = await judged(rows, true);
    expect(found.linked.precision).toBeGreaterThanOrEqual(0.99);
    expect(found.linked.recall).toBeGreaterThanOrEqual(0.99);
  });

  test('100,000 records with one birthday: names decide, in bounded time', async () => {
    const rows = Array.from({ length: 100_000 }, (_, at): Row => {
      const person = at >> 1;
      return [
        letters(2000 + ((person * 7919) % 3001)),
        letters(9000 + ((person * 104_729) % 50_021)),
        '1990-01-01',
        '',
        'Gulu',
      ];
    });
    const found = await judged(rows, true);
    expect(found.linked.precision).toBeGreaterThanOrEqual(0.99);
    expect(found.linked.recall).toBeGreaterThanOrEqual(0.9);
    expect(found.blocking.pairsCompared).toBeLessThan(3_000_000);
  });

  test('empty columns are neither agreement nor disagreement', async () => {
    const found = await judged(Array.from({ length: 300 }, (): Row => ['', '', '', '', '']));
    expect(found.linkedOrReviewed.pairs).toBe(0);
  });

  test('emojis, right-to-left names, names of a thousand characters, formulas, quotation marks', async () => {
    const long = 'x'.repeat(1000);
    const odd: Row[] = [
      ['😀😀', '🙂', '1990-02-03', '', ''],
      ['محمد', 'علي', '1991-02-13', '', ''],
      [long, `${long}y`, '1992-02-23', '', ''],
      ['=cmd()', '"q""q"', '1993-03-24', '', ''],
      ['עברית', 'שם', '1994-04-25', '', ''],
    ];
    const found = await judged(
      odd.flatMap((row) => [row, row]),
      true,
    );
    expect(found.linked.precision).toBe(1);
    expect(found.clusters.recall).toBeGreaterThanOrEqual(0.8);
  });

  test('a file without duplicates: nothing is linked', async () => {
    const rows = Array.from(
      { length: 3000 },
      (_, at): Row => [
        letters(3000 + ((at * 7919) % 9973)),
        letters(90_000 + ((at * 104_729) % 300_007)),
        born(at * 13),
        `07${10_000_000 + ((at * 7_368_787) % 89_999_999)}`,
        letters(50 + (at % 60)),
      ],
    );
    const found = await judged(rows);
    expect(found.linked.pairs).toBeLessThanOrEqual(3);
  });

  test('training that does not settle says so and keeps what records of one person look like', async () => {
    // Names and telephones counted up: everybody looks a little like everybody.
    const rows = Array.from(
      { length: 800 },
      (_, at): Row => [`a${at * 7919}`, `b${at * 104_729}`, born(at), `0772${100_000 + at * 37}`, `c${at}`],
    );
    const found = await judged(rows);
    expect(found.linked.pairs).toBeLessThan(40);
    if (found.model.converged === false) expect(found.warnings.join(' ')).toMatch(/did not settle/);
  });

  test('records made to resemble everybody do not chain strangers together', async () => {
    const people = Array.from(
      { length: 400 },
      (_, at): Row => [
        letters(3000 + ((at * 7919) % 9973)),
        letters(90_000 + ((at * 104_729) % 300_007)),
        born(at * 13),
        `0772${100_000 + at * 331}`,
        letters(50 + (at % 9)),
      ],
    );
    // Each takes its given name from one, its family name from another, its date from a third.
    const chimeras = people.map(
      (row, at): Row => [
        row[0],
        (people[(at + 1) % people.length] as Row)[1],
        (people[(at + 2) % people.length] as Row)[2],
        row[3],
        row[4],
      ],
    );
    const path = join(folder, 'chimeras.csv');
    const lines = [...people, ...people, ...chimeras].map((row, at) =>
      [at, at < 800 ? at % 400 : at, ...row].join(','),
    );
    writeFileSync(path, `id,person,given,family,born,phone,city\n${lines.join('\n')}\n`);
    const found = await evaluate({ path, map, truth: 'person', seed: 1, today: '2026-01-01', nowMs: () => 0 });
    expect(found.clusters.recall).toBeGreaterThanOrEqual(0.99);
    // Nobody's group holds two people: at worst a chimera joins the one whose given name and telephone it bears.
    expect(found.clusters.pairs).toBeLessThanOrEqual(400 * 3);
  });
});

describe('what is asked wrongly', () => {
  test.each([
    ['in one thread', 500, 'training'],
    ['in several threads', 60_000, 'blocking'],
  ])('interrupted %s it ends soon, in plain words, and leaves nothing behind', async (_how, count, step) => {
    const path = join(folder, `${files++}.csv`);
    const lines = Array.from({ length: count }, (_, at) =>
      [
        at,
        at >> 1,
        letters(3000 + (at >> 1)),
        letters(90_000 + at),
        born(at),
        `0772${100_000 + at * 3}`,
        'a'.repeat(40),
      ].join(','),
    );
    writeFileSync(path, `id,person,given,family,born,phone,city\n${lines.join('\n')}\n`);
    const before = readdirSync(folder).length;
    const stop = new AbortController();
    const steps: string[] = [];
    const order = { path, map, truth: 'person', seed: 1, today: '2026-01-01', nowMs: () => 0, signal: stop.signal };
    const onProgress = (now: string): void => {
      steps.push(now);
      if (now === step) stop.abort();
    };
    await expect(evaluate({ ...order, onProgress })).rejects.toMatchObject({
      code: 'evaluation-interrupted',
      message: expect.stringContaining('Nothing was changed'),
    });
    expect(steps.at(-1)).toBe(step);
    expect(readdirSync(folder)).toHaveLength(before);
  });

  test('it ends, in plain words, where it would need more memory than was allowed', async () => {
    const path = join(folder, `${files++}.csv`);
    const lines = Array.from({ length: 40_000 }, (_, at) =>
      [at, at >> 1, letters(3000 + (at >> 1)), letters(90_000 + at), born(at), `0772${100_000 + at * 3}`, 'gulu'].join(
        ',',
      ),
    );
    writeFileSync(path, `id,person,given,family,born,phone,city\n${lines.join('\n')}\n`);
    let looks = 0;
    const order = { path, map, truth: 'person', seed: 1, today: '2026-01-01', nowMs: () => 0 };
    const memory = { maxBytes: 300e6, usedBytes: () => (looks++, 301e6) };
    await expect(evaluate({ ...order, memory })).rejects.toMatchObject({
      code: 'memory-bound',
      message: expect.stringContaining('300 MB'),
    });
    expect(looks).toBeGreaterThan(0);
    writeFileSync(path, 'id,person,given,family,born,phone,city\n1,a,Ann,Lee,,,\n2,a,Ann,Lee,,,\n');
    expect((await evaluate({ ...order, memory: { ...memory, usedBytes: () => 299e6 } })).records).toBe(2);
  }, 120_000);

  test('a mapping that uses the truth is refused', async () => {
    const path = join(folder, 'told.csv');
    writeFileSync(path, 'id,person,given\n1,a,Ann\n2,a,Ann\n');
    const told = MapDocument.parse({ id: 'id', given: 'given', family: 'person' });
    await expect(
      evaluate({ path, map: told, truth: 'person', seed: 1, today: '2026-01-01', nowMs: () => 0 }),
    ).rejects.toThrow(/truth to be judged by/);
  });

  test('a column that is not there is named', async () => {
    const path = join(folder, 'other.csv');
    writeFileSync(path, 'id,person,first\n1,a,Ann\n');
    await expect(
      evaluate({ path, map, truth: 'person', seed: 1, today: '2026-01-01', nowMs: () => 0 }),
    ).rejects.toThrow(/no column named "given"/);
  });
});
