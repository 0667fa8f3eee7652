import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { newId } from '../src/crypto/index.ts';
import { createEventWriter } from '../src/features/audit/audit-event.ts';
import { type Audit, type AuditInput, createAudit, type EventFilter } from '../src/features/audit/index.ts';
import { type BatchId, createBatchSealer, sealBatch, TOKEN } from '../src/features/audit/sealed-event.ts';
import {
  createDatabase,
  type Database,
  migrate,
  readMigrations,
  type SqlValue,
  statement,
  withMaintenanceSession,
} from '../src/platform/db/index.ts';
import { startEmbeddedPostgres } from '../src/platform/postgres/index.ts';
import { type KeyRing, openKeyVault, rootKeyFile } from '../src/store/index.ts';
import { nodeActor, readInput, userActor } from '../test/support/audit.ts';

/**
 * Lists and filters over a large log, as a page asks for them: found, their batches read and opened, told in the terms of the page and
 * written as JSON. The rows are made by PostgreSQL in the shapes that reads, searches and rarer acts leave behind, and lie 64 to a
 * batch, each batch sealed for itself; so ten million take minutes and not hours. What a batch says comes from a thousand written ones.
 * `node bench/audit-lists.ts --events 10000000 --months 24 --keep DIRECTORY`: the log stays there, and a second run only measures.
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '2000000' },
    months: { type: 'string', default: '24' },
    rounds: { type: 'string', default: '40' },
    keep: { type: 'string' },
    /** With `--keep`: writes the log and measures nothing. */
    fill: { type: 'boolean', default: false },
    plans: { type: 'boolean', default: false },
  },
});
const EVENTS = Number(values.events);
const MONTHS = Number(values.months);
const ROUNDS = Number(values.rounds);
const MONTH_MS = 30.4 * 86_400_000;
const NOW_MS = Date.now();
const BEGIN_MS = NOW_MS - MONTHS * MONTH_MS;
const [ACTORS, CLIENTS, ADDRESSES] = [2_000, 500_000, 300];
const BUSIEST = named('actor', 0);
const PER_BATCH = 64;
/** Batches whose contents are written by the recorder; the others say the same. */
const CONTENTS = 1_000;
/** Batches to a statement. */
const AT_ONCE = 64;

const home = values.keep ?? (await mkdtemp(join(tmpdir(), 'careseal-bench-lists-')));
const filled = join(home, 'filled');
const postgres = await startEmbeddedPostgres({
  directory: join(home, 'pg'),
  settings: { maxConnections: 100, durable: true },
});
try {
  const isFilled = existsSync(filled);
  const maintenance = { ...postgres.superuser, database: 'lists' };
  if (!isFilled) {
    await withMaintenanceSession(postgres.superuser, (session) =>
      session.script('CREATE DATABASE lists OWNER careseal_owner TEMPLATE template0'),
    );
    await migrate(
      { ...postgres.owner, database: 'lists' },
      await readMigrations(join(import.meta.dirname, '../migrations')),
    );
  }
  const database = createDatabase({
    connection: { ...postgres.app, database: 'lists' },
    poolSize: 4,
    statementTimeoutMs: 120_000,
  });
  const vault = await openKeyVault({ database, rootKey: rootKeyFile(join(home, 'root.key')) });
  if (!isFilled) {
    const began = performance.now();
    await fillBatches(database, vault.keyRing);
    await fill(vault.keyRing, maintenance);
    await writeFile(filled, '');
    console.log(
      `${EVENTS.toLocaleString()} events over ${MONTHS} months in ${((performance.now() - began) / 1000).toFixed(0)} s`,
    );
  }
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  const clock = { nowMs: () => Date.now() };
  const counted = counting(database);
  const audit = createAudit({
    ...{ database: counted.database, keyRing: vault.keyRing, clock, source },
    onFailure: (code, error) => console.error(code, error),
  });
  if (!values.fill) await measure(audit, counted);
  await vault.close();
  await database.close();
} finally {
  await postgres.stop();
  if (values.keep === undefined) await rm(home, { recursive: true, force: true });
}

/** Every batch sealed under its own id, as `fill` numbers them. */
async function fillBatches(database: Database, keyRing: KeyRing): Promise<void> {
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  const payloads: Uint8Array[] = [];
  // What the sealer would seal is taken as it is, to be sealed under many ids.
  const taking: KeyRing = {
    ...keyRing,
    seal(payload, place) {
      payloads.push(new Uint8Array(payload));
      return keyRing.seal(payload, place);
    },
  };
  const write = createBatchSealer(taking, createEventWriter(source));
  for (let i = 0; i < CONTENTS; i++) write(Array.from({ length: PER_BATCH }, (_, place) => said(i + place)));
  const insert = statement(
    'bench.batches',
    `INSERT INTO audit.batch (id, events, sealed) SELECT md5(n::text)::uuid, ${PER_BATCH}, sealed FROM unnest($1::int[], $2::bytea[]) AS made (n, sealed)`,
  );
  const ids = statement<{ id: BatchId }>(
    'bench.batch-ids',
    'SELECT md5(n::text)::uuid AS id FROM unnest($1::int[]) WITH ORDINALITY AS made (n, place) ORDER BY place',
  );
  const batches = Math.ceil(EVENTS / PER_BATCH);
  for (let from = 0; from < batches; from += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, batches - from) }, (_, i) => from + i);
    const sealed = (await database.rows(ids, [numbers])).map(({ id }, i): SqlValue => {
      const payload = payloads[(from + i) % CONTENTS] ?? new Uint8Array();
      return Buffer.from(sealBatch(keyRing, { id, events: PER_BATCH, payload }).sealed);
    });
    await database.run(insert, [numbers, sealed]);
  }
}

/** Mostly reads; one in seven a search, one in a hundred something rare. */
function said(i: number): AuditInput {
  const read = readInput(newId(), i % 5 === 0 ? userActor : nodeActor);
  if (i % 100 === 7) return { actor: userActor, event: 'sign-in.code', action: 'E', outcome: 'success' };
  if (i % 7 !== 0) return read;
  return {
    ...read,
    event: 'client.search',
    action: 'E',
    interaction: 'search',
    query: 'GET /fhir/Patient?family=Nantongo&birthdate=1984',
  };
}

/** Rows first, indexes afterwards: a tenth of the time. Tokens are those that the page's filters are blinded to. */
async function fill(keyRing: KeyRing, maintenance: Parameters<typeof withMaintenanceSession>[0]): Promise<void> {
  const months = Array.from({ length: MONTHS + 2 }, (_, i) => new Date(BEGIN_MS + i * MONTH_MS).toISOString());
  const tokens = (kind: keyof typeof TOKEN, count: number): string =>
    Array.from({ length: count }, (_, i) => `(${i}, ${keyRing.blind(TOKEN[kind], named(kind, i))})`).join(',');
  await withMaintenanceSession(maintenance, async (session) => {
    await session.script(`
      SET synchronous_commit = off;
      SET maintenance_work_mem = '512MB';
      SET work_mem = '256MB';
      ${months.map((month) => `SELECT audit.ensure_month('${month}');`).join('\n')}
      CREATE TEMP TABLE actor_token (i int, token bigint);
      CREATE TEMP TABLE client_token (i int, token bigint);
      CREATE TEMP TABLE address_token (i int, token bigint);
      INSERT INTO actor_token VALUES ${tokens('actor', ACTORS)};
      INSERT INTO client_token VALUES ${tokens('client', CLIENTS)};
      INSERT INTO address_token VALUES ${tokens('address', ADDRESSES)};
      ANALYZE actor_token, client_token, address_token;
      CREATE TEMP TABLE kept AS SELECT indexname AS name, replace(indexdef, ' ON ONLY ', ' ON ') AS definition FROM pg_indexes
        WHERE schemaname = 'audit' AND tablename = 'event' AND indexname <> 'event_pkey';
      DO $$ DECLARE one record; BEGIN
        FOR one IN SELECT name FROM kept LOOP EXECUTE 'DROP INDEX audit.' || one.name; END LOOP;
      END $$;
      ALTER TABLE audit.event DROP CONSTRAINT event_pkey;
      ALTER TABLE audit.event DISABLE TRIGGER USER;
      INSERT INTO audit.event (index, id, recorded, actor, client, address, outcome, event, actor_kind, commitment, batch, place)
      SELECT n, (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid,
        'epoch'::timestamptz + ms * interval '1 millisecond', actor_token.token,
        CASE WHEN dice < 0.93 THEN client_token.token END, address_token.token,
        CASE WHEN failing < 0.0002 THEN 8 WHEN failing < 0.0022 THEN 4 ELSE 0 END,
        CASE WHEN dice < 0.7 THEN 'client.read' WHEN dice < 0.9 THEN 'client.search' WHEN dice < 0.96 THEN 'client.update'
          WHEN dice < 0.999 THEN 'sign-in.code' ELSE 'client.merge' END,
        CASE WHEN dice < 0.8 THEN 'node' ELSE 'user' END, decode(hash || hash, 'hex'), md5((n / ${PER_BATCH})::text)::uuid, n % ${PER_BATCH}
      -- A few actors do most of it.
      FROM (SELECT n, random() AS dice, random() AS failing, md5(n::text) AS hash, floor(${ACTORS} * power(random(), 3))::int AS a,
        floor(${CLIENTS} * power(random(), 2))::int AS c, floor(${ADDRESSES} * power(random(), 2))::int AS w,
        (${BEGIN_MS} + (${MONTHS * MONTH_MS})::float8 * n / ${EVENTS})::bigint AS ms FROM generate_series(0, ${EVENTS - 1}) AS n) AS made
        JOIN actor_token ON actor_token.i = a JOIN client_token ON client_token.i = c JOIN address_token ON address_token.i = w;
      ALTER TABLE audit.event ADD CONSTRAINT event_pkey PRIMARY KEY (id, recorded);
      DO $$ DECLARE one record; BEGIN
        FOR one IN SELECT definition FROM kept LOOP EXECUTE one.definition; END LOOP;
      END $$;
      ALTER TABLE audit.event ENABLE TRIGGER USER;
      -- Nothing waits for its number.
      INSERT INTO audit.checkpoint (size, root, note, signed_at, through_xid, through_seq, era_seq, previous)
      SELECT ${EVENTS}, decode(repeat('00', 32), 'hex'), '', now(), max(xid), max(seq), 0, 0 FROM
        (SELECT xid, seq FROM audit.batch ORDER BY xid DESC, seq DESC LIMIT 1) AS last GROUP BY xid;`);
    await session.script('VACUUM ANALYZE audit.event');
    await session.script('VACUUM ANALYZE audit.batch');
  });
}

function named(kind: keyof typeof TOKEN, i: number): string {
  return kind === 'address' ? `10.1.${Math.floor(i / 256)}.${i % 256}` : `${kind}-${i}`;
}

function any(kind: keyof typeof TOKEN, n: number): string {
  return named(kind, Math.floor(Math.random() * n));
}

function ago(months: number): string {
  return new Date(Math.floor(NOW_MS - months * MONTH_MS)).toISOString();
}

function questions(): [string, () => EventFilter][] {
  const limit = 50;
  return [
    ['newest', () => ({ limit })],
    ['older ones, somewhere', () => ({ limit, cursor: somewhere() })],
    ['of a month', () => ({ limit, from: ago(12), to: ago(11) })],
    ['about a client', () => ({ limit, clients: [any('client', CLIENTS)] })],
    ['about a client, of a month', () => ({ limit, clients: [any('client', CLIENTS)], from: ago(12), to: ago(11) })],
    ['by an actor', () => ({ limit, actors: [any('actor', ACTORS)] })],
    ['by nobody', () => ({ limit, actors: ['nobody'] })],
    ['by an actor, failures', () => ({ limit, actors: [any('actor', 20)], outcome: 'failure' })],
    ['by a busy actor, merges', () => ({ limit, actors: [BUSIEST], events: ['client.merge'] })],
    ['by a busy actor, what never was', () => ({ limit, actors: [BUSIEST], events: ['client.erase'] })],
    ['by a busy actor, reads', () => ({ limit, actors: [BUSIEST], events: ['client.read'] })],
    [
      'by 200 of an organisation',
      () => ({ limit, actors: Array.from({ length: 200 }, (_, i) => named('actor', i * 9)) }),
    ],
    ['from an address', () => ({ limit, addresses: [any('address', ADDRESSES)] })],
    ['from a busy address, failures', () => ({ limit, addresses: [named('address', 0)], outcome: 'failure' })],
    ['of a rare name', () => ({ limit, events: ['client.merge'] })],
    ['of a family', () => ({ limit, events: ['client.*'] })],
    ['reads', () => ({ limit, events: ['client.read'] })],
    ['failures', () => ({ limit, outcome: 'failure' })],
    ['serious failures', () => ({ limit, outcome: 'serious-failure' })],
    ['successes', () => ({ limit, outcome: 'success' })],
    ['failed reads', () => ({ limit, outcome: 'minor-failure', events: ['client.read'] })],
    ['by operators (there are none)', () => ({ limit, kinds: ['operator'] })],
    ['by users', () => ({ limit, kinds: ['user'] })],
    ['merges by operators (none)', () => ({ limit, kinds: ['operator'], events: ['client.merge'] })],
    ['200 failures to a page', () => ({ limit: 200, outcome: 'failure' })],
  ];
}

/** A page's cursor at any time: an event's id, which begins with its time. */
function somewhere(): string {
  const ms = Math.floor(NOW_MS - Math.random() * MONTHS * MONTH_MS);
  return Buffer.from(ms.toString(16).padStart(12, '0') + newId().replaceAll('-', '').slice(12), 'hex').toString(
    'base64url',
  );
}

async function measure(audit: Pick<Audit, 'search'>, { reset, opened }: ReturnType<typeof counting>): Promise<void> {
  for (const [what, question] of questions()) {
    const times: number[] = [];
    reset(values.plans);
    let bytes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      bytes += JSON.stringify(await audit.search(question())).length;
      times.push(performance.now() - began);
      // What takes seconds is known after a few.
      if (times.length === 4 && times.every((ms) => ms > 1_000)) break;
    }
    times.sort((a, b) => a - b);
    const at = (share: number): string =>
      (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1);
    const each = `${Math.round(opened() / times.length)} batches, ${Math.round(bytes / times.length / 1000)} kB`;
    console.log(`  ${what.padEnd(34)} p50 ${at(0.5).padStart(8)} ms   p95 ${at(0.95).padStart(8)} ms   ${each}`);
  }
}

/** A database that counts the batches it is asked for, and says once per question how the rows are found. */
function counting(database: Database) {
  let [batches, explains] = [0, false];
  const watched: Database = {
    ...database,
    async rows(asked, parameters = []) {
      if (asked.name === 'audit.batches' && Array.isArray(parameters[0])) batches += parameters[0].length;
      if (explains && asked.name.startsWith('audit.list-')) {
        explains = false;
        const explained = statement<{ 'QUERY PLAN': string }>(
          `explain.${asked.name}`,
          `EXPLAIN (ANALYZE, BUFFERS) ${asked.text}`,
        );
        for (const line of (await database.rows(explained, parameters)).slice(0, 30))
          console.log(`      ${line['QUERY PLAN']}`);
      }
      return await database.rows(asked, parameters);
    },
  };
  return {
    database: watched,
    opened: () => batches,
    reset(explain: boolean): void {
      [batches, explains] = [0, explain];
    },
  };
}
