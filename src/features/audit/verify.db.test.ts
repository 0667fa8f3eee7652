import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { operatorActor, readInput, testKeyRing } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { withMaintenanceSession } from '../../platform/db/index.ts';
import { type Database, statement } from '../../platform/db/sql.ts';
import { type Audit, type AuditVerification, createAudit } from './index.ts';
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

const TABLES = ['event', 'leaf', 'tile', 'checkpoint', 'signer', 'erasure'] as const;
const eventAt = (index: number): string => `(SELECT event FROM audit.leaf WHERE index = ${index})`;

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
      `UPDATE audit.${table} SET ${{ event: 'outcome = 8', leaf: 'index = index + 1', tile: 'level = 1', checkpoint: "note = ''", signer: "origin = 'x'", erasure: 'erased_at = now()' }[table]}`,
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
      "INSERT INTO audit.event (id, xid, recorded, actor, outcome, event, actor_kind, commitment) VALUES (gen_random_uuid(), '3', now(), 1, 0, 'client.read', 'user', decode(repeat('00', 32), 'hex'))",
      'ALTER TABLE audit.event DISABLE TRIGGER USER',
      'DROP TRIGGER append_only ON audit.event',
      `SELECT audit.erase(ARRAY[${eventAt(1)}], ${eventAt(2)})`,
    ]) {
      await expect(db.database.run(plain(sql))).rejects.toMatchObject({ sqlState: '42501' });
    }
  });
});

describe('verify finds what an owner of the database does', () => {
  test.each([
    ['edits a column', `UPDATE audit.event SET outcome = 8 WHERE id = ${eventAt(5)}`, ['event-changed']],
    [
      'renames an event',
      `UPDATE audit.event SET event = 'client.match' WHERE id = ${eventAt(5)}`,
      ['event-changed', 'leaf-wrong'],
    ],
    [
      'hides whom it was about',
      `UPDATE audit.event SET client = client + 1 WHERE id = ${eventAt(650)}`,
      ['event-changed'],
    ],
    ['hides who it was', `UPDATE audit.event SET actor_kind = 'user' WHERE id = ${eventAt(650)}`, ['event-changed']],
    [
      'backdates an event',
      `UPDATE audit.event SET recorded = recorded - interval '1 hour' WHERE id = ${eventAt(5)}`,
      ['event-changed', 'leaf-wrong'],
    ],
    [
      'edits the content',
      `UPDATE audit.event SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE id = ${eventAt(300)}`,
      ['event-changed'],
    ],
    [
      'swaps contents',
      `UPDATE audit.event SET sealed = (SELECT sealed FROM audit.event WHERE id = ${eventAt(6)}) WHERE id = ${eventAt(5)}`,
      ['event-changed'],
    ],
    [
      'changes a commitment',
      `UPDATE audit.event SET commitment = decode(repeat('ab', 32), 'hex') WHERE id = ${eventAt(5)}`,
      ['commitment-wrong', 'leaf-wrong'],
    ],
    ['throws content away', `UPDATE audit.event SET sealed = NULL WHERE id = ${eventAt(5)}`, ['event-erased']],
    ['deletes an event', `DELETE FROM audit.event WHERE id = ${eventAt(5)}`, ['event-missing']],
    [
      'deletes an event and its leaf',
      `DELETE FROM audit.event WHERE id = ${eventAt(5)}; DELETE FROM audit.leaf WHERE index = 5`,
      ['leaf-missing'],
    ],
    [
      'deletes the newest event and its leaf',
      `DELETE FROM audit.event WHERE id = ${eventAt(699)}; DELETE FROM audit.leaf WHERE index = 699`,
      ['checkpoint-wrong', 'leaf-missing', 'root-wrong'],
    ],
    [
      'closes the gap after a deletion',
      `DELETE FROM audit.event WHERE id = ${eventAt(5)}; DELETE FROM audit.leaf WHERE index = 5; UPDATE audit.leaf SET index = index + 10000 WHERE index > 5; UPDATE audit.leaf SET index = index - 10001 WHERE index > 10000`,
      ['leaf-wrong'] /* so many that the list ends */,
    ],
    [
      'puts another event into a leaf',
      `UPDATE audit.leaf SET event = '00000000-0000-0000-0000-000000000000' WHERE index = 5`,
      ['event-missing'],
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
      `INSERT INTO audit.event (id, xid, recorded, actor, outcome, event, actor_kind, commitment) OVERRIDING SYSTEM VALUE VALUES ('0180f3a0-0000-7000-8000-000000000001', '3', now() - interval '1 day', 1, 0, 'client.read', 'user', decode(repeat('00', 32), 'hex'))`,
      ['not-in-tree'],
    ],
    [
      'pretends an erasure',
      `INSERT INTO audit.erasure (event, because) VALUES (${eventAt(5)}, ${eventAt(6)}); UPDATE audit.event SET sealed = NULL WHERE id = ${eventAt(5)}`,
      ['event-erased'],
    ],
  ] as [string, string, string[]][])('%s', async (_name, sql, expected) => {
    expect(codesOf(await tampered(sql.split('; ')))).toEqual(expected);
  });

  test('swaps two leaves', async () => {
    const found = await tampered([
      'CREATE TEMP TABLE two ON COMMIT DROP AS SELECT index, event FROM audit.leaf WHERE index IN (5, 6)',
      'ALTER TABLE audit.leaf DROP CONSTRAINT leaf_event_key',
      'UPDATE audit.leaf SET event = two.event FROM two WHERE leaf.index = 11 - two.index',
    ]);
    expect(found.problems.map(({ code, index }) => [code, index])).toEqual([
      ['leaf-wrong', 5],
      ['leaf-wrong', 6],
    ]);
  });
});

describe('heads kept outside', () => {
  test('show that the end was cut off', async () => {
    const kept = (await readHead(db.database))?.note ?? '';
    const cut = [
      'DELETE FROM audit.event WHERE id IN (SELECT event FROM audit.leaf WHERE index >= 600)',
      'DELETE FROM audit.leaf WHERE index >= 600',
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
  await withMaintenanceSession(db.ownerConnection, (session) =>
    session.script(`SELECT audit.erase(ARRAY[${eventAt(5)}, ${eventAt(500)}], ${eventAt(size - 1)})`),
  );
  expect(await log.verify()).toMatchObject({ size, ok: true, erased: 2 });
});

test('an event that claims a time long before it came is found, even when the server itself was made to write it', async () => {
  const threeDaysAgo = Date.now() - 3 * 24 * 3_600_000;
  const clockOfTheServer = vi.spyOn(Date, 'now').mockReturnValue(threeDaysAgo);
  await log.recordNow([readInput('backdated')]);
  clockOfTheServer.mockRestore();
  expect(codesOf(await log.verify())).toEqual(['time-wrong']);
});
