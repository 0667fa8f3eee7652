import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from 'node:path';
import { nodeActor, operatorActor, readInput, testKeyRing } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { newId, sha256 } from '../../crypto/index.ts';
import type { AuditEventId } from '../../kernel/ids.ts';
import { instant } from '../../kernel/time.ts';
import {
  createDatabase,
  type Database,
  migrate,
  readMigrations,
  withMaintenanceSession,
} from '../../platform/db/index.ts';
import { createMerkle, encodeLeaf } from '../../verifier/index.ts';
import { createEventWriter } from './audit-event.ts';
import { eraseEvents } from './erasure.ts';
import { idTimeMs } from './event-id.ts';
import { readEvent } from './event-query.ts';
import { EVENTS } from './events.ts';
import { createAudit } from './index.ts';
import { unpack } from './packing.ts';
import { TOKEN } from './sealed-event.ts';
import { ensureSigner } from './signer.ts';

/** A log that was begun before there were batches: its events were rows of their own, each under its own seal. */
const BEFORE_BATCHES = 210;
const NUMBERED = 5;
const merkle = createMerkle(sha256);
const keyRing = testKeyRing();
const source = { site: 's.example.org', baseUrl: 'https://s.example.org:8443' };
const clock = { nowMs: Date.now };
let db: TestDatabase;
let app: Database;
let owner: Database;
const ids: AuditEventId[] = [];

beforeAll(async () => {
  db = await testDatabase();
  const name = `upgrade_${process.pid}`;
  await withMaintenanceSession(db.superuserConnection, async (session) => {
    await session.script(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await session.script(`CREATE DATABASE ${name} OWNER careseal_owner TEMPLATE template0`);
  });
  const ownerConnection = { ...db.ownerConnection, database: name };
  const open = (connection: typeof ownerConnection) =>
    createDatabase({ connection, poolSize: 3, statementTimeoutMs: 20_000 });
  [app, owner] = [open({ ...db.connection, database: name }), open(ownerConnection)];
  const migrations = await readMigrations(join(import.meta.dirname, '../../../migrations'));
  await migrate(
    ownerConnection,
    migrations.filter(({ number }) => number < BEFORE_BATCHES),
  );
  await writeFormerLog();
  await migrate(ownerConnection, migrations);
});
afterAll(async () => {
  await app.close();
  await owner.close();
  await db.close();
});

/** What version 1 of the payload and its tables looked like, and one event that had no leaf yet. */
async function writeFormerLog(): Promise<void> {
  const write = createEventWriter(source);
  const hashes: Uint8Array[] = [];
  for (let index = 0; index <= NUMBERED; index++) {
    const id = newId<AuditEventId>();
    const recordedMs = idTimeMs(id);
    const input = readInput(`c${index}`);
    const parts = write({
      id,
      recorded: instant(recordedMs),
      input,
      shape: EVENTS['client.read'],
      patient: `Patient/c${index}`,
    });
    const packed = parts.before + parts.own + parts.after;
    const nonce = Buffer.alloc(16, index + 1);
    const commitment = sha256(Buffer.concat([nonce, Buffer.from(unpack(packed))]));
    const [actor, client, address] = [
      keyRing.blind(TOKEN.actor, nodeActor.principal.kind === 'node' ? nodeActor.principal.nodeId : ''),
      keyRing.blind(TOKEN.client, `c${index}`),
      keyRing.blind(TOKEN.address, nodeActor.origin.address ?? ''),
    ];
    const type = ['client.read', 0, 'node', recordedMs, actor, client, address].join('|');
    const payload = Buffer.concat([Uint8Array.of(1), nonce, Buffer.from(packed)]);
    const sealed = keyRing.seal(payload, { table: 'audit.event', type, id, version: 1 });
    await app.run(
      {
        name: 'former.event',
        text: `INSERT INTO audit.event (id, recorded, actor, client, address, outcome, event, actor_kind, commitment, sealed)
               VALUES ($1, $2, $3, $4, $5, 0, 'client.read', 'node', $6, $7)`,
      },
      [id, new Date(recordedMs), actor, client, address, commitment, sealed],
    );
    ids.push(id);
    if (index === NUMBERED) break;
    await app.run({ name: 'former.leaf', text: 'INSERT INTO audit.leaf (index, event) VALUES ($1, $2)' }, [index, id]);
    hashes.push(merkle.leafHash(encodeLeaf({ index, recordedMs, event: 'client.read', commitment })));
    if (index !== 2 && index !== NUMBERED - 1) continue;
    const signer = await ensureSigner(app, { keyRing, clock, baseUrl: source.baseUrl });
    const [size, root, signedAtMs] = [index + 1, merkle.rootOf(hashes), Date.now()];
    await app.run(
      {
        name: 'former.head',
        text: `INSERT INTO audit.checkpoint (size, root, note, signed_at, through_xid, through_seq, era_seq)
               SELECT $1, $2, $3, $4, xid, seq, 0 FROM audit.event WHERE id = $5`,
      },
      [size, root, signer.sign({ size, root, signedAt: instant(signedAtMs) }), new Date(signedAtMs), id],
    );
  }
}

test('a log from before batches is read, grown, verified and erased like any other', async () => {
  const log = createAudit({ database: app, keyRing, clock, source, onFailure: () => {} });
  const listed = await log.search({ limit: 50 });
  expect(listed.events.map(({ client, index }) => [client?.[0], index])).toEqual([
    [`c${NUMBERED}`, undefined],
    ...[4, 3, 2, 1, 0].map((index) => [`c${index}`, index]),
  ]);
  await log.recordNow([readInput('new')]);
  const grown = await log.verify();
  expect(grown).toMatchObject({ ok: true, problems: [], size: NUMBERED + 2 });
  // One more where transactions of other tests on the same server hold the last event back for a round.
  expect([3, 4]).toContain(grown.checkpointsChecked);
  expect((await log.search({ clients: ['c3'], limit: 5 })).events).toHaveLength(1);
  await log.recordNow([{ actor: operatorActor, event: 'audit.erase', action: 'D', outcome: 'success' }]);
  await log.sequence();
  const because = (await log.search({ events: ['audit.erase'], limit: 1 })).events[0]?.id as AuditEventId;
  const row = await readEvent(app, ids[2] ?? '');
  if (row === undefined) throw new Error('no event');
  expect(await eraseEvents(owner, keyRing, { events: [row], because })).toBe(1);
  expect(await log.verify()).toMatchObject({ ok: true, erased: 1 });
});

test('what somebody changed in it is still found', async () => {
  const log = createAudit({ database: app, keyRing, clock, source, onFailure: () => {} });
  await owner.run({ name: 'former.off', text: 'ALTER TABLE audit.event DISABLE TRIGGER USER' });
  await owner.run({ name: 'former.edit', text: 'UPDATE audit.event SET outcome = 8 WHERE index = 1' });
  expect((await log.verify()).problems.map(({ code, index }) => [code, index])).toEqual([['event-changed', 1]]);
});
