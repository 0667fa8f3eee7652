import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, readdir, readFile, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statement } from '../../src/platform/db/index.ts';
import { databaseUser } from '../../src/platform/postgres/os-user.ts';
import { careseal, databaseOf, fetchFrom, postgresProcesses, startTestServer, testHome } from '../support/server.ts';

let home: string;
let dispose: () => Promise<void>;
beforeEach(async () => {
  ({ path: home, dispose } = await testHome());
});
afterEach(() => dispose());

const remember = statement(
  'test.remember',
  `INSERT INTO jobs.job (id, kind, payload, state) VALUES ($1, 'test', '{}', 'done')`,
);
const recall = statement<{ id: string }>('test.recall', `SELECT id FROM jobs.job WHERE kind = 'test'`);
const setting = statement<{ fsync: string; addresses: string; super: boolean; owner: string }>(
  'test.setting',
  `SELECT current_setting('fsync') AS fsync, current_setting('listen_addresses') AS addresses,
     (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS super,
     (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()) AS owner`,
);

describe('a first start', () => {
  it('opens all doors, prints where they are and how to begin, and keeps the home to its owner', async () => {
    const server = await startTestServer({ home });
    expect(server.stdout()).toContain(`Data and keys are in ${home}`);
    expect(server.setupLink).toMatch(/^https:\/\/localhost:\d+\/setup#\S{20,}$/);
    expect((await fetchFrom(`${server.operationsUrl}/readyz`)).body).toBe('ready\n');
    expect((await fetchFrom(`${server.operationsUrl}/metrics`)).body).toContain('process_cpu_seconds_total');
    expect((await fetchFrom(`${server.usersUrl}/api/session`)).status).toBe(200);
    for (const secret of ['.', 'keys', 'tls', 'pg']) expect((await stat(join(home, secret))).mode & 0o077).toBe(0);
    for (const file of await readdir(join(home, 'keys')))
      expect((await stat(join(home, 'keys', file))).mode & 0o077).toBe(0);
    expect(await server.end('SIGTERM')).toBe(0);
  });

  it('runs PostgreSQL durably, without a port, as another user than root, for a role that owns nothing', async () => {
    const server = await startTestServer({ home });
    const database = databaseOf(home);
    const [row] = await database.rows(setting);
    await database.close();
    expect(row).toEqual({ fsync: 'on', addresses: '', super: false, owner: 'careseal_owner' });
    const [postgres] = await postgresProcesses(home);
    const status = await readFile(`/proc/${postgres}/status`, 'utf8');
    expect(status).not.toMatch(/^Uid:\s+0\s/m);
    expect(await server.end('SIGTERM')).toBe(0);
  });
});

it.runIf(process.getuid?.() === 0)('an ordinary user starts PostgreSQL as itself', async () => {
  const user = await databaseUser();
  if (user === undefined) throw new Error('root has one');
  await chown(home, user.uid, user.gid);
  const server = await startTestServer({ home, as: user });
  const [postgres] = await postgresProcesses(home);
  expect(await readFile(`/proc/${postgres}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\s+${user.uid}\\s`, 'm'));
  expect((await fetchFrom(`${server.operationsUrl}/readyz`)).status).toBe(200);
  expect(await server.end('SIGTERM')).toBe(0);
});

describe('stopping', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends everything in order, and the next start is quick',
    async (signal) => {
      const first = await startTestServer({ home });
      const database = databaseOf(home);
      await database.run(remember, ['00000000-0000-7000-8000-000000000001']);
      await database.close();
      expect(await first.end(signal)).toBe(0);
      expect(await postgresProcesses(home)).toEqual([]);
      expect(await readdir(home)).not.toContain('lock.json');
      await expect(fetchFrom(`${first.operationsUrl}/healthz`)).rejects.toThrow();
      const second = await startTestServer({ home });
      console.log(`ready after ${Math.round(second.readyMs)} ms`);
      const again = databaseOf(home);
      expect(await again.rows(recall)).toHaveLength(1);
      await again.close();
      await second.end('SIGTERM');
    },
  );

  it('lets a request under way finish', async () => {
    const server = await startTestServer({ home });
    // The server says that it has begun with the request before it is told to stop, and gets its body only then.
    const sent = request(`${server.usersUrl}/api/password-check`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-careseal': '1', expect: '100-continue' },
      ...{ agent: false, rejectUnauthorized: false, timeout: 15_000 },
    });
    const answered = once(sent, 'response');
    sent.flushHeaders();
    await once(sent, 'continue');
    const ended = server.end('SIGTERM');
    sent.end(JSON.stringify({ password: 'correct horse battery staple' }));
    const [answer] = (await answered) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBeLessThan(500);
    expect(await ended).toBe(0);
  });
});

describe('SIGKILL', () => {
  it('of Careseal alone loses nothing committed; the next start stops the orphaned PostgreSQL', async () => {
    const killed = await startTestServer({ home });
    const database = databaseOf(home);
    await database.run(remember, ['00000000-0000-7000-8000-000000000002']);
    await database.close();
    await killed.end('SIGKILL');
    const orphans = await postgresProcesses(home);
    expect(orphans.length).toBeGreaterThan(0);
    const next = await startTestServer({ home });
    expect(next.stderr()).toContain('had left running');
    for (const orphan of orphans) expect(await postgresProcesses(home)).not.toContain(orphan);
    const again = databaseOf(home);
    expect(await again.rows(recall)).toHaveLength(1);
    await again.close();
    expect(await next.end('SIGTERM')).toBe(0);
  });

  it('of everything at once loses nothing committed', async () => {
    const killed = await startTestServer({ home });
    const database = databaseOf(home);
    for (let i = 10; i < 60; i++) await database.run(remember, [`00000000-0000-7000-8000-0000000000${i}`]);
    for (const pid of [killed.pid, ...(await postgresProcesses(home))]) process.kill(pid, 'SIGKILL');
    await killed.end('SIGKILL');
    await database.close();
    const next = await startTestServer({ home });
    const again = databaseOf(home);
    expect(await again.rows(recall)).toHaveLength(50);
    await again.close();
    expect(await next.end('SIGTERM')).toBe(0);
  });
});

describe('one home', () => {
  it('is refused to a second server, which says who has it and harms nothing', async () => {
    const server = await startTestServer({ home });
    const second = await careseal(['start'], { home });
    expect(second.code).toBe(3);
    expect(second.stderr).toContain(`process ${server.pid}`);
    expect(second.stderr).toContain('Nothing was changed');
    expect((await fetchFrom(`${server.operationsUrl}/readyz`)).status).toBe(200);
    await server.end('SIGTERM');
  });

  it('serves commands beside the server, and without it', async () => {
    const server = await startTestServer({ home });
    const beside = await careseal(['user', 'list', '--json'], { home });
    expect(beside).toMatchObject({ code: 0 });
    await server.end('SIGTERM');
    const alone = await careseal(['user', 'list', '--json'], { home });
    expect(alone).toMatchObject({ code: 0, stdout: beside.stdout });
    expect(await postgresProcesses(home)).toEqual([]);
  });
});

describe('settings that cannot be used', () => {
  it('are refused before anything is made', async () => {
    const finished = await careseal(['start'], {
      home,
      settings: { CARESEAL_USERS_PORT: '99999', CARESEAL_USER_PORT: '1' },
    });
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('CARESEAL_USERS_PORT');
    expect(finished.stderr).toContain('CARESEAL_USER_PORT is not a setting');
    expect(await readdir(home)).toEqual([]);
  });

  it('such as a port in use stop the start, and everything started so far', async () => {
    const other = createServer().listen(0, '0.0.0.0');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    const finished = await careseal(['start'], { home, settings: { CARESEAL_USERS_PORT: port } });
    other.close();
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('Another program listens there');
    expect(await postgresProcesses(home)).toEqual([]);
    expect(await readdir(home)).not.toContain('lock.json');
  });
});

it('scripts/careseal.mjs passes signals on and takes the server down when it is killed itself', async () => {
  const launcher = join(import.meta.dirname, '../../scripts/careseal.mjs');
  const env = {
    ...process.env,
    CARESEAL_HOME: home,
    CARESEAL_USERS_PORT: '0',
    CARESEAL_NODES_PORT: '0',
    CARESEAL_OPERATIONS_PORT: '0',
  };
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const child = spawn(process.execPath, [launcher, 'start'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    await expect.poll(() => stdout, { timeout: 60_000 }).toContain('Operations');
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    await expect.poll(() => readdir(home), { timeout: 20_000 }).not.toContain('lock.json');
    expect(await postgresProcesses(home)).toEqual([]);
  }
});
