/**
 * The registry through the nodes' door, TLS and audit on, beside the bare skeleton in the same run.
 * `npm run bench -- registry --people 10000,100000 --seconds 10 --connections 16`
 * `npm run bench -- registry --prepared DIRECTORY --series match,reads`: of a registry that `prepare` filled; with `--floor 1000000` beside a
 * skeleton of so many records, which is filled the first time and kept there too. DIRECTORY may be a home that `first-load --keep` filled.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { people as generated, type SyntheticRecord } from './people.ts';
import { type Measured, measure, type RequestToSend, type Target } from './support/client.ts';
import { NATIONAL_ID, patientOf, population } from './support/population.ts';
import { type BenchPostgres, type Running, startCareseal, startPostgres, startSkeleton } from './support/processes.ts';
import { processorMs } from './support/processor-time.ts';
import { machine, printTable, type Row } from './support/report.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    people: { type: 'string', default: '10000,100000' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '16' },
    fsync: { type: 'string', default: '5000' },
    prepared: { type: 'string' },
    floor: { type: 'string' },
    series: { type: 'string', default: 'reads,identifier,name,match,creates' },
  },
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);

const PATIENT = '/fhir/Patient';

/** Nobody of these was loaded before: another seed. */
const newcomers = population(500_000);
const newcomer = (): SyntheticRecord => newcomers.next().value;

const create = (): RequestToSend => ({ method: 'POST', path: PATIENT, body: JSON.stringify(patientOf(newcomer())) });

function inTurn(ids: readonly string[]): () => RequestToSend {
  let at = 0;
  return () => ({ method: 'GET', path: `${PATIENT}/${ids[at++ % ids.length]}` });
}

/** Records that are there. */
let known = (): Iterator<SyntheticRecord, unknown> => population(1);

/** The same ones again where they come to their end. */
function* again(count: number, seed: number): Generator<SyntheticRecord> {
  for (;;) yield* generated({ count, seed, duplicates: 0.3 });
}

/** Look-ups of people who are there: by national id, and by family name and birth year. */
function searches(kind: 'identifier' | 'name'): () => RequestToSend {
  const records = known();
  const next = () => records.next().value as SyntheticRecord;
  return () => {
    let record = next();
    while (!record.nationalId || !record.birthDate || record.family.length < 4) record = next();
    const query =
      kind === 'identifier'
        ? `identifier=${encodeURIComponent(`${NATIONAL_ID}|${record.nationalId}`)}`
        : `family=${encodeURIComponent(record.family.slice(0, 6))}&birthdate=${record.birthDate.slice(0, 4)}`;
    return { method: 'GET', path: `${PATIENT}?${query}` };
  };
}

function matches(): () => RequestToSend {
  const records = known();
  return () => {
    const { identifier: _identifier, ...rest } = patientOf(records.next().value as SyntheticRecord);
    return { method: 'POST', path: `${PATIENT}/$match`, body: JSON.stringify(rest) };
  };
}

type Series = Readonly<Record<'creates' | 'reads' | 'identifier' | 'name' | 'match', Measured>>;

async function runCareseal(target: Target, ids: readonly string[], length = seconds): Promise<Series> {
  const run = (next: () => RequestToSend, expect: readonly number[]) =>
    measure(target, { connections, seconds: length, next, expect });
  await run(inTurn(ids), [200]); // warm
  return {
    reads: await run(inTurn(ids), [200]),
    identifier: await run(searches('identifier'), [200]),
    name: await run(searches('name'), [200]),
    match: await run(matches(), [200]),
    creates: await run(create, [201]),
  };
}

async function runSkeleton(
  target: Target,
  ids: readonly string[],
): Promise<Pick<Series, 'creates' | 'reads' | 'identifier'>> {
  const run = (next: () => RequestToSend, expect: readonly number[]) =>
    measure(target, { connections, seconds, next, expect });
  await run(inTurn(ids), [200]);
  return {
    reads: await run(inTurn(ids), [200]),
    identifier: await run(searches('identifier'), [200]),
    creates: await run(create, [201]),
  };
}

const line = (name: string, found: Measured, floor?: Measured): Row => ({
  what: name,
  perSecond: Math.round(found.perSecond),
  'p50 ms': found.p50Ms.toFixed(1),
  'p95 ms': found.p95Ms.toFixed(1),
  'p99 ms': found.p99Ms.toFixed(1),
  'of skeleton': floor ? (found.perSecond / floor.perSecond).toFixed(2) : '',
});

async function atSize(postgres: BenchPostgres, people: number): Promise<void> {
  const connection = await postgres.create('bench');
  const careseal = await startCareseal({ connection, people, sealed: true, audited: true });
  const { port, ca, cert, key, ids, serverPem, loadPerSecond } = careseal.ready;
  const found = await runCareseal({ port, ca, cert, key }, ids);
  const rss = await careseal.memoryBytes();
  const skeleton = await startSkeleton(postgres, { people, serverPem });
  const floor = await runSkeleton({ port: skeleton.ready.port, ca }, skeleton.ready.ids);
  printTable(`${people.toLocaleString('en')} records, ${connections} connections`, [
    line('registrations', found.creates, floor.creates),
    line('reads', found.reads, floor.reads),
    line('searches by identifier', found.identifier, floor.identifier),
    line('searches by family name and birth year', found.name),
    line('$match', found.match),
    line('skeleton: creates', floor.creates),
    line('skeleton: reads', floor.reads),
    line('skeleton: searches by identifier', floor.identifier),
  ]);
  console.log(`Registering in groups of 250 (as a load does): ${Math.round(loadPerSecond)} records/s.`);
  console.log(`Memory of the server process: ${Math.round(rss / 1e6)} MB.\n`);
  await stopAll(skeleton, careseal);
}

async function stopAll(...servers: readonly Running<unknown>[]): Promise<void> {
  for (const server of servers) await server.stop();
}

/** The price of sealing and of audit: the same path without each, on registries of equal size, measured in turns. */
async function prices(postgres: BenchPostgres, people: number): Promise<void> {
  const variants = { full: [true, true], 'without audit': [true, false], 'without seal': [false, true] } as const;
  const rates: Record<string, { creates: number[]; reads: number[] }> = {};
  for (const turn of [1, 2, 3]) {
    for (const [name, [sealed, audited]] of Object.entries(variants)) {
      const connection = await postgres.create('bench');
      const careseal = await startCareseal({ connection, people, sealed, audited });
      const { port, ca, cert, key, ids } = careseal.ready;
      const found = await runCareseal({ port, ca, cert, key }, ids, Math.max(3, seconds / 2));
      const rate = (rates[name] ??= { creates: [], reads: [] });
      rate.creates.push(found.creates.perSecond);
      rate.reads.push(found.reads.perSecond);
      await careseal.stop();
      if (turn === 3) continue;
    }
  }
  const median = (list: readonly number[]) => [...list].sort((x, y) => x - y)[Math.floor(list.length / 2)] ?? 0;
  const full = rates['full'];
  if (!full) return;
  const rows = Object.entries(rates).map(([name, { creates, reads }]) => ({
    what: name,
    'registrations/s': Math.round(median(creates)),
    'reads/s': Math.round(median(reads)),
    'full ÷ this, registrations': (median(full.creates) / median(creates)).toFixed(2),
    'full ÷ this, reads': (median(full.reads) / median(reads)).toFixed(2),
  }));
  printTable(`The price of sealing and audit, ${people.toLocaleString('en')} records, median of three`, rows);
}

/** The series asked for, of a registry that is kept; what a request costs the server and PostgreSQL besides. */
async function ofPrepared(directory: string): Promise<void> {
  const postgres = await startPostgres(directory);
  try {
    const { database, kept } = keptRegistry(directory);
    const connection = await postgres.keep(database);
    const careseal = await startCareseal({ connection, people: 0, sealed: true, audited: true, kept });
    const { port, ca, cert, key, ids } = careseal.ready;
    const rows: Row[] = [];
    for (const name of values.series.split(',')) {
      const make = SERIES[name];
      if (make === undefined) throw new Error(`there is no series ${name}: ${Object.keys(SERIES).join(', ')}`);
      const next = make(ids);
      const run = (length: number) =>
        measure({ port, ca, cert, key }, { connections, seconds: length, next, expect: [200, 201] });
      await run(2); // warm
      const before = { server: processorMs(careseal.pid), postgres: processorMs(postgres.pid()) };
      const found = await run(seconds);
      const cost = (pid: number, from: number) => Math.round(((processorMs(pid) - from) * 1000) / found.requests);
      rows.push({
        ...line(name, found),
        'µs in the server': cost(careseal.pid, before.server),
        'µs in PostgreSQL': cost(postgres.pid(), before.postgres),
      });
    }
    if (values.floor !== undefined) rows.push(...(await floorRows(postgres, careseal.ready, Number(values.floor))));
    printTable(`${directory}, ${connections} connections`, rows);
    console.log(`Memory of the server process: ${Math.round((await careseal.memoryBytes()) / 1e6)} MB.\n`);
    await careseal.stop();
  } finally {
    await postgres.stop();
  }
}

/** Where `prepare` put it, or `first-load --keep`: a home like any other. */
function keptRegistry(directory: string): { readonly database: string; readonly kept: string } {
  const [kept, list] = [join(directory, 'home'), join(directory, 'people.json')];
  if (!existsSync(list)) return { database: 'bench', kept };
  // What first-load.ts wrote.
  const { count, seed } = JSON.parse(readFileSync(list, 'utf8')) as { count: number; seed: number };
  known = () => again(count, seed);
  mkdirSync(kept, { recursive: true, mode: 0o700 });
  copyFileSync(join(directory, 'keys/root.key'), join(kept, 'root.key'));
  return { database: 'careseal', kept };
}

/** The skeleton of that size on the same database server, asked the same. */
async function floorRows(
  postgres: BenchPostgres,
  { ca, serverPem }: { readonly ca: string; readonly serverPem: string },
  people: number,
): Promise<Row[]> {
  const skeleton = await startSkeleton(postgres, { people, serverPem, kept: true });
  const rows: Row[] = [];
  for (const name of values.series.split(',')) {
    const next = SERIES[name]?.(skeleton.ready.ids);
    if (next === undefined || !['reads', 'identifier'].includes(name)) continue;
    const run = (length: number) =>
      measure({ port: skeleton.ready.port, ca }, { connections, seconds: length, next, expect: [200] });
    await run(2); // warm
    rows.push(line(`skeleton: ${name}`, await run(seconds)));
  }
  await skeleton.stop();
  return rows;
}

const SERIES: Readonly<Record<string, (ids: readonly string[]) => () => RequestToSend>> = {
  reads: inTurn,
  identifier: () => searches('identifier'),
  name: () => searches('name'),
  match: matches,
  creates: () => create,
};

async function besideTheSkeleton(): Promise<void> {
  const postgres = await startPostgres();
  try {
    const sizes = values.people.split(',').map(Number);
    for (const people of sizes) await atSize(postgres, people);
    await postgres.delayFsync(Number(values.fsync));
    console.log(`Every flush of the log ${Number(values.fsync) / 1000} ms slower:\n`);
    await atSize(postgres, Math.min(...sizes));
    await postgres.delayFsync(0);
    await prices(postgres, Math.min(...sizes));
  } finally {
    await postgres.stop();
  }
}

console.log(machine());
await (values.prepared === undefined ? besideTheSkeleton() : ofPrepared(resolve(values.prepared)));
