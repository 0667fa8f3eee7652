import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readInput, testKeyRing } from '../../../test/support/audit.ts';
import { fill, quietLog, expectSound as soundSize } from '../../../test/support/audit-log.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { sha256 } from '../../crypto/index.ts';
import { type Database, statement } from '../../platform/db/sql.ts';
import {
  createMerkle,
  encodeLeaf,
  verifyConsistency,
  verifyInclusion,
  proveConsistency,
  proveInclusion,
} from '../../verifier/index.ts';
import type { Audit } from './index.ts';
import { createRound } from './sequencer.ts';
import { ensureSigner } from './signer.ts';
import { createNodeReader, readEdge } from './tile-reader.ts';
import { rootOfEdge } from './tree-edge.ts';
import { readHead, readLeaves, tryLock } from './tree-store.ts';

const merkle = createMerkle(sha256);
const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
const ORDER = statement<{ index: bigint; seq: bigint; xid: string }>(
  'test.order',
  'SELECT event.index, seq, xid::text FROM audit.event JOIN audit.batch ON batch.id = event.batch ORDER BY event.index',
);
const COUNT = statement<{ events: bigint; leaves: bigint }>(
  'test.counts',
  'SELECT (SELECT sum(events)::bigint FROM audit.batch) AS events, (SELECT count(*) FROM audit.event) AS leaves',
);

let db: TestDatabase;
const keyRing = testKeyRing();
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(() => db.close());

const signer = () => ensureSigner(db.database, { keyRing, clock: { nowMs: Date.now }, baseUrl: source.baseUrl });
const auditOn = (database: Database, everyMs?: number): Audit => quietLog(database, keyRing, everyMs);
const expectSound = () => soundSize(db.database, keyRing);

describe('the sequencer', () => {
  test('gives every event one leaf and signs the head', async () => {
    const log = auditOn(db.database);
    log.startSequencer();
    await Promise.all(Array.from({ length: 300 }, (_, i) => log.recordNow([readInput(String(i))])));
    await log.stop();
    expect(await expectSound()).toBe(300);
  });

  test('cuts tiles, finds its edge again, and proves inclusion and growth', async () => {
    const log = auditOn(db.database);
    for (const n of [255, 1, 1, 300, 2500]) {
      await fill(log, n);
      await log.sequence();
    }
    const head = await readHead(db.database);
    const size = head?.size ?? 0;
    expect(size).toBe(3057);
    const root = rootOfEdge(merkle, await readEdge(db.database, size));
    expect(Buffer.from(root).equals(head?.root ?? Buffer.alloc(0))).toBe(true);
    const leaves = await readLeaves(db.database, 0, size);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: size - 1 }), fc.constantFrom(255, 256, 257, 557), async (index, from) => {
        const read = createNodeReader(db.database, size);
        const path = await proveInclusion(merkle, read, { index, size });
        const leaf = leaves[index];
        if (leaf === undefined) throw new Error('no leaf');
        expect(verifyInclusion(merkle, { leafHash: merkle.leafHash(encodeLeaf(leaf)), index, size, path, root })).toBe(
          true,
        );
        const older = merkle.rootOf(leaves.slice(0, from).map((one) => merkle.leafHash(encodeLeaf(one))));
        const growth = await proveConsistency(merkle, read, { from, to: size });
        expect(verifyConsistency(merkle, { from: { size: from, root: older }, to: { size, root }, path: growth })).toBe(
          true,
        );
      }),
      { numRuns: 25 },
    );
  });

  test('waits for a transaction that began earlier and commits later, so no event falls into a gap', async () => {
    const log = auditOn(db.database);
    const slow = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const transaction = db.database.transaction(async (tx) => {
      await log.record(tx, [readInput('slow')]);
      written.resolve();
      await slow.promise;
    });
    await written.promise;
    await fill(log, 10);
    const round = createRound({ database: db.database, keyRing, clock: { nowMs: Date.now }, signer });
    expect(await round()).toEqual({ kind: 'done', added: 0, waiting: true });
    slow.resolve();
    await transaction;
    await log.sequence();
    expect(await expectSound()).toBe(11);
    const order = await db.database.rows(ORDER);
    const sorted = order.toSorted((a, b) =>
      BigInt(a.xid) === BigInt(b.xid) ? Number(a.seq - b.seq) : Number(BigInt(a.xid) - BigInt(b.xid)),
    );
    expect(order).toEqual(sorted);
  });

  test('two at once make one tree', async () => {
    const logs = [auditOn(db.database, 5), auditOn(db.database, 5), auditOn(db.database, 5)];
    for (const log of logs) log.startSequencer();
    for (let i = 0; i < 30; i++) await Promise.all(logs.map((log) => log.recordNow([readInput(String(i))])));
    await Promise.all(logs.map((log) => log.stop()));
    expect(await expectSound()).toBe(90);
  });

  test('killed at any statement, it leaves no gap and no fork', async () => {
    const log = auditOn(db.database);
    await fill(log, 600);
    await log.sequence();
    for (let killAt = 1; killAt <= 12; killAt++) {
      await fill(log, 130);
      const dying = createRound({
        database: dyingAfter(db.database, killAt),
        keyRing,
        clock: { nowMs: Date.now },
        signer,
      });
      // It dies again and again in the same round before a healthy one follows.
      for (let n = 0; n < 3; n++) await dying().catch(() => undefined);
      await expectSound();
    }
    await log.sequence();
    expect(await expectSound()).toBe(600 + 12 * 130);
    expect((await db.database.rows(COUNT))[0]).toEqual({ events: 2160n, leaves: 2160n });
  });

  test('goes on after a restore into a cluster that numbers transactions from the beginning', async () => {
    const log = auditOn(db.database);
    await fill(log, 40);
    await log.sequence();
    await fill(log, 5);
    // As if all of this had been written in a cluster far ahead of this one.
    const far = statement<never>(
      'test.far',
      'UPDATE audit.batch SET xid = (xid::text::bigint + 1000000000)::text::xid8',
    );
    const farHead = statement<never>(
      'test.far-head',
      'UPDATE audit.checkpoint SET through_xid = (through_xid::text::bigint + 1000000000)::text::xid8',
    );
    await db.ownerDatabase.run(statement('test.off', 'ALTER TABLE audit.batch DISABLE TRIGGER USER'));
    await db.ownerDatabase.run(statement('test.off2', 'ALTER TABLE audit.checkpoint DISABLE TRIGGER USER'));
    await db.ownerDatabase.run(far);
    await db.ownerDatabase.run(farHead);
    await fill(log, 7);
    await log.sequence();
    await fill(log, 3);
    await log.sequence();
    expect(await expectSound()).toBe(55);
  });

  test('refuses to build on rows that are not the ones it signed', async () => {
    const log = auditOn(db.database);
    await fill(log, 10);
    await log.sequence();
    await db.ownerDatabase.run(statement('test.off', 'ALTER TABLE audit.event DISABLE TRIGGER USER'));
    await db.ownerDatabase.run(statement('test.edit', "UPDATE audit.event SET event = 'client.match' WHERE index = 4"));
    const fresh = auditOn(db.database);
    await expect(fresh.sequence()).rejects.toThrow(/damaged/);
  });

  test('leaves the lock to whoever has it', async () => {
    const log = auditOn(db.database);
    await fill(log, 3);
    const round = createRound({
      database: db.database,
      keyRing,
      clock: { nowMs: Date.now },
      signer,
    });
    await db.database.transaction(async (tx) => {
      expect(await tryLock(tx)).toBe(true);
      expect(await round()).toEqual({ kind: 'busy' });
    });
  });
});

/** The database of a process that is killed before its n-th statement of a transaction. */
function dyingAfter(database: Database, n: number): Database {
  return {
    ...database,
    transaction: (work) =>
      database.transaction((tx) => {
        let left = n;
        const die = (): void => {
          if (--left <= 0) throw new Error('killed');
        };
        return work({
          ...tx,
          rows: async (sql, values) => {
            die();
            return await tx.rows(sql, values);
          },
          run: async (sql, values) => {
            die();
            return await tx.run(sql, values);
          },
        });
      }),
  };
}
