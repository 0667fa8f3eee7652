import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { testKeyVault } from '../../test/support/keys.ts';
import { newId } from '../crypto/index.ts';
import type { ResourceId } from '../kernel/ids.ts';
import { type Sql, statement, type Transaction, withMaintenanceSession } from '../platform/db/index.ts';
import { createResourceStore, type KeyVault, type ResourceStore, type ResourceWrite } from './index.ts';

/**
 * Whether a search or a write walks the whole table. Plans are kept per connection, so the dangerous one is made while the table
 * is small and used when it is not: every test here first warms its statements on ten rows, then lets the table grow behind
 * the planner's back, without ANALYZE.
 */
const ROWS = 30_000;
let db: TestDatabase;
let vault: KeyVault;
let store: ResourceStore;
let warm: ResourceWrite[];

beforeAll(async () => {
  // One connection, so that the plans kept are the plans used.
  db = await testDatabase({ poolSize: 1 });
  await withMaintenanceSession(db.ownerConnection, async (session) => {
    await session.script('ALTER TABLE store.resource SET (autovacuum_enabled = off)');
  });
  vault = await testKeyVault(db.database);
  store = createResourceStore(vault);
  warm = Array.from({ length: 64 }, () => resource(newId<ResourceId>(), 1));
  await db.database.transaction((tx) => store.write(tx, warm));
  for (let round = 0; round < 12; round++) {
    for (const allOf of SEARCHES) await searchAll(db.database, allOf);
    await lookUp(db.database);
    warm = warm.map((write) => ({ ...write, version: write.version + 1 }));
    await db.database.transaction((tx) => store.write(tx, warm));
    await store.read(
      db.database,
      'Patient',
      warm.map((write) => write.id),
    );
  }
  await grow();
});

afterAll(async () => {
  await vault.close();
  await db.close();
});

function resource(id: ResourceId, version: number): ResourceWrite {
  return { type: 'Patient', id, version, lastUpdatedMs: Date.now(), content: new Uint8Array(9), tokens: [1n, 2n] };
}

/** Token 1 is on every row, 1000+n on a hundredth of them, -n on one. */
async function grow(): Promise<void> {
  await withMaintenanceSession(db.ownerConnection, async (session) => {
    await session.script(
      `INSERT INTO store.resource SELECT 'Patient', gen_random_uuid(), 1, now(), sealed, ARRAY[1, 1000 + n % 100, -n]::bigint[]
       FROM generate_series(1, ${ROWS}) n, (SELECT sealed FROM store.resource LIMIT 1) one`,
    );
  });
}

/** A rare token, a frequent and a rare one, an OR, an OR beside an AND. */
const SEARCHES: readonly (readonly bigint[])[][] = [[[-77n]], [[1n], [1077n]], [[-77n, -78n]], [[1n], [1077n, 1078n]]];

async function searchAll(sql: Sql, allOf: readonly (readonly bigint[])[]): Promise<void> {
  for (const order of ['id', 'last-updated', 'last-updated-descending'] as const) {
    // The content of grown rows is sealed for another place, so only plans are looked at here.
    await store.search(sql, { type: 'Patient', allOf, order, limit: 20 }).catch(() => []);
  }
  await store.count(sql, { type: 'Patient', allOf });
}

/** Ten at most, also of the frequent one: where the planner would like to walk the table until it has found so many. */
async function lookUp(sql: Sql): Promise<unknown> {
  const tokens = [1n, 1077n, -77n];
  return await store.findByTokens(sql, { type: 'Patient', tokens, limit: 10 }).catch(() => []);
}

const scans = statement<{ sequential: bigint; tokens: bigint }>(
  'test.scans',
  `SELECT pg_stat_get_xact_numscans('store.resource'::regclass) AS sequential,
          pg_stat_get_xact_numscans('store.resource_tokens'::regclass) AS tokens`,
);

/** How often `work` walked store.resource from end to end, and how often it used the token index. */
async function scansOf(work: (tx: Transaction) => Promise<unknown>): Promise<{ sequential: bigint; tokens: bigint }> {
  return await db.database.transaction(async (tx) => {
    const [before] = await tx.rows(scans);
    await work(tx);
    const [after] = await tx.rows(scans);
    if (before === undefined || after === undefined) throw new Error('no statistics');
    return { sequential: after.sequential - before.sequential, tokens: after.tokens - before.tokens };
  });
}

test.each(SEARCHES)('a search by tokens uses the token index, in every order (%s, %s)', async (...allOf) => {
  const groups = allOf.filter((group) => group !== undefined);
  expect(await scansOf((tx) => searchAll(tx, groups))).toEqual({ sequential: 0n, tokens: 4n });
});

test('a look-up of many tokens asks the token index for each', async () => {
  expect(await scansOf(lookUp)).toEqual({ sequential: 0n, tokens: 3n });
});

test('a list without tokens reads the index of its order', async () => {
  expect(await scansOf((tx) => searchAll(tx, []))).toMatchObject({ tokens: 0n });
  const lists = await scansOf(async (tx) => {
    for (const order of ['id', 'last-updated', 'last-updated-descending'] as const) {
      await store.search(tx, { type: 'Patient', allOf: [], order, limit: 20 }).catch(() => []);
    }
  });
  expect(lists.sequential).toBe(0n);
});

test('reading and updating many go by key', async () => {
  const ids = warm.map((write) => write.id);
  expect(await scansOf((tx) => store.read(tx, 'Patient', ids))).toMatchObject({ sequential: 0n });
  const next = warm.map((write) => ({ ...write, version: write.version + 1 }));
  expect(await scansOf((tx) => store.write(tx, next))).toMatchObject({ sequential: 0n });
});
