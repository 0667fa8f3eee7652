import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import { type DataDirectory, ids, POSTGRES_ENVIRONMENT } from './data-directory.ts';

const READY_LIMIT_MS = 120_000;
const POLL_MS = 10;
const FAST_SHUTDOWN_MS = 30_000;
const LOG_BYTES_MAX = 5 * 1024 * 1024;

/** One running postmaster. */
export interface Server {
  readonly pid: number;
  /** Settles when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Fast shutdown: open transactions are rolled back, everything committed is on the disk. */
  stop(): Promise<void>;
}

/** Starts PostgreSQL and resolves when it accepts connections, after crash recovery if that was needed. */
export async function startServer(directory: DataDirectory, binaries: Binaries): Promise<Server> {
  const logPath = join(dirname(directory.path), 'postgres.log');
  const log = await openLog(logPath);
  let child: ChildProcess;
  try {
    child = spawn(binaries.postgres, ['-D', directory.ownName], {
      cwd: directory.path,
      env: POSTGRES_ENVIRONMENT,
      stdio: ['ignore', log.fd, log.fd],
      // A process group of its own: Ctrl-C in the terminal reaches us, and we stop PostgreSQL after the doors have drained.
      detached: true,
      ...ids(directory.user),
    });
  } finally {
    await log.close();
  }
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${binaries.postgres} could not be started.`);
  await untilReady(directory, pid, ended).catch(async (cause: unknown) => {
    child.kill('SIGQUIT');
    throw new Error(`PostgreSQL did not start. The end of ${logPath}:\n${await tail(logPath)}`, { cause });
  });
  return {
    pid,
    ended,
    async stop() {
      child.kill('SIGINT');
      const late = setTimeout(() => child.kill('SIGQUIT'), FAST_SHUTDOWN_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

/** PostgreSQL writes its state into the eighth line of postmaster.pid; `pg_ctl` waits for it in the same way. */
async function untilReady(directory: DataDirectory, pid: number, ended: Promise<void>): Promise<void> {
  let gone = false;
  void ended.then(() => {
    gone = true;
  });
  for (const limit = Date.now() + READY_LIMIT_MS; Date.now() < limit; await sleep(POLL_MS)) {
    if (gone) throw new Error('the process ended');
    const lines = (await readFile(join(directory.path, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    if (Number(lines[0]) === pid && lines[7]?.trim() === 'ready') return;
  }
  throw new Error('it was not ready in time');
}

async function openLog(path: string): Promise<FileHandle> {
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
  if ((await file.stat()).size > LOG_BYTES_MAX) await file.truncate();
  return file;
}

async function tail(path: string): Promise<string> {
  const lines = (await readFile(path, 'utf8').catch(() => '')).trimEnd().split('\n');
  return lines.slice(-8).join('\n');
}
