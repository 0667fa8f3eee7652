import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import {
  BASE_URL,
  enrol,
  type IdentityFixture,
  identityFixture,
  operator,
  PASSWORD,
  setUp,
  signIn,
  TestBrowser,
  tokenOf,
} from '../../../test/support/identity.ts';
import { newSecretKey } from '../../crypto/index.ts';
import { createKeyRing, type KeySet } from '../../store/key-ring.ts';
import { createResealParticipants } from './reseal.ts';
import { createSealing } from './sealing.ts';

const oldData = { id: 1, key: newSecretKey() };
const newData = { id: 2, key: newSecretKey() };
const oldIndex = newSecretKey();
const newIndex = newSecretKey();
const keys = (data: typeof oldData, others: (typeof oldData)[], index = oldIndex, otherIndex = [newIndex]): KeySet => {
  const current = { data, index, otherIndex };
  return {
    dataKeys: new Map([data, ...others].map((key) => [key.id, key])),
    current: { record: current, audit: current },
  };
};

let now: KeySet = keys(oldData, [newData]);
const keyRing = createKeyRing(() => now);
let db: TestDatabase;
let fixture: IdentityFixture;
beforeAll(async () => {
  db = await testDatabase();
  fixture = identityFixture(db.database, { keyRing });
});
afterAll(() => db.close());

async function rotate(kind: 'data' | 'index', limit: number): Promise<number> {
  let visited = 0;
  for (const participant of createResealParticipants(createSealing(keyRing))) {
    if (!participant.kinds.includes(kind)) continue;
    let cursor: string | undefined;
    do {
      const batch = { kind, cursor, limit };
      const progress = await db.database.transaction((tx) => participant.resealBatch(tx, batch));
      visited += progress.visited;
      cursor = progress.cursor;
    } while (cursor !== undefined);
  }
  return visited;
}

test('after both rotations everything opens and is found under the new keys alone', async () => {
  const admin = await setUp(fixture);
  for (let i = 0; i < 5; i++) {
    const person = { name: `P ${i}`, email: `p${i}@example.org`, roles: ['auditor'] as const };
    await fixture.identity.users.add(operator, person, BASE_URL);
  }
  const pending = await fixture.identity.users.add(
    operator,
    { name: 'Q', email: 'q@example.org', roles: ['auditor'] },
    BASE_URL,
  );
  const draft = { token: tokenOf(pending.link?.url ?? ''), password: PASSWORD };
  await new TestBrowser(fixture.identity).ask('POST', '/api/enrol/account', draft);
  const stranger = new TestBrowser(fixture.identity, '10.0.0.1');
  for (let i = 0; i < 10; i++) {
    await stranger
      .ask('POST', '/api/sign-in/password', { email: 'p0@example.org', password: 'wrong' })
      .catch(() => undefined);
  }

  now = keys(newData, [oldData]);
  // organisation, 7 users, 1 factor, 1 session, 6 links; bindings of these (users have two) and of 7 memberships; in small
  // batches, so that cursors are used.
  expect(await rotate('data', 2)).toBe(16 + 29);
  now = keys(newData, [], newIndex, [oldIndex]);
  expect(await rotate('index', 2)).toBe(7);
  now = keys(newData, [], newIndex, []);

  // Failures counted before the rotation still count.
  const after = stranger.ask('POST', '/api/sign-in/password', { email: 'p0@example.org', password: 'wrong' });
  await expect(after).rejects.toMatchObject({ code: 'too-many-attempts' });

  expect(await fixture.identity.findUserByEmail('p3@example.org')).toBeDefined();
  expect((await fixture.identity.users.list(operator)).users.map((user) => user.name)).toContain('P 4');
  expect(await admin.browser.ask('GET', '/api/session')).toMatchObject({
    user: { organisation: { name: 'Lakeside Programme' } },
  });
  expect((await admin.browser.ask('GET', '/api/sessions')).sessions).toHaveLength(1);
  await signIn(fixture, admin, new TestBrowser(fixture.identity));
  await enrol(fixture, pending.link?.url ?? '');
});

test('a second walk does no harm', async () => {
  expect(await rotate('data', 100)).toBeGreaterThan(0);
  await rotate('index', 100);
  expect(await fixture.identity.findUserByEmail('p3@example.org')).toBeDefined();
});
