import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userActor } from '../../../test/support/audit.ts';
import { type ModelsFixture, modelsFixture, variant } from '../../../test/support/models.ts';
import { person } from '../../../test/support/registry.ts';
import { parseId, type ResourceId, type UserId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import { DEFAULT_MODEL } from '../matching/index.ts';
import type { ModelsReply, ModelSummary, SimulationReport, StudyReportReply, StudyView } from './wire.ts';

let f: ModelsFixture;
beforeAll(async () => {
  f = await modelsFixture();
  await f.jobs.start();
});
afterAll(() => f.close());

const LOOSE = { match: 0.6, review: 0.2, probable: 0.4 };
const overview = () => f.call<ModelsReply>('GET /api/models');
const add = async (document: unknown) =>
  (await f.call<{ model: ModelSummary }>('POST /api/models', { body: { document, notes: 'tried' } })).model;

async function put(key: string, fields: Parameters<typeof person>[0]): Promise<{ id: ResourceId; golden: ResourceId }> {
  const system = `urn:models:${key[0]}`;
  const { outcomes } = await f.registry.submit(f.operator, [
    { kind: 'upsert', domain: await f.domain(system), key, patient: person({ ...fields, key: [system, key] }) },
  ]);
  const [outcome] = outcomes;
  if (!outcome || outcome.status === 'refused') throw new Error(outcome?.problem.code);
  return { id: outcome.id, golden: outcome.goldenId };
}
const goldenOf = async (id: ResourceId) => (await f.registry.goldenOf([id])).get(id);
/** Alike, but not enough for the shipped model. */
const FAMILIES = ['Namutebi', 'Kyomuhendo', 'Zziwa', 'Okwirinyang', 'Tumusiime', 'Byaruhanga'];
const alike = (at: number) => ({ given: 'Prossy', family: FAMILIES[at] ?? '', birthDate: '1991' });

async function simulated(model: ModelSummary): Promise<SimulationReport> {
  const { study } = await f.call<{ study: StudyView }>('POST /api/models/simulate', { body: { modelId: model.id } });
  await f.jobs.idle();
  const { report } = await f.call<StudyReportReply>('GET /api/models/studies/:id', { params: { id: study.id } });
  if (report.kind !== 'simulation') throw new Error(report.kind);
  return report;
}
const promote = (id: string, actor: Actor = userActor) =>
  f.call<{ activationId?: string; waitsForSecond?: true }>('POST /api/models/:id/promote', { params: { id }, actor });

describe('models in the registry', () => {
  it('begin with the shipped one, which is active and named by $match', async () => {
    const { models, rollBackTo } = await overview();
    expect(models).toMatchObject([{ version: DEFAULT_MODEL.version, origin: 'shipped', state: 'active' }]);
    expect(rollBackTo).toBeUndefined();
    expect((await f.registry.match(person(alike(0)))).modelVersion).toBe(DEFAULT_MODEL.version);
    // A second process finds it there.
    const other = await f.another();
    expect((await overview()).models).toHaveLength(1);
    await other.models.stop();
  });

  it('are refused where they are none, would link strangers, or have a name that is taken', async () => {
    await expect(add({ format: 'x' })).rejects.toMatchObject({ code: 'model-invalid' });
    await expect(add(DEFAULT_MODEL)).rejects.toMatchObject({ code: 'model-exists' });
    const poisoned = variant('poisoned', {
      prior: { population: 2 },
      thresholds: { match: 0.01, review: 0.001, probable: 0.005 },
    });
    await expect(add(poisoned)).rejects.toMatchObject({ code: 'model-unsound' });
    const broad = variant('broad', { blocking: { keysMax: 60, rules: [{ name: 'c', parts: ['city'] }] } });
    await expect(add(broad)).rejects.toMatchObject({ code: 'model-unsound' });
  });

  it('lie sealed', async () => {
    await add(variant('sealed-1', { description: 'Known only to us' }));
    const [row] = await f.db.ownerDatabase.rows<{ all: string }>({
      name: 'models-test.all',
      text: `SELECT string_agg(encode(document, 'escape') || encode(detail, 'escape'), '') AS all FROM models.model`,
    });
    for (const secret of ['Known only', 'mohamed', 'tried'])
      expect(row?.all.toLowerCase()).not.toContain(secret.toLowerCase());
  });
});

describe('promoting', () => {
  let pairs: { a: ResourceId; b: ResourceId }[];
  let kept: { a: ResourceId; b: ResourceId };
  let byHand: { a: ResourceId; b: ResourceId };
  let loose: ModelSummary;

  beforeAll(async () => {
    pairs = [];
    for (let at = 0; at < 6; at++) {
      const a = await put(`a${at}`, alike(at));
      const b = await put(`b${at}`, alike(at));
      if (a.golden === b.golden) throw new Error('the shipped model links them already');
      pairs.push({ a: a.id, b: b.id });
    }
    [kept, byHand] = [pairs[4], pairs[5]] as [typeof kept, typeof byHand];
    await f.call('POST /api/never-link', { body: { ...kept, reason: 'two sisters' } });
    const [survivor, other] = [await goldenOf(byHand.a), await goldenOf(byHand.b)];
    await f.call('POST /api/clients/merge', { body: { survivor, other, reason: 'one woman' } });
    loose = await add(variant('loose-1', { thresholds: LOOSE }));
  });

  it('asks to see first what would change', async () => {
    await expect(promote(loose.id)).rejects.toMatchObject({ code: 'simulate-first' });
    const report = await simulated(loose);
    expect(report).toMatchObject({ candidate: 'loose-1', active: DEFAULT_MODEL.version, looked: 12, lost: 0 });
    expect(report.gained).toBeGreaterThanOrEqual(8);
    // Blocking, as it is: the year of birth brings the pairs together, and the one that a steward linked.
    expect(report.rules.find(({ rule }) => rule === 'ny')).toMatchObject({ records: 12, links: 2 });
    expect(report.examples.some(({ kind }) => kind === 'gained')).toBe(true);
    // It wrote nothing: nobody was linked by it.
    for (const { a, b } of pairs.slice(0, 4)) expect(await goldenOf(a)).not.toBe(await goldenOf(b));
  });

  it('makes it decide at once, goes over the records and leaves stewards’ decisions alone', async () => {
    await promote(loose.id);
    expect((await f.registry.match(person(alike(0)))).modelVersion).toBe('loose-1');
    await f.jobs.idle();
    const { activations, rollBackTo } = await overview();
    expect(activations[0]).toMatchObject({
      kind: 'promote',
      state: 'done',
      from: DEFAULT_MODEL.version,
      to: 'loose-1',
      joined: 4,
      visited: 12,
    });
    expect(rollBackTo).toBe(DEFAULT_MODEL.version);
    for (const { a, b } of pairs.slice(0, 4)) expect(await goldenOf(a)).toBe(await goldenOf(b));
    expect(await goldenOf(kept.a)).not.toBe(await goldenOf(kept.b));
    expect(await goldenOf(byHand.a)).toBe(await goldenOf(byHand.b));
  });

  it('names the model in the ledger', async () => {
    const id = await goldenOf(pairs[0]?.a as ResourceId);
    const { ledger } = await f.call<{ ledger: { kind: string; modelVersion?: string }[] }>('GET /api/clients/:id', {
      params: { id },
    });
    expect(ledger).toEqual(
      expect.arrayContaining([expect.objectContaining({ kind: 'linked', modelVersion: 'loose-1' })]),
    );
  });

  it('rolls back in one step: what the re-link joined is apart again, what a steward decided since stays', async () => {
    const before = pairs[1] as { a: ResourceId; b: ResourceId };
    // A steward looked at one of the links and parted it: that is theirs now.
    await f.call('POST /api/clients/:id/unlink', {
      params: { id: await goldenOf(before.a) },
      body: { sourceId: before.a, reason: 'two people' },
    });
    await f.call('POST /api/models/roll-back');
    expect((await f.registry.match(person(alike(0)))).modelVersion).toBe(DEFAULT_MODEL.version);
    await f.jobs.idle();
    const { activations, models } = await overview();
    expect(models.find(({ state }) => state === 'active')?.version).toBe(DEFAULT_MODEL.version);
    expect(activations[0]).toMatchObject({ kind: 'roll-back', state: 'done', takenBack: 3, kept: 1 });
    for (const at of [0, 2, 3]) {
      const { a, b } = pairs[at] as { a: ResourceId; b: ResourceId };
      expect(await goldenOf(a)).not.toBe(await goldenOf(b));
    }
    expect(await goldenOf(byHand.a)).toBe(await goldenOf(byHand.b));
    await expect(f.call('POST /api/models/roll-back')).rejects.toMatchObject({ code: 'nothing-to-roll-back' });
  });

  it('goes on where it was when the process dies in the middle', async () => {
    await promote(loose.id);
    await f.jobs.idle();
    const { activations } = await overview();
    // As if killed after the first batch: the job waits again, with its progress.
    await f.db.ownerDatabase.run({
      name: 'models-test.kill',
      text: `UPDATE models.activation SET finished_at = NULL WHERE activation_id = '${activations[0]?.id}'`,
    });
    await f.db.ownerDatabase.run({
      name: 'models-test.again',
      text: `UPDATE jobs.job SET state = 'waiting', finished_at = NULL, runner = NULL, lease_until = NULL WHERE id = (SELECT job_id FROM models.activation WHERE activation_id = '${activations[0]?.id}')`,
    });
    await f.jobs.idle();
    const again = (await overview()).activations[0];
    expect(again).toMatchObject({ state: 'done', joined: activations[0]?.joined });
    await f.call('POST /api/models/roll-back');
    await f.jobs.idle();
  });
});

describe('blocking rules that change', () => {
  const keysOf = async (id: ResourceId) =>
    (
      await f.db.ownerDatabase.rows<{ n: bigint }>(
        { name: 'models-test.keys', text: 'SELECT count(*) AS n FROM registry.blocking_key WHERE source_id = $1' },
        [id],
      )
    )[0]?.n;

  it('are in use beside the former ones until every record has them', async () => {
    const first = await put('k1', {
      given: 'Zuhura',
      family: 'Kyomuhendo',
      birthDate: '1980-02-03',
      phone: '0772 111 333',
    });
    const before = await keysOf(first.id);
    const rules = [
      { name: 'tel', parts: ['phone' as const] },
      { name: 'init', parts: ['initials' as const, 'birth-date' as const] },
    ];
    const model = await add(variant('keys-1', { blocking: { keysMax: 60, rules } }));
    await simulated(model);
    await f.jobs.stop();
    await promote(model.id);
    expect((await overview()).goingOver).toBe(true);
    expect(await keysOf(first.id)).toBe(before);
    // Not gone over yet: found by its former keys, linked under the new model.
    const second = await put('l1', {
      given: 'Zuhura',
      family: 'Kyomuhendo',
      birthDate: '1980-02-03',
      phone: '0772 111 333',
    });
    expect(second.golden).toBe(await goldenOf(first.id));
    const next = await f.another();
    await next.jobs.start();
    await next.jobs.idle();
    expect(await keysOf(first.id)).toBe(2n);
    expect(await keysOf(second.id)).toBe(2n);
    expect((await overview()).goingOver).toBe(false);
    await f.call('POST /api/models/roll-back');
    await next.jobs.idle();
    expect(await keysOf(first.id)).toBe(before);
    await next.jobs.stop();
    await next.models.stop();
  });
});

describe('two people', () => {
  it('are needed where that rule is on; rolling back never is', async () => {
    const { jobs, models } = await f.another();
    await jobs.start();
    await f.call('PUT /api/review-rules', { body: { secondPerson: 'merges' } });
    const loose = (await overview()).models.find(({ version }) => version === 'loose-1') as ModelSummary;
    expect(await promote(loose.id)).toEqual({ waitsForSecond: true });
    await expect(promote(loose.id)).rejects.toMatchObject({ code: 'second-person-needed' });
    expect((await overview()).models.find(({ id }) => id === loose.id)?.proposedBy).toMatchObject({ isMe: true });
    // Written past Careseal: somebody else had proposed it, or nobody has.
    const colleague = parseId<UserId>('0198f3a0-0000-7000-8000-0000000000cc') as UserId;
    const other: Actor = {
      ...userActor,
      principal: { ...userActor.principal, kind: 'user', userId: colleague } as Actor['principal'],
    };
    const claim = (by: string | null) =>
      f.db.ownerDatabase.run(
        { name: 'test.claim', text: 'UPDATE models.model SET proposed_by = $2, proposed_at = $3 WHERE model_id = $1' },
        [loose.id, by, by === null ? null : new Date()],
      );
    for (const claimed of [colleague, null]) {
      await claim(claimed);
      await expect(promote(loose.id)).rejects.toMatchObject({ code: 'second-person-needed' });
    }
    expect(await promote(loose.id, other)).toMatchObject({ activationId: expect.any(String) });
    await jobs.idle();
    // Nobody has proposed it now, whatever the row says.
    await f.call('POST /api/models/roll-back');
    await jobs.idle();
    await claim(colleague);
    expect(await promote(loose.id)).toEqual({ waitsForSecond: true });
    expect(await promote(loose.id, other)).toMatchObject({ activationId: expect.any(String) });
    await jobs.idle();
    await f.call('POST /api/models/roll-back');
    await jobs.idle();
    await jobs.stop();
    await models.stop();
  });
});
