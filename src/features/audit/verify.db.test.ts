import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { operatorActor, readInput, testKeyRing } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import type { AuditEventId } from '../../kernel/ids.ts';
import { type Database, statement } from '../../platform/db/sql.ts';
import { type Audit, type AuditVerification, createAudit } from './index.ts';
import { eraseEvents } from './erasure.ts';
import type { BatchId } from './sealed-event.ts';
import { readHead } from './tree-store.ts';
import { type VerifyOptions, verifyLog } from './verify.ts';

const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
const SIZE = 700;

const keyRing = testKeyRing();
const clock = { nowMs: Date.now };
let db: TestDatabase;
let log: Audit;
beforeAll(async () => {
  db = await testDatabase();
  log = createAudit({ database: db.database, keyRing, clock, source, onFailure: () => {} });
  for (let i = 0; i < 7; i++) {
    await log.recordNow(Array.from({ length: SIZE / 7 }, (_, n) => readInput(`${i}-${n}`)));
    await log.sequence();
  }
});
afterAll(() => db.close());

const TABLES = ['batch', 'event', 'tile', 'checkpoint', 'signer', 'erasure'] as const;
const eventAt = (index: number): string => `(SELECT id FROM audit.event WHERE index = ${index})`;
const batchAt = (index: number): string => `(SELECT batch FROM audit.event WHERE index = ${index})`;

let statements = 0;
const plain = (text: string) => statement<never>(`test.${statements++}`, text);

/**
 * What somebody with the owner's password and enough knowledge can do: drop the triggers, change rows. Verified from inside
 * that transaction, which is then rolled back.
 */
async function tampered(sql: readonly string[], options?: VerifyOptions): Promise<AuditVerification> {
  const undo = new Error('undo');
  let found: AuditVerification | undefined;
  const work = db.ownerDatabase.transaction(async (tx) => {
    for (const table of TABLES) await tx.run(plain(`ALTER TABLE audit.${table} DISABLE TRIGGER USER`));
    for (const text of sql) await tx.run(plain(text));
    const database: Database = { ...db.ownerDatabase, ...tx, transaction: (inner) => inner(tx) };
    found = await verifyLog({ database, keyRing, clock }, options);
    throw undo;
  });
  await expect(work).rejects.toBe(undo);
  if (found === undefined) throw new Error('not verified');
  expect(found.ok).toBe(found.problems.length === 0);
  return found;
}

const codesOf = (found: AuditVerification): string[] => [...new Set(found.problems.map(({ code }) => code))].toSorted();

test('a sound log verifies', async () => {
  const found = await log.verify();
  expect(found).toMatchObject({
    size: SIZE,
    ok: true,
    problems: [],
    eventsChecked: SIZE,
    checkpointsChecked: 7,
    pending: 0,
  });
  const head = await readHead(db.database);
  expect(found.rootHash).toBe(Buffer.from(head?.root ?? []).toString('base64'));
});

test('an empty log verifies', async () => {
  const empty = await testDatabase();
  const other = createAudit({
    database: empty.database,
    keyRing: testKeyRing(),
    clock: { nowMs: Date.now },
    source,
    onFailure: () => {},
  });
  expect(await other.verify()).toMatchObject({ size: 0, ok: true });
  await empty.close();
});

describe('the walls', () => {
  const acts = TABLES.flatMap((table) => [
    [
      table,
      `UPDATE audit.${table} SET ${{ batch: 'sealed = NULL', event: 'outcome = 8', tile: 'level = 1', checkpoint: "note = ''", signer: "origin = 'x'", erasure: 'erased_at = now()' }[table]}`,
    ],
    [table, `DELETE FROM audit.${table}`],
    [table, `TRUNCATE audit.${table}`],
  ]);

  test.each(acts)('refuse the application role and the owner: %s: %s', async (_table, sql) => {
    for (const database of [db.database, db.ownerDatabase]) {
      await expect(database.run(plain(sql))).rejects.toMatchObject({ sqlState: '42501' });
    }
  });

  test('the application cannot choose a place in the order, drop a wall, or erase', async () => {
    for (const sql of [
      "INSERT INTO audit.batch (id, xid, events, sealed) VALUES (gen_random_uuid(), '3', 1, '')",
      'ALTER TABLE audit.batch DISABLE TRIGGER USER',
      'DROP TRIGGER append_only ON audit.event',
      `INSERT INTO audit.erasure (event, batch, because) VALUES (${eventAt(1)}, ${batchAt(1)}, ${eventAt(2)})`,
    ]) {
      await expect(db.database.run(plain(sql))).rejects.toMatchObject({ sqlState: '42501' });
    }
  });
});

describe('verify finds what an owner of the database does', () => {
  test.each([
    ['edits a column', `UPDATE audit.event SET outcome = 8 WHERE index = 5`, ['event-changed']],
    [
      'renames an event',
      `UPDATE audit.event SET event = 'client.match' WHERE index = 5`,
      ['event-changed', 'leaf-wrong'],
    ],
    ['hides whom it was about', `UPDATE audit.event SET client = client + 1 WHERE index = 650`, ['event-changed']],
    ['hides who it was', `UPDATE audit.event SET actor_kind = 'user' WHERE index = 650`, ['event-changed']],
    [
      'backdates an event',
      `UPDATE audit.event SET recorded = recorded - interval '1 hour' WHERE index = 5`,
      ['event-changed', 'leaf-wrong'],
    ],
    [
      'edits the content',
      `UPDATE audit.batch SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE id = ${batchAt(300)}`,
      ['event-changed'],
    ],
    [
      'swaps contents of two batches',
      `UPDATE audit.batch SET sealed = (SELECT sealed FROM audit.batch WHERE id = ${batchAt(6)}) WHERE id = ${batchAt(105)}`,
      ['event-changed'],
    ],
    [
      'swaps two events of a batch',
      'UPDATE audit.event SET place = 11 - place WHERE index IN (5, 6)',
      ['commitment-wrong', 'event-changed', 'leaf-wrong'],
    ],
    [
      'has an event point to another batch',
      `UPDATE audit.event SET batch = ${batchAt(300)} WHERE index = 5`,
      ['commitment-wrong', 'event-changed', 'leaf-wrong'],
    ],
    ['deletes a batch', `DELETE FROM audit.batch WHERE id = ${batchAt(300)}`, ['event-missing']],
    [
      'changes the count of a batch',
      `UPDATE audit.batch SET events = 99 WHERE id = ${batchAt(300)}`,
      ['event-changed', 'leaf-wrong'],
    ],
    [
      'puts an old batch in again under another name',
      `INSERT INTO audit.batch (id, xid, events, sealed) SELECT gen_random_uuid(), xid, events, sealed FROM audit.batch WHERE id = ${batchAt(5)}`,
      ['not-in-tree'],
    ],
    [
      'changes a commitment',
      `UPDATE audit.event SET commitment = decode(repeat('ab', 32), 'hex') WHERE index = 5`,
      ['commitment-wrong', 'leaf-wrong'],
    ],
    ['throws content away', `UPDATE audit.batch SET sealed = NULL WHERE id = ${batchAt(5)}`, ['event-erased']],
    ['deletes an event', 'DELETE FROM audit.event WHERE index = 5', ['event-missing']],
    [
      'deletes the newest event',
      'DELETE FROM audit.event WHERE index = 699',
      ['checkpoint-wrong', 'event-missing', 'root-wrong'],
    ],
    [
      'closes the gap after a deletion',
      'DELETE FROM audit.event WHERE index = 5; UPDATE audit.event SET index = index - 1 WHERE index > 5',
      ['leaf-wrong'] /* so many that the list ends */,
    ],
    [
      'puts a copy beside an event',
      'INSERT INTO audit.event SELECT index, gen_random_uuid(), recorded, actor, client, address, 8, event, actor_kind, commitment, batch, place FROM audit.event WHERE index = 5',
      ['leaf-wrong'],
    ],
    [
      'edits a tile',
      'UPDATE audit.tile SET hashes = set_byte(hashes, 77, get_byte(hashes, 77) # 1) WHERE number = 1',
      ['leaf-wrong', 'root-wrong'],
    ],
    ['deletes a tile', 'DELETE FROM audit.tile WHERE number = 1', ['tile-missing']],
    [
      'edits a head',
      "UPDATE audit.checkpoint SET root = decode(repeat('ab', 32), 'hex') WHERE size = 300",
      ['checkpoint-wrong', 'root-wrong'],
    ],
    [
      'forges a note',
      "UPDATE audit.checkpoint SET note = replace(note, E'\\n300\\n', E'\\n301\\n') WHERE size = 300",
      ['checkpoint-wrong', 'signature-wrong'],
    ],
    ['breaks a note', "UPDATE audit.checkpoint SET note = 'x' WHERE size = 300", ['checkpoint-wrong']],
    ['deletes the newest head', `DELETE FROM audit.checkpoint WHERE size = ${SIZE}`, ['checkpoint-wrong']],
    [
      'puts in a signer of his own',
      "UPDATE audit.signer SET public_key = decode(repeat('ab', 32), 'hex')",
      ['signature-wrong', 'signer-wrong'],
    ],
    ['removes the signer', 'DELETE FROM audit.signer', ['signature-wrong']],
    [
      'slips in an event of the past',
      "INSERT INTO audit.batch (id, xid, events, sealed) VALUES ('0180f3a0-0000-7000-8000-000000000001', '3', 1, '')",
      ['not-in-tree'],
    ],
    [
      'pretends an erasure',
      `INSERT INTO audit.erasure (event, batch, because) VALUES (${eventAt(5)}, ${batchAt(5)}, ${eventAt(6)}); UPDATE audit.batch SET sealed = NULL WHERE id = ${batchAt(5)}`,
      ['event-erased'],
    ],
  ] as [string, string, string[]][])('%s', async (_name, sql, expected) => {
    expect(codesOf(await tampered(sql.split('; ')))).toEqual(expected);
  });

  test('swaps two leaves', async () => {
    const found = await tampered(['UPDATE audit.event SET index = 11 - index WHERE index IN (5, 6)']);
    expect(
      found.problems.filter(({ detail }) => /not the one/.test(detail)).map(({ code, index }) => [code, index]),
    ).toEqual([
      ['leaf-wrong', 5],
      ['leaf-wrong', 6],
    ]);
  });
});

describe('heads kept outside', () => {
  test('show that the end was cut off', async () => {
    const kept = (await readHead(db.database))?.note ?? '';
    const cut = [
      'DELETE FROM audit.batch WHERE id IN (SELECT batch FROM audit.event WHERE index >= 600)',
      'DELETE FROM audit.event WHERE index >= 600',
      'DELETE FROM audit.checkpoint WHERE size > 600',
    ];
    // Nothing inside can tell: this is why heads belong outside.
    expect((await tampered(cut)).ok).toBe(true);
    expect(codesOf(await tampered(cut, { knownCheckpoints: [kept] }))).toEqual(['head-lost']);
  });

  test('are fine while they fit, and refused when this log did not sign them', async () => {
    const kept = (await readHead(db.database))?.note ?? '';
    await log.recordNow([readInput('later')]);
    expect((await log.verify({ knownCheckpoints: [kept] })).ok).toBe(true);
    const forged = kept.replace(/(— \S+ .{10})...../u, '$1AAAAA');
    expect(codesOf(await log.verify({ knownCheckpoints: [forged] }))).toEqual(['signature-wrong']);
  });
});

test('an erasure that is recorded leaves a log that verifies', async () => {
  await log.recordNow([
    { actor: operatorActor, event: 'audit.erase', action: 'D', outcome: 'success', reason: 'by law' },
  ]);
  await log.sequence();
  const size = (await readHead(db.database))?.size ?? 0;
  const ids = statement<{ id: AuditEventId; batch: BatchId }>(
    'test.ids',
    'SELECT id, batch FROM audit.event WHERE index = ANY ($1::bigint[]) ORDER BY index',
  );
  const [first, other, second, reason] = await db.database.rows(ids, [[5, 9, 500, size - 1]]);
  if (first === undefined || other === undefined || second === undefined || reason === undefined)
    throw new Error('none');
  const because = reason.id;
  expect(await eraseEvents(db.ownerDatabase, keyRing, { events: [first, second], because })).toBe(2);
  expect(await eraseEvents(db.ownerDatabase, keyRing, { events: [first], because })).toBe(0);
  expect(await log.verify()).toMatchObject({ size, ok: true, erased: 2 });
  await expect(eraseEvents(db.database, keyRing, { events: [other], because: first.id })).rejects.toMatchObject({
    code: 'audit-erase-reason',
  });
  await expect(eraseEvents(db.database, keyRing, { events: [other], because })).rejects.toMatchObject({
    sqlState: '42501',
  });
});

test('an event that claims a time long before it came is found, even when the server itself was made to write it', async () => {
  const threeDaysAgo = Date.now() - 3 * 24 * 3_600_000;
  const clockOfTheServer = vi.spyOn(Date, 'now').mockReturnValue(threeDaysAgo);
  await log.recordNow([readInput('backdated')]);
  clockOfTheServer.mockRestore();
  expect(codesOf(await log.verify())).toEqual(['time-wrong']);
});
