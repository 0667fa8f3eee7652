import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readInput, testKeyRing } from '../../../test/support/audit.ts';
import { expectSound, quietLog } from '../../../test/support/audit-log.ts';
import { postgresPair } from '../../../test/support/standby.ts';
import { createDatabase } from '../../platform/db/index.ts';

/** Callers at once, and acts each of them has recorded before and after the primary dies. */
const CALLERS = 6;
const ACTS = 25;

test('the database fails over to its standby in the middle of batches: what was acknowledged is there once, and the tree is whole', async () => {
  const pair = await postgresPair();
  const database = createDatabase({
    ...{ connection: pair.connection, poolSize: 8, statementTimeoutMs: 20_000 },
    onConnectionLost: () => undefined,
  });
  const keyRing = testKeyRing();
  const log = quietLog(database, keyRing);
  const acknowledged: string[] = [];
  const refused: string[] = [];
  let over = false;
  try {
    const callers = Array.from({ length: CALLERS }, async (_, caller) => {
      for (let act = 0; !over; act++) {
        const client = `${caller}-${act}`;
        await log.recordNow([readInput(client), readInput(client)]).then(
          () => acknowledged.push(client),
          async () => {
            refused.push(client);
            await pause(20);
          },
        );
      }
    });
    log.startSequencer();
    const reached = (count: number) =>
      expect.poll(() => acknowledged.length, { timeout: 60_000, interval: 10 }).toBeGreaterThan(count);
    await reached(CALLERS * ACTS);
    await pair.failOver();
    await reached(acknowledged.length + CALLERS * ACTS);
    over = true;
    await Promise.all(callers);
    expect(refused.length).toBeGreaterThan(0);
    const { ok, size } = await log.verify();
    expect(ok).toBe(true);
    expect(await expectSound(database, keyRing)).toBe(size);
    const found = async (clients: readonly string[]): Promise<number> =>
      (await log.search({ clients, limit: 300 })).events.length;
    for (let at = 0; at < acknowledged.length; at += 100) {
      const some = acknowledged.slice(at, at + 100);
      expect(await found(some), some.join(' ')).toBe(some.length * 2);
    }
    // What was refused was perhaps written before its answer was lost: then whole, and once.
    for (const client of refused) expect([0, 2]).toContain(await found([client]));
    expect(size).toBeGreaterThanOrEqual(acknowledged.length * 2);
  } finally {
    over = true;
    await log.stop();
    await database.close();
    await pair.stop();
  }
}, 180_000);
