import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type Database } from '../../src/platform/db/index.ts';

const PROGRAM = join(import.meta.dirname, '../..');
const NODE = join(PROGRAM, 'node_modules/node/bin/node');
const READY_LIMIT_MS = 120_000;

export interface RunOptions {
  readonly home: string;
  /** CARESEAL_* variables beside CARESEAL_HOME; ports are 0 unless given. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Run as another OS user; only root may ask for that. */
  readonly as?: { readonly uid: number; readonly gid: number };
  /** What the starter's shell lets others have of new files: `000`. Default: this process's own. */
  readonly umask?: string;
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TestServer {
  readonly usersUrl: string;
  readonly nodesUrl: string;
  readonly operationsUrl: string;
  readonly setupLink: string | undefined;
  readonly readyMs: number;
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Ends it with the signal and waits; answers the exit code. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null>;
}

/** A directory for a home, removed (and what still runs on it killed) by `dispose`. */
export async function testHome(): Promise<{ readonly path: string; dispose(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'careseal-home-'));
  return {
    path,
    async dispose() {
      await killEverythingIn(path);
      await rm(path, { recursive: true, force: true });
    },
  };
}

function launch(words: readonly string[], { home, settings = {}, as, umask }: RunOptions): ChildProcess {
  const env = {
    PATH: process.env['PATH'] ?? '',
    CARESEAL_HOME: home,
    CARESEAL_USERS_PORT: '0',
    CARESEAL_NODES_PORT: '0',
    CARESEAL_OPERATIONS_PORT: '0',
    CARESEAL_DATABASE_CACHE_MEGABYTES: '64',
    ...settings,
  };
  const program = [join(PROGRAM, 'src/cli/main.ts'), ...words];
  // The shell is replaced by the program: signals and the process number are the program's.
  const [file, args] =
    umask === undefined ? [NODE, program] : ['/bin/sh', ['-c', `umask ${umask}; exec "$0" "$@"`, NODE, ...program]];
  return spawn(file, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: PROGRAM,
    ...as,
  });
}

/** Runs one command to its end: `careseal config --json`. */
export async function careseal(words: readonly string[], options: RunOptions): Promise<Finished> {
  const child = launch(words, options);
  const output = collect(child);
  const code = await exitOf(child);
  return { code, stdout: output.stdout(), stderr: output.stderr() };
}

/** `careseal start`, resolved once it says that it is ready. A server that ends before is an error with its last words. */
export async function startTestServer(options: RunOptions, words: readonly string[] = []): Promise<TestServer> {
  const startedAt = performance.now();
  const child = launch(['start', ...words], options);
  const output = collect(child);
  const exited = exitOf(child);
  const ready = async (): Promise<void> => {
    while (!/^ {2}Operations: /m.test(output.stdout())) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const limit = AbortSignal.timeout(READY_LIMIT_MS);
  await Promise.race([
    ready(),
    exited.then((code) => Promise.reject(new Error(`The server ended with ${code}: ${output.stderr()}`))),
    new Promise((_, reject) =>
      limit.addEventListener('abort', () => reject(new Error(`Not ready: ${output.stderr()}`))),
    ),
  ]);
  const address = (label: string): string =>
    new RegExp(`^ {2}${label}: +(https?://[^/\\s]+)`, 'm').exec(output.stdout())?.[1] ?? '';
  return {
    usersUrl: address('People'),
    nodesUrl: address('Systems'),
    operationsUrl: address('Operations'),
    setupLink: /https:\S+\/setup#\S+/.exec(output.stdout())?.[0],
    readyMs: performance.now() - startedAt,
    pid: child.pid ?? 0,
    ...output,
    async end(signal) {
      child.kill(signal);
      return await exited;
    },
  };
}

function collect(child: ChildProcess): { stdout(): string; stderr(): string } {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return { stdout: () => stdout, stderr: () => stderr };
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  return await new Promise((resolve, reject) => {
    child.once('close', (code) => resolve(code));
    child.once('error', reject);
  });
}

export interface Fetched {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request on a new connection. The certificate's chain is not checked here: that is other tests' work. */
export async function fetchFrom(url: string, options: FetchOptions = {}): Promise<Fetched> {
  const { method = 'GET', headers = {}, body } = options;
  return await new Promise((resolve, reject) => {
    const make = url.startsWith('https:') ? request : plainRequest;
    const sent = make(url, { method, headers, agent: false, rejectUnauthorized: false, timeout: 30_000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
      answer.once('error', reject);
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer')));
    sent.once('error', reject);
    sent.end(body);
  });
}

/** The home's embedded database as the application's role, from outside. */
export function databaseOf(home: string, user = 'careseal_app'): Database {
  return createDatabase({
    connection: { host: join(home, 'pg/data'), port: 5432, user, database: 'careseal' },
    poolSize: 2,
    statementTimeoutMs: 5_000,
  });
}

/** PostgreSQL's processes on a home. */
export async function postgresProcesses(home: string): Promise<number[]> {
  return await processes(async (pid) => (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === join(home, 'pg/data'));
}

/** Everything that works for a home: processes whose environment or directory names it. */
async function killEverythingIn(home: string): Promise<void> {
  const found = await processes(async (pid) => {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    return cwd.startsWith(home) || environment.split('\0').includes(`CARESEAL_HOME=${home}`);
  });
  for (const pid of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended by itself meanwhile.
    }
  }
}

async function processes(isWanted: (pid: number) => Promise<boolean>): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc').catch(() => [])) {
    const pid = Number(entry);
    if (Number.isInteger(pid) && pid !== process.pid && (await isWanted(pid))) found.push(pid);
  }
  return found;
}

/** The worker processes of a server. */
export async function workerProcesses(primary: number): Promise<number[]> {
  return await processes(async (pid) => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return parent === primary && command.includes('worker.ts');
  });
}
