import { chmod, cp, lstat, mkdir, mkdtemp, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withMaintenanceSession } from '../db/index.ts';
import { findBinaries, reachableBinaries } from './binaries.ts';
import { startEmbeddedPostgres } from './index.ts';
import { databaseUser, isRoot } from './os-user.ts';
import { pgHbaConf, postgresqlConf } from './settings.ts';
import { socketDirectory } from './socket-path.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'careseal-pg-'));
});
afterEach(() => rm(directory, { recursive: true }));

const settings = { maxConnections: 20, durable: false, cacheMegabytes: 32 };

/** Each makes a cluster and starts it, some several times. */
const LIMIT = { timeout: 240_000 };

describe('the embedded PostgreSQL', LIMIT, () => {
  it('runs in a home whose path is too long for a socket', async () => {
    const long = join(directory, 'a-rather-long-name-of-a-directory'.repeat(3), 'pg');
    const postgres = await startEmbeddedPostgres({ directory: long, settings });
    expect(postgres.app.host?.length).toBeLessThan(90);
    await withMaintenanceSession(postgres.app, async (session) => {
      expect(await session.rows('SELECT current_user AS me')).toEqual([{ me: 'careseal_app' }]);
    });
    await postgres.stop();
    await rm(dirname(postgres.app.host ?? ''), { recursive: true });
  });

  it('begins anew when the very first start was interrupted', async () => {
    const half = join(directory, 'pg/data');
    await mkdir(join(half, 'base'), { recursive: true });
    const postgres = await startEmbeddedPostgres({ directory: join(directory, 'pg'), settings });
    await postgres.stop();
  });

  it('lets nobody in but its three roles', async () => {
    const postgres = await startEmbeddedPostgres({ directory: join(directory, 'pg'), settings });
    await withMaintenanceSession(postgres.superuser, (session) =>
      session.script('CREATE ROLE intruder LOGIN SUPERUSER'),
    );
    const refused = withMaintenanceSession({ ...postgres.app, user: 'intruder' }, () => Promise.resolve());
    await expect(refused).rejects.toMatchObject({ code: 'database-refused' });
    await postgres.stop();
  });

  it('says why it did not start', async () => {
    const postgres = await startEmbeddedPostgres({ directory: join(directory, 'pg'), settings });
    await postgres.stop();
    await rm(join(directory, 'pg/data/global'), { recursive: true });
    await expect(startEmbeddedPostgres({ directory: join(directory, 'pg'), settings })).rejects.toThrow(/global/);
  });
});

describe.runIf(isRoot())('programs that PostgreSQL’s user cannot reach', LIMIT, () => {
  it('are copied once to a place of root’s, and reached there', async () => {
    const user = await databaseUser();
    const { postgres } = await findBinaries(user);
    const hidden = join(directory, 'hidden');
    await cp(dirname(dirname(dirname(postgres))), hidden, { recursive: true, verbatimSymlinks: true });
    await chmod(hidden, 0o700);
    const shared = await mkdtemp('/var/lib/careseal-test-');
    await chmod(shared, 0o755);
    try {
      const copied = await reachableBinaries(hidden, user, shared);
      expect(copied.postgres.startsWith(shared)).toBe(true);
      expect((await stat(copied.postgres)).uid).toBe(0);
      const before = (await stat(copied.postgres)).mtimeMs;
      await reachableBinaries(hidden, user, shared);
      expect((await stat(copied.postgres)).mtimeMs).toBe(before);
      expect((await findBinaries(user)).postgres).toBe(postgres);
    } finally {
      await rm(shared, { recursive: true });
    }
  });
});

describe('the socket’s directory', () => {
  it('is the data directory where that fits', async () => {
    expect(await socketDirectory(directory)).toBe(directory);
  });

  it('is a private link where it does not, and never one that somebody else has put there', async () => {
    const long = join(directory, 'x'.repeat(120));
    await mkdir(long);
    const link = await socketDirectory(long, directory);
    expect(await readlink(link)).toBe(long);
    expect((await lstat(dirname(link))).mode & 0o077).toBe(0);
    await rm(dirname(link), { recursive: true });
    await writeFile(dirname(link), 'planted');
    await expect(socketDirectory(long, directory)).rejects.toThrow('somebody else');
  });
});

describe('the configuration', () => {
  const conf = postgresqlConf({ ...settings, durable: true }, { socketDirectory: '/proc/self/cwd', port: 5432 });

  it('is durable and listens on no port', () => {
    expect(conf).toMatch(/^fsync = on$/m);
    expect(conf).toMatch(/^synchronous_commit = on$/m);
    expect(conf).toMatch(/^listen_addresses = ''$/m);
  });

  it('keeps rows and parameters out of the log', () => {
    for (const line of [
      'log_statement = none',
      'log_error_verbosity = terse',
      'log_parameter_max_length_on_error = 0',
    ]) {
      expect(conf.split('\n')).toContain(line);
    }
  });

  it('trusts nobody without proof', () => {
    for (const kind of ['socket', 'loopback'] as const)
      expect(pgHbaConf(kind)).not.toMatch(/trust|\ball\s+all\b|0\.0\.0\.0/);
  });
});
