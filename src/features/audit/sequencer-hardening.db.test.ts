import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readInput, testKeyRing } from '../../../test/support/audit.ts';
import { expectSound, fill, quietLog } from '../../../test/support/audit-log.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { withMaintenanceSession } from '../../platform/db/index.ts';
import { statement } from '../../platform/db/sql.ts';

let db: TestDatabase;
const keyRing = testKeyRing();
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await db.close();
});

describe('months', () => {
  test('come as events need them, in the middle of a round too, whatever the clock says', async () => {
    const log = quietLog(db.database, keyRing);
    const begin = Date.UTC(2031, 0, 15);
    const clock = vi.spyOn(Date, 'now');
    // Forwards over a year, then back: clocks are corrected.
    for (const month of [0, 1, 2, 5, 11, 3, -7]) {
      clock.mockReturnValue(begin + month * 31 * 86_400_000);
      await fill(log, 1100);
    }
    clock.mockRestore();
    await log.sequence();
    expect(await expectSound(db.database, keyRing)).toBe(7700);
    const months = statement<{ n: bigint }>(
      'test.months',
      "SELECT count(*) AS n FROM pg_inherits WHERE inhparent = 'audit.event'::regclass",
    );
    expect(Number((await db.database.rows(months))[0]?.n)).toBeGreaterThanOrEqual(7);
  });

  test('a clock that steps back by hours, and heads with it, leave a log that verifies', async () => {
    const log = quietLog(db.database, keyRing);
    await fill(log, 10);
    await log.sequence();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 5 * 3_600_000);
    await fill(log, 10);
    await log.sequence();
    clock.mockRestore();
    await fill(log, 10);
    expect(await log.verify()).toMatchObject({ ok: true, size: 30 });
  });

  test('the application makes no table but by asking for a month', async () => {
    const make = statement<never>('test.make', 'CREATE TABLE audit.mine (id int)');
    await expect(db.database.run(make)).rejects.toMatchObject({ sqlState: '42501' });
    const into = statement<never>('test.into', 'INSERT INTO audit.event_2031_01 SELECT * FROM audit.event LIMIT 0');
    await db.database.rows(statement('test.month', "SELECT audit.ensure_month('2031-01-05')"));
    await expect(db.database.run(into)).rejects.toMatchObject({ sqlState: '42501' });
    for (const sql of [
      'DELETE FROM audit.event_2031_01',
      'TRUNCATE audit.event_2031_01',
      'UPDATE audit.event SET place = 1',
    ]) {
      const act = db.ownerDatabase.run(statement(`test.${sql}`, sql));
      // Row triggers have nothing to refuse in an empty month.
      if (sql.startsWith('TRUNCATE')) await expect(act).rejects.toMatchObject({ sqlState: '42501' });
      else await act;
    }
  });
});

test('two hundred times a sequencer loses its connection at some moment under load, and the tree is whole', async () => {
  const log = quietLog(db.database, keyRing, 2);
  const rivals = [quietLog(db.database, keyRing, 2), quietLog(db.database, keyRing, 3)];
  for (const rival of rivals) rival.startSequencer();
  const kill = statement<{ killed: boolean }>(
    'test.kill',
    `SELECT pg_terminate_backend(pid) AS killed FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle' AND query ~ 'audit' LIMIT 1`,
  );
  let [killed, written] = [0, 0];
  const writing = new AbortController();
  const writer = (async () => {
    while (!writing.signal.aborted) {
      await log.recordNow([readInput('k')]).then(
        () => written++,
        () => undefined,
      );
    }
  })();
  await withMaintenanceSession(db.superuserConnection, async (session) => {
    const until = performance.now() + 150_000;
    while (killed < 200 && performance.now() < until) {
      killed += (await session.rows(kill.text)).length;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
    }
  });
  writing.abort();
  await writer;
  await Promise.all(rivals.map((rival) => rival.stop()));
  await log.sequence();
  expect(killed).toBeGreaterThan(100);
  expect(await expectSound(db.database, keyRing)).toBeGreaterThanOrEqual(written);
  expect((await log.verify()).problems).toEqual([]);
}, 300_000);

describe('a disk that is full', () => {
  const script = (sql: string) => withMaintenanceSession(db.superuserConnection, (session) => session.script(sql));
  const fullFor = (table: string) =>
    script(`CREATE FUNCTION audit.disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER disk_full BEFORE INSERT ON audit.${table} FOR EACH STATEMENT EXECUTE FUNCTION audit.disk_full()`);
  const freed = (table: string) => script(`DROP TRIGGER disk_full ON audit.${table}; DROP FUNCTION audit.disk_full()`);

  test('refuses the act while an event cannot be written, and goes on when there is room', async () => {
    const log = quietLog(db.database, keyRing);
    await fullFor('batch');
    await expect(log.recordNow([readInput('a')])).rejects.toMatchObject({ code: 'audit-unavailable' });
    await freed('batch');
    await fill(log, 3);
    expect(await log.verify()).toMatchObject({ ok: true, size: 3 });
  });

  test.each(['event', 'tile', 'checkpoint'])('in the middle of a round, at %s, leaves no half of it', async (table) => {
    const log = quietLog(db.database, keyRing);
    await fill(log, 40);
    await log.sequence();
    await fill(log, 400);
    await fullFor(table);
    await expect(log.sequence()).rejects.toMatchObject({ code: 'database-full' });
    expect(await log.status()).toMatchObject({ size: 40, pending: 400 });
    await freed(table);
    expect(await log.verify()).toMatchObject({ ok: true, size: 440 });
  });
});

test('a head that does not follow the newest one is refused by the database', async () => {
  const log = quietLog(db.database, keyRing);
  await fill(log, 5);
  await log.sequence();
  await fill(log, 5);
  await log.sequence();
  const fork = statement(
    'test.fork',
    `INSERT INTO audit.checkpoint (size, root, note, signed_at, through_xid, through_seq, era_seq, previous)
     SELECT 7, root, note, signed_at, through_xid, through_seq, era_seq, 5 FROM audit.checkpoint WHERE size = 10`,
  );
  await expect(db.database.run(fork)).rejects.toMatchObject({ sqlState: '23505' });
});

test('verify waits out a transaction of another database that keeps events from being numbered', async () => {
  const log = quietLog(db.database, keyRing);
  const elsewhere = withMaintenanceSession({ ...db.superuserConnection, database: 'postgres' }, async (session) => {
    await session.script('BEGIN; SELECT pg_current_xact_id()');
    await fill(log, 5);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await session.script('COMMIT');
  });
  await expect.poll(async () => (await log.status()).pending).toBe(5);
  expect(await log.verify()).toMatchObject({ ok: true, size: 5, pending: 0 });
  await elsewhere;
}, 30_000);
