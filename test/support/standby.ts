import { execFile } from 'node:child_process';
import { appendFile, chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Connection, migrate, readMigrations, withMaintenanceSession } from '../../src/platform/db/index.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/platform/postgres/index.ts';

const run = promisify(execFile);
const NAME = 'careseal_pair';

/** Two real PostgreSQL: a primary that waits for its standby's disk at each commit, and one address that leads to either. */
export interface PostgresPair {
  readonly connection: Connection;
  /** The primary is killed, the standby takes over, and the address leads there. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

const start = (directory: string): Promise<EmbeddedPostgres> =>
  startEmbeddedPostgres({ directory, transport: 'loopback', settings: { maxConnections: 40, durable: true } });

export async function postgresPair(): Promise<PostgresPair> {
  const directory = await mkdtemp(join(tmpdir(), 'careseal-pair-'));
  const [first, second] = [join(directory, 'first'), join(directory, 'second')];
  const changed = await start(first);
  await script(changed, 'ALTER SYSTEM SET max_wal_senders = 4');
  await changed.stop();
  const primary = await start(first);
  await script(primary, `CREATE DATABASE ${NAME} OWNER careseal_owner TEMPLATE template0`);
  const migrations = await readMigrations(join(import.meta.dirname, '../../migrations'));
  await migrate({ ...primary.owner, database: NAME }, migrations);
  await copyAsStandby(primary, first, second);
  // A standby is not ready until it is promoted; then this settles.
  const taking = start(second);
  await untilTrue(primary, "SELECT count(*) > 0 AS done FROM pg_stat_replication WHERE state = 'streaming'");
  await script(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'");
  await script(primary, 'SELECT pg_reload_conf()');
  await untilTrue(primary, "SELECT count(*) > 0 AS done FROM pg_stat_replication WHERE sync_state = 'sync'");
  const way = await wayTo(primary.app.port);
  let running = primary;
  return {
    connection: { ...primary.app, port: way.port, database: NAME },
    async failOver() {
      process.kill(primary.pid(), 'SIGKILL');
      way.leadTo(undefined);
      await primary.stop();
      await promote(second);
      running = await taking;
      way.leadTo(running.app.port);
    },
    async stop() {
      await way.close();
      if (running === primary) {
        await promote(second);
        await (await taking).stop();
      }
      await running.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function script(postgres: EmbeddedPostgres, sql: string): Promise<void> {
  return withMaintenanceSession(postgres.superuser, (session) => session.script(sql));
}

async function untilTrue(postgres: EmbeddedPostgres, sql: string): Promise<void> {
  const client = new pg.Client({ ...postgres.superuser });
  await client.connect();
  try {
    for (const limit = Date.now() + 60_000; Date.now() < limit; await pause(50)) {
      const { rows } = await client.query<{ done: boolean }>(sql);
      if (rows[0]?.done === true) return;
    }
    throw new Error(`This did not become true in time: ${sql}`);
  } finally {
    await client.end();
  }
}

/** A base backup by hand: pg_basebackup does not come with the embedded PostgreSQL. */
async function copyAsStandby({ superuser }: EmbeddedPostgres, from: string, to: string): Promise<void> {
  const hba = join(from, 'data', 'pg_hba.conf');
  await appendFile(hba, `host replication ${superuser.user} 127.0.0.1/32 scram-sha-256\n`);
  const client = new pg.Client({ ...superuser });
  await client.connect();
  try {
    await client.query('SELECT pg_reload_conf()');
    await client.query("SELECT pg_backup_start('standby', true)");
    await run('cp', ['-a', from, to]);
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    const data = join(to, 'data');
    await rm(join(data, 'postmaster.pid'), { force: true });
    const { host, port, user, password } = superuser;
    const conninfo = `host=${host} port=${port} user=${user} password=${password ?? ''}`;
    await own(data, 'backup_label', rows[0]?.labelfile ?? '');
    await own(data, 'standby.signal', '');
    await appendFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${conninfo}'\n`);
  } finally {
    await client.end();
  }
}

/** A file that PostgreSQL's own user may read and take away. */
async function own(data: string, name: string, text: string): Promise<void> {
  const { uid, gid } = await stat(data);
  await writeFile(join(data, name), text, { mode: 0o600 });
  await chown(join(data, name), uid, gid);
}

/** As `pg_ctl promote` does it. */
async function promote(directory: string): Promise<void> {
  const data = join(directory, 'data');
  const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  await own(data, 'promote', '');
  process.kill(pid, 'SIGUSR1');
}

/** An address that leads to a port of this machine, or nowhere. */
async function wayTo(first: number | undefined) {
  let port = first;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const server = createServer((socket) => {
    keep(socket);
    if (port === undefined) {
      socket.destroy();
      return;
    }
    const there = keep(connect(port, '127.0.0.1'));
    socket.pipe(there).pipe(socket);
    socket.on('close', () => there.destroy());
    there.on('close', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    leadTo(next: number | undefined): void {
      port = next;
      for (const socket of sockets) socket.destroy();
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
