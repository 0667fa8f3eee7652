import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { Problem } from '../../kernel/problem.ts';
import {
  createDatabase,
  isUniqueViolation,
  SqlError,
  statement,
  type Transaction,
  withMaintenanceSession,
} from './index.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await db.ownerDatabase.run(statement('test.schema', 'CREATE SCHEMA test AUTHORIZATION careseal_owner'));
  await db.ownerDatabase.run(
    statement('test.table', 'CREATE TABLE test.thing (id bigint PRIMARY KEY, data bytea, tags bigint[])'),
  );
  await db.ownerDatabase.run(statement('test.grant', 'GRANT USAGE ON SCHEMA test TO careseal_app'));
  await db.ownerDatabase.run(statement('test.grant2', 'GRANT SELECT, INSERT ON test.thing TO careseal_app'));
});
afterAll(() => db.close());

const insert = statement('test.insert', 'INSERT INTO test.thing (id, data, tags) VALUES ($1, $2, $3)');
const read = statement<{ id: bigint; data: Buffer; tags: bigint[] }>(
  'test.read',
  'SELECT * FROM test.thing WHERE id = $1',
);

describe('statements', () => {
  it('carry bigints, bytes and arrays both ways without loss', async () => {
    const data = Uint8Array.from({ length: 256 }, (_, i) => i);
    const tags = [-(2n ** 63n), 2n ** 63n - 1n, 0n];
    expect(await db.database.run(insert, [2n ** 62n + 1n, data, tags])).toBe(1);
    const [row] = await db.database.rows(read, [2n ** 62n + 1n]);
    expect(row).toEqual({ id: 2n ** 62n + 1n, data: Buffer.from(data), tags });
  });

  it('are refused to the application where no migration granted them', async () => {
    const remove = statement('test.delete', 'DELETE FROM test.thing');
    const refusal = await db.database.run(remove).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(SqlError);
    expect(refusal).toMatchObject({ sqlState: '42501' });
    const create = statement('test.ddl', 'CREATE TABLE public.mine (id int)');
    await expect(db.database.run(create)).rejects.toMatchObject({ sqlState: '42501' });
  });

  it('never quote a value in the error', async () => {
    const secret = statement('test.secret', 'SELECT $1::text::bigint');
    const refusal = await db.database.rows(secret, ['Nakato']).catch((error: unknown) => error);
    expect(String(refusal)).toContain('22P02');
    expect(JSON.stringify(refusal) + String(refusal)).not.toContain('Nakato');
  });

  it('tell a unique violation by its constraint', async () => {
    await db.database.run(insert, [5n, null, []]);
    const refusal = await db.database.run(insert, [5n, null, []]).catch((error: unknown) => error);
    expect(isUniqueViolation(refusal)).toBe(true);
    expect(isUniqueViolation(refusal, 'thing_pkey')).toBe(true);
    expect(isUniqueViolation(refusal, 'other')).toBe(false);
  });
});

describe('bursts', () => {
  const there = async (...ids: bigint[]) => {
    const found = await Promise.all(ids.map((id) => db.database.rows(read, [id])));
    return found.map((rows) => rows.length);
  };

  it('commit what they began, in one message, and answer it', async () => {
    const order: string[] = [];
    const rows = await db.database.burst((tx) => {
      tx.afterCommit(() => order.push('committed'));
      const done = Promise.all([tx.run(insert, [601n, null, []]), tx.rows(read, [601n])]).then(([, found]) => found);
      return { done, commit: 'at-once' };
    });
    expect(rows).toHaveLength(1);
    expect(order).toEqual(['committed']);
    expect(await there(601n)).toEqual([1]);
  });

  it('write nothing when one statement fails, and say which was first', async () => {
    const failed = db.database.burst((tx) => {
      const all = [611n, 611n, 612n].map((id) => tx.run(insert, [id, null, []]));
      return { done: Promise.all(all), commit: 'at-once' };
    });
    await expect(failed).rejects.toMatchObject({ sqlState: '23505' });
    expect(await there(611n, 612n)).toEqual([0, 0]);
  });

  it('wait with COMMIT where the work asks for it, and roll back when it comes to nothing', async () => {
    const work = async (tx: Transaction, id: bigint, fails: boolean) => {
      await tx.run(insert, [id, null, []]);
      await tx.run(insert, [id + 1n, null, []]);
      if (fails) throw new Error('on second thoughts');
    };
    await db.database.burst((tx) => ({ done: work(tx, 621n, false), commit: 'when-done' }));
    expect(await there(621n, 622n)).toEqual([1, 1]);
    const undone = db.database.burst((tx) => ({ done: work(tx, 631n, true), commit: 'when-done' }));
    await expect(undone).rejects.toThrow('on second thoughts');
    expect(await there(631n, 632n)).toEqual([0, 0]);
  });

  it('refuse a statement that begins when COMMIT is on its way', async () => {
    const late = db.database.burst((tx) => {
      const done = tx.run(insert, [641n, null, []]).then(() => tx.run(insert, [642n, null, []]));
      return { done, commit: 'at-once' };
    });
    await expect(late).rejects.toThrow(/has ended/);
    expect(await there(642n)).toEqual([0]);
  });
});

describe('the last statements of a transaction', () => {
  const there = async (id: bigint) => (await db.database.rows(read, [id])).length;

  it('take COMMIT along, and what waited for it follows', async () => {
    const order: string[] = [];
    await db.database.transaction(async (tx) => {
      await tx.run(insert, [651n, null, []]);
      return await tx.last(() => {
        tx.afterCommit(() => order.push('committed'));
        return tx.run(insert, [652n, null, []]);
      });
    });
    expect(order).toEqual(['committed']);
    expect([await there(651n), await there(652n)]).toEqual([1, 1]);
  });

  it('leave nothing of the whole when one of them fails, and say which', async () => {
    const failed = db.database.transaction(async (tx) => {
      await tx.run(insert, [653n, null, []]);
      return await tx.last(() => Promise.all([653n, 654n].map((id) => tx.run(insert, [id, null, []]))));
    });
    await expect(failed).rejects.toMatchObject({ sqlState: '23505' });
    expect([await there(653n), await there(654n)]).toEqual([0, 0]);
    expect(await db.database.run(insert, [655n, null, []])).toBe(1);
  });

  it('refuse a statement that begins later', async () => {
    const late = db.database.transaction((tx) =>
      tx.last(() => tx.run(insert, [656n, null, []]).then(() => tx.run(insert, [657n, null, []]))),
    );
    await expect(late).rejects.toThrow(/has ended/);
    expect(await there(657n)).toBe(0);
  });
});

describe('transactions', () => {
  it('commit what they did, then run what waited for the commit', async () => {
    const order: string[] = [];
    await db.database.transaction(async (tx) => {
      tx.afterCommit(() => order.push('after'));
      await tx.run(insert, [10n, null, []]);
      order.push('work');
    });
    expect(order).toEqual(['work', 'after']);
    expect(await db.database.rows(read, [10n])).toHaveLength(1);
  });

  it('undo everything when the work throws, and run nothing after', async () => {
    let ran = false;
    const work = db.database.transaction(async (tx) => {
      tx.afterCommit(() => {
        ran = true;
      });
      await tx.run(insert, [11n, null, []]);
      throw new Problem('conflict', 'no', 'No.');
    });
    await expect(work).rejects.toMatchObject({ code: 'no' });
    expect(await db.database.rows(read, [11n])).toHaveLength(0);
    expect(ran).toBe(false);
  });

  it('do not pretend to commit after a statement failed and somebody swallowed it', async () => {
    const work = db.database.transaction(async (tx) => {
      await tx.run(insert, [12n, null, []]);
      await tx.run(insert, [12n, null, []]).catch(() => undefined);
    });
    await expect(work).rejects.toThrow('asked to commit');
    expect(await db.database.rows(read, [12n])).toHaveLength(0);
  });

  it('refuse statements started after they have ended', async () => {
    const leaked = await db.database.transaction((tx) => Promise.resolve(tx));
    await expect(leaked.run(insert, [13n, null, []])).rejects.toThrow('has ended');
  });

  it('leave the pool whole after many failures', async () => {
    const failing = Array.from({ length: 50 }, () =>
      db.database.transaction(async (tx) => {
        await tx.run(insert, [14n, null, []]);
        throw new Error('stop');
      }),
    );
    for (const outcome of await Promise.allSettled(failing)) expect(outcome.status).toBe('rejected');
    expect(await db.database.rows(read, [14n])).toHaveLength(0);
  });
});

describe('an unreachable database', () => {
  it('is a Problem that says to try again', async () => {
    const nowhere = createDatabase({
      connection: { host: '127.0.0.1', port: 1, user: 'x', database: 'x' },
      poolSize: 1,
      statementTimeoutMs: 1000,
    });
    await expect(nowhere.rows(read, [1n])).rejects.toMatchObject({ kind: 'unavailable', code: 'database-unavailable' });
    await expect(nowhere.transaction(() => Promise.resolve())).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(nowhere.listen('x', () => undefined)).rejects.toMatchObject({ kind: 'unavailable' });
    await nowhere.close();
  });

  it('comes back by itself after its connections were cut, and a slow statement is cut off', async () => {
    const mine = createDatabase({ connection: db.connection, poolSize: 2, statementTimeoutMs: 200 });
    await mine.rows(read, [1n]);
    await withMaintenanceSession(db.superuserConnection, async (session) => {
      await session.script(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
    });
    // The statement that meets the cut connection fails with a Problem; the ones after it work.
    const outcome = (): Promise<unknown> =>
      mine.rows(read, [1n]).then(
        (rows) => rows.length,
        (error: unknown) => error,
      );
    expect([0, expect.objectContaining({ kind: 'unavailable' })]).toContainEqual(await outcome());
    await expect.poll(outcome).toBe(0);
    const slow = statement('test.slow', 'SELECT pg_sleep(2)');
    await expect(mine.rows(slow)).rejects.toMatchObject({ code: 'database-too-slow' });
    await mine.close();
  });
});

describe('listening', () => {
  it('hears what is notified, until it is told to stop', async () => {
    const heard: string[] = [];
    const notify = statement('test.notify', 'SELECT pg_notify($1, $2)');
    const stop = await db.database.listen('news', (payload) => heard.push(payload));
    await db.database.rows(notify, ['news', 'one']);
    await expect.poll(() => heard).toEqual(['one']);
    await stop();
    await db.database.rows(notify, ['news', 'two']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).toEqual(['one']);
  });
});
