import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The OS user PostgreSQL runs as when we are root, which it refuses for itself. */
export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const OWN_USER = 'careseal-db';
const run = promisify(execFile);

/** Ways to add a system user without home or shell: shadow's `useradd`, and busybox's `adduser`. */
const WAYS_TO_ADD: readonly (readonly [string, readonly string[]])[] = [
  [
    'useradd',
    [
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
      OWN_USER,
    ],
  ],
  ['adduser', ['-S', '-D', '-H', '-h', '/nonexistent', '-s', '/sbin/nologin', OWN_USER]],
];

/** True when this process is root on a system that has such a thing. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The user to run PostgreSQL as: `careseal-db`, made when missing; a `postgres` that exists already where no user can be
 * added. Undefined when we are not root: then PostgreSQL runs as we do.
 */
export async function databaseUser(): Promise<OsUser | undefined> {
  if (!isRoot()) return undefined;
  const existing = await lookUp(OWN_USER);
  if (existing !== undefined) return existing;
  for (const [program, args] of WAYS_TO_ADD) {
    // Whether it worked is seen by looking the user up, since two processes may try at the same time.
    await run(program, [...args]).catch(() => undefined);
    const made = await lookUp(OWN_USER);
    if (made !== undefined) return made;
  }
  const fallback = await lookUp('postgres');
  if (fallback !== undefined) return fallback;
  throw new Error(
    `PostgreSQL does not run as root, and no user "${OWN_USER}" could be added. Add one, or start Careseal as another user.`,
  );
}

async function lookUp(name: string): Promise<OsUser | undefined> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const line of passwd.split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name && uid !== undefined && gid !== undefined) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}
