import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModelsFixture, modelsFixture, variant } from '../../../test/support/models.ts';
import { person } from '../../../test/support/registry.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import type {
  GroupsReport,
  ModelDetail,
  ModelsReply,
  ModelSummary,
  ShadowReply,
  StudyReportReply,
  StudyView,
  TrainingReport,
} from './wire.ts';

let f: ModelsFixture;
beforeAll(async () => {
  f = await modelsFixture();
  await f.jobs.start();
});
afterAll(() => f.close());

const GIVEN = [
  'Amina',
  'Peter',
  'Prossy',
  'John',
  'Fatuma',
  'Joseph',
  'Grace',
  'Moses',
  'Ruth',
  'Samuel',
  'Sarah',
  'David',
];
const FAMILY = [
  'Okello',
  'Banda',
  'Namutebi',
  'Mwangi',
  'Abdi',
  'Ochieng',
  'Auma',
  'Kato',
  'Atim',
  'Odongo',
  'Wanjiru',
  'Zziwa',
  'Tumusiime',
];
const pick = <T>(list: readonly T[], at: number): T => list[at % list.length] as T;
const two = (n: number) => String(n).padStart(2, '0');
const somebody = (at: number) =>
  ({
    given: pick(GIVEN, at * 7 + (at >> 3)),
    family: pick(FAMILY, at * 5 + (at >> 4)),
    birthDate: `${1950 + ((at * 13) % 60)}-${two(1 + ((at * 7) % 12))}-${two(1 + ((at * 11) % 28))}`,
    gender: at % 2 === 0 ? 'female' : 'male',
    phone: `0772${two(at % 97)}${two((at * 3) % 89)}${two((at * 31) % 97)}`,
  }) as const;

async function register(system: string, key: string, fields: Parameters<typeof person>[0]) {
  const { outcomes } = await f.registry.submit(f.operator, [
    { kind: 'upsert', domain: await f.domain(system), key, patient: person({ ...fields, key: [system, key] }) },
  ]);
  const [outcome] = outcomes;
  if (!outcome || outcome.status === 'refused') throw new Error(outcome?.problem.code);
  return outcome;
}

async function studied<T extends StudyReportReply['report']>(path: string, body: object): Promise<T> {
  const { study } = await f.call<{ study: StudyView }>(path, { body });
  await f.jobs.idle();
  const { studies } = await f.call<ModelsReply>('GET /api/models');
  expect(studies[0]).toMatchObject({ id: study.id, state: 'done' });
  return (await f.call<StudyReportReply>('GET /api/models/studies/:id', { params: { id: study.id } })).report as T;
}

describe('training on the registry’s own records', () => {
  it('says so where there are too few', async () => {
    await f.call('POST /api/models/train', { body: { version: 'few-1' } });
    await f.jobs.idle();
    const { studies, models } = await f.call<ModelsReply>('GET /api/models');
    expect(studies[0]).toMatchObject({
      kind: 'training',
      state: 'failed',
      error: expect.stringMatching(/too few records/),
    });
    expect(models).toHaveLength(1);
  });

  it('gives a model that is kept and not yet used, the same for the same seed', async () => {
    const domain = await f.domain('urn:train:a');
    const all = Array.from({ length: 620 }, (_, at) => ({ key: `t${at}`, ...somebody(at < 500 ? at : at - 500) }));
    for (let at = 0; at < all.length; at += 100) {
      const part = all.slice(at, at + 100).map(({ key, ...one }) => ({
        kind: 'upsert' as const,
        domain,
        key,
        patient: person({ ...one, key: ['urn:train:a', key] }),
      }));
      await f.registry.submit(f.operator, part);
    }
    const report = await studied<TrainingReport>('POST /api/models/train', { version: 'own-1', notes: 'first' });
    expect(report).toMatchObject({ kind: 'training', version: 'own-1', records: 620, drawn: 620 });
    expect(report.matchesExpected).toBeGreaterThan(60);
    expect(report.matchesExpected).toBeLessThan(400);
    await studied('POST /api/models/train', { version: 'own-2' });
    const { models } = await f.call<ModelsReply>('GET /api/models');
    const of = async (version: string) => {
      const { id } = models.find((one) => one.version === version) as ModelSummary;
      const { version: _, description: __, ...rest } = await f.models.document(id as never);
      return rest;
    };
    expect(models.find(({ version }) => version === 'own-1')).toMatchObject({
      origin: 'trained',
      state: 'stored',
      notes: 'first',
    });
    expect(await of('own-1')).toEqual(await of('own-2'));
  }, 120_000);

  it('killed in the middle begins again from the start, and gives the same model', async () => {
    const documentOf = async (version: string) => {
      const { version: _, description: __, ...rest } = await f.models.document(await f.models.named(version));
      return rest;
    };
    await f.jobs.stop();
    const { study } = await f.call<{ study: StudyView }>('POST /api/models/train', { body: { version: 'own-3' } });
    // What a process leaves behind that dies at work.
    await f.db.ownerDatabase.run({
      name: 'models-test.dead',
      text: `UPDATE jobs.job SET state = 'running', runner = NULL, lease_until = now() - interval '1 hour',
        progress = '{"step": "training", "done": 0, "total": 1}' WHERE id = '${study.id}'`,
    });
    const next = await f.another();
    await next.jobs.start();
    await expect
      .poll(async () => (await f.call<ModelsReply>('GET /api/models')).studies[0], { timeout: 60_000 })
      .toMatchObject({ id: study.id, state: 'done' });
    expect(await documentOf('own-3')).toEqual(await documentOf('own-1'));
    await next.jobs.stop();
    await next.models.stop();
    Object.assign(f, { jobs: (await f.another()).jobs });
    await f.jobs.start();
  }, 120_000);

  it('with decisions of people needs enough of them, and says how many there are', async () => {
    const { labels } = await f.call<ModelsReply>('GET /api/models');
    expect(labels).toEqual({ same: 0, different: 0, needed: 50 });
    await f.call('POST /api/models/train', { body: { version: 'labels-1', labels: true } });
    await f.jobs.idle();
    const { studies } = await f.call<ModelsReply>('GET /api/models');
    expect(studies[0]).toMatchObject({ state: 'failed', error: expect.stringMatching(/decided pairs/) });
  });

  it('uses them where there are enough, and says how a model would have decided them', async () => {
    const ids = await Promise.all(
      Array.from({ length: 620 }, (_, at) => f.registry.findByKey('urn:train:a', `t${at}`)),
    );
    const id = (at: number): string => ids[at] ?? '';
    // The last 120 are the first ones again; neighbours are strangers.
    const pairs = Array.from({ length: 60 }, (_, at) => [
      [id(at), id(500 + at), 'right'],
      [id(at + 100), id(at + 160), 'wrong'],
    ]).flat();
    await f.db.ownerDatabase.run(
      {
        name: 'models-test.label',
        text: `INSERT INTO registry.link_check (check_id, a, b, model_version, drawn_at, verdict, judged_at)
               SELECT gen_random_uuid(), least(p.a, p.b), greatest(p.a, p.b), 'x', now(), p.verdict, now() FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS p(a, b, verdict)`,
      },
      [pairs.map((one) => one[0] ?? ''), pairs.map((one) => one[1] ?? ''), pairs.map((one) => one[2] ?? '')],
    );
    const report = await studied<TrainingReport>('POST /api/models/train', { version: 'labels-2', labels: true });
    expect(report.labels).toEqual({ same: 60, different: 60 });
    const { models } = await f.call<ModelsReply>('GET /api/models');
    const { id: modelId } = models.find(({ version }) => version === 'labels-2') as ModelSummary;
    const { judged } = await f.call<ModelDetail>('GET /api/models/:id', { params: { id: modelId } });
    expect(judged?.same.link).toBeGreaterThan(50);
    expect(judged?.different).toEqual({ link: 0, review: 0, none: 60 });
    await f.db.ownerDatabase.run({ name: 'models-test.unlabel', text: 'DELETE FROM registry.link_check' });
  }, 120_000);

  it('can be cancelled', async () => {
    await f.jobs.stop();
    const { study } = await f.call<{ study: StudyView }>('POST /api/models/train', { body: { version: 'never-1' } });
    await f.call('POST /api/models/studies/:id/cancel', { params: { id: study.id } });
    const next = await f.another();
    await next.jobs.start();
    await next.jobs.idle();
    const { studies, models } = await f.call<ModelsReply>('GET /api/models');
    expect(studies[0]?.state).toBe('cancelled');
    expect(models.some(({ version }) => version === 'never-1')).toBe(false);
    await next.jobs.stop();
    await next.models.stop();
    Object.assign(f, { jobs: (await f.another()).jobs });
    await f.jobs.start();
  });

  it('leaves nothing of a record in the database that can be read', async () => {
    const [row] = await f.db.ownerDatabase.rows<{ all: string }>({
      name: 'models-test.studies',
      text: `SELECT string_agg(encode(request, 'escape') || coalesce(encode(report, 'escape'), ''), '') || (SELECT string_agg(payload::text || coalesce(progress::text, ''), '') FROM jobs.job) AS all FROM models.study`,
    });
    for (const secret of ['Okello', 'okello', 'Namutebi', 'own-1']) expect(row?.all).not.toContain(secret);
  });
});

describe('a shadow', () => {
  it('is counted beside the active model and decides nothing; off until somebody asks', async () => {
    expect(await f.call<ShadowReply>('GET /api/models/shadow')).toEqual({ days: [], examples: [] });
    const loose = variant('shadow-1', { thresholds: { match: 0.6, review: 0.2, probable: 0.4 } });
    const { model } = await f.call<{ model: ModelSummary }>('POST /api/models', { body: { document: loose } });
    await f.call('PUT /api/models/shadow', { body: { modelId: model.id } });
    const one = { given: 'Prossy', family: 'Kyomuhendo', birthDate: '1991' };
    const first = await register('urn:shadow:a', 's1', one);
    const second = await register('urn:shadow:b', 's2', one);
    expect(second.goldenId).not.toBe(first.goldenId);
    // Counting goes on behind the answer.
    await expect.poll(async () => (await f.call<ShadowReply>('GET /api/models/shadow')).examples).toHaveLength(1);
    const { shadow, days, examples } = await f.call<ShadowReply>('GET /api/models/shadow');
    expect(shadow).toBe('shadow-1');
    expect(days[0]?.outcomes).toMatchObject({ 'review->link': 1 });
    expect(examples).toMatchObject([{ now: 'review', beside: 'link' }]);
    const { pair } = await f.call<{ pair: { a: { sourceId: ResourceId } } }>('GET /api/models/shadow/examples/:id', {
      params: { id: examples[0]?.id },
    });
    expect([first.id, second.id]).toContain(pair.a.sourceId);
    await f.call('PUT /api/models/shadow', { body: { modelId: null } });
  });
});

describe('groups', () => {
  it('are looked through for what does not belong together', async () => {
    const clean = await studied<GroupsReport>('POST /api/models/check-groups', {});
    expect(clean.faults).toMatchObject({ contradiction: 0, chain: 0 });
    // Two strangers whom a hand has put together, one of them by a mistake that nobody pinned.
    const a = await register('urn:group:a', 'g1', {
      given: 'Amina',
      family: 'Okello',
      birthDate: '1984-03-12',
      gender: 'female',
    });
    const b = await register('urn:group:b', 'g2', {
      given: 'Kofi',
      family: 'Mensah',
      birthDate: '1959-10-30',
      gender: 'male',
    });
    await f.db.ownerDatabase.run({
      name: 'models-test.mix',
      text: `UPDATE registry.source SET golden_id = '${a.goldenId}' WHERE source_id = '${b.id}'`,
    });
    const report = await studied<GroupsReport>('POST /api/models/check-groups', {});
    expect(report.faults.contradiction + report.faults.chain).toBe(1);
    const at = report.examples.findIndex(({ clientId }) => clientId === a.goldenId);
    const { studies } = await f.call<ModelsReply>('GET /api/models');
    const params = { id: studies[0]?.id, at };
    const { pair } = await f.call<{ pair: { comparison: unknown[] } }>('GET /api/models/studies/:id/examples/:at', {
      params,
    });
    expect(pair.comparison.length).toBeGreaterThan(2);
  });
});
