import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, statement } from '../../src/platform/db/index.ts';
import { careseal, databaseOf, startTestServer, type TestServer, testHome } from '../support/server.ts';

/**
 * P12: somebody with the rights of the database's owner changes the log. What he does is found by `careseal audit verify`, run as
 * people run it. (src/features/audit/verify.db.test.ts has every kind of change; here is the whole way.)
 */
let home: Awaited<ReturnType<typeof testHome>>;
let server: TestServer;
let owner: Database;
let statements = 0;
const run = (text: string) => owner.run(statement(`p12.${statements++}`, text));

beforeAll(async () => {
  home = await testHome();
  server = await startTestServer({ home: home.path });
  owner = databaseOf(home.path, 'careseal_owner');
  for (let i = 0; i < 3; i++) await careseal(['setup'], { home: home.path });
});
afterAll(async () => {
  await owner.close();
  await server.end('SIGTERM');
  await home.dispose();
});

async function verify(...more: string[]): Promise<{ code: number | null; ok: boolean; size: number; codes: string[] }> {
  const done = await careseal(['audit', 'verify', '--json', ...more], { home: home.path });
  const found = JSON.parse(done.stdout) as { ok: boolean; size: number; problems: { code: string }[] };
  return { code: done.code, ok: found.ok, size: found.size, codes: found.problems.map((problem) => problem.code) };
}

describe('verify, as run at the command line', () => {
  test('finds a sound log sound, and exits with 0', async () => {
    const found = await verify();
    expect(found).toMatchObject({ code: 0, ok: true, codes: [] });
    expect(found.size).toBeGreaterThanOrEqual(3);
  });

  test('takes a head kept outside, and knows its own', async () => {
    const head = await careseal(['audit', 'head'], { home: home.path });
    const file = join(home.path, 'kept-head.txt');
    await writeFile(file, head.stdout);
    expect(await verify('--checkpoint', file)).toMatchObject({ code: 0, ok: true });
  });

  test('the walls hold while nobody takes them down', async () => {
    await expect(run("UPDATE audit.event SET event = 'client.search'")).rejects.toMatchObject({ sqlState: '42501' });
    await expect(run('DELETE FROM audit.event')).rejects.toMatchObject({ sqlState: '42501' });
  });

  test('finds one changed event among all, names it, and exits with 1', async () => {
    await run('ALTER TABLE audit.event DISABLE TRIGGER USER');
    await run("UPDATE audit.event SET recorded = recorded - interval '1 second' WHERE index = 1");
    await run('ALTER TABLE audit.event ENABLE TRIGGER USER');
    const found = await verify();
    expect(found).toMatchObject({ code: 1, ok: false });
    expect(found.codes).toContain('event-changed');
    const words = await careseal(['audit', 'verify'], { home: home.path });
    expect(words.stdout).toMatch(/event-changed: .*leaf 1/);
  });
});
