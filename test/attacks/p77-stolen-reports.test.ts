import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelSummary, ShadowReply, StudyReportReply, StudyView } from '../../src/features/models/wire.ts';
import { type ModelsFixture, modelsFixture, variant } from '../support/models.ts';
import { person } from '../support/registry.ts';

/** P77: whoever steals the database learns from models, reports and the shadow's examples neither names nor who resembles whom. */
let f: ModelsFixture;
beforeAll(async () => {
  f = await modelsFixture();
  await f.jobs.start();
});
afterAll(() => f.close());

test('reports, examples, notes and names of common people lie sealed', async () => {
  const loose = variant('stolen-1', {
    description: 'Kept by Zulaikha',
    thresholds: { match: 0.6, review: 0.2, probable: 0.4 },
    frequencies: { given: { zulaikha: 0.01 }, family: { kyomuhendo: 0.02 } },
  });
  const { model } = await f.call<{ model: ModelSummary }>('POST /api/models', {
    body: { document: loose, notes: 'Zulaikha asked' },
  });
  await f.call('PUT /api/models/shadow', { body: { modelId: model.id } });
  const ids: string[] = [];
  for (const system of ['urn:stolen:a', 'urn:stolen:b']) {
    const { outcomes } = await f.registry.submit(f.operator, [
      {
        kind: 'upsert',
        domain: await f.domain(system),
        key: 'k1',
        patient: person({ key: [system, 'k1'], given: 'Zulaikha', family: 'Kyomuhendo', birthDate: '1991' }),
      },
    ]);
    const [outcome] = outcomes;
    if (outcome && outcome.status !== 'refused') ids.push(outcome.id);
  }
  const { study } = await f.call<{ study: StudyView }>('POST /api/models/simulate', { body: { modelId: model.id } });
  await f.jobs.idle();
  const { report } = await f.call<StudyReportReply>('GET /api/models/studies/:id', { params: { id: study.id } });
  // Counting goes on behind the answer.
  await expect
    .poll(async () => (await f.call<ShadowReply>('GET /api/models/shadow')).examples.length)
    .toBeGreaterThan(0);
  // It is worth stealing: examples were kept.
  expect(report.kind === 'simulation' && report.examples.length).toBeGreaterThan(0);
  const [row] = await f.db.ownerDatabase.rows<{ all: string }>({
    name: 'p77.everything',
    text: `SELECT coalesce((SELECT string_agg(t::text, ' ') FROM models.model t), '') || coalesce((SELECT string_agg(t::text, ' ') FROM models.study t), '')
      || coalesce((SELECT string_agg(encode(document, 'escape') || encode(detail, 'escape'), ' ') FROM models.model), '')
      || coalesce((SELECT string_agg(encode(request, 'escape') || encode(report, 'escape'), ' ') FROM models.study), '')
      || coalesce((SELECT string_agg(encode(detail, 'escape') || example_id, ' ') FROM models.shadow_example), '')
      || coalesce((SELECT string_agg(t::text, ' ') FROM models.shadow_tally t), '')
      || coalesce((SELECT string_agg(payload::text || coalesce(progress::text, ''), ' ') FROM jobs.job), '') AS all`,
  });
  for (const secret of ['zulaikha', 'kyomuhendo', 'asked', ...ids])
    expect(row?.all.toLowerCase()).not.toContain(secret);
  const [kept] = await f.db.ownerDatabase.rows<{ n: bigint }>({
    name: 'p77.count',
    text: 'SELECT count(*) AS n FROM models.shadow_example',
  });
  expect(kept?.n).toBeGreaterThan(0n);
});
