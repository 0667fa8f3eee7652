import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { operatorActor, readInput, testKeyRing } from '../../../test/support/audit.ts';
import { fill, quietLog } from '../../../test/support/audit-log.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { withMaintenanceSession } from '../../platform/db/index.ts';
import { statement } from '../../platform/db/sql.ts';
import type { Audit } from './index.ts';

let db: TestDatabase;
let log: Audit;
const keyRing = testKeyRing();
beforeEach(async () => {
  db = await testDatabase();
  log = quietLog(db.database, keyRing);
});
afterEach(() => db.close());

const LAST = statement<{ id: string }>(
  'test.last-batch',
  'SELECT id FROM audit.batch ORDER BY xid DESC, seq DESC LIMIT 1',
);

/** Writes a batch and flips a bit of it, as a disk or somebody with the owner's rights would. */
async function damagedBatch(): Promise<string> {
  await log.recordNow([readInput('a'), readInput('b')]);
  const id = (await db.database.rows(LAST))[0]?.id ?? '';
  await damage(id);
  return id;
}

async function damage(id: string): Promise<void> {
  await withMaintenanceSession(db.superuserConnection, (session) =>
    session.script(`SET session_replication_role = replica;
      UPDATE audit.batch SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE id = '${id}'`),
  );
}

const act = (batch: string) => ({ actor: operatorActor, owner: db.ownerDatabase, reason: 'The disk broke', batch });

describe('a batch that was damaged before it was numbered', () => {
  test('stops numbering by name, and neither hides nor loses what came after it', async () => {
    await fill(log, 70);
    await log.sequence();
    const batch = await damagedBatch();
    await fill(log, 5);
    await expect(log.sequence()).rejects.toThrow(batch);
    expect((await log.search({ limit: 10 })).events.filter(({ index }) => index === undefined)).toHaveLength(5);
    expect(await log.status()).toMatchObject({ size: 70, pending: 7 });
  });

  test('is set aside with an event that holds its length and hash; numbering goes on, and verify tells of it ever after', async () => {
    await fill(log, 3);
    const batch = await damagedBatch();
    await fill(log, 5);
    const done = await log.setAside(act(batch));
    expect(done).toMatchObject({ batch, events: 2, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const said = (await log.search({ events: ['audit.set-aside'], limit: 5 })).events[0];
    expect(said).toMatchObject({
      index: 8,
      reason: 'The disk broke',
      detail: { batch, events: '2', bytes: String(done.bytes), sha256: done.sha256 },
    });
    for (let round = 0; round < 2; round++) {
      await fill(log, 2);
      expect(await log.verify()).toMatchObject({ ok: true, size: 11 + 2 * round, setAside: [done] });
    }
    // It is still there, byte for byte.
    const rows = await db.database.rows(
      statement<{ n: number }>('test.rest', 'SELECT length(sealed) AS n FROM audit.batch WHERE id = $1'),
      [batch],
    );
    expect(rows[0]?.n).toBe(done.bytes);
  });

  test('is not set aside when it can be opened, has its numbers, is set aside already or is none', async () => {
    await fill(log, 3);
    const sound = (await db.database.rows(LAST))[0]?.id ?? '';
    await expect(log.setAside(act(sound))).rejects.toMatchObject({ code: 'audit-batch-sound' });
    await log.sequence();
    await damage(sound);
    await expect(log.setAside(act(sound))).rejects.toMatchObject({ code: 'audit-batch-numbered' });
    await expect(log.setAside(act(operatorActor.origin.requestId))).rejects.toMatchObject({
      code: 'audit-batch-not-found',
    });
    const batch = await damagedBatch();
    await log.setAside(act(batch));
    await expect(log.setAside(act(batch))).rejects.toMatchObject({ code: 'audit-batch-set-aside' });
  });

  test('cannot be set aside by the application, nor taken back by the owner', async () => {
    const insert = statement(
      'test.aside',
      'INSERT INTO audit.set_aside (batch, because) VALUES (gen_random_uuid(), gen_random_uuid())',
    );
    await expect(db.database.run(insert)).rejects.toMatchObject({ sqlState: '42501' });
    await expect(db.ownerDatabase.run(statement('test.back', 'DELETE FROM audit.set_aside'))).rejects.toMatchObject({
      sqlState: '42501',
    });
  });
});

describe('a thief with the rights of the owner', () => {
  test('who sets aside a sound batch, or for another reason than the log has, is found', async () => {
    const batch = await damagedBatch();
    const { because } = await log.setAside(act(batch));
    await log.recordNow([readInput('what he wants to be rid of')]);
    const sound = (await db.database.rows(LAST))[0]?.id ?? '';
    const insert = statement('test.thief', 'INSERT INTO audit.set_aside (batch, because) VALUES ($1, $2)');
    await db.ownerDatabase.run(insert, [sound, because]);
    const first = await log.verify();
    expect(first.ok).toBe(false);
    expect(first.problems).toContainEqual(expect.objectContaining({ code: 'not-in-tree', eventId: sound }));
    await damage(sound);
    expect((await log.verify()).problems).toContainEqual(
      expect.objectContaining({ code: 'not-in-tree', eventId: sound }),
    );
  });

  test('who changes a batch that was set aside is found', async () => {
    const batch = await damagedBatch();
    await log.setAside(act(batch));
    await damage(batch);
    await damagedByte(batch);
    expect(await log.verify()).toMatchObject({ ok: false, setAside: [] });
  });

  async function damagedByte(id: string): Promise<void> {
    await withMaintenanceSession(db.superuserConnection, (session) =>
      session.script(`SET session_replication_role = replica;
        UPDATE audit.batch SET sealed = set_byte(sealed, 50, get_byte(sealed, 50) # 1) WHERE id = '${id}'`),
    );
  }
});
