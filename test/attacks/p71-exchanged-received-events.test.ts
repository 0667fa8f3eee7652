import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FhirAuditEvent } from '../../src/features/atna/fhir-audit-event.ts';
import { listReceived, oneReceived } from '../../src/features/atna/received-list.ts';
import { createRepository, type Incoming } from '../../src/features/atna/receiver.ts';
import { retrieve, retrieveOne } from '../../src/features/atna/retrieve.ts';
import { verifyReceived } from '../../src/features/atna/verify-received.ts';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import type { Actor } from '../../src/kernel/principal.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { nodeActor, testKeyRing } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

/**
 * P71: who may write anything into the database, as its owner, cannot change what other systems sent, nor who sent it, nor add or take away
 * any of it, without `careseal audit verify` telling; and one row he changed keeps nobody from reading the others.
 */
let db: TestDatabase;
let audit: Audit;
const keyRing = testKeyRing();
const clock = { nowMs: () => Date.parse('2026-02-01T12:00:00Z') };

/** The triggers are no wall against him. */
const asOwner = (sql: string) =>
  withMaintenanceSession(db.superuserConnection, (session) =>
    session.script(`SET session_replication_role = replica; ${sql}`),
  );

beforeAll(async () => {
  db = await testDatabase();
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ database: db.database, keyRing, clock, source, onFailure: () => undefined });
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

const repository = () => createRepository({ database: db.database, keyRing, clock, audit });
const deps = () => ({ database: db.database, repository: repository(), audit });
const verified = async () => {
  const { ok, checked, problems } = await verifyReceived(deps());
  return { ok, checked, codes: problems.map(({ code }) => code) };
};

const event = (person: string) =>
  FhirAuditEvent.parse({
    ...{
      resourceType: 'AuditEvent',
      recorded: '2026-01-31T10:00:00Z',
      outcome: '0',
      action: 'R',
      type: { code: 'rest' },
    },
    agent: [{ requestor: true, who: { display: 'Nurse' } }],
    source: { observer: { identifier: { value: 'north-1' } } },
    entity: [{ what: { identifier: { value: person } }, role: { code: '1' } }],
  });
const over = (person: string): Incoming => ({ transport: 'fhir', event: event(person) });
const garbled: Incoming = { transport: 'udp', address: '10.0.0.9', truncated: false, message: Buffer.from('what?') };
const stranger: Actor = { ...nodeActor, principal: { kind: 'anonymous', permissions: new Set() } };
const OTHER = '0198f3a0-0000-7000-8000-0000000000ee';
let ids: string[];

beforeEach(async () => {
  // What earlier tests did stays in the log: each begins with a database of its own making.
  await db.close();
  db = await testDatabase();
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ database: db.database, keyRing, clock, source, onFailure: () => undefined });
  const one = await repository().keep(nodeActor, [over('p-1'), over('p-2'), over('p-3')]);
  const two = await repository().keep(nodeActor, [over('p-4')]);
  const three = await repository().keep(stranger, [garbled]);
  ids = [...one.kept, ...two.kept, ...three.kept].map(({ id }) => id);
});

const row = (at: number): string => `'${ids[at] ?? ''}'`;
const COPY = `INSERT INTO atna.received SELECT gen_random_uuid(), received_at, recorded, transport, node_id, understood, tokens, sealed FROM atna.received WHERE id =`;

test('what nobody touched is as it came', async () => {
  expect(await verified()).toEqual({ ok: true, checked: 5, codes: [] });
});

const ACTS: readonly (readonly [string, () => string, readonly string[]])[] = [
  ['another sender', () => `UPDATE atna.received SET node_id = '${OTHER}' WHERE id = ${row(3)}`, ['received-changed']],
  ['no sender', () => `UPDATE atna.received SET node_id = NULL WHERE id = ${row(3)}`, ['received-changed']],
  [
    'a sender that proved nothing',
    () => `UPDATE atna.received SET node_id = '${OTHER}', transport = 'tls' WHERE id = ${row(4)}`,
    ['received-changed'],
  ],
  [
    'another time',
    () => `UPDATE atna.received SET recorded = recorded - interval '1 year' WHERE id = ${row(3)}`,
    ['received-changed'],
  ],
  [
    'another time of coming',
    () => `UPDATE atna.received SET received_at = received_at - interval '1 day' WHERE id = ${row(3)}`,
    ['received-changed'],
  ],
  ['not understood', () => `UPDATE atna.received SET understood = false WHERE id = ${row(3)}`, ['received-changed']],
  [
    'two seals exchanged',
    () =>
      `UPDATE atna.received a SET sealed = b.sealed FROM atna.received b WHERE (a.id, b.id) IN ((${row(0)}, ${row(1)}), (${row(1)}, ${row(0)}))`,
    ['received-changed', 'received-changed'],
  ],
  [
    'a seal broken',
    () => `UPDATE atna.received SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE id = ${row(3)}`,
    ['received-changed'],
  ],
  ['what it is found by', () => `UPDATE atna.received SET tokens = '{}' WHERE id = ${row(3)}`, ['received-changed']],
  [
    'found by what it does not say',
    () => `UPDATE atna.received SET tokens = tokens || 7 WHERE id = ${row(3)}`,
    ['received-changed'],
  ],
  ['one gone', () => `DELETE FROM atna.received WHERE id = ${row(1)}`, ['received-missing']],
  ['the newest gone', () => `DELETE FROM atna.received WHERE id = ${row(4)}`, ['received-missing']],
  ['all gone', () => 'DELETE FROM atna.received', ['received-missing', 'received-missing', 'received-missing']],
];

test.each(ACTS)('%s: told', async (_, sql, codes) => {
  await asOwner(sql());
  expect(await verified()).toMatchObject({ ok: false, codes });
});

test('one added: told, though nobody can read it', async () => {
  await asOwner(`${COPY} ${row(3)}`);
  const { ok, codes } = await verified();
  expect([ok, codes.includes('received-unknown') || codes.includes('received-changed')]).toEqual([false, true]);
});

test('a row that was changed is marked, claims no sender, is no answer to systems, and hides none of the others', async () => {
  await asOwner(ACTS[6]?.[1]() ?? '');
  await asOwner(`UPDATE atna.received SET node_id = '${OTHER}' WHERE id = ${row(3)}`);
  const { events } = await listReceived(deps(), { limit: 100 });
  expect(events).toHaveLength(5);
  const marked = events.filter(({ altered }) => altered === true);
  expect(marked.map(({ id }) => id).toSorted()).toEqual([0, 1, 3].map((at) => ids[at] ?? '').toSorted());
  for (const one of marked) expect(one).not.toHaveProperty('nodeId');
  const shown = await oneReceived(deps(), ids[3] ?? '');
  expect(shown.event.altered).toBe(true);
  expect(shown).not.toHaveProperty('auditEvent');
  const asked = { ...deps(), recordsOf: () => Promise.resolve([]) };
  expect(await retrieveOne(asked, ids[3] ?? '')).toBeUndefined();
  expect(await retrieveOne(asked, ids[2] ?? '')).toMatchObject({ resourceType: 'AuditEvent' });
  const found = (await retrieve(asked, 'date=ge2026-01-01&source.identifier=north-1', 'https://x/fhir/AuditEvent')) as {
    bundle: { entry: { resource: { id: string } }[] };
  };
  expect(found.bundle.entry.map(({ resource }) => resource.id)).toEqual([ids[2]]);
});

test('rows of an earlier version, which say less, are compared as far as they go', async () => {
  const { seal } = keyRing;
  // As they were written: without the columns, and without what they were kept with.
  const earlier = {
    ...keyRing,
    seal: ((bytes, place) => seal(withoutColumns(bytes, place.table), place)) as typeof seal,
  };
  const former = createRepository({ database: db.database, keyRing: earlier, clock, audit: withoutOrder(audit) });
  const { kept } = await former.keep(nodeActor, [over('p-9')]);
  await former.keep(nodeActor, [over('p-10'), over('p-11')]);
  expect(await verified()).toEqual({ ok: true, checked: 6, codes: [] });
  expect((await verifyReceived(deps())).unknowable).toBe(2);
  await asOwner(`UPDATE atna.received SET node_id = '${OTHER}' WHERE id = '${kept[0]?.id ?? ''}'`);
  expect((await verified()).ok).toBe(false);
});

function withoutColumns(bytes: Uint8Array, table: string): Uint8Array {
  if (table !== 'audit.received') return bytes;
  const { row: _row, keep: _keep, ...before } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify(before));
}

function withoutOrder({ record }: Audit): Pick<Audit, 'record'> {
  return {
    record: (tx, inputs) =>
      record(
        tx,
        inputs.map(({ detail = {}, ...input }) => {
          const { order: _, ...before } = detail;
          return { ...input, detail: before };
        }),
      ),
  };
}
