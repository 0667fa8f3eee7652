import { afterAll, beforeAll, expect, test } from 'vitest';
import { readInput, testKeyRing } from '../../../test/support/audit.ts';
import { fill, quietLog } from '../../../test/support/audit-log.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import type { OutgoingMail } from '../../platform/mail/index.ts';
import { createHeadMail } from './head-mail.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

test('the head goes out once a day, from whichever process, and can be held against the log', async () => {
  const log = quietLog(db.database, testKeyRing());
  const out: OutgoingMail[] = [];
  let nowMs = Date.UTC(2030, 4, 1, 8);
  let configured = false;
  const mail = { enqueue: async (_tx: unknown, one: OutgoingMail) => (configured && out.push(one), configured) };
  const recipients = ['auditor@example.org', 'ministry@example.org'];
  const make = () =>
    createHeadMail({ database: db.database, clock: { nowMs: () => nowMs }, mail, recipients, onFailure: () => {} });
  expect(await make().sendDue()).toBe(false);
  await fill(log, 5);
  await log.sequence();
  // Without a mail server the day is not used up.
  await expect(make().sendDue()).rejects.toThrow();
  configured = true;
  expect((await Promise.all([make().sendDue(), make().sendDue()])).filter((sent) => sent)).toHaveLength(1);
  expect(await make().sendDue()).toBe(false);
  expect(out.map(({ to }) => to)).toEqual(recipients);
  const kept = /----------\n([\s\S]*)\n----------/.exec(out[0]?.text ?? '')?.[1] ?? '';
  await log.recordNow([readInput('later')]);
  expect((await log.verify({ knownCheckpoints: [kept] })).ok).toBe(true);
  nowMs += 24 * 3_600_000;
  expect(await make().sendDue()).toBe(true);
  expect(out).toHaveLength(4);
});
