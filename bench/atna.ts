import { createServer } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { createForwarder } from '../src/features/atna/forwarder.ts';
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

/**
 * Replay of a spool: how many events per second one target takes after an outage, over TCP from the log in PostgreSQL (unsealed, printed
 * as DICOM XML, framed), and how long 24 hours of 500 events a second would take at that rate. Compared with sending ready
 * messages of the same size. `node bench/atna.ts --events 100000`
 */
const { values } = parseArgs({ options: { events: { type: 'string', default: '100000' } } });
const EVENTS = Number(values.events);
const SPOOL = 24 * 3_600 * 500;

if (isMainThread) await main();
else receive();

/** Counts frames in a thread of its own, as a repository would on a machine of its own. */
function receive(): void {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.on('end', () => {
      parentPort?.postMessage({ bytes }, []);
      socket.end();
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    parentPort?.postMessage({ port: typeof address === 'object' && address !== null ? address.port : 0 }, []);
  });
}

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'careseal-bench-atna-'));
  const postgres = await startEmbeddedPostgres({
    directory: join(directory, 'pg'),
    settings: { maxConnections: 50, durable: true, cacheMegabytes: 256 },
  });
  const worker = new Worker(new URL(import.meta.url));
  try {
    await withMaintenanceSession(postgres.superuser, (session) =>
      session.script('CREATE DATABASE bench OWNER careseal_owner'),
    );
    const migrations = await readMigrations(join(import.meta.dirname, '../migrations'));
    await migrate({ ...postgres.owner, database: 'bench' }, migrations);
    const database = createDatabase({
      connection: { ...postgres.app, database: 'bench' },
      poolSize: 8,
      statementTimeoutMs: 120_000,
    });
    await measure(database, worker);
    await database.close();
  } finally {
    await worker.terminate();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(database: Database, worker: Worker): Promise<void> {
  const port = await new Promise<number>((resolve) => {
    worker.once('message', (message: { port: number }) => resolve(message.port));
  });
  let received = 0;
  worker.on('message', ({ bytes = 0 }: { bytes?: number }) => {
    received += bytes;
  });
  const clock = { nowMs: () => Date.now() };
  const source = { site: 'bench.example.org', baseUrl: 'https://bench.example.org:8443' };
  const audit = createAudit({ database, keyRing: testKeyRing(), clock, source, onFailure: () => undefined });
  await fill(audit);
  const targets = createTargets({ database, clock, audit });
  const filter = { events: ['client.*'], outcome: 'all' as const };
  await targets.add(userActor, {
    ...{ name: 'bench', protocol: 'tcp', host: '127.0.0.1', port, path: '', authorities: '', from: 'beginning' },
    ...{ protocol: 'tcp', from: 'beginning', filter },
  } as const);
  const carrier = { site: source.site, identity: () => Promise.resolve(undefined) };
  const pace = { pollMs: 20, lingerMs: 20 };
  const forwarder = createForwarder({ database, clock, audit, carrier, onChange: () => undefined, pace });
  const started = performance.now();
  forwarder.start();
  for (;;) {
    const [target] = (await targets.list(userActor)).targets;
    if (target !== undefined && target.delivered >= EVENTS) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const seconds = (performance.now() - started) / 1000;
  await forwarder.stop();
  const rate = EVENTS / seconds;
  console.log(
    `replay            ${Math.round(rate).toLocaleString()} events/s (${EVENTS.toLocaleString()} in ${seconds.toFixed(1)} s)`,
  );
  console.log(`bytes per event   ${Math.round(received / EVENTS)} on the wire`);
  console.log(`24 h of 500/s     ${(SPOOL / rate / 60).toFixed(0)} minutes at this rate (goal: 10)`);
  await audit.stop();
}

/** An outage's worth of events. */
async function fill(audit: Audit): Promise<void> {
  for (let at = 0; at < EVENTS; at += 500) {
    await audit.recordNow(
      Array.from({ length: Math.min(500, EVENTS - at) }, (_, i) =>
        readInput(`0198f3a0-0000-7000-8000-${String(at + i).padStart(12, '0')}`, i % 2 === 0 ? nodeActor : userActor),
      ),
    );
  }
  await audit.sequence();
}
