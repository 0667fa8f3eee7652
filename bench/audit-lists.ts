import { parseArgs } from 'node:util';
import { newId } from '../src/crypto/index.ts';
import type { AuditEventId } from '../src/kernel/ids.ts';
import { type EventQuery, listEvents } from '../src/features/audit/event-query.ts';
import { createDatabase, type Database, statement, withMaintenanceSession } from '../src/platform/db/index.ts';
import { startPostgres } from './support/processes.ts';

/**
 * Lists and filters over a large log. Its rows are made by PostgreSQL in the shapes that reads, searches and rarer acts leave behind (no
 * contents: a list opens at most as many batches as it shows events), so that ten million of them take minutes and not hours.
 * `node bench/audit-lists.ts --events 10000000 --months 24`
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '2000000' },
    months: { type: 'string', default: '24' },
    plans: { type: 'boolean', default: false },
  },
});
const EVENTS = Number(values.events);
const MONTHS = Number(values.months);
const ROUNDS = 40;
const MONTH_MS = 30.4 * 86_400_000;
const NOW_MS = Date.now();
const BEGIN_MS = NOW_MS - MONTHS * MONTH_MS;
const [ACTORS, CLIENTS, ADDRESSES] = [2_000, 500_000, 300];

const postgres = await startPostgres();
try {
  const connection = await postgres.create('lists');
  const began = performance.now();
  await fill();
  console.log(
    `${EVENTS.toLocaleString()} events over ${MONTHS} months in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
  const database = createDatabase({ connection, poolSize: 2, statementTimeoutMs: 120_000 });
  await measure(database);
  await database.close();
} finally {
  await postgres.stop();
}

/** Rows first, indexes afterwards: a tenth of the time. */
async function fill(): Promise<void> {
  const months = Array.from({ length: MONTHS + 2 }, (_, i) => new Date(BEGIN_MS + i * MONTH_MS).toISOString());
  await withMaintenanceSession({ ...postgres.superuser, database: 'lists' }, async (session) => {
    await session.script(`
      SET synchronous_commit = off;
      SET maintenance_work_mem = '512MB';
      ${months.map((month) => `SELECT audit.ensure_month('${month}');`).join('\n')}
      CREATE TEMP TABLE kept AS SELECT indexname AS name, replace(indexdef, ' ON ONLY ', ' ON ') AS definition FROM pg_indexes
        WHERE schemaname = 'audit' AND tablename = 'event' AND indexname <> 'event_pkey';
      DO $$ DECLARE one record; BEGIN
        FOR one IN SELECT name FROM kept LOOP EXECUTE 'DROP INDEX audit.' || one.name; END LOOP;
      END $$;
      ALTER TABLE audit.event DROP CONSTRAINT event_pkey;
      ALTER TABLE audit.event DISABLE TRIGGER USER;
      INSERT INTO audit.event (index, id, recorded, actor, client, address, outcome, event, actor_kind, commitment, batch, place)
      SELECT n, (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid,
        'epoch'::timestamptz + ms * interval '1 millisecond',
        -- A few actors do most of it.
        floor(${ACTORS} * power(random(), 3))::bigint,
        CASE WHEN dice < 0.93 THEN floor(${CLIENTS} * power(random(), 2))::bigint END,
        floor(${ADDRESSES} * power(random(), 2))::bigint,
        CASE WHEN random() < 0.002 THEN 4 WHEN random() < 0.0002 THEN 8 ELSE 0 END,
        CASE WHEN dice < 0.7 THEN 'client.read' WHEN dice < 0.9 THEN 'client.search' WHEN dice < 0.96 THEN 'client.update'
          WHEN dice < 0.999 THEN 'sign-in.code' ELSE 'client.merge' END,
        CASE WHEN dice < 0.8 THEN 'node' ELSE 'user' END, decode(hash || hash, 'hex'), md5((n / 64)::text)::uuid, n % 64
      FROM (SELECT n, random() AS dice, md5(n::text) AS hash,
        (${BEGIN_MS} + (${MONTHS * MONTH_MS})::float8 * n / ${EVENTS})::bigint AS ms FROM generate_series(0, ${EVENTS - 1}) AS n) AS made;
      ALTER TABLE audit.event ADD CONSTRAINT event_pkey PRIMARY KEY (id, recorded);
      DO $$ DECLARE one record; BEGIN
        FOR one IN SELECT definition FROM kept LOOP EXECUTE one.definition; END LOOP;
      END $$;
      ALTER TABLE audit.event ENABLE TRIGGER USER;`);
    await session.script('VACUUM ANALYZE audit.event');
  });
}

function any(n: number): bigint {
  return BigInt(Math.floor(Math.random() * n));
}

function ago(months: number): number {
  return Math.floor(NOW_MS - months * MONTH_MS);
}

function questions(): [string, () => EventQuery][] {
  const limit = 51;
  const somewhere = () => ({ recordedMs: ago(Math.random() * MONTHS), id: newId<AuditEventId>() });
  return [
    ['newest', () => ({ limit })],
    ['older ones, somewhere', () => ({ limit, after: somewhere() })],
    ['of a month', () => ({ limit, fromMs: ago(12), beforeMs: ago(11) })],
    ['about a client', () => ({ limit, clients: [any(CLIENTS)] })],
    ['about a client, of a month', () => ({ limit, clients: [any(CLIENTS)], fromMs: ago(12), beforeMs: ago(11) })],
    ['by an actor', () => ({ limit, actors: [any(ACTORS)] })],
    ['by nobody', () => ({ limit, actors: [-1n] })],
    ['by an actor, failures', () => ({ limit, actors: [any(20)], outcomes: [4, 8] })],
    ['by a busy actor, merges', () => ({ limit, actors: [0n], events: ['client.merge'] })],
    ['by a busy actor, what never was', () => ({ limit, actors: [0n], events: ['client.erase'] })],
    ['by a busy actor, reads', () => ({ limit, actors: [0n], events: ['client.read'] })],
    ['from an address', () => ({ limit, addresses: [any(ADDRESSES)] })],
    ['from a busy address, failures', () => ({ limit, addresses: [0n], outcomes: [4, 8] })],
    ['of a rare name', () => ({ limit, events: ['client.merge'] })],
    ['of a family', () => ({ limit, events: ['client.merge', 'client.update', 'client.read', 'client.search'] })],
    ['reads', () => ({ limit, events: ['client.read'] })],
    ['failures', () => ({ limit, outcomes: [4, 8] })],
    ['serious failures', () => ({ limit, outcomes: [8] })],
    ['successes', () => ({ limit, outcomes: [0] })],
    ['failed reads', () => ({ limit, outcomes: [4], events: ['client.read'] })],
    ['by operators (there are none)', () => ({ limit, kinds: ['operator'] })],
    ['by users', () => ({ limit, kinds: ['user'] })],
    ['merges by operators (none)', () => ({ limit, kinds: ['operator'], events: ['client.merge'] })],
  ];
}

async function measure(database: Database): Promise<void> {
  for (const [what, question] of questions()) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      await listEvents(database, question());
      times.push(performance.now() - began);
      // What takes seconds is known after a few.
      if (times.length === 4 && times.every((ms) => ms > 1_000)) break;
    }
    times.sort((a, b) => a - b);
    const at = (share: number): string =>
      (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1);
    console.log(`  ${what.padEnd(34)} p50 ${at(0.5).padStart(8)} ms   p95 ${at(0.95).padStart(8)} ms`);
    if (values.plans) await explain(database, question());
  }
}

async function explain(database: Database, query: EventQuery): Promise<void> {
  await listEvents(
    {
      async rows(asked, parameters = []) {
        const plan = await database.rows<{ 'QUERY PLAN': string }>(
          statement(`explain.${asked.name}`, `EXPLAIN (ANALYZE, BUFFERS) ${asked.text}`),
          parameters,
        );
        for (const line of plan.slice(0, 30)) console.log(`      ${line['QUERY PLAN']}`);
        return [];
      },
      run: () => Promise.reject(new Error('only reads')),
    },
    query,
  );
}
