import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writePrivate } from '../../src/cli/private-file.ts';
import { careseal, startTestServer, type TestServer, testHome } from '../support/server.ts';

/**
 * P79. Attacker: another user of the machine that Careseal runs on, without root's rights. Goal: to read keys, client data or passwords
 * out of files, sockets, arguments or environments, to have files written through links, or to plant settings or keys.
 */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Every file, folder and socket below, with the rights that others and the group have. */
function everything(folder: string): { readonly path: string; readonly mode: number; readonly isFolder: boolean }[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    const { mode } = lstatSync(path);
    const one = { path, mode: mode & 0o777, isFolder: entry.isDirectory() };
    return entry.isSymbolicLink() ? [] : [one, ...(entry.isDirectory() ? everything(path) : [])];
  });
}

describe('a server that was started where everybody may do everything (umask 000)', () => {
  let home: Awaited<ReturnType<typeof testHome>>;
  let server: TestServer;
  beforeAll(async () => {
    home = await testHome();
    // As an administrator makes it, who thinks of nothing: others may walk into it.
    chmodSync(home.path, 0o755);
    server = await startTestServer({ home: home.path, umask: '000' });
  }, 120_000);
  afterAll(async () => {
    await server.end('SIGTERM');
    await home.dispose();
  });

  test('lets nobody else write to anything, and read nothing that holds keys, data or passwords', () => {
    const all = everything(home.path);
    expect(all.length).toBeGreaterThan(100);
    const named = ({ path, mode }: { path: string; mode: number }) =>
      `${path.slice(home.path.length)} ${mode.toString(8)}`;
    // The socket of PostgreSQL has none of its own: who reaches it is decided by its folder, which is the database's.
    const open = all.filter(({ path, mode }) => (mode & 0o022) !== 0 && !basename(path).startsWith('.s.PGSQL'));
    expect(open.map(named)).toEqual([]);
    // A folder that nobody else may enter keeps what is in it.
    const first = all.filter(({ path }) => !path.slice(home.path.length + 1).includes('/'));
    expect(first.filter(({ mode }) => (mode & 0o077) !== 0).map(named)).toEqual([]);
    expect(first.map(({ path }) => basename(path))).toEqual(expect.arrayContaining(['keys', 'pg', 'tls', 'lock.json']));
    expect(all.filter(({ path, mode }) => path.includes('/keys/') && (mode & 0o077) !== 0).map(named)).toEqual([]);
  });

  test.skipIf(!isRoot)('is opened by nobody else: no file, no folder, no socket', () => {
    const found = spawnSync('find', [home.path, '-readable', '-o', '-writable'], {
      ...{ uid: NOBODY, gid: NOBODY, encoding: 'utf8', cwd: '/' },
    });
    expect(found.stdout.trim().split('\n')).toEqual([home.path]);
    const socket = everything(join(home.path, 'pg')).find(({ path }) => basename(path).startsWith('.s.PGSQL'));
    const script = `require('node:net').connect(${JSON.stringify(socket?.path)}).on('error',(e)=>{console.log(e.code)}).on('connect',()=>console.log('in'))`;
    const asked = spawnSync(process.execPath, ['-e', script], {
      ...{ uid: NOBODY, gid: NOBODY, encoding: 'utf8', cwd: '/', env: {}, timeout: 20_000 },
    });
    expect(asked.stdout.trim(), asked.stderr).toBe('EACCES');
  });

  test('tells no secret in the arguments or the environment of any of its processes', () => {
    const secrets = everything(join(home.path, 'keys'))
      .filter(({ isFolder }) => !isFolder)
      .map(({ path }) => readFileSync(path, 'latin1').trim().split(' ').at(-1) ?? '')
      .filter((text) => text.length > 20);
    expect(secrets.length).toBeGreaterThan(0);
    const ours = familyOf(server.pid);
    expect(ours.length).toBeGreaterThan(3);
    for (const pid of ours) {
      for (const file of ['cmdline', 'environ']) {
        const told = textOf(`/proc/${pid}/${file}`);
        for (const secret of secrets) expect(told.includes(secret), `${file} of ${pid}`).toBe(false);
        expect(told, `${file} of ${pid}`).not.toMatch(/PGPASSWORD|\/setup#/);
      }
    }
  });
});

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // it ended meanwhile
  }
};

/** The process and all that it started, by /proc. */
function familyOf(first: number): number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => {
        const line = textOf(`/proc/${name}/stat`);
        return [Number(name), Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[1])] as const;
      }),
  );
  const family = new Set([first]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const [pid, parent] of parents) if (family.has(parent)) family.add(pid);
  }
  return [...family];
}

describe('a home that others can change', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'careseal-others-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  test.each([
    ['the home', () => chmodSync(home, 0o777)],
    ['the home, sticky as /tmp is', () => chmodSync(home, 0o1777)],
    [
      'its settings',
      () => {
        writeFileSync(join(home, 'careseal.json'), '{}');
        chmodSync(join(home, 'careseal.json'), 0o666);
      },
    ],
  ])('%s: nothing is read from it and nothing made in it', async (_what, open) => {
    open();
    const before = readdirSync(home);
    const done = await careseal(['user', 'list'], { home });
    expect([done.code, done.stderr]).toEqual([1, expect.stringContaining('every user of this machine')]);
    expect(readdirSync(home)).toEqual(before);
  });

  test('its folder of keys: no key is read or made there', async () => {
    mkdirSync(join(home, 'keys'));
    chmodSync(join(home, 'keys'), 0o777);
    const done = await careseal(['user', 'list'], { home });
    expect([done.code, done.stderr]).toEqual([1, expect.stringContaining('every user of this machine')]);
    expect(readdirSync(join(home, 'keys')).filter((name) => name.startsWith('root'))).toEqual([]);
  });

  test.skipIf(!isRoot)('one that belongs to another user', async () => {
    chmodSync(home, 0o755);
    const done = await careseal(['config'], { home, as: { uid: 12_345, gid: 12_345 } });
    expect(done.code, done.stderr).toBe(0); // root's, who can do everything as it is
    spawnSync('chown', ['12346', home]);
    const refused = await careseal(['config'], { home, as: { uid: 12_345, gid: 12_345 } });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('belongs to another user')]);
  });
});

describe('a file that a command writes for its owner', () => {
  let folder: string;
  const out = () => join(folder, 'rejected.csv');
  const victim = () => join(folder, 'victim');
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'careseal-out-'));
    writeFileSync(victim(), 'as it was');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('is not written through a link that lies there, to a file or to nothing', async () => {
    for (const target of [victim(), join(folder, 'nothing')]) {
      rmSync(out(), { force: true });
      symlinkSync(target, out());
      await expect(writePrivate(out(), ['Nantongo'])).rejects.toMatchObject({ code: 'out-not-a-file' });
    }
    expect(readFileSync(victim(), 'utf8')).toBe('as it was');
    expect(readdirSync(folder).toSorted()).toEqual(['rejected.csv', 'victim']);
  });

  test('is not written into a file that others have open or may read: it takes its place', async () => {
    writeFileSync(out(), '');
    chmodSync(out(), 0o666);
    const { ino } = statSync(out());
    await writePrivate(out(), ['Nantongo']);
    expect([readFileSync(out(), 'utf8'), statSync(out()).mode & 0o777, statSync(out()).ino === ino]).toEqual([
      ...['Nantongo', 0o600, false],
    ]);
  });

  test('leaves nothing behind when it cannot be finished, and what was there stays', async () => {
    writeFileSync(out(), 'as it was');
    async function* broken() {
      yield 'Nantongo';
      throw new Error('ended');
    }
    await expect(writePrivate(out(), broken())).rejects.toThrow('ended');
    expect([readFileSync(out(), 'utf8'), readdirSync(folder).length]).toEqual(['as it was', 2]);
  });

  test('is neither a folder nor a device', async () => {
    for (const path of [folder, '/dev/null', '/dev/stdout'])
      await expect(writePrivate(path, ['x'])).rejects.toMatchObject({ code: 'out-not-a-file' });
  });
});
