import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CSV_MAP } from '../../bench/people.ts';
import { sha256Hex } from '../../src/crypto/index.ts';
import { portSettings } from '../support/journey.ts';
import { writePeopleFile } from '../support/people-file.ts';
import { careseal, databaseOf, fetchFrom, startTestServer, type TestServer, testHome } from '../support/server.ts';
import { setUpServer } from '../support/set-up.ts';

/** What an administrator types after somebody has written to the database: beside a server that serves, in order, by exit code and JSON. */
const REASON = 'somebody wrote to the database';

let home: Awaited<ReturnType<typeof testHome>>;
let folder: string;
let server: TestServer;
let session: string;

beforeAll(async () => {
  home = await testHome();
  folder = await mkdtemp(join(tmpdir(), 'careseal-registry-'));
  server = await startTestServer({ home: home.path, settings: await portSettings() });
  ({ session } = await setUpServer(server, {
    ...{ organisation: 'Lakeside Programme', name: 'Amina Okello', email: 'amina@example.org' },
    password: 'seven herons over the lake',
  }));
  const file = await writePeopleFile(join(folder, 'clients.csv'), { rows: 60, seed: 3 });
  const map = join(folder, 'map.json');
  await writeFile(map, JSON.stringify(CSV_MAP));
  const loaded = await run('load', file.path, '--domain', 'urn:example:clinic', '--map', map);
  if (loaded.code !== 0) throw new Error(loaded.stderr);
}, 120_000);
afterAll(async () => {
  await server?.end('SIGTERM');
  await home.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** A command in another shell, with what it printed for a script and for whoever looks on. */
async function run(...words: readonly string[]) {
  const { code, stdout, stderr } = await careseal([...words, '--json'], { home: home.path });
  return { code, stderr, said: JSON.parse(stdout) };
}

/** SQL as the role that owns the tables. */
async function asOwner<Row>(text: string): Promise<readonly Row[]> {
  const owner = databaseOf(home.path, 'careseal_owner');
  try {
    return await owner.rows<Row>({ name: `test.${sha256Hex(Buffer.from(text)).slice(0, 16)}`, text });
  } finally {
    await owner.close();
  }
}

/** Every row of the tables that a repair may write to, in one value. */
async function everyRow(): Promise<string | undefined> {
  const of = (table: string) => `(SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM ${table} AS t)`;
  const tables = ['registry.golden', 'registry.source', 'registry.blocking_key', 'registry.ledger', 'store.resource'];
  const [row] = await asOwner<{ all: string }>(`SELECT md5(concat(${tables.map(of).join(', ')})) AS all`);
  return row?.all;
}

it('a client changed in the database is found, named, put right on request alone, and then nothing is found', async () => {
  const clean = await run('registry', 'check');
  expect(clean).toMatchObject({ code: 0, said: { persons: [], domains: [], finished: true, records: 60 } });

  const [victim] = await asOwner<{ golden_id: string }>(
    `UPDATE registry.golden SET shared_with = ARRAY[gen_random_uuid()], version = version + 3
     WHERE golden_id = (SELECT min(golden_id::text)::uuid FROM registry.golden WHERE replaced_by IS NULL)
     RETURNING golden_id`,
  );
  const goldenId = victim?.golden_id;
  const found = await run('registry', 'check');
  expect(found.code).toBe(1);
  expect(found.said.persons).toMatchObject([{ goldenId, faults: [{ kind: 'altered', id: goldenId }, {}] }]);
  const words = await careseal(['registry', 'check'], { home: home.path });
  expect(words).toMatchObject({ code: 1, stdout: expect.stringContaining(`client ${goldenId}: `) });
  expect(words.stdout).toContain('careseal registry repair --apply --reason');

  const before = await everyRow();
  const would = await run('registry', 'repair');
  expect(would.said).toMatchObject({
    applied: false,
    clients: [{ goldenId, outcome: 'would-mend', basis: 'binding' }],
  });
  expect(await everyRow()).toBe(before);
  const silent = await run('registry', 'repair', '--apply');
  expect(silent).toMatchObject({ code: 2, said: { error: { code: 'usage' } } });
  expect(await everyRow()).toBe(before);

  const done = await run('registry', 'repair', '--apply', '--reason', REASON);
  expect(done).toMatchObject({ code: 0, said: { applied: true, clients: [{ goldenId, outcome: 'mended' }] } });
  expect(await run('registry', 'check')).toMatchObject({ code: 0, said: { persons: [], finished: true } });
  expect(await run('registry', 'repair')).toMatchObject({ code: 0, said: { clients: [] } });
}, 180_000);

it('each check and the repair are in the log, which holds', async () => {
  const events = async (event: string) => {
    const headers = { cookie: `__Host-session=${session}` };
    const answer = await fetchFrom(`${server.usersUrl}/api/audit/events?event=${event}&limit=50`, { headers });
    expect(answer.status, answer.body).toBe(200);
    return (JSON.parse(answer.body) as { events: { outcome: string; reason?: string }[] }).events;
  };
  await expect.poll(async () => (await events('registry.check')).length, { timeout: 20_000 }).toBe(4);
  expect(await events('registry.repair')).toMatchObject([{ outcome: 'success', reason: REASON }]);
  expect((await run('audit', 'verify')).code).toBe(0);
}, 60_000);
