import { afterAll, beforeAll, expect, test } from 'vitest';
import { createForwarder } from '../../src/features/atna/forwarder.ts';
import { createTargetBinder } from '../../src/features/atna/target-binding.ts';
import { createTargets, type Targets } from '../../src/features/atna/targets.ts';
import { type Audit, createAudit } from '../../src/features/audit/index.ts';
import { readInput, testKeyRing, userActor } from '../support/audit.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { syslogServer } from '../support/syslog.ts';
import { testAuthority, testLeaf } from '../support/tls.ts';

const binder = createTargetBinder(testKeyRing());

/** P49: a false, dying or absent audit repository learns nothing, loses nothing and changes no order. */
let db: TestDatabase;
let audit: Audit;
let targets: Targets;
const clock = { nowMs: () => Date.now() };
beforeAll(async () => {
  db = await testDatabase();
  const source = { site: 'careseal.example.org', baseUrl: 'https://careseal.example.org:8443' };
  audit = createAudit({ database: db.database, keyRing: testKeyRing(), clock, source, onFailure: () => undefined });
  targets = createTargets({ database: db.database, clock, audit, binder });
});
afterAll(async () => {
  await audit.stop();
  await db.close();
});

const client = (index: number): string => `0198f3a0-0000-7000-8000-${String(index).padStart(12, '0')}`;

test('whoever answers in the repository’s place gets no event; the true one gets all of them in order', async () => {
  const authority = await testAuthority();
  const place = await syslogServer({ tls: await testLeaf(authority, { usage: 'server' }) });
  const { port } = place;
  await place.close();
  const add = { name: 'Ministry', protocol: 'tls', host: '127.0.0.1', port, path: '', from: 'now' } as const;
  const filter = { events: ['client.*'], outcome: 'all' } as const;
  await targets.add(userActor, {
    ...add,
    authorities: authority.ca,
    filter: { ...filter, events: [...filter.events] },
  });
  const forwarder = createForwarder({
    database: db.database,
    binder,
    clock,
    audit,
    carrier: { site: 'careseal.example.org', identity: () => Promise.resolve(undefined) },
    onChange: () => undefined,
    pace: { pollMs: 20, retryMs: 20, retryMsMax: 40, lingerMs: 50 },
  });
  forwarder.start();
  const state = async () => (await targets.list(userActor)).targets[0];
  const happens = async (from: number): Promise<void> => {
    for (let i = from; i < from + 20; i++) await audit.recordNow([readInput(client(i), userActor)]);
    await audit.sequence();
  };
  await happens(0);
  await expect.poll(async () => (await state())?.failure).toBe('refused');
  for (const impostor of [
    await testLeaf(await testAuthority('Foreign'), { usage: 'server' }),
    await testLeaf(authority, { usage: 'server', names: ['elsewhere.example'] }),
    await testLeaf(authority, { usage: 'server', nowMs: Date.now() - 90 * 86_400_000, days: 30 }),
  ]) {
    const server = await syslogServer({ tls: impostor, port });
    await expect.poll(async () => (await state())?.failure).toBe('certificate');
    expect(server.messages).toEqual([]);
    await server.close();
    await expect.poll(async () => (await state())?.failure).toBe('refused');
  }
  await happens(20);
  // The true one, which dies again and again while it takes.
  const dying = await syslogServer({ tls: await testLeaf(authority, { usage: 'server' }), port });
  dying.mode = 'cut-after-first';
  await expect.poll(() => dying.connections).toBeGreaterThan(3);
  dying.mode = 'take';
  await expect.poll(async () => (await state())?.delivered).toBe(40);
  const order = dying.messages.map((one) => /ParticipantObjectID="Patient\/([^"]+)"/.exec(one)?.[1]);
  expect(order.slice(-40)).toEqual(Array.from({ length: 40 }, (_, index) => client(index)));
  await forwarder.stop();
  await dying.close();
});
