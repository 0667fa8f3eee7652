import { readdir, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const FAST_SHUTDOWN_MS = 20_000;
const IMMEDIATE_SHUTDOWN_MS = 5_000;
const POLL_MS = 20;
const SOCKET_LOCK = '.s.PGSQL.5432.lock';

/**
 * Stops a PostgreSQL that still runs on this data directory because the Careseal that started it was killed. A clean stop
 * first, then an immediate one; nothing committed is lost either way. Must be called by the holder of the home's lock only.
 * Returns true when there was one.
 */
export async function stopOrphans(dataDirectory: string): Promise<boolean> {
  const pidFile = join(dataDirectory, 'postmaster.pid');
  const recorded = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
  if (!Number.isInteger(recorded) || recorded <= 0) return false;
  let left = await postgresProcesses(dataDirectory, recorded);
  const found = left.length > 0;
  if (left.includes(recorded)) {
    signal(recorded, 'SIGINT');
    left = await waitUntilGone(dataDirectory, recorded, FAST_SHUTDOWN_MS);
    if (left.includes(recorded)) signal(recorded, 'SIGQUIT');
  }
  if (left.length > 0) left = await waitUntilGone(dataDirectory, recorded, IMMEDIATE_SHUTDOWN_MS);
  for (const pid of left) signal(pid, 'SIGKILL');
  if (left.length > 0) left = await waitUntilGone(dataDirectory, recorded, IMMEDIATE_SHUTDOWN_MS);
  if (left.length > 0)
    throw new Error(`A PostgreSQL left over from before does not stop (process ${left.join(', ')}).`);
  // Nothing of PostgreSQL runs here, so a recorded number that lives is somebody else's process, or a dead one that nobody has
  // collected (containers without an init): PostgreSQL would take either for its own and refuse to start.
  await rm(pidFile, { force: true });
  await rm(join(dataDirectory, SOCKET_LOCK), { force: true });
  return found;
}

async function waitUntilGone(dataDirectory: string, recorded: number, limitMs: number): Promise<number[]> {
  let left: number[] = [];
  for (const end = Date.now() + limitMs; Date.now() < end; await sleep(POLL_MS)) {
    left = await postgresProcesses(dataDirectory, recorded);
    if (left.length === 0) return left;
  }
  return left;
}

/** Processes of PostgreSQL on this data directory: they all keep it as their working directory. */
async function postgresProcesses(dataDirectory: string, recorded: number): Promise<number[]> {
  if (process.platform !== 'linux') return isAlive(recorded) ? [recorded] : [];
  const directory = await realpath(dataDirectory);
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    // A process that ended meanwhile, or is another user's, cannot be read and is not ours.
    const cwd = await readlink(`/proc/${entry}/cwd`).catch(() => undefined);
    if (cwd !== directory) continue;
    const program = await readlink(`/proc/${entry}/exe`).catch(() => '');
    if (basename(program.replace(/ \(deleted\)$/, '')) === 'postgres') found.push(Number(entry));
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone between looking and signalling, which is what was wanted.
  }
}
