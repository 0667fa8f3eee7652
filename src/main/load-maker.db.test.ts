import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { testKeyVault } from '../../test/support/keys.ts';
import { newId } from '../crypto/index.ts';
import type { PackedRound, RoundToMake } from '../features/registry/index.ts';
import { writeNewPacked } from '../features/registry/round-store.ts';
import { searchTerms } from '../fhir/index.ts';
import type { OrganisationId, ResourceId } from '../kernel/ids.ts';
import { createResourceStore, type KeyVault, writePacked } from '../store/index.ts';
import { startLoadMaker } from './load-maker.ts';

let db: TestDatabase;
let vault: KeyVault;
beforeAll(async () => {
  db = await testDatabase();
  vault = await testKeyVault(db.database);
});
afterAll(async () => {
  await vault.close();
  await db.close();
});

const NOW = Date.parse('2026-11-23T02:30:00.123Z');

function round(family: string): RoundToMake & { readonly ids: { source: ResourceId; golden: ResourceId } } {
  const ids = { source: newId<ResourceId>(), golden: newId<ResourceId>() };
  const ours = { source_id: ids.source, golden_id: ids.golden, domain_id: 1, key_token: 7n, version: 1, pinned: false };
  const row = { golden_id: ids.golden, version: 1, updated_at: new Date(NOW), replaced_by: null, deleted: false };
  return {
    ...{ ids, nowMs: NOW, others: [], ledger: [], reviews: [] },
    patients: JSON.stringify([{ resourceType: 'Patient', name: [{ family, given: ['Ama'] }] }]),
    sources: [{ ...ours, record: '[1,["Ama"]]' }],
    goldens: [
      {
        row: { ...row, organisations: [newId<OrganisationId>()], shared_with: [], binding: 5n },
        members: [ids.source],
      },
    ],
    keys: BigInt64Array.of(-3n, 9n, 2n),
    keySources: Uint16Array.of(0, 0, 0),
  };
}

async function write(given: RoundToMake, maker: ReturnType<typeof startLoadMaker>): Promise<void> {
  const packed = (await maker.make(given)) as PackedRound;
  await db.database.transaction(async (tx) => {
    await writePacked(tx, packed.writes);
    await writeNewPacked(tx, packed.rows);
  });
}

test('rounds made in the thread are sealed with this process’s keys, and found by what they say', async () => {
  const maker = startLoadMaker(() => vault.keys());
  try {
    const [one, two] = [round('Mensah'), round('Owusu')];
    await Promise.all([write(one, maker), write(two, maker)]);
    const resources = createResourceStore({ keyRing: vault.keyRing });
    const { source, golden } = one.ids;
    const read = await resources.read(db.database, 'Patient', [source, golden]);
    const content = (id: ResourceId) => JSON.parse(Buffer.from(read.get(id)?.content ?? []).toString()) as object;
    expect(content(source)).toMatchObject({ id: source, name: [{ family: 'Mensah' }], meta: { versionId: '1' } });
    expect(content(golden)).toMatchObject({ id: golden, link: [{ other: { reference: `Patient/${source}` } }] });
    const terms = searchTerms({ resourceType: 'Patient', name: [{ family: 'Mensah' }] });
    const tokens = terms.map(({ parameter, value }) => vault.keyRing.blind(parameter, value));
    const found = await resources.findByTokens(db.database, { type: 'Patient', tokens, limit: 5 });
    expect([...found.values()].flat().map(({ id }) => id)).toContain(golden);
    const keys = await db.ownerDatabase.rows<{ token: bigint }>({
      name: 'test.keys',
      text: `SELECT token FROM registry.blocking_key WHERE source_id = '${source}' ORDER BY token`,
    });
    expect(keys.map(({ token }) => token)).toEqual([-3n, 2n, 9n]);
    // Written twice, it is refused whole.
    await expect(write(one, maker)).rejects.toMatchObject({ code: 'version-conflict' });
  } finally {
    await maker.end();
  }
});

test('a thread that has ended says so instead of waiting for ever', async () => {
  const maker = startLoadMaker(() => vault.keys());
  await maker.end();
  await expect(maker.make(round('Late'))).rejects.toThrow('the thread ended');
});
