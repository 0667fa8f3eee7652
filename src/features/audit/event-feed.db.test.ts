import { afterAll, beforeAll, expect, test } from 'vitest';
import { readInput, testKeyRing } from '../../../test/support/audit.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { type Audit, createAudit } from './index.ts';

let db: TestDatabase;
let audit: Audit;
beforeAll(async () => {
  db = await testDatabase();
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  const clock = { nowMs: () => Date.now() };
  audit = createAudit({ database: db.database, keyRing: testKeyRing(), clock, source, onFailure: () => undefined });
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

test('a follower that reads while the log grows misses nothing and sees nothing twice', async () => {
  const WRITES = 120;
  let written = false;
  const writing = (async () => {
    for (let i = 0; i < WRITES; i++) {
      await audit.recordNow([readInput(`client-${i}`)]);
      await audit.sequence();
    }
    written = true;
  })();
  const followers = Array.from({ length: 4 }, async () => {
    const seen: number[] = [];
    let at = 0;
    for (;;) {
      const done = written;
      const { events, next } = await audit.feed.after(at, 50);
      seen.push(...events.map(({ index }) => index));
      expect(events.every(({ json }) => json !== undefined)).toBe(true);
      if (next === at && done) return seen;
      at = next;
    }
  });
  await writing;
  for (const seen of await Promise.all(followers)) expect(seen).toEqual(Array.from({ length: WRITES }, (_, i) => i));
});

test('what nobody wants is not opened', async () => {
  const { events } = await audit.feed.after(0, 10, ({ index }) => index % 2 === 0);
  expect(events.map(({ json }) => json !== undefined)).toEqual(events.map(({ index }) => index % 2 === 0));
});
