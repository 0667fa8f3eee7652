import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portSettings } from '../support/journey.ts';
import { UGANDA_MAP } from '../support/load.ts';
import { askAsNode } from '../support/node-client.ts';
import { setUpServer } from '../support/set-up.ts';
import { careseal, type TestServer, startTestServer, testHome } from '../support/server.ts';

/** The command line beside a running server, as a person or a script uses it: what it prints with --json, and what it did. */
const LINKAGE = join(import.meta.dirname, '../../../shared/data/linkage');
const DOMAIN = 'urn:ug:clinic';
const setsAreHere = existsSync(join(LINKAGE, 'uganda.csv'));
if (!setsAreHere) {
  console.warn('SKIPPED: ../shared/data/linkage is not here, so loading and linking uganda.csv is NOT checked.');
}

let home: Awaited<ReturnType<typeof testHome>>;
let settings: Readonly<Record<string, string>>;
let folder: string;
let server: TestServer;

beforeAll(async () => {
  home = await testHome();
  folder = await mkdtemp(join(tmpdir(), 'careseal-cli-'));
  settings = await portSettings();
  server = await startTestServer({ home: home.path, settings });
});
afterAll(async () => {
  await server?.end('SIGTERM');
  await home.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a command in another shell, which knows the home and nothing else of how the server was started. */
// oxlint-disable-next-line typescript/no-explicit-any -- answers of many shapes
async function run(...words: readonly string[]): Promise<any> {
  const ran = await careseal([...words, '--json'], { home: home.path });
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(ran.stdout);
}

describe('words that are no command', () => {
  it('are answered with the commands that begin alike, and exit code 2', async () => {
    const wrong = await careseal(['node', 'lits'], { home: home.path });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/^Usage: careseal node …[^]*node list[^]*There is no command "node lits"\.\n$/);
    expect(wrong.stderr).not.toContain('user add');
    const unknown = await careseal(['nothing'], { home: home.path });
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('user add');
  });

  it('but the name of a group alone lists it', async () => {
    for (const words of [['audit'], ['audit', '--help']]) {
      const listed = await careseal(words, { home: home.path });
      expect(listed).toMatchObject({ code: 0, stderr: '' });
      expect(listed.stdout).toContain('audit verify');
      expect(listed.stdout).not.toContain('user add');
    }
  });

  it.runIf(platform() === 'linux')('and a folder that cannot be made is said, not tried for ever', async () => {
    const out = await careseal(['sandbox', 'create', '--out', '/proc/careseal/x'], { home: home.path });
    expect(out).toMatchObject({ code: 1, stdout: '' });
    expect(out.stderr).toContain('/proc/careseal/x cannot be written. Nothing was changed.');
    const elsewhere = await careseal(['user', 'list'], { home: '/proc/careseal' });
    expect(elsewhere).toMatchObject({ code: 1, stdout: '' });
    expect(elsewhere.stderr).toContain('That file or folder is not there, or cannot be made there.');
  });
});

describe('people', () => {
  it('are not invited before there is an organisation', async () => {
    const words = ['user', 'add', 'Ama Mensah', '--email', 'ama@example.org', '--role', 'steward', '--json'];
    const refused = await careseal(words, { home: home.path });
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'set-up-first' } });
    await setUpServer(server, {
      organisation: 'Lakeside Programme',
      name: 'Amina Okello',
      email: 'amina@example.org',
      password: 'seven herons over the lake',
    });
  });

  it('are invited by a link to the server that runs, once per address', async () => {
    const added = await run('user', 'add', 'Ama Mensah', '--email', 'ama@example.org', '--role', 'steward,auditor');
    expect(added.link).toMatch(new RegExp(`^${server.usersUrl}/enrol#\\S{20,}$`));
    expect(Date.parse(added.expiresAt)).toBeGreaterThan(Date.now());
    const { users } = await run('user', 'list');
    expect(users).toHaveLength(2);
    expect(users).toContainEqual(
      expect.objectContaining({
        name: 'Ama Mensah',
        email: 'ama@example.org',
        roles: ['steward', 'auditor'],
        state: 'invited',
      }),
    );
    const words = ['user', 'add', 'Another', '--email', 'ama@example.org', '--role', 'steward', '--json'];
    const again = await careseal(words, { home: home.path });
    expect(again.code).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: 'email-taken' } });
    expect((await run('user', 'list')).users).toHaveLength(2);
  });

  it('with a role that does not exist are refused in words', async () => {
    const words = ['user', 'add', 'X', '--email', 'x@example.org', '--role', 'king'];
    const refused = await careseal(words, { home: home.path });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/administrator.*registrar.*steward.*auditor/);
  });

  it('lose a second factor, leave, and come back, each by one command', async () => {
    const reset = await run('user', 'recover', 'amina@example.org');
    expect(reset.link).toMatch(/\/enrol#\S{43}$/);
    expect(reset).toMatchObject({ user: { state: 'invited' }, mailed: false });
    const notAdministrator = await careseal(['user', 'recover', 'ama@example.org', '--json'], { home: home.path });
    expect(JSON.parse(notAdministrator.stdout)).toMatchObject({ error: { code: 'wrong-state' } });
    expect(await run('user', 'retire', 'ama@example.org')).toMatchObject({ user: { state: 'retired' } });
    expect(await run('user', 'reset', 'ama@example.org')).toMatchObject({ user: { state: 'invited' } });
    expect(await run('user', 'sessions', 'amina@example.org', '--end')).toEqual({ sessions: [], ended: true });
    const noFactor = await careseal(['user', 'reset-factor', 'ama@example.org', '--json'], { home: home.path });
    expect(JSON.parse(noFactor.stdout)).toMatchObject({ error: { code: 'wrong-state' } });
  });

  it('sign in as the policy says, which is read and changed beside the server', async () => {
    const { settings, warnings } = await run('policy', 'get');
    expect(warnings).toEqual([]);
    expect(settings).toContainEqual(expect.objectContaining({ name: 'secondFactor', value: 'required' }));
    const changed = await run('policy', 'set', 'sessionIdleMinutes', '10');
    expect(changed.setting).toMatchObject({ value: 10, default: 15 });
    const refused = await careseal(['policy', 'set', 'sessionIdleMinutes', '600', '--json'], { home: home.path });
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'policy-refused' } });
    expect((await run('policy', 'get', 'sessionIdleMinutes')).settings).toMatchObject([{ value: 10 }]);
  });
});

describe('config', () => {
  it('prints every setting with where it came from', async () => {
    const ran = await careseal(['config', '--json'], { home: home.path, settings });
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      home: { value: home.path, variable: 'CARESEAL_HOME' },
      usersPort: { value: Number(settings['CARESEAL_USERS_PORT']), variable: 'CARESEAL_USERS_PORT' },
      hostnames: { value: ['localhost'], from: 'default' },
    });
  });
});

describe.skipIf(!setsAreHere)('uganda.csv', () => {
  const file = join(LINKAGE, 'uganda.csv');
  let map: string;
  beforeAll(async () => {
    map = join(folder, 'map.json');
    await writeFile(map, JSON.stringify(UGANDA_MAP));
  });

  it('as a dry run writes nothing', async () => {
    const would = await run('load', file, '--domain', DOMAIN, '--map', map, '--dry-run');
    expect(would).toMatchObject({ read: 5_000, created: 5_000, rejected: 0, dryRun: true });
    console.log(`dry run: ${JSON.stringify(would)}`);
    const { node } = await run('node', 'add', 'Judge', '--domain', 'urn:ug:judge', '--out', join(folder, 'judge'));
    expect(node).toMatchObject({ state: 'active' });
    expect(await peopleOf(join(folder, 'judge'))).toEqual([]);
  });

  it('is loaded, and its duplicates are linked: recall at least .99, no link wrong', async () => {
    const done = await run('load', file, '--domain', DOMAIN, '--map', map);
    expect(done).toMatchObject({ read: 5_000, created: 5_000, updated: 0, rejected: 0, dryRun: false });
    expect(done.seconds).toBeLessThan(30);
    const people = await peopleOf(join(folder, 'judge'));
    expect(people.flat()).toHaveLength(5_000);
    const linked = people.flatMap((records) => pairsOf(records));
    expect(done.linked).toBe(5_000 - people.length);
    const truth = await truePairs();
    const right = linked.filter((pair) => truth.has(pair)).length;
    console.log(`uganda: ${linked.length} linked pairs, ${right} right of ${truth.size}, ${done.seconds} s`);
    expect(right / linked.length).toBe(1);
    expect(right / truth.size).toBeGreaterThanOrEqual(0.99);
  });

  it('loaded again changes nothing', async () => {
    const again = await run('load', file, '--domain', DOMAIN, '--map', map);
    expect(again).toMatchObject({ read: 5_000, created: 0, updated: 0, unchanged: 5_000, linked: 0, reviews: 0 });
  });
});

const key = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

function pairsOf(records: readonly string[]): string[] {
  return records.flatMap((a, index) => records.slice(index + 1).map((b) => key(a, b)));
}

async function truePairs(): Promise<ReadonlySet<string>> {
  const [, ...lines] = (await readFile(join(LINKAGE, 'uganda_true_links.csv'), 'utf8')).trim().split(/\r?\n/);
  return new Set(
    lines.map((line) => {
      const [a = '', b = ''] = line.split(',').map((id) => id.trim());
      return key(a, b);
    }),
  );
}

interface Golden {
  readonly identifier?: readonly { readonly system?: string; readonly value?: string }[];
}

/** Record numbers of every client, as a node reads them page by page through FHIR. */
async function peopleOf(nodeFolder: string): Promise<string[][]> {
  const people: string[][] = [];
  let url: string | undefined = `${server.nodesUrl}/fhir/Patient?_count=200&_sort=_lastUpdated`;
  while (url !== undefined) {
    const page = await askAsNode({ folder: nodeFolder, url });
    expect(page.status).toBe(200);
    for (const { resource } of (page.body.entry ?? []) as { resource: Golden }[]) {
      people.push(
        (resource.identifier ?? []).flatMap(({ system, value }) => (system === DOMAIN && value ? [value] : [])),
      );
    }
    url = page.body.link?.find((one: { relation: string; url: string }) => one.relation === 'next')?.url;
  }
  return people;
}
