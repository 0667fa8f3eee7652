import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, chown, mkdir, open, readdir, realpath, rm, stat, statfs } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.ts';
import type { OsUser } from './os-user.ts';
import { pgHbaConf, pgIdentConf, postgresqlConf, type ServerSettings, SUPERUSER, walMegabytesFor } from './settings.ts';

/** One home's PostgreSQL files: `pg/data`, owned by the user PostgreSQL runs as; the log beside it. */
export interface DataDirectory {
  readonly path: string;
  /** How PostgreSQL itself is told about it; see `ownName`. */
  readonly ownName: string;
  readonly user: OsUser | undefined;
}

const run = promisify(execFile);

/** PostgreSQL's programs get nothing of our environment. */
export const POSTGRES_ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC' };

/**
 * Makes `<home>/pg/data` if missing. As root the directory belongs to PostgreSQL's user, who may not be able to walk to it (a
 * home below a 0700 directory). On Linux that does not matter: we start PostgreSQL inside the directory and call it
 * `/proc/self/cwd`, which it can always enter, so data never has to live outside the home.
 */
export async function prepareDataDirectory(parent: string, user: OsUser | undefined): Promise<DataDirectory> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const path = join(await realpath(parent), 'data');
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  const owner = await stat(path);
  if (user !== undefined && owner.uid === 0) {
    await chown(path, user.uid, user.gid);
  } else if (user === undefined && process.getuid !== undefined && owner.uid !== process.getuid()) {
    throw new Error(`${path} belongs to another OS user. Start Careseal as the user who made this home (or as root).`);
  }
  await chmod(path, 0o700);
  // A home that was made with another user number keeps it.
  const keptUser = user === undefined || owner.uid === 0 ? user : { ...user, uid: owner.uid, gid: owner.gid };
  return { path, ownName: process.platform === 'linux' ? '/proc/self/cwd' : path, user: keptUser };
}

/** True when `initdb` has finished here before; a half-made one is emptied. */
export async function isInitialised(directory: DataDirectory): Promise<boolean> {
  const entries = await readdir(directory.path);
  if (entries.includes(INITIALISED)) return true;
  for (const entry of entries) await rm(join(directory.path, entry), { recursive: true });
  return false;
}

/** Written after everything else, so that an interrupted first start begins anew. */
const INITIALISED = 'careseal-initialised';

export async function markInitialised(directory: DataDirectory): Promise<void> {
  await writeOwned(directory, INITIALISED, '');
}

export async function initialise(
  directory: DataDirectory,
  binaries: Binaries,
  options: { readonly durable: boolean; readonly passwordFile?: string },
): Promise<void> {
  const args = [
    `--pgdata=${directory.ownName}`,
    `--username=${SUPERUSER}`,
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
    options.passwordFile === undefined ? '--auth=peer' : '--auth=scram-sha-256',
    ...(options.passwordFile === undefined ? [] : [`--pwfile=${options.passwordFile}`]),
    ...(options.durable ? [] : ['--no-sync']),
  ];
  try {
    await run(binaries.initdb, args, { cwd: directory.path, env: POSTGRES_ENVIRONMENT, ...ids(directory.user) });
  } catch (cause) {
    const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    throw new Error(`PostgreSQL's initdb failed. ${stderr}`, { cause });
  }
}

/** Writes PostgreSQL's three configuration files anew. */
export async function configure(
  directory: DataDirectory,
  settings: ServerSettings,
  listen: { readonly socketDirectory: string; readonly port: number } | { readonly loopbackPort: number },
): Promise<void> {
  const { bavail, bsize } = await statfs(directory.path);
  const sized = { walMegabytes: walMegabytesFor(bavail * bsize), ...settings };
  await writeOwned(directory, 'postgresql.conf', postgresqlConf(sized, listen));
  await writeOwned(directory, 'pg_hba.conf', pgHbaConf('loopbackPort' in listen ? 'loopback' : 'socket'));
  await writeOwned(directory, 'pg_ident.conf', pgIdentConf(userInfo().username));
}

export function ids(user: OsUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid };
}

/**
 * Replaces a file in a directory that PostgreSQL's user can write to, while we may be root: the old name is removed and the new
 * file must not exist and must not be a link, so that a planted link cannot make us overwrite something else.
 */
async function writeOwned(directory: DataDirectory, name: string, text: string): Promise<void> {
  const path = join(directory.path, name);
  await rm(path, { force: true });
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(text);
    if (directory.user !== undefined) await file.chown(directory.user.uid, directory.user.gid);
  } finally {
    await file.close();
  }
}
