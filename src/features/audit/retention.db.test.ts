import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { operatorActor, readInput } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { newId, newSecretKey, type SecretKey } from '../../crypto/index.ts';
import type { AuditEventId } from '../../kernel/ids.ts';
import type { Actor } from '../../kernel/principal.ts';
import type { Database } from '../../platform/db/sql.ts';
import { createKeyRing } from '../../store/key-ring.ts';
import { type HoldId, placeHold } from './holds.ts';
import { type Audit, createAudit } from './index.ts';

const YEAR_MS = 365.25 * 24 * 3_600_000;
const CLIENT = newId();
const OTHER = newId();
let db: TestDatabase;
let log: Audit;
/** The newest is written with; the others are searched by. */
const index: SecretKey[] = [newSecretKey()];
const data = { id: 7, key: newSecretKey() };
const keyRing = createKeyRing(() => {
  const [newest = newSecretKey(), ...otherIndex] = index.toReversed();
  const current = { data, index: newest, otherIndex };
  return { dataKeys: new Map([[data.id, data]]), current: { record: current, audit: current } };
});

const operator = (): Actor => ({ ...operatorActor, origin: { door: 'command-line', requestId: newId() } });
const act = (reason = 'by law') => ({ actor: operator(), owner: db.ownerDatabase, reason });
const saying = async (client: string) => (await log.search({ clients: [client], limit: 100 })).events;

async function writtenAt(ms: number, clients: readonly string[]): Promise<void> {
  const then = vi.spyOn(Date, 'now').mockReturnValue(ms);
  await log.recordNow(clients.map((client) => readInput(client)));
  then.mockRestore();
}

beforeAll(async () => {
  db = await testDatabase();
  const source = { site: 's', baseUrl: 'https://s:8443' };
  log = createAudit({
    database: db.database,
    keyRing,
    clock: { nowMs: Date.now },
    source,
    onFailure: () => {},
  });
  // One day after the other, as a log grows; the heads are all of today, so `verify` would find these times odd.
  await writtenAt(Date.now() - 8 * YEAR_MS, [CLIENT, OTHER]);
  await writtenAt(Date.now() - 7 * YEAR_MS, [OTHER]);
  await log.recordNow([readInput(CLIENT), readInput(OTHER)]);
  await log.sequence();
});
afterAll(() => db.close());

describe('erasing', () => {
  test('is refused before the law’s time is over, however it is asked', async () => {
    const early = log.retention.eraseBefore({ ...act(), beforeMs: Date.now() - 5 * YEAR_MS });
    await expect(early).rejects.toMatchObject({ code: 'audit-kept' });
    expect((await saying(OTHER)).some(({ erased }) => erased)).toBe(false);
  });

  test('leaves alone what a legal hold covers, one client or everything, until it is released', async () => {
    const hold = await log.retention.hold({ ...act('court order'), client: CLIENT });
    expect(await log.retention.holds()).toHaveLength(1);
    await expect(log.retention.eraseClient({ ...act(), client: CLIENT })).rejects.toMatchObject({ code: 'audit-held' });
    expect(await log.retention.eraseBefore({ ...act(), beforeMs: Date.now() - 6.5 * YEAR_MS })).toEqual({
      erased: 2,
      held: 1,
    });
    expect((await saying(OTHER)).filter(({ erased }) => erased)).toHaveLength(2);
    expect((await saying(CLIENT)).filter(({ erased }) => erased)).toHaveLength(0);
    const all = await log.retention.hold(act('inquiry'));
    await expect(log.retention.eraseBefore({ ...act(), beforeMs: 0 })).rejects.toMatchObject({ code: 'audit-held' });
    await log.retention.release({ ...act(), hold: all });
    await expect(log.retention.release({ ...act(), hold: all })).rejects.toMatchObject({
      code: 'audit-hold-not-found',
    });
    await log.retention.release({ ...act(), hold });
    expect(await log.retention.holds()).toEqual([]);
  });

  test('spares what a hold covers that is placed while it runs, and stops at a hold on everything', async () => {
    const before = Date.now() - 6.5 * YEAR_MS;
    const whilst = async (placed: { readonly client?: string }) => {
      let hold: HoldId | undefined;
      const owner = {
        ...db.ownerDatabase,
        async rows(...query: Parameters<typeof db.ownerDatabase.rows>) {
          const found = await db.ownerDatabase.rows(...query);
          // The events that it will erase are chosen; what covers them comes a moment later.
          if (query[0].name === 'audit.erasable-before')
            hold ??= await log.retention.hold({ ...act('late'), ...placed });
          return found;
        },
      } as Database;
      const outcome = await log.retention
        .eraseBefore({ ...act(), owner, beforeMs: before })
        .catch((error: unknown) => (error as { code?: string }).code);
      await log.retention.release({ ...act(), hold: hold ?? ('' as HoldId) });
      return outcome;
    };
    expect(await whilst({ client: CLIENT })).toEqual({ erased: 0, held: 1 });
    expect(await whilst({})).toBe('audit-held');
    expect((await saying(CLIENT)).filter(({ erased }) => erased)).toHaveLength(0);
  });

  test('knows a held client under every key that events of other years have their tokens under', async () => {
    const hold = await log.retention.hold({ ...act('court order'), client: CLIENT });
    index.push(newSecretKey());
    expect(await log.retention.eraseBefore({ ...act(), beforeMs: Date.now() - 6.5 * YEAR_MS })).toMatchObject({
      held: 1,
    });
    await log.retention.release({ ...act(), hold });
    const anew = await log.retention.hold({ ...act('court order'), client: CLIENT });
    expect(await log.retention.eraseBefore({ ...act(), beforeMs: Date.now() - 6.5 * YEAR_MS })).toMatchObject({
      held: 1,
    });
    await expect(log.retention.eraseClient({ ...act(), client: CLIENT })).rejects.toMatchObject({ code: 'audit-held' });
    await log.retention.release({ ...act(), hold: anew });
    // Holds of an earlier version, whose event does not say for whom: any event about the client tells, or nothing is erased.
    const { id: because } = (await log.search({ events: ['audit.release'], limit: 1 })).events[0] ?? { id: '' };
    const [newest = 0n, oldest = 0n] = keyRing.blindAll('audit.client', CLIENT);
    const known = await placeHold(db.ownerDatabase, { client: oldest, because: because as AuditEventId });
    expect(await log.retention.eraseBefore({ ...act(), beforeMs: Date.now() - 6.5 * YEAR_MS })).toMatchObject({
      held: 1,
    });
    await log.retention.release({ ...act(), hold: known });
    const unknown = await placeHold(db.ownerDatabase, { client: newest, because: because as AuditEventId });
    await expect(log.retention.eraseBefore({ ...act(), beforeMs: 0 })).rejects.toMatchObject({ code: 'audit-held' });
    await log.retention.release({ ...act(), hold: unknown });
  });

  test('a person leaves a tree that verifies, proofs that hold, and the reason in the log', async () => {
    expect(await log.retention.eraseClient({ ...act('asked to be forgotten'), client: CLIENT })).toEqual({
      erased: 2,
      held: 0,
    });
    const found = await log.verify();
    // What was written with false clocks above is all that is odd.
    expect(found.problems.filter(({ code }) => code !== 'time-wrong')).toEqual([]);
    expect(found.erased).toBe(4);
    const [left] = await saying(CLIENT);
    expect(left).toMatchObject({ event: 'client.read', erased: true, actor: { id: '' } });
    expect(left).not.toHaveProperty('client');
    const { events } = await log.search({ events: ['audit.erase'], limit: 1 });
    expect(events[0]).toMatchObject({ reason: 'asked to be forgotten', detail: { what: 'client' } });
    expect(JSON.stringify(events)).not.toContain(CLIENT);
  });

  test('is nothing the application can do by itself', async () => {
    const own = { ...act(), owner: db.database };
    await expect(log.retention.eraseClient({ ...own, client: OTHER })).rejects.toMatchObject({ sqlState: '42501' });
    await expect(log.retention.hold(own)).rejects.toMatchObject({ sqlState: '42501' });
  });
});
