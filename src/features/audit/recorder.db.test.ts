import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readInput, testKeyRing, userActor } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { statement } from '../../platform/db/sql.ts';
import { isGenuineReceipt } from '../../platform/http/audited.ts';
import { createAudit } from './index.ts';

const COUNT = statement<{ n: bigint; batches: bigint }>(
  'test.count',
  'SELECT coalesce(sum(events), 0)::bigint AS n, count(DISTINCT xid) AS batches FROM audit.batch',
);

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
const audit = () =>
  createAudit({
    database: db.database,
    keyRing: testKeyRing(),
    clock: { nowMs: Date.now },
    source,
    onFailure: (code, error) => {
      throw new Error(code, { cause: error });
    },
  });

describe('recording', () => {
  test('an event commits with the act, and not without it', async () => {
    const log = audit();
    await expect(
      db.database.transaction(async (tx) => {
        await log.record(tx, [readInput('a')]);
        throw new Error('the act failed');
      }),
    ).rejects.toThrow('the act failed');
    expect((await db.database.rows(COUNT))[0]?.n).toBe(0n);
    const receipt = await db.database.transaction((tx) => log.record(tx, [readInput('a')]));
    expect(isGenuineReceipt(receipt)).toBe(true);
    expect((await db.database.rows(COUNT))[0]?.n).toBe(1n);
  });

  test('concurrent callers share commits, each gets its own receipt, and every patient an event', async () => {
    const log = audit();
    const before = (await db.database.rows(COUNT))[0];
    const inputs = Array.from({ length: 100 }, (_, i) => ({
      ...readInput('b'),
      patients: [`Patient/${i}`, `Patient/x${i}`],
      actor: userActor,
    }));
    const receipts = await Promise.all(inputs.map((input) => log.recordNow([input])));
    expect(new Set(receipts).size).toBe(100);
    const after = (await db.database.rows(COUNT))[0];
    expect(Number((after?.n ?? 0n) - (before?.n ?? 0n))).toBe(200);
    expect(Number((after?.batches ?? 0n) - (before?.batches ?? 0n))).toBeLessThan(20);
  });

  test('a log that cannot be written refuses the read', async () => {
    const other = await testDatabase();
    const log = createAudit({
      database: other.database,
      keyRing: testKeyRing(),
      clock: { nowMs: Date.now },
      source,
      onFailure: () => {},
    });
    await other.database.close();
    await expect(log.recordNow([readInput('c')])).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'audit-unavailable',
    });
    await other.close();
  });
});
