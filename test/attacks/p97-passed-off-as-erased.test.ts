import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FhirAuditEvent } from '../../src/features/atna/fhir-audit-event.ts';
import { listReceived } from '../../src/features/atna/received-list.ts';
import { createReceivedRetention } from '../../src/features/atna/received-retention.ts';
import { createRepository, type Incoming } from '../../src/features/atna/receiver.ts';
import { verifyReceived } from '../../src/features/atna/verify-received.ts';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { newId } from '../../src/crypto/index.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { nodeActor, operatorActor, testKeyRing } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

/**
 * P97: who may write anything into the database, as its owner, cannot pass off what other systems sent as erased by law or wish, nor bring
 * back what was, nor give it another reason, without `careseal audit verify` telling; and his row is marked as changed, not as erased.
 */
let db: TestDatabase;
let audit: Audit;
let ids: string[];
let because: string;
const keyRing = testKeyRing();
const clock = { nowMs: () => Date.parse('2026-02-01T12:00:00Z') };
const repository = () => createRepository({ database: db.database, keyRing, clock, audit });
const deps = () => ({ database: db.database, repository: repository(), audit });
const codes = async () => (await verifyReceived(deps())).problems.map(({ code }) => code);
/** The triggers are no wall against him. */
const asOwner = (sql: string) =>
  withMaintenanceSession(db.superuserConnection, (session) =>
    session.script(`SET session_replication_role = replica; ${sql}`),
  );

const naming = (person: string): Incoming => ({
  transport: 'fhir',
  event: FhirAuditEvent.parse({
    ...{ resourceType: 'AuditEvent', recorded: '2026-01-31T10:00:00Z', outcome: '0', type: { code: 'rest' } },
    agent: [{ requestor: true, who: { display: 'Nurse' } }],
    source: { observer: { identifier: { value: 'north-1' } } },
    entity: [{ what: { identifier: { value: person } }, role: { code: '1' } }],
  }),
});

beforeAll(async () => {
  db = await testDatabase();
});
beforeEach(async () => {
  await db.close();
  db = await testDatabase();
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ database: db.database, keyRing, clock, source, onFailure: () => undefined });
  const { kept } = await repository().keep(nodeActor, [naming('p-1'), naming('p-2'), naming('p-3')]);
  const more = await repository().keep(nodeActor, [naming('p-1')]);
  ids = [...kept, ...more.kept].map(({ id }) => id);
  await asOwner('CREATE TABLE public.former AS SELECT * FROM atna.received');
  const retention = createReceivedRetention({
    repository: repository(),
    audit,
    personOf: () => Promise.resolve(undefined),
  });
  const actor = { ...operatorActor, origin: { door: 'command-line' as const, requestId: newId() } };
  await retention.erasePerson({ actor, owner: db.ownerDatabase, reason: 'asked for it', person: 'p-1' });
  const { events } = await audit.search({ events: ['audit.erase'], limit: 10 });
  because = events.at(-1)?.id ?? '';
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

const id = (at: number): string => `'${ids[at] ?? ''}'`;
const state = async () => {
  const { events } = await listReceived(deps(), { limit: 10 });
  return ids.map((one) => {
    const found = events.find((event) => event.id === one);
    return found?.altered === true ? 'changed' : found?.erased === true ? 'erased' : 'as it came';
  });
};

test('what was erased by an erasure of the log is found so', async () => {
  expect(await verifyReceived(deps())).toMatchObject({ ok: true, checked: 2, erased: 2, problems: [] });
  expect(await state()).toEqual(['erased', 'as it came', 'as it came', 'erased']);
});

test.each([
  ['a reason put beside it', () => `UPDATE atna.received SET erased_because = '${because}' WHERE id = ${id(1)}`],
  [
    'a reason, and what it was found by taken away',
    () => `UPDATE atna.received SET erased_because = '${because}', tokens = '{}' WHERE id = ${id(1)}`,
  ],
  [
    'the seal of an erased one',
    () =>
      `UPDATE atna.received SET erased_because = '${because}', tokens = '{}', sealed = (SELECT sealed FROM atna.received WHERE id = ${id(0)}) WHERE id = ${id(1)}`,
  ],
  [
    'an empty seal',
    () => `UPDATE atna.received SET erased_because = '${because}', tokens = '{}', sealed = '' WHERE id = ${id(1)}`,
  ],
])('passed off as erased by %s: told, and marked as changed', async (_, sql) => {
  await asOwner(sql());
  expect(await codes()).toContain('received-changed');
  expect((await state())[1]).toBe('changed');
});

test('an erased one is brought back from a copy: told', async () => {
  await asOwner(
    `UPDATE atna.received r SET sealed = f.sealed, tokens = f.tokens, erased_because = NULL FROM public.former f WHERE f.id = r.id AND r.id = ${id(0)}`,
  );
  expect(await codes()).toEqual(['received-changed']);
});

test('another reason, or none: told', async () => {
  await asOwner(`UPDATE atna.received SET erased_because = '${newId()}' WHERE id = ${id(3)}`);
  expect(await codes()).toContain('received-changed');
  await asOwner(`UPDATE atna.received SET erased_because = NULL WHERE id = ${id(3)}`);
  expect(await codes()).toContain('received-changed');
  expect((await state())[3]).toBe('changed');
});

test('an erased one is taken away: told', async () => {
  await asOwner(`DELETE FROM atna.received WHERE id = ${id(3)}`);
  expect(await codes()).toEqual(expect.arrayContaining(['received-missing', 'received-changed']));
});
