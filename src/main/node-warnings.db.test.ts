import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { nodesFixture, type NodesFixture, operator } from '../../test/support/nodes.ts';
import { attentionOf } from '../features/home/rules.ts';
import { readNodeFigures } from '../features/nodes/index.ts';
import { statement } from '../platform/db/index.ts';
import { createMetrics } from '../platform/metrics/index.ts';
import { nodeMetrics } from './node-upkeep.ts';
import { tellOfEnding } from './node-warnings.ts';

const DAY_MS = 86_400_000;
let db: TestDatabase;
let f: NodesFixture;
let lines: { readonly message: string; readonly days: unknown }[];
let metrics: ReturnType<typeof createMetrics>;
/** When the only certificate ends. */
let endsAtMs: number;

beforeAll(async () => {
  db = await testDatabase();
  lines = [];
  const warn = (message: string, fields?: object) =>
    void lines.push({ message, days: fields && 'days' in fields ? fields.days : undefined });
  f = nodesFixture(db.database, { onEnding: tellOfEnding({ warn }) });
  await f.nodes.start();
  const { node } = await f.nodes.addNode(operator, { name: 'Clinic', domain: 'urn:ending' });
  endsAtMs = node.certificates[0]?.endsAtMs ?? Number.NaN;
  metrics = createMetrics();
  nodeMetrics({ database: db.database }, metrics, f.clock);
});
afterAll(async () => {
  await f.nodes.stop();
  await db.close();
});

async function gauge(name: string): Promise<number> {
  const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`careseal_${name} `));
  return Number(line?.split(' ')[1]);
}
const gauges = async (): Promise<number[]> => [
  await gauge('nodes_certificate_ending_30_days'),
  await gauge('nodes_certificate_ending_14_days'),
  await gauge('nodes_certificate_ending_7_days'),
  await gauge('nodes_certificate_ended'),
];
/** What the home page says of it. */
async function page(): Promise<readonly string[]> {
  const nodes = await readNodeFigures(db.database, f.clock.nowMs());
  return attentionOf({ nowMs: f.clock.nowMs(), nodes }).map(({ text }) => text);
}

describe('a certificate that nobody renews', () => {
  // The days left, what is new in the log, the gauges of 30, 14 and 7 days and of those that ended, and the words on the first page.
  it.each([
    [31, [], [0, 0, 0, 0], undefined],
    [30, [30], [1, 0, 0, 0], /ends within 30 days/],
    [15, [], [1, 0, 0, 0], /ends within 30 days/],
    [14, [14], [1, 1, 0, 0], /ends within 14 days/],
    [8, [], [1, 1, 0, 0], /ends within 14 days/],
    [7, [7], [1, 1, 1, 0], /ends within 7 days/],
    [1, [], [1, 1, 1, 0], /ends within 7 days/],
    [-1, [], [0, 0, 0, 1], /has no valid certificate any more/],
  ] as const)('is told of with %i days left in log, metrics and page', async (left, inLog, inMetrics, onPage) => {
    f.clock.forward(endsAtMs - left * DAY_MS - f.clock.nowMs());
    lines.length = 0;
    // Each warning once, however often it is looked at.
    await f.nodes.housekeep();
    await f.nodes.housekeep();
    expect(lines.map(({ days }) => days)).toEqual(inLog);
    for (const { message } of lines) expect(message).toBe('The last certificate of a node ends soon');
    expect(await gauges()).toEqual(inMetrics);
    const told = await page();
    expect(told).toHaveLength(onPage === undefined ? 0 : 1);
    if (onPage !== undefined) expect(told[0]).toMatch(onPage);
  });

  it('is in the audit log three times', async () => {
    await f.audit.sequence();
    const told = statement<{ n: number }>(
      'test.endings',
      "SELECT count(*)::int AS n FROM audit.event WHERE event = 'certificate.ending'",
    );
    expect(await db.ownerDatabase.rows(told)).toEqual([{ n: 3 }]);
  });
});
