import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { csvLine, CSV_HEADER, CSV_MAP, people } from '../../../bench/people.ts';
import { MapDocument } from '../load/wire.ts';
import { compileModel, parseModel, prepare, score } from '../matching/index.ts';
import { evaluate, trainModel } from './index.ts';
import { Evaluation } from './wire.ts';

const folder = mkdtempSync(join(tmpdir(), 'careseal-model-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const path = join(folder, 'people.csv');
const made = [...people({ seed: 5, count: 2500, duplicates: 0.3 })];
writeFileSync(path, `${[CSV_HEADER, ...made.map(csvLine)].join('\n')}\n`);
const map = MapDocument.parse(CSV_MAP);
const told = { path, map, seed: 1, today: '2026-01-01' };

describe('a model trained on a file', { timeout: 300_000 }, () => {
  test('households are told from people, and the document judges as training did', async () => {
    const direct = await evaluate({ ...told, truth: 'person', nowMs: () => 0 });
    expect(direct.linked.precision).toBeGreaterThanOrEqual(0.99);
    expect(direct.clusters.f1).toBeGreaterThanOrEqual(0.98);
    expect(Evaluation.parse(direct)).toEqual(direct);

    const { model, matchesExpected, householdsExpected, converged } = await trainModel({ ...told, version: 'test-1' });
    expect(converged).toBe(true);
    expect(matchesExpected / direct.truePairs).toBeGreaterThan(0.85);
    expect(matchesExpected / direct.truePairs).toBeLessThan(1.25);
    expect(householdsExpected).toBeGreaterThan(matchesExpected);
    const again = await evaluate({
      ...told,
      truth: 'person',
      nowMs: () => 0,
      model: parseModel(JSON.parse(JSON.stringify(model))),
    });
    expect(again.model).toEqual({ version: 'test-1', trained: false });
    expect(again.clusters.f1).toBeCloseTo(direct.clusters.f1, 2);
  });

  test('the same seed gives the same document, and it holds names that several people have and nothing else of them', async () => {
    const first = await trainModel({ ...told, version: 'test-1' });
    const second = await trainModel({ ...told, version: 'test-1' });
    expect(second).toEqual(first);
    const text = JSON.stringify(first.model);
    for (const { id, phone, nationalId, line } of made.slice(0, 200)) {
      for (const value of [id, phone, nationalId, line]) if (value.length > 3) expect(text).not.toContain(value);
    }
  });

  test('the registry can score with it', async () => {
    const { model } = await trainModel({ ...told, version: 'test-1' });
    const compiled = compileModel(model);
    const anna = prepare(compiled, {
      given: ['Anna'],
      family: ['Nakawunde'],
      birthDate: '1980-05-23',
      phones: ['0772300633'],
      emails: [],
      identifiers: [],
    });
    expect(score(compiled, anna, anna)).toMatchObject({ decision: 'match', grade: 'certain' });
  });
});

describe('what an evaluation says', { timeout: 300_000 }, () => {
  test('it holds ids and levels, and no other value of a record', async () => {
    const found = await evaluate({ ...told, truth: 'person', nowMs: () => 0 });
    const text = JSON.stringify(found);
    for (const { phone, nationalId, line, birthDate } of made) {
      for (const value of [phone, nationalId, line, birthDate])
        if (value.length > 5) expect(text.includes(value)).toBe(false);
    }
  });
});
