import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomToken } from '../../crypto/index.ts';
import type { Connection } from '../db/index.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import {
  configure,
  type DataDirectory,
  initialise,
  isInitialised,
  markInitialised,
  prepareDataDirectory,
} from './data-directory.ts';
import { stopOrphans } from './orphans.ts';
import { databaseUser } from './os-user.ts';
import { bootstrapDatabase, DATABASE_NAME, type RolePasswords } from './roles.ts';
import { type Server, startServer } from './server.ts';
import { APP_ROLE, OWNER_ROLE, type ServerSettings, SUPERUSER } from './settings.ts';
import { socketDirectory } from './socket-path.ts';

export interface EmbeddedPostgresOptions {
  /** `<home>/pg`; holds `data/`, the log, and passwords where there is no Unix socket. */
  readonly directory: string;
  readonly settings: ServerSettings;
  /** Default: a Unix socket except on Windows. */
  readonly transport?: 'socket' | 'loopback';
  /** Told in plain words what happens outside the usual: recovery, an unexpected end, a restart. */
  readonly onNotice?: (text: string) => void;
}

export interface EmbeddedPostgres {
  /** The application's role: no superuser, no owner. */
  readonly app: Connection;
  /** For migrations. */
  readonly owner: Connection;
  /** For tests that clone databases, and for maintenance; never given to a feature. */
  readonly superuser: Connection;
  readonly pid: () => number;
  stop(): Promise<void>;
}

const PORT = 5432; // of the socket's name only; nothing listens on TCP
const RESTART_DELAY_MS = 500;
const RESTART_DELAY_MAX_MS = 30_000;

/**
 * Starts the home's PostgreSQL: makes it on the first call, stops one that a killed Careseal left running, recovers after a
 * crash. While it runs, a PostgreSQL that ends by itself is started again. The caller holds the home's lock.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = await databaseUser();
  const [binaries, directory] = await Promise.all([findBinaries(user), prepareDataDirectory(options.directory, user)]);
  if (await stopOrphans(directory.path)) {
    options.onNotice?.('Stopped a PostgreSQL that an earlier, killed Careseal had left running.');
  }
  const place = await chooseTransport(options, directory);
  const fresh = !(await isInitialised(directory));
  if (fresh) await makeCluster(directory, binaries, place, options.settings.durable);
  await configure(directory, options.settings, place.listen);
  const supervisor = await supervise(() => startServer(directory, binaries), options.onNotice);
  const connections = {
    app: place.connection(APP_ROLE, place.passwords?.app),
    owner: place.connection(OWNER_ROLE, place.passwords?.owner),
    superuser: { ...place.connection(SUPERUSER, place.passwords?.superuser), database: 'postgres' },
  };
  if (fresh) {
    try {
      await bootstrapDatabase(connections.superuser, place.passwords);
      await markInitialised(directory);
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
  }
  return { ...connections, pid: supervisor.pid, stop: supervisor.stop };
}

/** The way to a PostgreSQL that a running Careseal of the same OS user has started on this directory. */
export async function attachEmbeddedPostgres(
  directory: string,
  address: { readonly host: string; readonly port: number },
): Promise<{ readonly app: Connection; readonly owner: Connection }> {
  // A socket's host is a directory; there the OS user is the proof. On loopback it is the password file.
  const passwords = isAbsolute(address.host) ? undefined : await readPasswords(directory);
  const as = (user: string, password: string | undefined): Connection => ({
    ...address,
    user,
    database: DATABASE_NAME,
    ...(password === undefined ? {} : { password }),
  });
  return { app: as(APP_ROLE, passwords?.app), owner: as(OWNER_ROLE, passwords?.owner) };
}

interface Place {
  readonly listen: { readonly socketDirectory: string; readonly port: number } | { readonly loopbackPort: number };
  readonly passwords?: RolePasswords & { readonly superuser: string };
  connection(user: string, password: string | undefined): Connection;
}

async function chooseTransport(options: EmbeddedPostgresOptions, directory: DataDirectory): Promise<Place> {
  const transport = options.transport ?? (process.platform === 'win32' ? 'loopback' : 'socket');
  if (transport === 'socket') {
    const host = await socketDirectory(directory.path);
    return {
      listen: { socketDirectory: process.platform === 'linux' ? directory.ownName : host, port: PORT },
      connection: (user) => ({ host, port: PORT, user, database: DATABASE_NAME }),
    };
  }
  const [loopbackPort, passwords] = await Promise.all([freePort(), readPasswords(options.directory)]);
  return {
    listen: { loopbackPort },
    passwords,
    connection: (user, password) => ({
      host: '127.0.0.1',
      port: loopbackPort,
      user,
      database: DATABASE_NAME,
      ...(password === undefined ? {} : { password }),
    }),
  };
}

async function makeCluster(
  directory: DataDirectory,
  binaries: Binaries,
  place: Place,
  durable: boolean,
): Promise<void> {
  if (place.passwords === undefined) {
    await initialise(directory, binaries, { durable });
    return;
  }
  // initdb reads the superuser's password from a file that PostgreSQL's own user must be able to reach.
  const scratch = await mkdtemp(join(tmpdir(), 'careseal-initdb-'));
  const passwordFile = join(scratch, 'password');
  try {
    await writeFile(passwordFile, `${place.passwords.superuser}\n`, { mode: 0o600 });
    if (directory.user !== undefined) {
      await chown(passwordFile, directory.user.uid, directory.user.gid);
      await chown(scratch, directory.user.uid, directory.user.gid);
    }
    await initialise(directory, binaries, { durable, passwordFile });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function readPasswords(directory: string): Promise<RolePasswords & { superuser: string }> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const read = async (role: string): Promise<string> => {
    const path = join(directory, `${role}.password`);
    // 'wx' so that two readers can never make two passwords; the file is made once and read ever after.
    await writeFile(path, randomToken(256), { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
    return (await readFile(path, 'utf8')).trim();
  };
  return { superuser: await read('superuser'), owner: await read('owner'), app: await read('app') };
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

interface Supervisor {
  readonly pid: () => number;
  stop(): Promise<void>;
}

/** Keeps PostgreSQL running until `stop`: if it ends by itself (out of memory, killed), it is started again. */
async function supervise(start: () => Promise<Server>, notice?: (text: string) => void): Promise<Supervisor> {
  let server = await start();
  const stopping = new AbortController();
  const watch = async (): Promise<void> => {
    for (let delay = RESTART_DELAY_MS; ; delay = Math.min(delay * 2, RESTART_DELAY_MAX_MS)) {
      await server.ended;
      if (stopping.signal.aborted) return;
      notice?.('PostgreSQL ended unexpectedly; starting it again.');
      await sleep(delay, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        server = await start();
        delay = RESTART_DELAY_MS;
        notice?.('PostgreSQL runs again.');
      } catch (error) {
        notice?.(error instanceof Error ? error.message : 'PostgreSQL did not start.');
      }
    }
  };
  const watching = watch();
  return {
    pid: () => server.pid,
    async stop() {
      stopping.abort();
      await server.stop();
      await watching;
    },
  };
}
