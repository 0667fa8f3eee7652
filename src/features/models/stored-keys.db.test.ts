import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModelsFixture, modelsFixture, variant } from '../../../test/support/models.ts';
import { person } from '../../../test/support/registry.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { KEY_SCHEME } from '../matching/index.ts';
import type { ModelsReply, ModelSummary } from './wire.ts';

let f: ModelsFixture;
beforeAll(async () => {
  f = await modelsFixture();
});
afterAll(() => f.close());

const overview = () => f.call<ModelsReply>('GET /api/models');
const PEOPLE = 120;
const FAMILIES = ['Namutebi', 'Kyomuhendo', 'Zziwa', 'Okwirinyang', 'Tumusiime', 'Byaruhanga'];
const one = (at: number) => ({
  given: `Pros${'abcdefghij'[at % 10]}y`,
  family: `${FAMILIES[at % 6]}${'klmnoprst'[at % 9]}a`,
  birthDate: `19${60 + (at % 40)}-0${1 + (at % 9)}-1${at % 8}`,
  phone: `0772 ${100_000 + at * 37}`,
});

async function put(system: string, key: string, at: number): Promise<{ id: ResourceId; golden: ResourceId }> {
  const { outcomes } = await f.registry.submit(f.operator, [
    { kind: 'upsert', domain: await f.domain(system), key, patient: person({ ...one(at), key: [system, key] }) },
  ]);
  const [outcome] = outcomes;
  if (!outcome || outcome.status === 'refused') throw new Error(outcome?.problem.code);
  return { id: outcome.id, golden: outcome.goldenId };
}

let statements = 0;
const sql = <T>(text: string) => f.db.ownerDatabase.rows<T>({ name: `keys-test.${++statements}`, text });
/** As a version that made other keys of the same records would have left them. */
async function leaveOldKeys(): Promise<void> {
  await sql('UPDATE registry.blocking_key SET token = token # 73478923479');
  await sql('UPDATE models.in_force SET key_scheme = 1');
}
const keys = async () =>
  (
    await sql<{ all: string }>(
      `SELECT md5(string_agg(token::text || source_id::text, ',' ORDER BY token, source_id)) || count(*) AS all FROM registry.blocking_key`,
    )
  )[0]?.all;
const scheme = async () => (await sql<{ key_scheme: number }>('SELECT key_scheme FROM models.in_force'))[0]?.key_scheme;

describe('blocking keys of an earlier version', () => {
  const first: { id: ResourceId; golden: ResourceId }[] = [];

  it('need nothing done where there are none', async () => {
    expect(await scheme()).toBe(KEY_SCHEME);
    await sql('UPDATE models.in_force SET key_scheme = 1');
    expect(await f.models.oldKeys()).toMatchObject({ scheme: 1, total: 0, going: false });
    await f.models.keepKeys();
    expect(await scheme()).toBe(KEY_SCHEME);
    expect((await overview()).activations).toEqual([]);
  });

  it('count as the first where records are older than models', async () => {
    for (let at = 0; at < PEOPLE; at++) first.push(await put('urn:keys:a', `a${at}`, at));
    await sql('DELETE FROM models.in_force');
    const { models } = await f.another();
    expect(await scheme()).toBe(1);
    await sql(`UPDATE models.in_force SET key_scheme = ${KEY_SCHEME}`);
    await models.stop();
  });

  it('are made anew from the start on, told while that lasts, and go on after a kill', async () => {
    const whole = await keys();
    await leaveOldKeys();
    // Whoever comes now is not found alike: this is what is told.
    const missed = await put('urn:keys:b', 'b100', 100);
    expect(missed.golden).not.toBe(first[100]?.golden);

    await f.models.keepKeys();
    await f.models.keepKeys();
    const told = await overview();
    expect(told).toMatchObject({ goingOver: true, oldKeys: { scheme: 1, visited: 0, going: true } });
    expect(told.activations).toMatchObject([{ kind: 're-key', state: 'waiting', by: 'Careseal, after an upgrade' }]);

    // Killed after the first batch: as a process leaves it that dies while it works.
    await f.jobs.start();
    await expect
      .poll(async () => (await overview()).activations[0]?.visited, { interval: 1 })
      .toBeGreaterThanOrEqual(50);
    await f.jobs.stop();
    const next = await f.another();
    await next.models.keepKeys();
    expect((await overview()).activations).toHaveLength(1);
    await next.jobs.start();
    await next.jobs.idle();

    expect(await scheme()).toBe(KEY_SCHEME);
    expect(await f.models.oldKeys()).toBeUndefined();
    const after = await overview();
    expect(after.goingOver).toBe(false);
    expect(after.activations).toMatchObject([{ kind: 're-key', state: 'done', visited: PEOPLE + 1, joined: 1 }]);
    // The one that was missed is found, and nothing is left of the old keys.
    expect((await f.registry.goldenOf([missed.id])).get(missed.id)).toBe(
      (await f.registry.goldenOf([first[100]?.id as ResourceId])).get(first[100]?.id as ResourceId),
    );
    await sql(`DELETE FROM registry.blocking_key WHERE source_id = '${missed.id}'`);
    expect(await keys()).toBe(whole);
    const again = await put('urn:keys:b', 'b7', 7);
    expect(again.golden).toBe(first[7]?.golden);
    await next.jobs.stop();
    await next.models.stop();
  });

  it('wait for a change of model that was under way, and begin when it ends', async () => {
    const { model } = await f.call<{ model: ModelSummary }>('POST /api/models', {
      body: { document: variant('keys-2'), notes: '' },
    });
    const { jobs, models } = await f.another();
    await jobs.start();
    await f.call('POST /api/models/simulate', { body: { modelId: model.id } });
    await jobs.idle();
    await jobs.stop();
    await f.call('POST /api/models/:id/promote', { params: { id: model.id } });
    await leaveOldKeys();
    await models.keepKeys();
    expect((await overview()).activations.map(({ kind }) => kind)).toEqual(['promote', 're-key']);
    expect(await models.oldKeys()).toMatchObject({ going: false });
    await models.stop();
    const next = await f.another();
    await next.jobs.start();
    await next.jobs.idle();
    expect((await overview()).activations.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      're-key done',
      'promote done',
      're-key done',
    ]);
    expect(await scheme()).toBe(KEY_SCHEME);
    await next.jobs.stop();
    await next.models.stop();
  });

  it('begin again with the next start, or from the page, where somebody stopped it', async () => {
    await leaveOldKeys();
    await f.models.keepKeys();
    const [{ id } = { id: '' }] = (await overview()).activations;
    await f.call('POST /api/models/re-link/:id/cancel', { params: { id } });
    expect(await overview()).toMatchObject({ goingOver: true, oldKeys: { going: false } });
    await f.call('POST /api/models/re-link');
    expect((await overview()).activations[0]).toMatchObject({ kind: 're-key' });
    const next = await f.another();
    await next.jobs.start();
    await next.jobs.idle();
    expect(await scheme()).toBe(KEY_SCHEME);
    await next.jobs.stop();
    await next.models.stop();
  });
});
