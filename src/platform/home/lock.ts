import { link, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '../../crypto/index.ts';
import { Problem } from '../../kernel/problem.ts';
import { makeDirectory } from './make-directory.ts';

/** What the holder of a home tells others about itself, in `<home>/lock.json`. */
export interface LockInfo {
  readonly pid: number;
  /** Tells this process from a later one with the same number. */
  readonly processStart: string;
  /** Machine, boot and process namespace: only within one of them does a process number mean anything. */
  readonly place: string;
  readonly command: string;
  readonly state: 'starting' | 'serving' | 'working' | 'stopping';
  readonly since: string;
  /** Where the embedded database can be reached meanwhile. */
  readonly database?: { readonly host: string; readonly port: number };
  /** Where people reach the running server, its real port included. */
  readonly usersUrl?: string;
  /** The same for systems, at the nodes' door. */
  readonly fhirUrl?: string;
}

export interface HomeLock {
  /** Rewrites what others see. */
  update(changes: Partial<Pick<LockInfo, 'state' | 'database' | 'usersUrl' | 'fhirUrl'>>): Promise<void>;
  release(): Promise<void>;
}

export interface LockOptions {
  /** What to call us towards others: `careseal start`. */
  readonly command: string;
  /** How long to wait for a holder that is about to stop; others are refused at once. */
  readonly waitMs: number;
  /** Told when the lock was taken from us, which happens only if this process was frozen for long: stop at once. */
  readonly onLost?: () => void;
}

const HEARTBEAT_MS = 5_000;
/** A holder on another machine (a shared volume) that has not touched its lock for so long is dead. */
const SILENT_MS = 20_000;
const POLL_MS = 100;

/**
 * Takes a home for this process alone. Refuses with Problem('conflict', 'home-in-use') while another process has it; takes over
 * a lock whose process is gone. The file is made by link(2), which succeeds for exactly one.
 */
export async function lockHome(home: string, options: LockOptions): Promise<HomeLock> {
  makeDirectory(home, 0o700);
  const path = join(home, 'lock.json');
  let mine: LockInfo = {
    pid: process.pid,
    processStart: await processStart(process.pid),
    place: await thisPlace(),
    command: options.command,
    state: 'starting',
    since: new Date().toISOString(),
  };
  const deadline = Date.now() + options.waitMs;
  while (!(await claim(path, mine))) {
    const holder = await readLock(path);
    if (holder === undefined) continue;
    if (!(await isLive(path, holder))) await removeStale(path, holder);
    else if (holder.state !== 'stopping' || Date.now() > deadline) throw inUse(home, holder);
    else await sleep(POLL_MS);
  }
  const heartbeat = setInterval(() => void beat(), HEARTBEAT_MS);
  heartbeat.unref();

  async function beat(): Promise<void> {
    const now = new Date();
    const holder = await readLock(path);
    if (holder !== undefined && isSame(holder, mine)) return await utimes(path, now, now).catch(() => undefined);
    clearInterval(heartbeat);
    options.onLost?.();
  }

  return {
    async update(changes) {
      mine = { ...mine, ...changes };
      const next = `${path}.${newId()}`;
      await writeFile(next, JSON.stringify(mine), { mode: 0o600 });
      await rename(next, path);
    },
    async release() {
      clearInterval(heartbeat);
      const holder = await readLock(path);
      if (holder !== undefined && isSame(holder, mine)) await rm(path, { force: true });
    },
  };
}

/** Who holds the home now; undefined when nobody does (a dead holder counts as nobody). */
export async function homeHolder(home: string): Promise<LockInfo | undefined> {
  const path = join(home, 'lock.json');
  const holder = await readLock(path);
  return holder !== undefined && (await isLive(path, holder)) ? holder : undefined;
}

async function claim(path: string, info: LockInfo): Promise<boolean> {
  const draft = `${path}.${newId()}`;
  await writeFile(draft, JSON.stringify(info), { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function readLock(path: string): Promise<LockInfo | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    // Written by ourselves, whole, by link or rename; a file edited by hand fails below or counts as stale.
    return JSON.parse(text) as LockInfo;
  } catch {
    return { pid: 0, processStart: '', place: '', command: 'unknown', state: 'starting', since: '' };
  }
}

async function isLive(path: string, holder: LockInfo): Promise<boolean> {
  if (holder.pid <= 0) return false;
  if (holder.place === (await thisPlace())) {
    return isRunning(holder.pid) && (await processStart(holder.pid)) === holder.processStart;
  }
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
  return Date.now() - mtimeMs < SILENT_MS;
}

/** Two processes may find the same stale lock; moving it aside and looking again keeps one from removing the other's new lock. */
async function removeStale(path: string, stale: LockInfo): Promise<void> {
  const aside = `${path}.stale.${newId()}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readLock(aside);
  if (moved !== undefined && !isSame(moved, stale)) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

function isSame(a: LockInfo, b: LockInfo): boolean {
  return a.pid === b.pid && a.processStart === b.processStart && a.place === b.place;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process: it runs.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Linux: clock ticks since boot at which the process began (field 22 of stat; the name before it may hold spaces). A dead one
 * that nobody has collected yet (state Z) counts as gone.
 */
async function processStart(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? 'gone' : (fields[19] ?? '');
}

async function thisPlace(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return [hostname(), boot.trim(), namespace].join(' ');
}

function inUse(home: string, holder: LockInfo): Problem {
  const what = holder.state === 'serving' ? 'is already serving' : 'is using';
  return new Problem(
    'conflict',
    'home-in-use',
    `Another process (${holder.command}, process ${holder.pid}, since ${holder.since}) ${what} ${home}.`,
  );
}
