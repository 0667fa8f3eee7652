import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readInput, testKeyRing, userActor } from '../../../test/support/audit.ts';
import { quietLog } from '../../../test/support/audit-log.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { withMaintenanceSession } from '../../platform/db/index.ts';
import type { Sql } from '../../platform/db/sql.ts';
import { type EventQuery, listEvents } from './event-query.ts';

/** How PostgreSQL answers lists over a year of events: by an index of the months it has to look at, never by walking the log. */
const MONTHS = 12;
const PER_MONTH = 1_500;
const DAY_MS = 86_400_000;
const BEGIN = Date.UTC(2032, 0, 3);
let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  const log = quietLog(db.database, testKeyRing());
  const now = vi.spyOn(Date, 'now');
  for (let month = 0; month < MONTHS; month++) {
    now.mockReturnValue(BEGIN + month * 30.5 * DAY_MS);
    await log.recordNow(
      Array.from({ length: PER_MONTH }, (_, i) => readInput(String(i % 700), i % 2 === 0 ? userActor : undefined)),
    );
    await log.sequence();
  }
  now.mockRestore();
  await withMaintenanceSession(db.superuserConnection, (session) => session.script('VACUUM ANALYZE audit.event'));
}, 120_000);
afterAll(() => db.close());

interface Plan {
  readonly [name: string]: unknown;
  readonly Plans?: readonly Plan[];
}

/** Rows that were looked at, and months they were looked for in. */
async function cost(query: EventQuery): Promise<{ rows: number; months: number; sequential: number }> {
  const nodes: Plan[] = [];
  const explaining: Sql = {
    async rows(statement, values = []) {
      return await db.database.transaction(async (tx) => {
        const name = `explain.${statement.name}`;
        const found = await tx.rows<{ 'QUERY PLAN': string | readonly { Plan: Plan }[] }>(
          { name, text: `EXPLAIN (ANALYZE, FORMAT JSON) ${statement.text}` },
          values,
        );
        const plan = found[0]?.['QUERY PLAN'];
        const parsed = (typeof plan === 'string' ? JSON.parse(plan) : plan) as readonly { Plan: Plan }[];
        const collect = (node: Plan): void => {
          nodes.push(node);
          node.Plans?.forEach(collect);
        };
        if (parsed[0] !== undefined) collect(parsed[0].Plan);
        return [];
      });
    },
    run: () => Promise.reject(new Error('only reads')),
  };
  await listEvents(explaining, query);
  const scans = nodes.filter(
    (node) => String(node['Relation Name'] ?? '').startsWith('event_2') && Number(node['Actual Loops']) > 0,
  );
  const looked = (node: Plan): number =>
    (Number(node['Actual Rows']) + Number(node['Rows Removed by Filter'] ?? 0)) * Number(node['Actual Loops']);
  return {
    rows: scans.reduce((sum, node) => sum + looked(node), 0),
    months: new Set(scans.map((node) => node['Relation Name'])).size,
    sequential: scans.filter((node) => node['Node Type'] === 'Seq Scan').length,
  };
}

const at = (month: number): number => BEGIN + month * 30.5 * DAY_MS;

test.each<[string, EventQuery, { rows: number; months: number }]>([
  ['nobody’s events', { actors: [1n], limit: 51 }, { rows: 0, months: 14 }],
  ['no client’s events', { clients: [1n, 2n, 3n], limit: 51 }, { rows: 0, months: 14 }],
  ['what never happened', { events: ['client.merge'], limit: 51 }, { rows: 0, months: 14 }],
  ['failures, of which there are none', { outcomes: [4, 8], limit: 51 }, { rows: 0, months: 14 }],
  ['from an address nobody has', { addresses: [7n], limit: 51 }, { rows: 0, months: 14 }],
  ['what operators did, which is nothing', { kinds: ['operator'], limit: 51 }, { rows: 0, months: 14 }],
  ['the newest', { limit: 51 }, { rows: 120, months: 14 }],
  ['a month', { fromMs: at(4) - DAY_MS, beforeMs: at(4) + DAY_MS, limit: 51 }, { rows: 120, months: 2 }],
  [
    'nobody’s of a month',
    { actors: [1n], fromMs: at(4) - DAY_MS, beforeMs: at(4) + DAY_MS, limit: 51 },
    { rows: 0, months: 2 },
  ],
])('%s', async (_what, query, bound) => {
  const found = await cost(query);
  expect(found.sequential).toBe(0);
  expect(found.rows).toBeLessThanOrEqual(bound.rows);
  expect(found.months).toBeLessThanOrEqual(bound.months);
});
