import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer as createTlsServer } from 'node:tls';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { createForwarder } from '../src/features/atna/forwarder.ts';
import { createTargetBinder } from '../src/features/atna/target-binding.ts';
import { createTargets } from '../src/features/atna/targets.ts';
import { type Audit, createAudit } from '../src/features/audit/index.ts';
import {
  createDatabase,
  type Database,
  migrate,
  readMigrations,
  withMaintenanceSession,
} from '../src/platform/db/index.ts';
import { startEmbeddedPostgres } from '../src/platform/postgres/index.ts';
import { nodeActor, readInput, testKeyRing, userActor } from '../test/support/audit.ts';
import { type TestLeaf, testAuthority, testLeaf } from '../test/support/tls.ts';

/** The same in every run, so that a log that was kept can be read again. */
const keys = testKeyRing([Buffer.alloc(32, 1).toString('base64'), Buffer.alloc(32, 2).toString('base64')]);
const binder = createTargetBinder(keys);

/**
 * Replay of a spool: how many events per second one target takes after an outage, from the log in PostgreSQL (unsealed, printed as
 * DICOM XML, framed) over TLS or TCP, and how long 24 hours of 500 events a second would take at that rate. Beside it: as many bytes
 * from memory to the same receiver. `node bench/atna.ts --events 200000 --protocol tls`. With `--keep DIRECTORY` the log stays there, and a
 * second run only replays.
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    protocol: { type: 'string', default: 'tls' },
    keep: { type: 'string' },
    /** With `--keep`: writes the log and measures nothing. */
    fill: { type: 'boolean', default: false },
  },
});
const EVENTS = Number(values.events);
const PROTOCOL = values.protocol === 'tcp' ? 'tcp' : 'tls';
const SPOOL = 24 * 3_600 * 500;
/** As the forwarder writes. */
const WRITE_BYTES = 2_500_000;

/** Counts bytes in a thread of its own, as a repository would on a machine of its own. */
function receive(): void {
  const material = workerData as TestLeaf | undefined;
  const take = (socket: Socket): void => {
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.on('end', () => {
      parentPort?.postMessage({ bytes }, []);
      socket.end();
    });
  };
  const server =
    material === undefined
      ? createServer({ allowHalfOpen: true }, take)
      : createTlsServer({ cert: material.certificate, key: material.key, allowHalfOpen: true }, take);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    parentPort?.postMessage({ port: typeof address === 'object' && address !== null ? address.port : 0 }, []);
  });
}

async function main(): Promise<void> {
  const directory = values.keep ?? (await mkdtemp(join(tmpdir(), 'careseal-bench-atna-')));
  const isFilled = existsSync(join(directory, 'filled'));
  const postgres = await startEmbeddedPostgres({
    directory: join(directory, 'pg'),
    settings: { maxConnections: 50, durable: true, cacheMegabytes: 256 },
  });
  const authority = await testAuthority();
  const material = PROTOCOL === 'tls' ? await testLeaf(authority, { usage: 'server' }) : undefined;
  const worker = new Worker(new URL(import.meta.url), { workerData: material, argv: process.argv.slice(2) });
  const port = new Promise<number>((resolve) => {
    worker.once('message', (message: { port: number }) => resolve(message.port));
  });
  try {
    if (!isFilled) {
      await withMaintenanceSession(postgres.superuser, (session) =>
        session.script('CREATE DATABASE bench OWNER careseal_owner'),
      );
      const migrations = await readMigrations(join(import.meta.dirname, '../migrations'));
      await migrate({ ...postgres.owner, database: 'bench' }, migrations);
    }
    const database = createDatabase({
      connection: { ...postgres.app, database: 'bench' },
      poolSize: 8,
      statementTimeoutMs: 120_000,
    });
    const audit = auditOf(database);
    if (!isFilled) {
      await fill(audit);
      await writeFile(join(directory, 'filled'), '');
    }
    const receiver = { port: await port, authorities: authority.ca };
    if (!values.fill) await measure({ database, audit }, worker, receiver);
    await audit.stop();
    await database.close();
  } finally {
    await worker.terminate();
    await postgres.stop();
    if (values.keep === undefined) await rm(directory, { recursive: true, force: true });
  }
}

interface Receiver {
  readonly port: number;
  readonly authorities: string;
}

const clock = { nowMs: () => Date.now() };
const source = { site: 'bench.example.org', baseUrl: 'https://bench.example.org:8443' };

const auditOf = (database: Database): Audit =>
  createAudit({ database, keyRing: keys, clock, source, onFailure: (code, error) => console.error(code, error) });

interface Subject {
  readonly database: Database;
  readonly audit: Audit;
}

async function measure({ database, audit }: Subject, worker: Worker, receiver: Receiver): Promise<void> {
  const { port, authorities } = receiver;
  let received = 0;
  worker.on('message', ({ bytes = 0 }: { bytes?: number }) => {
    received += bytes;
  });
  const targets = createTargets({ database, clock, audit, binder });
  const filter = { events: ['client.*'], outcome: 'all' as const };
  const { target } = await targets.add(userActor, {
    ...{
      name: `bench ${Date.now()}`,
      protocol: PROTOCOL,
      host: '127.0.0.1',
      port,
      path: '',
      from: 'beginning',
      filter,
    },
    authorities: PROTOCOL === 'tls' ? authorities : '',
  });
  const carrier = { site: source.site, identity: () => Promise.resolve(undefined) };
  const pace = { pollMs: 20, lingerMs: 20 };
  const forwarder = createForwarder({ database, clock, audit, carrier, binder, onChange: () => undefined, pace });
  let rss = process.memoryUsage.rss();
  const cpu = process.threadCpuUsage();
  const started = performance.now();
  forwarder.start();
  /** Seconds at which each tenth had arrived: a spool of days is sent as fast at its end as at its beginning, or not. */
  const tenths: number[] = [];
  for (;;) {
    const now = (await targets.list(userActor)).targets.find(({ id }) => id === target.id);
    const delivered = now?.delivered ?? 0;
    while (delivered >= (EVENTS / 10) * (tenths.length + 1)) tenths.push((performance.now() - started) / 1000);
    if (delivered >= EVENTS) break;
    rss = Math.max(rss, process.memoryUsage.rss());
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const seconds = (performance.now() - started) / 1000;
  const used = process.threadCpuUsage(cpu);
  await forwarder.stop();
  await targets.remove(userActor, target.id);
  report({ seconds, tenths, rss, received, threadMicroseconds: used.user + used.system });
  await measureRaw(port, authorities, received);
}

interface Replayed {
  readonly seconds: number;
  /** Seconds at which each tenth had arrived. */
  readonly tenths: readonly number[];
  /** Bytes. */
  readonly rss: number;
  /** Bytes on the wire. */
  readonly received: number;
  readonly threadMicroseconds: number;
}

function report({ seconds, tenths, rss, received, threadMicroseconds }: Replayed): void {
  const rate = EVENTS / seconds;
  console.log(
    `replay            ${Math.round(rate).toLocaleString()} events/s (${EVENTS.toLocaleString()} in ${seconds.toFixed(1)} s)`,
  );
  const rates = tenths.map((at, i) => Math.round(EVENTS / 10 / (at - (tenths[i - 1] ?? 0))));
  console.log(`by tenths         ${rates.map((one) => one.toLocaleString()).join(' · ')} events/s`);
  console.log(`processor time    ${(threadMicroseconds / EVENTS).toFixed(1)} µs of the sending thread per event`);
  console.log(`memory            at most ${(rss / 1e6).toFixed(0)} MB of this process, the receiver in it`);
  console.log(`bytes per event   ${Math.round(received / EVENTS)} on the wire`);
  console.log(`24 h of 500/s     ${(SPOOL / rate / 60).toFixed(0)} minutes at this rate (goal: 10)`);
}

/** An outage's worth of events. */
async function fill(audit: Audit): Promise<void> {
  for (let at = 0; at < EVENTS; at += 500) {
    await audit.recordNow(
      Array.from({ length: Math.min(500, EVENTS - at) }, (_, i) =>
        readInput(`0198f3a0-0000-7000-8000-${String(at + i).padStart(12, '0')}`, i % 2 === 0 ? nodeActor : userActor),
      ),
    );
    if (at % 20_000 === 0) await audit.sequence();
  }
  await audit.sequence();
}

/** The same receiver and as many bytes, from memory: what the way there takes by itself. */
async function measureRaw(port: number, authorities: string, bytes: number): Promise<void> {
  const block = Buffer.alloc(WRITE_BYTES, 'x');
  const cpu = process.threadCpuUsage();
  const started = performance.now();
  const socket: Socket =
    PROTOCOL === 'tls'
      ? connect({ host: '127.0.0.1', port, ca: authorities })
      : connectTcp({ host: '127.0.0.1', port });
  await new Promise<void>((resolve, reject) => {
    socket.once(PROTOCOL === 'tls' ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  });
  for (let sent = 0; sent < bytes; sent += WRITE_BYTES) {
    if (!socket.write(block)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.end();
  socket.resume();
  await closed;
  const used = process.threadCpuUsage(cpu);
  const rate = EVENTS / ((performance.now() - started) / 1000);
  console.log(
    `bytes alone       ${Math.round(rate).toLocaleString()} events/s, ${((used.user + used.system) / EVENTS).toFixed(1)} µs of the sending thread`,
  );
}

if (isMainThread) await main();
else receive();
