import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { newId } from '../src/crypto/index.ts';
import { createAudit } from '../src/features/audit/index.ts';
import { startVerifyThreads } from '../src/main/verify-threads.ts';
import { createDatabase, migrate, readMigrations, withMaintenanceSession } from '../src/platform/db/index.ts';
import { openKeyVault, rootKeyFile } from '../src/store/index.ts';
import { nodeActor, readInput, userActor } from '../test/support/audit.ts';
import { startEmbeddedPostgres } from '../src/platform/postgres/index.ts';

/**
 * `careseal audit verify` by itself: the log written and numbered, then recomputed by one thread and by several. What counts on a shared
 * machine is processor time, ours and PostgreSQL's: `node bench/audit-verify.ts --events 100000`. With `--keep DIRECTORY` the log stays
 * there, and a second run of the same measures without writing it again.
 */
const { values } = parseArgs({ options: { events: { type: 'string', default: '100000' }, keep: { type: 'string' } } });
const EVENTS = Number(values.events);
const BATCH = 256;
const MILLION = 1_000_000;
/** Of /proc/…/stat. */
const TICKS_PER_SECOND = 100;

const home = values.keep ?? (await mkdtemp(join(tmpdir(), 'careseal-bench-verify-')));
const isWritten = existsSync(join(home, 'root.key'));
const postgres = await startEmbeddedPostgres({
  directory: join(home, 'pg'),
  settings: { maxConnections: 100, durable: true },
});
try {
  const connection = { ...postgres.app, database: 'verify' };
  if (!isWritten) {
    await withMaintenanceSession(postgres.superuser, (session) =>
      session.script('CREATE DATABASE verify OWNER careseal_owner TEMPLATE template0'),
    );
    await migrate(
      { ...postgres.owner, database: 'verify' },
      await readMigrations(join(import.meta.dirname, '../migrations')),
    );
  }
  const database = createDatabase({ connection, poolSize: 8, statementTimeoutMs: 600_000 });
  const root = { home, rootKeyFile: join(home, 'root.key'), passphraseFile: undefined };
  const vault = await openKeyVault({ database, rootKey: rootKeyFile(root.rootKeyFile) });
  const deps = {
    ...{ database, keyRing: vault.keyRing, clock: { nowMs: () => Date.now() } },
    source: { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' },
    onFailure: (code: string, error: unknown) => console.error(code, error),
  };
  const audit = createAudit(deps);
  for (let at = isWritten ? EVENTS : 0; at < EVENTS; at += BATCH) {
    await audit.recordNow(
      Array.from({ length: BATCH }, (_, i) => readInput(newId(), i % 3 === 0 ? userActor : nodeActor)),
    );
    if (at % (BATCH * 40) === 0) await audit.sequence();
  }
  await audit.sequence();
  const threaded = createAudit({ ...deps, verifyThreads: () => startVerifyThreads({ root, connection }) });
  await measure('threads', () => threaded.verify());
  // A million by one thread is half a minute of its own.
  if (values.keep === undefined) await measure('one thread', () => audit.verify());
  await vault.close();
  await database.close();
} finally {
  await postgres.stop();
  if (values.keep === undefined) await rm(home, { recursive: true, force: true });
}

async function measure(what: string, verify: () => Promise<{ size: number; ok: boolean }>): Promise<void> {
  let rss = 0;
  const watch = setInterval(() => {
    rss = Math.max(rss, process.memoryUsage.rss());
  }, 50);
  const [own, theirs, began] = [process.cpuUsage(), await postgresSeconds(), performance.now()];
  const { size, ok } = await verify();
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(own);
  const [ours, postgresUsed] = [(used.user + used.system) / 1e6, (await postgresSeconds()) - theirs];
  clearInterval(watch);
  const perMillion = (n: number) => ((n * MILLION) / size).toFixed(1);
  console.log(
    `${what.padEnd(12)} ${size} events, ok ${ok}: ${seconds.toFixed(1)} s; for a million ${perMillion(seconds)} s by the clock, ` +
      `${perMillion(ours)} s of our processor time, ${perMillion(postgresUsed)} s of PostgreSQL's; at most ${(rss / 1e6).toFixed(0)} MB`,
  );
}

/** Processor time of all connections there are just now and of those that ended, in seconds. */
async function postgresSeconds(): Promise<number> {
  const database = createDatabase({
    connection: { ...postgres.superuser, database: 'postgres' },
    poolSize: 1,
    statementTimeoutMs: 10_000,
  });
  try {
    const { statement } = await import('../src/platform/db/index.ts');
    const postmaster = statement<{ pid: number }>(
      'bench.postmaster',
      `SELECT (regexp_match(pg_read_file('postmaster.pid'), '^\\d+'))[1]::int AS pid`,
    );
    const pid = (await database.rows(postmaster))[0]?.pid ?? 0;
    const of = async (id: number) => (await readFile(`/proc/${id}/stat`, 'latin1')).split(') ')[1]?.split(' ') ?? [];
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1')).trim().split(' ').map(Number);
    let ticks = 0;
    for (const id of [...children]) {
      const fields = await of(id).catch(() => []);
      ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    }
    const ended = await of(pid);
    return (ticks + Number(ended[11]) + Number(ended[12]) + Number(ended[13]) + Number(ended[14])) / TICKS_PER_SECOND;
  } finally {
    await database.close();
  }
}
