import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Audit, type AuditInput, createAudit } from '../src/features/audit/index.ts';
import {
  createDatabase,
  type Database,
  migrate,
  readMigrations,
  statement,
  withMaintenanceSession,
} from '../src/platform/db/index.ts';
import { startEmbeddedPostgres } from '../src/platform/postgres/index.ts';
import { nodeActor, readInput, testKeyRing, userActor } from '../test/support/audit.ts';
import { newId } from '../src/crypto/index.ts';

/**
 * The audit log by itself, on a PostgreSQL of its own with fsync on: events per second of 1, 16 and 64 concurrent readers (each
 * waits for its event to be durable), of batches, of the sequencer; bytes per event; time of `verify` and of the list's filters.
 * `node bench/audit.ts --events 200000`
 */
const { values } = parseArgs({
  options: { events: { type: 'string', default: '100000' }, seconds: { type: 'string', default: '4' } },
});
const EVENTS = Number(values.events);
const SECONDS = Number(values.seconds);

const directory = await mkdtemp(join(tmpdir(), 'careseal-bench-audit-'));
const postgres = await startEmbeddedPostgres({
  directory: join(directory, 'pg'),
  settings: { maxConnections: 50, durable: true, cacheMegabytes: 256 },
});
try {
  await withMaintenanceSession(postgres.superuser, (session) =>
    session.script('CREATE DATABASE bench OWNER careseal_owner'),
  );
  await migrate(
    { ...postgres.owner, database: 'bench' },
    await readMigrations(join(import.meta.dirname, '../migrations')),
  );
  await measure();
} finally {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}

interface Subject {
  readonly audit: Audit;
  readonly input: (i: number) => AuditInput;
  /** Events written so far. */
  written: number;
}

async function measure(): Promise<void> {
  const database = createDatabase({
    connection: { ...postgres.app, database: 'bench' },
    poolSize: 10,
    statementTimeoutMs: 120_000,
  });
  const audit = createAudit({
    database,
    keyRing: testKeyRing(),
    clock: { nowMs: Date.now },
    source: { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' },
    onFailure: (code, error) => console.error(code, error),
  });
  const clients = Array.from({ length: 20_000 }, () => newId());
  const input = (i: number): AuditInput =>
    readInput(clients[i % clients.length] ?? '', i % 3 === 0 ? userActor : nodeActor);
  const subject: Subject = { audit, input, written: 0 };
  for (const sequencing of [false, true]) {
    if (sequencing) audit.startSequencer();
    for (const writers of [1, 16, 64]) await measureWriters(subject, writers, sequencing);
  }
  await audit.stop();
  await measureBatches(subject);
  await reportSizes(database, subject.written);
  const began = performance.now();
  const found = await audit.verify();
  const seconds = (performance.now() - began) / 1000;
  const memory = `${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`;
  report(`verify of ${found.size}, ok ${found.ok}`, found.size / seconds, memory);
  await database.close();
}

async function measureWriters(subject: Subject, writers: number, sequencing: boolean): Promise<void> {
  const before = subject.written;
  const cpu = process.cpuUsage();
  const began = performance.now();
  const until = began + SECONDS * 1000;
  const write = async () => {
    while (performance.now() < until) await subject.audit.recordNow([subject.input(subject.written++)]);
  };
  await Promise.all(Array.from({ length: writers }, write));
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  const perEvent = (used.user + used.system) / (subject.written - before);
  const name = `${writers} readers${sequencing ? ', sequencer on' : ''}`;
  report(name, (subject.written - before) / seconds, `${perEvent.toFixed(0)} µs of our CPU`);
}

async function measureBatches(subject: Subject): Promise<void> {
  const rest = Math.max(0, EVENTS - subject.written);
  let began = performance.now();
  for (let done = 0; done < rest; done += 128) {
    const size = Math.min(128, rest - done);
    await subject.audit.recordNow(Array.from({ length: size }, () => subject.input(subject.written++)));
  }
  report('in batches of 128, one writer', rest / ((performance.now() - began) / 1000));
  began = performance.now();
  await subject.audit.sequence();
  report('sequenced', rest / ((performance.now() - began) / 1000));
}

async function reportSizes(database: Database, events: number): Promise<void> {
  const size = statement<{ relation: string; bytes: bigint }>(
    'bench.size',
    `SELECT relname::text AS relation, pg_relation_size(oid)::bigint AS bytes FROM pg_class
     WHERE relnamespace = 'audit'::regnamespace AND relkind IN ('r', 'i') ORDER BY 2 DESC LIMIT 10`,
  );
  const sizes = await database.rows(size);
  for (const { relation, bytes } of sizes)
    console.log(`  ${relation.padEnd(20)} ${(Number(bytes) / events).toFixed(0)} bytes per event`);
}

function report(what: string, perSecond: number, more = ''): void {
  console.log(`${what.padEnd(40)} ${Math.round(perSecond).toLocaleString('en').padStart(9)} /s  ${more}`);
}
