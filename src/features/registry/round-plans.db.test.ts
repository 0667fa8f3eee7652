import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { type Sql, type Statement, withMaintenanceSession } from '../../platform/db/index.ts';
import { readMatchRows } from './match-store.ts';
import { dropReviewsOf, readRound, settleReviewsWithin } from './round-store.ts';
import { listGoldens, readGoldens, readSourcesByKey, readSourcesOfGoldens } from './store.ts';

// Plans are made once per connection, often while the tables are empty, and kept until they hold millions of rows. So each step of
// what a registration or a match asks must go through an index whatever the size: here with empty tables and with full ones.
let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

/** What would be sent. */
async function textOf(ask: (sql: never) => Promise<unknown>): Promise<string> {
  let text = '';
  const sql = {
    rows: async (statement: Statement<unknown>) => ((text = statement.text), []),
    run: async (statement: Statement<never>) => ((text = statement.text), 0),
  } satisfies Pick<Sql, 'rows' | 'run'>;
  await ask(sql as never);
  return text;
}

/** The plan that a connection of the application would keep. */
async function planOf(text: string): Promise<string> {
  let plan = '';
  // The simple protocol, which leaves `$1` open.
  await withMaintenanceSession(db.superuserConnection, async (session) => {
    await session.script('SET enable_seqscan = off');
    const rows = await session.rows<{ 'QUERY PLAN': string }>(`EXPLAIN (GENERIC_PLAN, COSTS OFF) ${text}`);
    plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  });
  return plan;
}

const QUERY = { tokens: [], perKeyMax: 1, ids: [], keys: [] };
const ASKED: Readonly<Record<string, (sql: never) => Promise<unknown>>> = {
  round: (sql) => readRound(sql, QUERY),
  match: (sql) => readMatchRows(sql, [], 1),
  'records by key': (sql) => readSourcesByKey(sql, []),
  'members of persons': (sql) => readSourcesOfGoldens(sql, []),
  'rows of persons': (sql) => readGoldens(sql, []),
  'persons by id': (sql) => listGoldens(sql, { order: 'id', limit: 10 }),
  'reviews within persons': (sql) => settleReviewsWithin(sql, [], new Date(0)),
  'reviews of records': (sql) => dropReviewsOf(sql, []),
};

async function expectIndexesOnly(): Promise<void> {
  for (const [name, ask] of Object.entries(ASKED)) {
    expect(await planOf(await textOf(ask)), name).not.toMatch(/Seq Scan/);
  }
  const round = await planOf(await textOf((sql) => readRound(sql, QUERY)));
  for (const index of ['blocking_key_pkey', 'source_pkey', 'source_key_token', 'source_golden_id', 'golden_pkey']) {
    expect(round).toContain(index);
  }
  const match = await planOf(await textOf((sql) => readMatchRows(sql, [], 1)));
  for (const index of ['blocking_key_pkey', 'source_pkey']) expect(match).toContain(index);
  // What only writing needs is not paid for by those who ask.
  expect(match).not.toMatch(/golden|never_link|former_record/);
}

it('asks through indexes while the tables are empty', expectIndexesOnly);

it('asks through indexes when they are full', async () => {
  await db.ownerDatabase.run({
    name: 'plan.fill',
    text: `WITH made AS (SELECT uuidv7() AS id, n FROM generate_series(1, 20000) AS n),
      source AS (INSERT INTO registry.source SELECT id, id, 1, n, 1, false, '\\x00' FROM made),
      golden AS (INSERT INTO registry.golden (golden_id, version, updated_at) SELECT id, 1, now() FROM made)
      INSERT INTO registry.blocking_key SELECT (n % 5000) * 7919 + k, id FROM made, generate_series(1, 14) AS k`,
  });
  await db.ownerDatabase.run({
    name: 'plan.analyze',
    text: 'ANALYZE registry.source, registry.golden, registry.blocking_key',
  });
  await expectIndexesOnly();
});
