import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { evaluate } from '../../src/features/linkage/index.ts';
import { Evaluation } from '../../src/features/linkage/wire.ts';
import { MapDocument } from '../../src/features/load/wire.ts';

/** P54: a file to be linked is somebody else's. It must not cost quadratic time, chain strangers, or carry values out. */
const folder = mkdtempSync(join(tmpdir(), 'careseal-p54-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const map = MapDocument.parse({ id: 'id', given: 'given', family: 'family', birthDate: 'born', phone: 'phone' });
const HEADER = 'id,person,given,family,born,phone';

async function judged(name: string, text: string): Promise<Evaluation> {
  const path = join(folder, name);
  writeFileSync(path, text);
  return await evaluate({ path, map, truth: 'person', seed: 1, today: '2026-01-01', nowMs: () => 0 });
}

describe('a file built to do harm', { timeout: 300_000 }, () => {
  test('12,000 records that agree in everything are not 72 million comparisons, and what was left out is said', async () => {
    const rows = Array.from({ length: 12_000 }, (_, at) => `${at},${at},Ann,Lee,1990-02-03,0772123456`);
    const found = await judged('equal.csv', [HEADER, ...rows].join('\n'));
    expect(found.blocking.pairsCompared).toBeLessThan(13_000_000);
    expect(found.linked.pairs).toBe(0);
    expect(found.warnings.join(' ')).toMatch(/not compared/);
  });

  test('a quotation mark that is never closed takes its own row, not the file', async () => {
    const good = Array.from(
      { length: 2_000 },
      (_, at) => `${at},${at >> 1},Ann${at >> 1},Lee,1990-02-03,07721${10_000 + (at >> 1)}`,
    );
    const found = await judged('open.csv', [HEADER, '"1,x,Ann,Lee', ...good].join('\n'));
    expect(found).toMatchObject({ records: 2_000, rejected: 1 });
  });

  test('rows of thousands of fields and fields of megabytes are left out or cut, the others are read', async () => {
    const wide = Array.from({ length: 5_000 }, () => 'x').join(',');
    const long = `3,b,${'y'.repeat(900_000)},Lee,1990-02-03,`;
    const found = await judged(
      'wide.csv',
      [HEADER, wide, '1,a,Ann,Lee,1990-02-03,', '2,a,Ann,Lee,1990-02-03,', long].join('\n'),
    );
    expect(found.rejected).toBe(1);
    expect(found.records).toBe(3);
  });

  test('records that bear everybody’s numbers do not make one person of them', async () => {
    const people = Array.from(
      { length: 300 },
      (_, at) =>
        `${at},${at},${name(at * 7)},${name(at * 131)},19${20 + (at % 70)}-03-${10 + (at % 19)},07720${10_000 + at * 77}`,
    );
    const bridges = Array.from(
      { length: 100 },
      (_, at) => `b${at},b${at},${name(at * 7)},${name((at + 1) * 131)},1950-01-01,07720${10_000 + (at + 2) * 77}`,
    );
    const found = await judged('bridges.csv', [HEADER, ...people, ...bridges].join('\n'));
    // Nobody's group grows beyond a bridge and the two it stands between.
    expect(found.clusters.pairs).toBeLessThan(300);
  });

  test('the answer has the shape that was promised, and no value of a record', async () => {
    const found = await judged(
      'values.csv',
      [HEADER, '1,a,Zebedaeus,Quux,1990-02-03,0772987654', '2,a,Zebedaeus,Quux,1990-02-03,0772987654'].join('\n'),
    );
    expect(Evaluation.parse(found)).toEqual(found);
    for (const value of ['ebedaeus', 'uux', '1990', '987654'])
      expect(JSON.stringify(found).toLowerCase()).not.toContain(value);
  });
});

function name(seed: number): string {
  const letters = 'aeioubdgklmnprst';
  return Array.from({ length: 7 }, (_, at) => letters[(seed * (at + 3) * 2_654_435 + at * 7) % 16] ?? 'a').join('');
}
