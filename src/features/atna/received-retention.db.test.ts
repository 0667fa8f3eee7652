import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nodeActor, operatorActor, testKeyRing } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { newId } from '../../crypto/index.ts';
import { type Audit, createAudit } from '../audit/index.ts';
import { FhirAuditEvent } from './fhir-audit-event.ts';
import { listReceived, oneReceived } from './received-list.ts';
import type { Person } from './received-persons.ts';
import { createReceivedRetention } from './received-retention.ts';
import { createRepository, type Incoming } from './receiver.ts';
import { retrieve } from './retrieve.ts';
import { verifyReceived } from './verify-received.ts';

const YEAR_MS = 365.25 * 24 * 3_600_000;
const NOW_MS = Date.parse('2026-02-01T12:00:00Z');
const NATIONAL = 'urn:oid:2.16.1';
const CLIENT = newId();
const OTHER = newId();
const PEOPLE = new Map<string, Person>([
  [CLIENT, { ids: [CLIENT], identifiers: [{ system: NATIONAL, value: 'N-1' }] }],
  [OTHER, { ids: [OTHER], identifiers: [{ system: NATIONAL, value: 'N-2' }] }],
]);
let db: TestDatabase;
let audit: Audit;
let nowMs = NOW_MS;
const keyRing = testKeyRing();
const clock = { nowMs: () => nowMs };
const repository = () => createRepository({ database: db.database, keyRing, clock, audit });
const deps = () => ({ database: db.database, repository: repository(), audit });
const retention = () =>
  createReceivedRetention({ repository: repository(), audit, personOf: (id) => Promise.resolve(PEOPLE.get(id)) });
const act = (reason = 'asked to be forgotten') => ({
  actor: { ...operatorActor, origin: { door: 'command-line' as const, requestId: newId() } },
  owner: db.ownerDatabase,
  reason,
});

const naming = (...people: readonly string[]): Incoming => ({
  transport: 'fhir',
  event: FhirAuditEvent.parse({
    ...{ resourceType: 'AuditEvent', recorded: '2026-01-31T10:00:00Z', outcome: '0', type: { code: 'rest' } },
    agent: [{ requestor: true, who: { display: 'Nurse' } }],
    source: { observer: { identifier: { value: 'north-1' } } },
    entity: people.map((name) => {
      const [system, value] = name.includes('|') ? name.split('|') : [undefined, name];
      const what = /(?:^|\/)Patient\//.test(name) ? { reference: name } : { identifier: { system, value } };
      return { what, role: { code: '1' } };
    }),
  }),
});
const garbled: Incoming = { transport: 'udp', address: '10.0.0.9', truncated: false, message: Buffer.from('N-1?') };

beforeAll(async () => {
  db = await testDatabase();
});
beforeEach(async () => {
  await db.close();
  db = await testDatabase();
  nowMs = NOW_MS;
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ database: db.database, keyRing, clock, source, onFailure: () => undefined });
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

const state = async () => {
  const { events } = await listReceived(deps(), { limit: 100 });
  return new Map(events.map(({ id, erased }) => [id, erased === true]));
};

describe('erasing a client', () => {
  test('takes what names it in every form, and leaves what is about others, the log whole and found so', async () => {
    const { kept } = await repository().keep(nodeActor, [
      naming(`${NATIONAL}|N-1`),
      naming(`Patient/${CLIENT}`),
      naming('N-1^^^&2.16.1&ISO'),
      naming(`${NATIONAL}|N-2`, `https://x.example/fhir/Patient/${CLIENT}`),
      naming(`${NATIONAL}|N-2`),
      naming('urn:oid:9.9|N-1'),
    ]);
    await repository().keep(nodeActor, [garbled]);
    expect(await retention().eraseClient({ ...act(), client: CLIENT })).toEqual({ erased: 4, held: 0, altered: 0 });
    const after = await state();
    expect(kept.map(({ id }) => after.get(id))).toEqual([true, true, true, true, false, false]);
    const { event, auditEvent } = await oneReceived(deps(), kept[0]?.id ?? '');
    expect([event.erased, event.nodeId === undefined, auditEvent]).toEqual([true, false, undefined]);
    const asked = { ...deps(), recordsOf: () => Promise.resolve([]) };
    const { bundle } = (await retrieve(
      asked,
      `date=ge2026-01-01&patient.identifier=${NATIONAL}|N-1`,
      'https://x/fhir/AuditEvent',
    )) as { bundle: { entry?: unknown[] } };
    expect(bundle.entry ?? []).toEqual([]);
    expect(await verifyReceived(deps())).toMatchObject({ ok: true, checked: 3, erased: 4, problems: [] });
    const { events } = await audit.search({ events: ['audit.erase'], limit: 10 });
    expect(events.map(({ reason }) => reason)).toEqual(['asked to be forgotten', 'asked to be forgotten']);
    expect(JSON.stringify(events)).not.toContain('N-1');
    // Once more: nothing is left to do, and nothing is said to have been done.
    expect(await retention().eraseClient({ ...act(), client: CLIENT })).toMatchObject({ erased: 0 });
    expect(await verifyReceived(deps())).toMatchObject({ ok: true, erased: 4 });
  });

  test('or somebody whom the registry does not know, as the sender names them', async () => {
    await repository().keep(nodeActor, [naming('stranger'), naming(`${NATIONAL}|N-2`)]);
    expect(await retention().erasePerson({ ...act(), person: 'stranger' })).toMatchObject({ erased: 1 });
    expect(await verifyReceived(deps())).toMatchObject({ ok: true, checked: 1, erased: 1 });
  });

  test('is refused, page by page, while a hold covers it, and a hold rather spares too much', async () => {
    await repository().keep(nodeActor, [
      naming(`${NATIONAL}|N-1`),
      naming('urn:oid:9.9|N-1'),
      naming(`${NATIONAL}|N-2`),
    ]);
    await repository().keep(nodeActor, [garbled]);
    const hold = await audit.retention.hold({ ...act('court order'), client: CLIENT });
    expect(await retention().eraseClient({ ...act(), client: CLIENT })).toEqual({ erased: 0, held: 1, altered: 0 });
    nowMs = NOW_MS + 7 * YEAR_MS;
    const beforeMs = NOW_MS + 1;
    // Another system's N-1 may be the same person, and what nobody understood may be about anybody.
    expect(await retention().eraseBefore({ ...act(), beforeMs })).toEqual({ erased: 1, held: 3, altered: 0 });
    await audit.retention.release({ ...act(), hold });
    const all = await audit.retention.hold(act('inquiry'));
    await expect(retention().eraseBefore({ ...act(), beforeMs })).rejects.toMatchObject({ code: 'audit-held' });
    await audit.retention.release({ ...act(), hold: all });
    const unknown = await audit.retention.hold({ ...act('court order'), client: newId() });
    await expect(retention().eraseBefore({ ...act(), beforeMs })).rejects.toMatchObject({ code: 'audit-held' });
    await audit.retention.release({ ...act(), hold: unknown });
    expect(await retention().eraseBefore({ ...act(), beforeMs })).toEqual({ erased: 3, held: 0, altered: 0 });
    expect(await verifyReceived(deps())).toMatchObject({ ok: true, checked: 0, erased: 4, problems: [] });
  });
});

test('the law’s time: what came within it stays, what came before it goes', async () => {
  await repository().keep(nodeActor, [naming('a'), naming('b')]);
  nowMs = NOW_MS + 5 * YEAR_MS;
  const early = retention().eraseBefore({ ...act('by law'), beforeMs: NOW_MS + 1 });
  await expect(early).rejects.toMatchObject({ code: 'audit-kept' });
  expect(await verifyReceived(deps())).toMatchObject({ checked: 2, erased: 0 });
  nowMs = NOW_MS + 6.1 * YEAR_MS;
  expect(await retention().eraseBefore({ ...act('by law'), beforeMs: NOW_MS })).toMatchObject({ erased: 0 });
  expect(await retention().eraseBefore({ ...act('by law'), beforeMs: NOW_MS + 1 })).toMatchObject({ erased: 2 });
});

test('more than a page goes, in one erasure that verify can recount', async () => {
  for (let i = 0; i < 3; i++)
    await repository().keep(
      nodeActor,
      Array.from({ length: 70 }, (_, n) => naming(n % 2 === 0 ? 'a' : 'b')),
    );
  expect(await retention().erasePerson({ ...act(), person: 'a' })).toMatchObject({ erased: 105 });
  expect(await verifyReceived(deps())).toMatchObject({ ok: true, checked: 105, erased: 105 });
});

test('is nothing the application can do by itself', async () => {
  await repository().keep(nodeActor, [naming('a')]);
  const own = { ...act(), owner: db.database };
  await expect(retention().erasePerson({ ...own, person: 'a' })).rejects.toMatchObject({ sqlState: '42501' });
  expect((await state()).values().toArray()).toEqual([false]);
});
