import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { careseal, databaseOf, startTestServer, type TestServer, testHome } from '../support/server.ts';

/**
 * P20: nobody at the server's own command line gets rid of what the log says before its time or under a legal hold, and whatever is
 * erased is in the log and leaves it whole. (src/features/audit/retention.db.test.ts has the whole table.)
 */
const CLIENT = '0198f3a0-0000-7000-8000-0000000000c1';
let home: Awaited<ReturnType<typeof testHome>>;
let server: TestServer;
beforeAll(async () => {
  home = await testHome();
  server = await startTestServer({ home: home.path });
});
afterAll(async () => {
  await server.end('SIGTERM');
  await home.dispose();
});
const run = (...words: string[]) => careseal([...words], { home: home.path });

describe('at the command line, beside a running server', () => {
  test('young events are kept', async () => {
    const day = new Date(Date.now() - 5 * 366 * 24 * 3_600_000).toISOString().slice(0, 10);
    const done = await run('audit', 'erase', '--before', day, '--reason', 'room');
    expect([done.code, done.stderr]).toEqual([1, expect.stringContaining('kept for 6 years')]);
  });

  test('a hold stands until it is released, and both are in the log', async () => {
    const placed = await run('audit', 'hold', '--reason', 'inquiry', '--json');
    const { id } = JSON.parse(placed.stdout) as { id: string };
    const refused = await run('audit', 'erase', '--client', CLIENT, '--reason', 'forget me');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('legal hold')]);
    expect((await run('audit', 'holds')).stdout).toContain(id);
    expect((await run('audit', 'release', id, '--reason', 'closed')).code).toBe(0);
    const erased = await run('audit', 'erase', '--client', CLIENT, '--reason', 'forget me', '--json');
    expect(JSON.parse(erased.stdout)).toEqual({
      ...{ erased: 0, held: 0 },
      received: { altered: 0, erased: 0, held: 0 },
    });
    const verified = await run('audit', 'verify', '--json');
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true });
    const owner = databaseOf(home.path, 'careseal_owner');
    const rows = await owner.rows<{ event: string; n: bigint }>({
      name: 'p20.events',
      text: "SELECT event, count(*) AS n FROM audit.event WHERE event IN ('audit.erase', 'audit.hold', 'audit.release') GROUP BY 1 ORDER BY 1",
    });
    await owner.close();
    expect(rows.map(({ event, n }) => [event, Number(n)])).toEqual([
      // One for our own events, one for those other systems sent.
      ['audit.erase', 2],
      ['audit.hold', 1],
      ['audit.release', 1],
    ]);
  });
});
