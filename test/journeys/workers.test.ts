import { createSocket } from 'node:dgram';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePorts } from '../support/ports.ts';
import {
  careseal,
  databaseOf,
  fetchFrom,
  postgresProcesses,
  startTestServer,
  testHome,
  workerProcesses,
} from '../support/server.ts';
import { setUpServer } from '../support/set-up.ts';

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
  // A request is counted once its answer is sent.
  const counted = async (): Promise<number> => {
    const { body } = await fetchFrom(`${server.operationsUrl}/metrics`);
    return Number(/careseal_request_seconds_count\{[^}]*route="\/api\/session"[^}]*\} (\d+)/.exec(body)?.[1]);
  };
  await expect.poll(counted).toBe(20);

  const [victim = 0] = workers;
  process.kill(victim, 'SIGKILL');
  await expect
    .poll(() => fetchFrom(`${server.operationsUrl}/readyz`).then((answer) => answer.body), { interval: 5 })
    .toContain('1 of 2 workers');
  expect((await fetchFrom(`${server.usersUrl}/api/session`)).status).toBe(200);
  await expect.poll(() => fetchFrom(`${server.operationsUrl}/readyz`).then((answer) => answer.body)).toBe('ready\n');
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

it('a system has its rate once, not once per worker', async () => {
  const server = await startTestServer({ home }, ['--workers', '2']);
  const account = { organisation: 'Lakeside', name: 'Amina Okello', email: 'amina@example.org' };
  await setUpServer(server, { ...account, password: 'seven herons over the lake' });
  const rate = 60;
  const out = join(home, 'clinic');
  const words = ['node', 'add', 'Clinic 7', '--domain', 'urn:x:7', '--per-minute', `${rate}`, '--out', out];
  expect((await careseal(words, { home })).code).toBe(0);
  const [key, cert] = [await readFile(join(out, 'node.key')), await readFile(join(out, 'node.crt'))];
  const options = { key, cert, ca: await readFile(join(out, 'ca.crt')), agent: false, servername: 'localhost' };
  /** Each on a connection of its own: the workers get them in turn. */
  const status = () =>
    new Promise<number>((resolve, reject) => {
      const sent = request(`${server.nodesUrl}/fhir/metadata`, options, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
      });
      sent.once('error', reject).end();
    });
  const began = Date.now();
  const statuses: number[] = [];
  for (let i = 0; i < 3 * rate; i++) statuses.push(await status());
  const refilled = ((Date.now() - began) / 60_000) * rate;
  const served = statuses.filter((one) => one === 200).length;
  expect(statuses.filter((one) => one !== 200 && one !== 429)).toEqual([]);
  expect(served).toBeGreaterThanOrEqual(rate);
  // Each worker learns some milliseconds later what the other one served; each for itself would have served twice as much.
  expect(served).toBeLessThan(rate + refilled + 50);
  expect(await server.end('SIGTERM')).toBe(0);
});

it('connections of one address are counted together, whichever worker they reach', async () => {
  const server = await startTestServer({ home }, ['--workers', '2']);
  const { port } = new URL(server.usersUrl);
  const [open, all]: [Set<Socket>, Socket[]] = [new Set(), []];
  // 256 of one address are allowed; each worker gets every other one. They say nothing, for which they have ten seconds.
  for (let i = 0; i < 400; i++) {
    const socket = connect(Number(port), '127.0.0.1');
    open.add(socket);
    all.push(socket);
    socket.on('error', () => undefined).once('close', () => open.delete(socket));
  }
  await expect.poll(() => open.size, { interval: 10 }).toBeLessThanOrEqual(256);
  expect(open.size).toBeGreaterThan(0);
  for (const socket of all) socket.destroy();
  // There is room again when both have told each other.
  const asked = () =>
    fetchFrom(`${server.usersUrl}/api/session`).then(
      (answer) => answer.status,
      () => 0,
    );
  await expect.poll(asked).toBe(200);
  expect(await server.end('SIGTERM')).toBe(0);
});

it('one worker takes datagrams, so that their bound counts once; another follows it', async () => {
  const [tlsPort = 0, udpPort = 0] = await freePorts(2);
  const settings = {
    CARESEAL_AUDIT_REPOSITORY: 'true',
    CARESEAL_AUDIT_TLS_PORT: String(tlsPort),
    CARESEAL_AUDIT_UDP_PORT: String(udpPort),
  };
  const server = await startTestServer({ home, settings }, ['--workers', '2']);
  const takers = async () => {
    const all = await workerProcesses(server.pid);
    const has = await Promise.all(all.map((pid) => hasUdpPort(pid, udpPort)));
    return all.filter((_, at) => has[at]);
  };
  const [first = 0, ...others] = await takers();
  expect(first).toBeGreaterThan(0);
  expect(others).toEqual([]);
  process.kill(first, 'SIGKILL');
  await expect.poll(async () => (await takers()).filter((pid) => pid !== first).length).toBe(1);
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.send('<85>1 - a b - c - x', udpPort, '127.0.0.1', resolve));
  socket.close();
  const database = databaseOf(home);
  try {
    const received = { name: 'test.received', text: 'SELECT transport FROM atna.received' };
    await expect.poll(() => database.rows(received)).toEqual([{ transport: 'udp' }]);
  } finally {
    await database.close();
  }
  expect(await server.end('SIGTERM')).toBe(0);
});

/** Whether this process holds the socket of this port. */
async function hasUdpPort(pid: number, port: number): Promise<boolean> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = (await readFile('/proc/net/udp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
  const inodes = lines.filter((line) => line[1]?.endsWith(`:${hex}`)).map((line) => `socket:[${line[9]}]`);
  const folder = `/proc/${pid}/fd`;
  const files = await readdir(folder).catch(() => []);
  const links = await Promise.all(files.map((file) => readlink(join(folder, file)).catch(() => '')));
  return links.some((link) => inodes.includes(link));
}

/** A dead process that nobody has collected (state Z) does not run. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}
