import { chmod, lstat, mkdir, readlink, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Longest path of a Unix socket, terminating zero included: 108 on Linux, 104 on macOS and the BSDs. */
const PATH_BYTES_MAX = 104;
const SOCKET_NAME = '/.s.PGSQL.5432';

/**
 * The directory through which the socket in `dataDirectory` is reached. Usually that directory itself; when its path is too
 * long for the kernel, a link in a private directory of the system's place for temporary files.
 */
export async function socketDirectory(dataDirectory: string, temporaryDirectory = tmpdir()): Promise<string> {
  if (fits(dataDirectory)) return dataDirectory;
  const { dev, ino } = await stat(dataDirectory);
  const directory = join(temporaryDirectory, `careseal-${dev}-${ino}`);
  await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  const made = await lstat(directory);
  // Anybody may make names in /tmp: what is there must be a directory, and ours.
  if (!made.isDirectory() || (process.getuid !== undefined && made.uid !== process.getuid())) {
    throw new Error(`${directory} belongs to somebody else. Remove it, or put CARESEAL_HOME under a shorter path.`);
  }
  await chmod(directory, 0o700);
  const link = join(directory, 'db');
  if ((await readlink(link).catch(() => undefined)) !== dataDirectory) {
    await rm(link, { force: true });
    await symlink(dataDirectory, link);
  }
  if (!fits(link))
    throw new Error(`The path of CARESEAL_HOME and that of ${temporaryDirectory} are too long for a socket.`);
  return link;
}

function fits(directory: string): boolean {
  return Buffer.byteLength(directory + SOCKET_NAME) < PATH_BYTES_MAX;
}
