/**
 * The audit log by itself, on a PostgreSQL of its own with fsync on: appending (beside plain rows of the same JSON), concurrent callers who
 * each wait for their event to be durable, time until a signed head covers an event, the tree beside hashing alone, bytes per event,
 * lists and filters over many months, and `verify`. `node bench/audit.ts --events 1000000`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { newId, sha256 } from '../src/crypto/index.ts';
import { type Audit, type AuditInput, createAudit } from '../src/features/audit/index.ts';
import { startSequencerThread } from '../src/main/sequencer.ts';
import {
  type Connection,
  createDatabase,
  type Database,
  statement,
  withMaintenanceSession,
} from '../src/platform/db/index.ts';
import { type KeyRing, openKeyVault, rootKeyFile } from '../src/store/index.ts';
import { nodeActor, readInput, userActor } from '../test/support/audit.ts';
import { createCompactRange, createMerkle, encodeLeaf } from '../src/verifier/index.ts';
import { type BenchPostgres, startPostgres } from './support/processes.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '200000' },
    seconds: { type: 'string', default: '4' },
    months: { type: 'string', default: '24' },
  },
});
const EVENTS = Number(values.events);
const SECONDS = Number(values.seconds);
const MONTHS = Number(values.months);
const BATCH = 200;
const SOURCE = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };

const home = await mkdtemp(join(tmpdir(), 'careseal-bench-audit-'));
const postgres = await startPostgres();
try {
  await measureAppending(postgres);
  await measureReading(postgres);
} finally {
  await postgres.stop();
  await rm(home, { recursive: true, force: true });
}

interface Subject {
  readonly audit: Audit;
  readonly database: Database;
  readonly connection: Connection;
  readonly keyRing: KeyRing;
  input(i: number): AuditInput;
  close(): Promise<void>;
}

async function open(name: string): Promise<Subject> {
  const connection = await postgres.create(name);
  const database = createDatabase({ connection, poolSize: 10, statementTimeoutMs: 600_000 });
  const vault = await openKeyVault({ database, rootKey: rootKeyFile(join(home, `${name}.key`)) });
  const clock = { nowMs: () => Date.now() };
  const onFailure = (code: string, error: unknown) => console.error(code, error);
  const audit = createAudit({ database, keyRing: vault.keyRing, clock, source: SOURCE, onFailure });
  const clients = Array.from({ length: 20_000 }, () => newId());
  return {
    audit,
    database,
    connection,
    keyRing: vault.keyRing,
    input: (i) => readInput(clients[i % clients.length] ?? '', i % 3 === 0 ? userActor : nodeActor),
    async close() {
      await vault.close();
      await database.close();
    },
  };
}

async function measureAppending({ delayFsync }: BenchPostgres): Promise<void> {
  const subject = await open('appending');
  await inBatches('warm-up', 20_000, (n) => append(subject, n));
  const plain = await inBatches('plain rows of the same JSON', EVENTS / 4, await plainRows(subject));
  const own = await inBatches('audit events', EVENTS / 4, (n) => append(subject, n));
  console.log(`  audit ÷ plain rows: ${(own / plain).toFixed(2)}`);
  await measureSequencing(subject);
  const sequencer = startSequencerThread({
    root: { home, rootKeyFile: join(home, 'appending.key'), passphraseFile: undefined },
    connection: subject.connection,
    source: SOURCE,
    onFailure: (code, error) => console.error(code, error),
  });
  for (const writers of [1, 16, 64]) await measureWriters(subject, writers, '');
  await measureTimeToHead(subject);
  await delayFsync(5_000);
  const one = await measureWriters(subject, 1, ', 5 ms fsync');
  const many = await measureWriters(subject, 64, ', 5 ms fsync');
  console.log(`  64 writers ÷ 1 writer at 5 ms fsync: ${(many / one).toFixed(1)}`);
  await delayFsync(0);
  await sequencer.stop();
  await subject.close();
}

async function append({ audit, input }: Subject, count: number): Promise<void> {
  await audit.recordNow(Array.from({ length: count }, (_, i) => input(i)));
}

/** What a log without seals, commitments and a tree would do: the JSON as text. */
async function plainRows(subject: Subject): Promise<(count: number) => Promise<void>> {
  await withMaintenanceSession({ ...postgres.superuser, database: 'appending' }, (session) =>
    session.script(
      'CREATE SCHEMA plain; GRANT USAGE ON SCHEMA plain TO careseal_app; CREATE TABLE plain.row (id uuid PRIMARY KEY, event text NOT NULL); GRANT INSERT ON plain.row TO careseal_app',
    ),
  );
  await subject.audit.sequence();
  const { events } = await subject.audit.searchWhole({ limit: 1 });
  const json = events[0]?.json ?? '';
  const rows = Array.from({ length: BATCH }, (_, i) => `($${i * 2 + 1}::uuid, $${i * 2 + 2}::text)`);
  const insert = statement('bench.plain', `INSERT INTO plain.row VALUES ${rows.join(', ')}`);
  return async () => {
    await subject.database.run(insert, Array.from({ length: BATCH }, () => [newId(), json]).flat());
  };
}

async function inBatches(what: string, events: number, write: (count: number) => Promise<void>): Promise<number> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  for (let done = 0; done < events; done += BATCH) await write(BATCH);
  const perSecond = events / ((performance.now() - began) / 1000);
  const used = process.cpuUsage(cpu);
  report(
    `${what}, batches of ${BATCH}, one writer`,
    perSecond,
    `${((used.user + used.system) / events).toFixed(1)} µs of our CPU`,
  );
  return perSecond;
}

async function measureSequencing({ audit }: Subject): Promise<void> {
  const before = (await audit.status()).size;
  const began = performance.now();
  await audit.sequence();
  const added = (await audit.status()).size - before;
  const own = added / ((performance.now() - began) / 1000);
  report('sequenced', own);
  const merkle = createMerkle(sha256);
  const range = createCompactRange(merkle);
  const leaf = { recordedMs: Date.now(), event: 'client.read', commitment: sha256(new Uint8Array(1)) };
  const hashing = performance.now();
  for (let index = 0; index < added; index++) range.append(merkle.leafHash(encodeLeaf({ ...leaf, index })));
  const alone = added / ((performance.now() - hashing) / 1000);
  report('tree: hashing alone', alone);
  console.log(`  sequencing ÷ hashing alone: ${(own / alone).toFixed(2)}`);
}

async function measureWriters({ audit, input }: Subject, writers: number, more: string): Promise<number> {
  let written = 0;
  const cpu = process.threadCpuUsage();
  const began = performance.now();
  const until = began + SECONDS * 1000;
  const write = async () => {
    while (performance.now() < until) await audit.recordNow([input(written++)]);
  };
  await Promise.all(Array.from({ length: writers }, write));
  const perSecond = written / ((performance.now() - began) / 1000);
  const used = process.threadCpuUsage(cpu);
  const perEvent = (used.user + used.system) / written;
  report(`${writers} writers${more}, sequencer on`, perSecond, `${perEvent.toFixed(0)} µs of this thread`);
  return perSecond;
}

/** From the commit of an event to a signed head that covers it, while 16 writers keep on. */
async function measureTimeToHead({ audit, database, input }: Subject): Promise<void> {
  const total = statement<{ n: bigint }>(
    'bench.total',
    'SELECT coalesce(sum(events), 0)::bigint AS n FROM audit.batch',
  );
  const size = statement<{ n: bigint }>('bench.size-now', 'SELECT coalesce(max(size), 0) AS n FROM audit.checkpoint');
  // What earlier steps wrote faster than anybody can number it is not part of this one.
  while (((await database.rows(size))[0]?.n ?? 0n) < ((await database.rows(total))[0]?.n ?? 0n))
    await new Promise((resolve) => setTimeout(resolve, 100));
  const until = performance.now() + SECONDS * 2000;
  const writers = Array.from({ length: 16 }, async (_, w) => {
    for (let i = w; performance.now() < until; i++) await audit.recordNow([input(i)]);
  });
  const waits: number[] = [];
  const samples: Promise<void>[] = [];
  while (performance.now() < until) {
    const committed = (await database.rows(total))[0]?.n ?? 0n;
    samples.push(covered(committed, performance.now()));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  async function covered(committed: bigint, since: number): Promise<void> {
    while (((await database.rows(size))[0]?.n ?? 0n) < committed)
      await new Promise((resolve) => setTimeout(resolve, 20));
    waits.push(performance.now() - since);
  }
  await Promise.all([...writers, ...samples]);
  waits.sort((a, b) => a - b);
  const at = (share: number) => Math.round(waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? 0);
  console.log(`  time to a signed head: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
}

async function measureReading(pg: BenchPostgres): Promise<void> {
  const subject = await open('reading');
  await fillMonths(subject);
  await withMaintenanceSession({ ...pg.superuser, database: 'reading' }, (session) => session.script('VACUUM ANALYZE'));
  await reportSizes(subject);
  await measureLists(subject);
  const began = performance.now();
  let rss = 0;
  const found = await subject.audit.verify({
    onProgress: () => {
      rss = Math.max(rss, process.memoryUsage.rss());
    },
  });
  const seconds = (performance.now() - began) / 1000;
  report(
    `verify of ${found.size}, ok ${found.ok}`,
    found.size / seconds,
    `${seconds.toFixed(1)} s, ${(rss / 1e6).toFixed(0)} MB`,
  );
  await subject.close();
}

/** Time moves on by itself, so that the log looks as if it had grown for years. */
async function fillMonths(subject: Subject): Promise<void> {
  const realNow = Date.now;
  const monthMs = 30.4 * 24 * 3_600_000;
  const beginMs = realNow() - MONTHS * monthMs;
  const rounds = Math.ceil(EVENTS / BATCH);
  const began = performance.now();
  try {
    for (let round = 0; round < rounds; round++) {
      const nowMs = Math.floor(beginMs + (MONTHS * monthMs * round) / rounds);
      Date.now = () => nowMs;
      await subject.audit.recordNow(Array.from({ length: BATCH }, (_, i) => mixed(subject, round * BATCH + i)));
      if (round % 50 === 49) await subject.audit.sequence();
    }
    await subject.audit.sequence();
  } finally {
    Date.now = realNow;
  }
  report(`${EVENTS} events over ${MONTHS} months, numbered`, EVENTS / ((performance.now() - began) / 1000));
}

/** One in a hundred is something rare, one in five hundred fails. */
function mixed({ input }: Subject, i: number): AuditInput {
  const read = input(i);
  if (i % 500 === 3) return { ...read, outcome: 'minor-failure', reason: 'not-found' };
  if (i % 100 !== 7) return read;
  return { actor: userActor, event: 'sign-in.code', action: 'E', outcome: 'success' };
}

async function measureLists(subject: Subject): Promise<void> {
  const { audit } = subject;
  const ago = (months: number) => new Date(Date.now() - months * 30.4 * 24 * 3_600_000).toISOString();
  const client = (i: number) => subject.input(i).patients?.[0] ?? '';
  const questions: [string, (i: number) => Parameters<Audit['search']>[0]][] = [
    ['newest', () => ({ limit: 50 })],
    ['of a month, a year ago', () => ({ from: ago(12), to: ago(11), limit: 50 })],
    ['about a client', (i) => ({ clients: [client(i * 37)], limit: 50 })],
    ['by an actor', () => ({ actors: ['0198f3a0-0000-7000-8000-000000000002'], limit: 50 })],
    ['by nobody', () => ({ actors: [newId()], limit: 50 })],
    ['from an address', () => ({ addresses: ['10.1.2.3'], limit: 50 })],
    ['of a rare name', () => ({ events: ['sign-in.*'], limit: 50 })],
    ['failures', () => ({ outcome: 'failure', limit: 50 })],
    [
      'failures about a client, a year',
      (i) => ({ clients: [client(i)], outcome: 'failure', from: ago(12), limit: 50 }),
    ],
    [
      'searches by an actor (there are none)',
      () => ({ actors: ['0198f3a0-0000-7000-8000-000000000002'], events: ['client.merge'], limit: 50 }),
    ],
  ];
  for (const [what, question] of questions) {
    const times: number[] = [];
    for (let i = 0; i < 40; i++) {
      const began = performance.now();
      await audit.search(question(i));
      times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    console.log(`  list ${what.padEnd(40)} p50 ${times[20]?.toFixed(1)} ms, p95 ${times[37]?.toFixed(1)} ms`);
  }
}

async function reportSizes({ database }: Subject): Promise<void> {
  const size = statement<{ relation: string; bytes: bigint }>(
    'bench.size',
    `SELECT regexp_replace(relname, '_\\d{4}_\\d\\d', '')::text AS relation, sum(pg_relation_size(oid))::bigint AS bytes FROM pg_class
     WHERE (relnamespace = 'audit'::regnamespace OR relname LIKE 'pg_toast_' || 'audit.batch'::regclass::oid || '%')
       AND relkind IN ('r', 'i', 't') GROUP BY 1 ORDER BY 2 DESC LIMIT 12`,
  );
  for (const { relation, bytes } of await database.rows(size))
    console.log(`  ${relation.padEnd(32)} ${(Number(bytes) / EVENTS).toFixed(0)} bytes per event`);
}

function report(what: string, perSecond: number, more = ''): void {
  console.log(`${what.padEnd(56)} ${Math.round(perSecond).toLocaleString('en').padStart(9)} /s  ${more}`);
}
