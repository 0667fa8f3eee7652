import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ModelsFixture, modelsFixture, variant } from '../../../test/support/models.ts';
import { person } from '../../../test/support/registry.ts';
import { DEFAULT_MODEL } from '../matching/index.ts';
import type { ModelSummary } from './wire.ts';

let f: ModelsFixture;
beforeAll(async () => {
  f = await modelsFixture();
  await f.jobs.start();
});
afterAll(() => f.close());

interface Waiting {
  readonly state: string;
  readonly score: number;
  readonly grade: string;
  readonly model_version: string;
}

async function put(key: string): Promise<void> {
  const system = `urn:waiting:${key}`;
  const patient = person({ given: 'Prossy', family: 'Namutebi', birthDate: '1991', key: [system, key] });
  await f.registry.submit(f.operator, [{ kind: 'upsert', domain: await f.domain(system), key, patient }]);
}
const reviews = () =>
  f.db.ownerDatabase.rows<Waiting>({
    name: 'waiting.reviews',
    text: 'SELECT state, score, grade, model_version FROM registry.review ORDER BY review_id',
  });

it('are scored by the model that takes over, and by the former one after a roll-back', async () => {
  await put('a');
  await put('b');
  const [before] = await reviews();
  expect(before).toMatchObject({ state: 'open', model_version: DEFAULT_MODEL.version });
  f.clock.forward(60_000);
  const document = variant('rarer', { prior: { population: DEFAULT_MODEL.prior.population * 8 } });
  const { model } = await f.call<{ model: ModelSummary }>('POST /api/models', { body: { document, notes: '' } });
  await f.call('POST /api/models/simulate', { body: { modelId: model.id } });
  await f.jobs.idle();
  await f.call('POST /api/models/:id/promote', { params: { id: model.id } });
  await f.jobs.idle();
  const after = await reviews();
  expect(after).toHaveLength(1);
  expect(after[0]).toMatchObject({ state: 'open', model_version: 'rarer' });
  expect(after[0]?.score).toBeLessThan((before?.score ?? 0) * 0.9);
  await f.call('POST /api/models/roll-back');
  await f.jobs.idle();
  expect(await reviews()).toEqual([before]);
});
