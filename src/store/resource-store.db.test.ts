import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { testKeyVault } from '../../test/support/keys.ts';
import { newId } from '../crypto/index.ts';
import { utf8Decode, utf8Encode } from '../kernel/bytes.ts';
import type { ResourceId } from '../kernel/ids.ts';
import { statement } from '../platform/db/index.ts';
import {
  createResourceStore,
  type KeyVault,
  type ResourceStore,
  type ResourceWrite,
  type TokenQuery,
} from './index.ts';

let db: TestDatabase;
let vault: KeyVault;
let store: ResourceStore;

beforeAll(async () => {
  db = await testDatabase();
  vault = await testKeyVault(db.database);
  store = createResourceStore(vault);
});

afterAll(async () => {
  await vault.close();
  await db.close();
});

const START_MS = Date.UTC(2026, 0, 1);

function version(id: ResourceId, number: number, change: Partial<ResourceWrite> = {}): ResourceWrite {
  const content = utf8Encode(JSON.stringify({ resourceType: 'Patient', id, family: `Okello ${number}` }));
  return { type: 'Patient', id, version: number, lastUpdatedMs: START_MS + number, content, tokens: [], ...change };
}

async function write(...writes: ResourceWrite[]): Promise<void> {
  await db.database.transaction((tx) => store.write(tx, writes));
}

function familyOf(content: Uint8Array | null | undefined): unknown {
  return content === null || content === undefined ? content : JSON.parse(utf8Decode(content)).family;
}

describe('versions', () => {
  test('are read back, each as it was written', async () => {
    const id = newId<ResourceId>();
    for (const number of [1, 2, 3]) await write(version(id, number));
    const current = (await store.read(db.database, 'Patient', [id])).get(id);
    expect(current).toMatchObject({ type: 'Patient', id, version: 3, lastUpdatedMs: START_MS + 3 });
    expect(familyOf(current?.content)).toBe('Okello 3');
    for (const number of [1, 2, 3]) {
      const one = await store.readVersion(db.database, 'Patient', id, number);
      expect([one?.version, familyOf(one?.content)]).toEqual([number, `Okello ${number}`]);
    }
    expect(await store.readVersion(db.database, 'Patient', id, 4)).toBeUndefined();
    const all = await store.history(db.database, 'Patient', id, { limit: 10 });
    expect(all.map((one) => one.version)).toEqual([3, 2, 1]);
    const page = await store.history(db.database, 'Patient', id, { limit: 1, beforeVersion: 3 });
    expect(page.map((one) => one.version)).toEqual([2]);
  });

  test('several of one resource may be written at once, and many resources in one call', async () => {
    const ids = Array.from({ length: 151 }, () => newId<ResourceId>());
    await write(...ids.flatMap((id) => [version(id, 1), version(id, 2)]), ...ids.map((id) => version(id, 3)));
    const found = await store.read(db.database, 'Patient', ids);
    expect([...found.values()].map((one) => one.version)).toEqual(ids.map(() => 3));
    expect((await store.history(db.database, 'Patient', ids[77] as ResourceId, { limit: 9 })).length).toBe(3);
  });

  test('a deleted resource keeps its history, has no content and is not found', async () => {
    const id = newId<ResourceId>();
    await write(version(id, 1, { tokens: [77n] }), version(id, 2, { content: null }));
    expect((await store.read(db.database, 'Patient', [id])).get(id)).toMatchObject({ version: 2, content: null });
    expect(await search({ allOf: [[77n]] })).toEqual([]);
    expect(familyOf((await store.readVersion(db.database, 'Patient', id, 1))?.content)).toBe('Okello 1');
  });

  test('must follow the current one', async () => {
    const id = newId<ResourceId>();
    await expect(write(version(id, 2))).rejects.toMatchObject({ code: 'version-conflict' });
    await write(version(id, 1), version(id, 2));
    for (const number of [1, 2, 4]) {
      await expect(write(version(id, number))).rejects.toMatchObject({
        kind: 'precondition-failed',
        code: 'version-conflict',
      });
    }
    expect((await store.history(db.database, 'Patient', id, { limit: 9 })).map((one) => one.version)).toEqual([2, 1]);
  });

  test('of two writers of the same version one wins and one is told', async () => {
    const id = newId<ResourceId>();
    await write(version(id, 1));
    for (let number = 2; number < 12; number++) {
      const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => write(version(id, number))));
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(refused).toHaveLength(3);
      for (const { reason } of refused) expect(reason).toMatchObject({ code: 'version-conflict' });
    }
    expect(await store.history(db.database, 'Patient', id, { limit: 99 })).toHaveLength(11);
  });

  test('the same id of two types are two resources', async () => {
    const id = newId<ResourceId>();
    await write(version(id, 1), version(id, 1, { type: 'Person' }));
    expect((await store.read(db.database, 'Person', [id])).get(id)?.type).toBe('Person');
  });

  test('erasing leaves nothing of any version', async () => {
    const id = newId<ResourceId>();
    await write(version(id, 1), version(id, 2));
    await db.database.transaction((tx) => store.erase(tx, 'Patient', id));
    expect((await store.read(db.database, 'Patient', [id])).size).toBe(0);
    expect(await store.history(db.database, 'Patient', id, { limit: 9 })).toEqual([]);
  });
});

async function search(query: Partial<TokenQuery>): Promise<ResourceId[]> {
  const found = await store.search(db.database, { type: 'Patient', allOf: [], order: 'id', limit: 100, ...query });
  return found.map((one) => one.id);
}

describe('search', () => {
  const ids = Array.from({ length: 6 }, () => newId<ResourceId>()).toSorted();
  const at = (...places: number[]): (ResourceId | undefined)[] => places.map((place) => ids[place]);

  beforeAll(async () => {
    const tokens = [[1n, 10n], [1n, 11n], [2n, 10n], [2n, 11n, -5n], [1n, 2n], [9n]];
    await write(
      ...ids.map((id, i) =>
        version(id, 1, { tokens: tokens[i] ?? [], type: 'Found', lastUpdatedMs: START_MS + (i % 3) }),
      ),
      version(ids[0] as ResourceId, 1, { tokens: [1n, 10n], type: 'Other' }),
    );
  });

  test('takes an AND of ORs of tokens', async () => {
    const table: [bigint[][], number[]][] = [
      [[[1n]], [0, 1, 4]],
      [[[1n], [10n]], [0]],
      [
        [
          [1n, 2n],
          [10n, 11n],
        ],
        [0, 1, 2, 3],
      ],
      [[[1n], [2n]], [4]],
      [[[-5n]], [3]],
      [
        [
          [1n, 9n],
          [2n, 9n],
        ],
        [4, 5],
      ],
      [[[404n]], []],
      [[[1n], []], []],
      [[], [0, 1, 2, 3, 4, 5]],
    ];
    for (const [allOf, wanted] of table) {
      expect(await search({ type: 'Found', allOf })).toEqual(at(...wanted));
      expect(await store.count(db.database, { type: 'Found', allOf })).toBe(wanted.length);
    }
  });

  test('finds the carriers of many tokens at once, so many of each', async () => {
    const tokens = [1n, 404n, -5n, 9n];
    const found = await store.findByTokens(db.database, { type: 'Found', tokens, limit: 2 });
    expect(new Set(found.keys())).toEqual(new Set([-5n, 1n, 9n]));
    expect(found.get(1n)).toHaveLength(2);
    expect(found.get(-5n)?.map((one) => [one.id, one.content !== null])).toEqual([[ids[3], true]]);
    await store.settleTokens(db.database);
    expect((await store.findByTokens(db.database, { type: 'Found', tokens: [1n], limit: 9 })).get(1n)).toHaveLength(3);
  });

  test('bounds the time of the last update, half open', async () => {
    for (const allOf of [[], [[1n, 2n, 9n]]]) {
      const query = { type: 'Found', allOf, lastUpdated: { fromMs: START_MS + 1, beforeMs: START_MS + 2 } };
      expect(await search(query)).toEqual(at(1, 4));
      expect(await store.count(db.database, query)).toBe(2);
    }
  });

  test('pages in every order without loss or doubles', async () => {
    const orders = {
      id: [0, 1, 2, 3, 4, 5],
      'last-updated': [0, 3, 1, 4, 2, 5],
      'last-updated-descending': [5, 2, 4, 1, 3, 0],
    };
    for (const [order, wanted] of Object.entries(orders)) {
      for (const allOf of [[], [[1n, 2n, 9n]]]) {
        const seen: ResourceId[] = [];
        let after: TokenQuery['after'];
        for (;;) {
          const query = { type: 'Found', allOf, order: order as TokenQuery['order'], limit: 2 };
          const page = await store.search(db.database, after === undefined ? query : { ...query, after });
          seen.push(...page.map((one) => one.id));
          const last = page.at(-1);
          if (last === undefined) break;
          after = { lastUpdatedMs: last.lastUpdatedMs, id: last.id };
        }
        expect(seen).toEqual(at(...wanted));
      }
    }
  });

  test('does not let a type or a time become SQL', async () => {
    const type = `Found' OR 'a'='a`;
    expect(await search({ type, allOf: [[1n]] })).toEqual([]);
    expect(await search({ type })).toEqual([]);
  });
});

test('bytes changed or moved in the database are refused, whoever changed them', async () => {
  const [mine, other] = [newId<ResourceId>(), newId<ResourceId>()];
  await write(version(mine, 1), version(mine, 2), version(other, 1), version(other, 2));
  let change = 0;
  const bySql = (sql: string) => db.ownerDatabase.run(statement(`test.change-${change++}`, sql), [mine, other]);
  const broken = { kind: 'internal', code: 'seal-broken' };
  await bySql(`UPDATE store.resource m SET sealed = o.sealed FROM store.resource o WHERE m.id = $1 AND o.id = $2`);
  await expect(store.read(db.database, 'Patient', [mine])).rejects.toMatchObject(broken);
  await bySql(
    `UPDATE store.resource m SET sealed = o.sealed FROM store.resource_history o WHERE m.id = $1 AND o.id = m.id AND $2::uuid IS NOT NULL`,
  );
  await expect(store.read(db.database, 'Patient', [mine])).rejects.toMatchObject(broken);
  await bySql(
    `UPDATE store.resource SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE id = $2 AND id <> $1`,
  );
  await expect(store.read(db.database, 'Patient', [other])).rejects.toMatchObject(broken);
});

test('the database holds no word of what was written', async () => {
  const id = newId<ResourceId>();
  await write(version(id, 1, { tokens: [vault.keyRing.blind('Patient.family', 'okello')] }));
  const dump = statement<{ row: string }>('test.dump', 'SELECT r::text AS row FROM store.resource r WHERE id = $1');
  const [row] = await db.ownerDatabase.rows(dump, [id]);
  const hex = Buffer.from('Okello').toString('hex');
  expect(row?.row).not.toMatch(new RegExp(`okello|${hex}`, 'i'));
});
