/**
 * The first load of a nation, as an administrator does it: an empty home, a running server, and `careseal load` of a generated file whose
 * rows are in no order. `npm run bench -- first-load --people 770000 --seed 7 [--memory 0] [--keep HOME]`; memory 0 is the
 * ordinary way. Prints the seconds of the command, and the processor time of its process, of PostgreSQL and of the server.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { postgresProcesses, startTestServer } from '../test/support/server.ts';
import { CSV_HEADER, CSV_MAP, csvLine, people, randomNumbers } from './people.ts';
import { processorMs } from './support/processor-time.ts';
import { machine } from './support/report.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '770000' },
    seed: { type: 'string', default: '7' },
    memory: { type: 'string', default: '1024' },
    keep: { type: 'string' },
    /** A directory for a processor profile of the load's process. */
    profile: { type: 'string' },
  },
});

/** Every record on a line, shuffled: registers of several clinics put together, not duplicates side by side. */
function lines(): string[] {
  const all = Array.from(people({ count: Number(values.people), seed: Number(values.seed), duplicates: 0.3 }), csvLine);
  const random = randomNumbers(Number(values.seed) + 1);
  for (let at = all.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [all[at], all[other]] = [all[other] as string, all[at] as string];
  }
  return all;
}

function* file(all: readonly string[]): Generator<string> {
  yield `${CSV_HEADER}\n`;
  for (let at = 0; at < all.length; at += 10_000) yield `${all.slice(at, at + 10_000).join('\n')}\n`;
}

const SETTINGS = {
  CARESEAL_USERS_PORT: '0',
  CARESEAL_NODES_PORT: '0',
  CARESEAL_OPERATIONS_PORT: '0',
  CARESEAL_DATABASE_CACHE_MEGABYTES: '1024',
  CARESEAL_LOAD_MEMORY_MEGABYTES: values.memory,
};

const PROFILE = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(values.profile)}`];

interface Loaded {
  readonly answer: string;
  readonly seconds: number;
  readonly loadMs: number;
  readonly postgresMs: number;
  readonly serverMs: number;
  readonly memoryMb: number;
}

async function load(home: string, words: readonly string[], server: number): Promise<Loaded> {
  const started = await postgresProcesses(home);
  // The one whose children the others are.
  const postmaster = started.toSorted((x, y) => processorMs(y) - processorMs(x))[0] ?? 0;
  const costs = () => ({
    postgresMs: processorMs(postmaster),
    serverMs: processorMs(server) - processorMs(postmaster),
  });
  const before = costs();
  const from = performance.now();
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=32', ...PROFILE, join(import.meta.dirname, '../src/cli/main.ts'), 'load', ...words],
    { env: { PATH: process.env['PATH'], CARESEAL_HOME: home, ...SETTINGS }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let answer = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (answer += text));
  let [loadMs, memoryMb, after] = [0, 0, before];
  let told = from;
  const watch = setInterval(() => {
    loadMs = processorMs(child.pid ?? 0);
    after = costs();
    memoryMb = Math.max(memoryMb, residentMb(child.pid ?? 0));
    if (performance.now() - told < 60_000) return;
    told = performance.now();
    console.log(
      `${Math.round((told - from) / 1000)} s: ${loadMs} ms of the load, ${after.postgresMs - before.postgresMs} of PostgreSQL`,
    );
  }, 250);
  const code = await new Promise<number | null>((done) => child.once('close', done));
  clearInterval(watch);
  if (code !== 0) throw new Error(`the load ended with ${code}: ${answer}`);
  return {
    ...{ answer, loadMs, memoryMb, seconds: (performance.now() - from) / 1000 },
    postgresMs: after.postgresMs - before.postgresMs,
    serverMs: after.serverMs - before.serverMs,
  };
}

function residentMb(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return Math.round((pages * 4096) / 1e6);
}

console.log(machine());
const folder = await mkdtemp(join(tmpdir(), 'careseal-first-load-'));
const home = values.keep === undefined ? join(folder, 'home') : resolve(values.keep);
await mkdir(home, { recursive: true });
// For `registry --prepared HOME`: who is there.
if (values.keep !== undefined) {
  const { people: count, seed } = values;
  await writeFile(join(home, 'people.json'), JSON.stringify({ count: Number(count), seed: Number(seed) }));
}
const [csv, map] = [join(folder, 'people.csv'), join(folder, 'map.json')];
const all = lines();
const rows = all.length;
await pipeline(Readable.from(file(all)), createWriteStream(csv));
all.length = 0;
await writeFile(map, JSON.stringify(CSV_MAP));
const server = await startTestServer({ home, settings: SETTINGS });
try {
  const done = await load(home, [csv, '--domain', 'urn:bench:clinic', '--map', map, '--json'], server.pid);
  const each = (ms: number) => `${Math.round((ms * 1000) / rows)} µs`;
  console.log(done.answer.trim());
  console.log(
    `${rows.toLocaleString('en')} rows in ${done.seconds.toFixed(1)} s: ${Math.round(rows / done.seconds)}/s. Processor time a row: the load ` +
      `${each(done.loadMs)}, PostgreSQL ${each(done.postgresMs)}, the server (numbering of events) ${each(done.serverMs)}. ` +
      `Memory of the load at most ${done.memoryMb} MB.`,
  );
} finally {
  await server.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
}
