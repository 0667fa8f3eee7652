import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fetchFrom, postgresProcesses, startTestServer, testHome, workerProcesses } from '../support/server.ts';

let home: string;
let dispose: () => Promise<void>;
beforeEach(async () => {
  ({ path: home, dispose } = await testHome());
});
afterEach(() => dispose());

it('several workers share the doors of one home; a killed one is replaced; all of them stop together', async () => {
  const server = await startTestServer({ home }, ['--workers', '2']);
  const workers = await workerProcesses(server.pid);
  expect(workers).toHaveLength(2);
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetchFrom(`${server.usersUrl}/api/session`)));
  for (const { status } of answers) expect(status).toBe(200);
  const metrics = await fetchFrom(`${server.operationsUrl}/metrics`);
  const counted = /careseal_request_seconds_count\{[^}]*route="\/api\/session"[^}]*\} (\d+)/.exec(metrics.body)?.[1];
  expect(Number(counted)).toBe(20);

  const [victim = 0] = workers;
  process.kill(victim, 'SIGKILL');
  await expect
    .poll(() => fetchFrom(`${server.operationsUrl}/readyz`).then((answer) => answer.body))
    .toContain('1 of 2 workers');
  expect((await fetchFrom(`${server.usersUrl}/api/session`)).status).toBe(200);
  await expect
    .poll(() => fetchFrom(`${server.operationsUrl}/readyz`).then((answer) => answer.body), { timeout: 20_000 })
    .toBe('ready\n');
  expect(await workerProcesses(server.pid)).not.toContain(victim);

  expect(await server.end('SIGTERM')).toBe(0);
  expect(await postgresProcesses(home)).toEqual([]);
  expect(await workerProcesses(server.pid)).toEqual([]);
});

it('workers end when their primary is killed, and the next start takes the ports again', async () => {
  const server = await startTestServer({ home }, ['--workers', '2']);
  const workers = await workerProcesses(server.pid);
  await server.end('SIGKILL');
  await expect.poll(() => Promise.all(workers.map(isRunning))).toEqual([false, false]);
  const next = await startTestServer({ home }, ['--workers', '2']);
  expect(await next.end('SIGTERM')).toBe(0);
});

it('guesses are counted together, whichever worker they reach', async () => {
  const server = await startTestServer({ home }, ['--workers', '2']);
  const guess = async (email: string): Promise<number> => {
    const headers = { 'x-careseal': '1', 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
    const body = JSON.stringify({ email, password: 'not the right one' });
    return (await fetchFrom(`${server.usersUrl}/api/sign-in/password`, { method: 'POST', headers, body })).status;
  };
  const all = async (emails: readonly string[]): Promise<number[]> => {
    const statuses: number[] = [];
    for (const email of emails) statuses.push(await guess(email));
    return statuses;
  };
  // Each on a connection of its own, so that both workers get some: ten of one account, fifty of one network are compared.
  const ofOne = await all(Array.from({ length: 16 }, () => 'nobody@example.org'));
  expect(ofOne).toEqual([...Array.from({ length: 10 }, () => 401), ...Array.from({ length: 6 }, () => 429)]);
  const ofMany = await all(Array.from({ length: 60 }, (_, at) => `nobody${at}@example.org`));
  expect(ofMany).toEqual([...Array.from({ length: 40 }, () => 401), ...Array.from({ length: 20 }, () => 429)]);
  expect(await server.end('SIGTERM')).toBe(0);
});

/** A dead process that nobody has collected (state Z) does not run. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}
