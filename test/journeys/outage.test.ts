import { execFile } from 'node:child_process';
import { readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statement } from '../../src/platform/db/index.ts';
import {
  databaseOf,
  type Fetched,
  fetchFrom,
  postgresProcesses,
  startTestServer,
  testHome,
  type TestServer,
} from '../support/server.ts';

const run = promisify(execFile);
let home: string;
let dispose: () => Promise<void>;
beforeEach(async () => {
  ({ path: home, dispose } = await testHome());
});
afterEach(() => dispose());

let requests = 0;

/** A request that needs the database: it looks up a session that nobody has. */
function askDatabase(server: TestServer): Promise<Fetched> {
  const token = String(requests++).padStart(43, 'A');
  return fetchFrom(`${server.usersUrl}/api/session`, { headers: { cookie: `__Host-session=${token}` } });
}

/** What the server answers under load while `disturb` happens. */
async function statusesDuring(server: TestServer, disturb: () => Promise<void>): Promise<Fetched[]> {
  const answers: Fetched[] = [];
  let over = false;
  const load = Array.from({ length: 4 }, async () => {
    for (; !over; await new Promise((resolve) => setTimeout(resolve, 20))) answers.push(await askDatabase(server));
  });
  await disturb();
  over = true;
  await Promise.all(load);
  return answers;
}

function expectOnlyRefusals(answers: readonly Fetched[], healthy: number): void {
  const others = answers.filter((answer) => answer.status !== healthy);
  for (const { status, body, headers } of others) {
    expect(status).toBe(503);
    expect(headers['content-type']).toContain('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ code: expect.stringMatching(/^(database|audit|key)-/) });
    expect(body).not.toMatch(/ECONN|pg_|postgres|socket/i);
  }
  expect(others.length).toBeGreaterThan(0);
}

describe('PostgreSQL that dies under load', () => {
  it('makes requests fail with 503 until it is back, which happens by itself', async () => {
    const server = await startTestServer({ home });
    const healthy = (await askDatabase(server)).status;
    const answers = await statusesDuring(server, async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      const pid = Number((await readFile(join(home, 'pg/data/postmaster.pid'), 'utf8')).split('\n')[0]);
      process.kill(pid, 'SIGKILL');
      const ready = () => fetchFrom(`${server.operationsUrl}/readyz`).then(({ status }) => status);
      await expect.poll(ready, { timeout: 30_000, interval: 10 }).toBe(503);
      await expect.poll(ready, { timeout: 30_000 }).toBe(200);
    });
    expectOnlyRefusals(answers, healthy);
    await expect.poll(() => askDatabase(server).then(({ status }) => status)).toBe(healthy);
    expect(await server.end('SIGTERM')).toBe(0);
  });

  it('that merely hangs is answered with 503 in bounded time', { timeout: 120_000 }, async () => {
    const server = await startTestServer({ home });
    const processes = await postgresProcesses(home);
    for (const each of processes) process.kill(each, 'SIGSTOP');
    const answer = await fetchFrom(`${server.operationsUrl}/readyz`).catch((error: unknown) => error);
    for (const each of processes) process.kill(each, 'SIGCONT');
    if (!(answer instanceof Error)) expect(answer).toMatchObject({ status: 503 });
    await expect
      .poll(() => fetchFrom(`${server.operationsUrl}/readyz`).then(({ status }) => status), { timeout: 30_000 })
      .toBe(200);
    expect(await server.end('SIGTERM')).toBe(0);
  });
});

const mayMount = process.getuid?.() === 0 && process.platform === 'linux';

describe.runIf(mayMount)('a full disk', () => {
  const insert = statement(
    'test.fill',
    `INSERT INTO jobs.job (id, kind, payload, state) VALUES (gen_random_uuid(), 'test', '{}', 'done')`,
  );
  const count = statement<{ n: bigint }>('test.count', `SELECT count(*) AS n FROM jobs.job WHERE kind = 'test'`);

  it('refuses writes, loses nothing committed, and is over when there is room again', async (context) => {
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=220m,mode=700', 'tmpfs', home]).then(
      () => true,
      () => false,
    );
    if (!mounted) return context.skip('this environment does not allow mounting');
    try {
      const server = await startTestServer({ home });
      const database = databaseOf(home);
      await database.run(insert);
      const { bavail, bsize } = await statfs(home);
      await writeFile(join(home, 'ballast'), Buffer.alloc(bavail * bsize - 4096 * 4)).catch(() => undefined);
      // PostgreSQL writes on in the WAL segment it has; when the next one cannot be made, it refuses.
      let written = 1;
      let refusal: unknown;
      for (; refusal === undefined && written < 400_000; ) {
        await database
          .transaction(async (tx) => {
            await Promise.all(Array.from({ length: 500 }, () => tx.run(insert)));
          })
          .then(
            () => void (written += 500),
            (error: unknown) => void (refusal = error),
          );
      }
      expect(refusal).toMatchObject({ kind: 'unavailable' });
      const answer = await askDatabase(server);
      expect([answer.status, answer.status < 500 || answer.body.includes('"code":"')]).toEqual([answer.status, true]);
      await rm(join(home, 'ballast'));
      await expect
        .poll(() => askDatabase(server).then(({ status }) => status), { timeout: 60_000, interval: 500 })
        .toBeLessThan(500);
      await expect
        .poll(
          () =>
            database.rows(count).then(
              ([row]) => Number(row?.n),
              () => 0,
            ),
          { timeout: 30_000 },
        )
        .toBe(written);
      await database.close();
      expect(await server.end('SIGTERM')).toBe(0);
    } finally {
      await run('umount', ['-l', home]);
    }
  });
});
