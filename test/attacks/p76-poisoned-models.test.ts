import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_MODEL, type MatchingModel } from '../../src/features/matching/index.ts';
import type { ModelSummary } from '../../src/features/models/wire.ts';
import { type ModelsFixture, modelsFixture, variant } from '../support/models.ts';

/** P76: a model is somebody's document. It must not link everybody, make every record meet every other, or take the server's time. */
let f: ModelsFixture;
beforeAll(async () => {
  f = await modelsFixture();
});
afterAll(() => f.close());

const upload = (document: unknown) => f.call<{ model: ModelSummary }>('POST /api/models', { body: { document } });
const { fields } = DEFAULT_MODEL;
const huge = Object.fromEntries(Array.from({ length: 30_000 }, (_, at) => [`name${at}`, 0.001]));
const generous = { same: { m: 0.99, u: 1e-12 }, different: { m: 0.01, u: 0.99 } };

const POISONED: readonly (readonly [string, Partial<MatchingModel>])[] = [
  ['links from next to nothing', { thresholds: { match: 0.002, review: 0.001, probable: 0.0015 } }],
  ['takes strangers for one person by the starting weight', { prior: { population: 2 } }],
  [
    'makes one sex the proof of one person',
    { fields: { ...fields, gender: { levels: generous } }, thresholds: { match: 0.6, review: 0.1, probable: 0.3 } },
  ],
  [
    'takes a difference for a likeness',
    { fields: { ...fields, birthDate: { levels: { ...fields.birthDate.levels, different: { m: 0.1, u: 0.0001 } } } } },
  ],
  [
    'lets everybody of a town meet everybody',
    { blocking: { keysMax: 60, rules: [{ name: 'town', parts: ['city'] }] } },
  ],
  [
    'lets all that were born in one year meet',
    { blocking: { keysMax: 60, rules: [{ name: 'y', parts: ['birth-year', 'birth-year'] }] } },
  ],
  ['brings more names than anybody has', { frequencies: { given: huge, family: {} } }],
];

/** What this process has worked since: other work of the machine does not count. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

describe('a model that', () => {
  test.each(POISONED)('%s is refused', async (_, change) => {
    const began = process.cpuUsage();
    await expect(upload(variant('poisoned', change))).rejects.toMatchObject({
      code: expect.stringMatching(/^model-(unsound|invalid)$/),
    });
    expect(cpuMs(began)).toBeLessThan(5_000);
  });

  test.each([
    ['has a part that is none', { ...DEFAULT_MODEL, version: 'x', script: 'process.exit()' }],
    ['has a name that leads elsewhere', { ...DEFAULT_MODEL, version: '../../etc/passwd' }],
    ['is a list', []],
    ['is nothing', null],
    ['hides a prototype', JSON.parse('{"__proto__": {"format": "careseal-matching-model/1"}}') as unknown],
  ])('%s is refused', async (_, document) => {
    await expect(upload(document)).rejects.toMatchObject({ code: 'model-invalid' });
  });

  test('is sound decides nothing before it was tried on the records that are here', async () => {
    const { model } = await upload(variant('sound-1'));
    await expect(f.call('POST /api/models/:id/promote', { params: { id: model.id } })).rejects.toMatchObject({
      code: 'simulate-first',
    });
    expect(f.registry.models.version()).toBe(DEFAULT_MODEL.version);
  });

  test('has a name that is taken replaces nothing', async () => {
    await expect(
      upload(variant(DEFAULT_MODEL.version, { thresholds: { match: 0.9, review: 0.3, probable: 0.8 } })),
    ).rejects.toMatchObject({ code: 'model-exists' });
  });
});
