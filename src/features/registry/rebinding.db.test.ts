import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { person, type RegistryFixture, registryFixture } from '../../../test/support/registry.ts';
import { newSecretKey, type SecretKey } from '../../crypto/index.ts';
import type { ResourceId } from '../../kernel/ids.ts';
import { createKeyRing, type KeySet } from '../../store/key-ring.ts';
import { storedFits } from './altered.ts';
import { readGoldens } from './store.ts';

const data = { id: 1, key: newSecretKey() };
const [oldIndex, newIndex] = [newSecretKey(), newSecretKey()];
const keys = (index: SecretKey, otherIndex: readonly SecretKey[]): KeySet => {
  const current = { data, index, otherIndex };
  return { dataKeys: new Map([[data.id, data]]), current: { record: current, audit: current } };
};
let now = keys(oldIndex, [newIndex]);
const keyRing = createKeyRing(() => now);
let isSet = false;
const mark = { isSet: () => isSet, set: async () => void (isSet = true) };
let f: RegistryFixture;
let goldens: ResourceId[] = [];

beforeAll(async () => {
  f = await registryFixture({ keyRing, goldensBound: mark });
  const domain = await f.domain('urn:rebinding');
  for (const [at, family] of ['Okello', 'Mukasa', 'Nantongo', 'Wanjiru', 'Zziwa'].entries()) {
    const patient = person({
      key: ['urn:rebinding', `R-${at}`],
      given: 'Amina',
      family,
      birthDate: `19${50 + at * 7}-03-12`,
    });
    const { outcomes } = await f.registry.submit(f.operator, [{ kind: 'create', domain, patient }]);
    for (const outcome of outcomes) if (outcome.status === 'created') goldens.push(outcome.goldenId);
  }
  goldens = goldens.toSorted();
});
afterAll(() => f.close());

/** Which of the golden records fit, in the order of their ids. */
async function fitting(): Promise<boolean[]> {
  const domains = await f.nodes.domains.table();
  const deps = { keyRing, goldensBound: mark, domains: f.nodes.domains, onAltered: () => undefined };
  const rows = new Map((await readGoldens(f.db.database, goldens)).map((row) => [row.golden_id, row]));
  return goldens.map((id) => {
    const row = rows.get(id);
    return row !== undefined && storedFits(deps, row, domains);
  });
}

const write = (name: string, text: string, values: readonly string[] = []) =>
  f.db.ownerDatabase.rows({ name: `test.${name}`, text }, values);
const ALL = [true, true, true, true, true];

describe('golden records of an earlier version', () => {
  it('are believed until they are bound, once; nobody is told of a change by it', async () => {
    await write('strip', 'UPDATE registry.golden SET binding = NULL');
    await write('want', `INSERT INTO registry.change_wanted (wanted) VALUES (true)`);
    expect(await fitting()).toEqual(ALL);
    expect(await f.registry.bindEarlier()).toBe(5);
    const noted = await write('noted', 'SELECT golden_id FROM registry.change');
    expect([isSet, await fitting(), noted]).toEqual([true, ALL, []]);
    await write('unwant', 'DELETE FROM registry.change_wanted');
    await write('strip-again', 'UPDATE registry.golden SET binding = NULL WHERE golden_id = $1', [goldens[0] ?? '']);
    expect(await f.registry.bindEarlier()).toBeUndefined();
    expect(await fitting()).toEqual([false, true, true, true, true]);
  });
});

describe('a change of index keys', () => {
  it('binds anew what fits, and nothing that somebody has changed', async () => {
    const before = await fitting();
    const stolen = '0198f3a0-0000-7000-8000-0000000000ee';
    await write('change', `UPDATE registry.golden SET organisations = organisations || $2::uuid WHERE golden_id = $1`, [
      goldens[3] ?? '',
      stolen,
    ]);
    now = keys(newIndex, [oldIndex]);
    const [participant] = f.registry.resealParticipants.filter(({ name }) => name === 'registry.golden.binding');
    if (participant === undefined) throw new Error('nobody rebinds golden records');
    let cursor: string | undefined;
    do {
      const progress = await f.db.database.transaction((tx) =>
        participant.resealBatch(tx, { kind: 'index', cursor, limit: 2 }),
      );
      cursor = progress.cursor;
    } while (cursor !== undefined);
    now = keys(newIndex, []);
    expect(await fitting()).toEqual(before.map((fits, at) => fits && at !== 3));
    expect(before.filter(Boolean).length).toBe(4);
  });
});
