import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CSV_HEADER, CSV_MAP, csvLine, people } from '../../bench/people.ts';
import { REGISTRY_LOCK } from '../../src/features/registry/store.ts';
import { type Sql, statement } from '../../src/platform/db/index.ts';
import { careseal, databaseOf, startTestServer, testHome } from '../support/server.ts';

let home: string;
let folder: string;
let dispose: () => Promise<void>;
beforeEach(async () => {
  ({ path: home, dispose } = await testHome());
  folder = await mkdtemp(join(tmpdir(), 'careseal-loading-'));
});
afterEach(async () => {
  await dispose();
  await rm(folder, { recursive: true, force: true });
});

const PROGRAM = join(import.meta.dirname, '../..');
const DOMAIN = 'urn:example:clinic';

async function writeFiles(count: number): Promise<{ csv: string; map: string; rows: number }> {
  const lines = [...people({ seed: 21, count, duplicates: 0.25 })].map(csvLine);
  const [csv, map] = [join(folder, 'people.csv'), join(folder, 'map.json')];
  await writeFile(csv, [CSV_HEADER, ...lines].join('\n'));
  await writeFile(map, JSON.stringify(CSV_MAP));
  return { csv, map, rows: lines.length };
}

// The number of the lock in registry.take_turn: "CRLK".
const waiting = statement<{ n: bigint }>(
  'journey.waiting',
  `SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND objid = ${0x43_52_4c_4b} AND NOT granted`,
);
const sources = statement<{ n: bigint }>('journey.sources', 'SELECT count(*) AS n FROM registry.source');

test('a load killed in the middle is finished by giving the same command again: nothing lost, nothing twice', async () => {
  const { csv, map, rows } = await writeFiles(3_000);
  const server = await startTestServer({ home });
  const words = ['load', csv, '--domain', DOMAIN, '--map', map, '--json'];
  const database = databaseOf(home);
  const counted = async (sql: Sql = database) => Number((await sql.rows(sources))[0]?.n ?? 0);
  // Nothing is written without the registry's lock, and who waits for it gets it in turn. So this and the load take turns until it has
  // written something, and it is killed while this has the lock: never before its first part, never after its last.
  const first = Promise.withResolvers<void>();
  const holding = Promise.withResolvers<void>();
  const held = database.transaction(async () => (holding.resolve(), await first.promise), { lock: REGISTRY_LOCK });
  await holding.promise;
  const child = spawn(join(PROGRAM, 'node_modules/node/bin/node'), [join(PROGRAM, 'src/cli/main.ts'), ...words], {
    env: { PATH: process.env['PATH'] ?? '', CARESEAL_HOME: home },
    stdio: 'ignore',
  });
  const inLine = async () => Number((await database.rows(waiting))[0]?.n ?? 0);
  await expect.poll(inLine, { timeout: 60_000, interval: 20 }).toBeGreaterThan(0);
  const turn = () =>
    database.transaction(
      async (tx) => {
        const written = await counted(tx);
        if (written > 0) child.kill('SIGKILL');
        return written;
      },
      { lock: REGISTRY_LOCK },
    );
  const turns = (async () => {
    for (;;) {
      const written = await turn();
      if (written > 0) return written;
    }
  })();
  first.resolve();
  await held;
  const closed = once(child, 'close');
  const before = await turns;
  await closed;
  // A part that stood in line when it died is not written by the rest of it.
  await turn();
  expect(await counted()).toBe(before);
  expect(before).toBeLessThan(rows);
  const again = await careseal(words, { home });
  expect(again.stderr).toBe('');
  expect(JSON.parse(again.stdout)).toMatchObject({
    read: rows,
    created: rows - before,
    unchanged: before,
    rejected: 0,
  });
  expect(await counted()).toBe(rows);
  const third = JSON.parse((await careseal([...words, '--dry-run'], { home })).stdout);
  expect(third).toMatchObject({ read: rows, created: 0, updated: 0, unchanged: rows });
  await database.close();
  expect(await server.end('SIGTERM')).toBe(0);
});

test('mistakes in the command are told plainly', async () => {
  const { csv } = await writeFiles(10);
  const wrongMap = join(folder, 'wrong.json');
  await writeFile(wrongMap, '{"id":"rec_id","surnam":"x"}');
  const refused = await careseal(['load', csv, '--domain', DOMAIN, '--map', wrongMap, '--json'], { home });
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'map-invalid' } });
  const missing = await careseal(['load', join(home, 'nope.csv'), '--domain', DOMAIN], { home });
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain('cannot be read. Nothing was loaded');
});
