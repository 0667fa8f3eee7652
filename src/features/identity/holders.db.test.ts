import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { type IdentityFixture, identityFixture, setUp } from '../../../test/support/identity.ts';
import { newId } from '../../crypto/index.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import { createCredentialBook } from './credential-book.ts';
import { createSealing } from './sealing.ts';
import { createUserDirectory, type UserDirectory } from './user-directory.ts';
import { createUserStore } from './user-store.ts';

/** More stewards than any answer names: the answer says so, and a name finds each of them. */
const STEWARDS = 1_060;
const MENU = 50;

let db: TestDatabase;
let f: IdentityFixture;
let directory: UserDirectory;
let here: OrganisationId;
const ids: UserId[] = [];
let auditor: UserId;
let left: UserId;

beforeAll(async () => {
  db = await testDatabase();
  f = identityFixture(db.database);
  const admin = await setUp(f);
  here = (await admin.browser.ask('GET', '/api/session')).user.organisation.id;
  directory = createUserDirectory({ database: db.database, keyRing: f.keyRing });
  const sealing = createSealing(f.keyRing);
  const users = createUserStore(sealing, createCredentialBook(sealing));
  const common = { organisationId: here, nowMs: f.clock.nowMs(), state: 'active', passwordHash: 'x' } as const;
  await db.database.transaction(async (tx) => {
    for (let at = 0; at < STEWARDS; at++) {
      const id = newId<UserId>();
      ids.push(id);
      const name = `Steward Number${String(at).padStart(4, '0')}`;
      await users.insert(tx, { ...common, id, name, email: `s${at}@secretplace.example`, roles: ['steward'] });
    }
    auditor = newId<UserId>();
    const other = { id: auditor, name: 'Steward Auditor', email: 'a@example.org', roles: ['auditor'] };
    await users.insert(tx, { ...common, ...other });
    left = newId<UserId>();
    const gone = {
      id: left,
      name: 'Steward Gone',
      email: 'g@example.org',
      roles: ['steward'],
      state: 'disabled',
    } as const;
    await users.insert(tx, { ...common, ...gone });
  });
}, 60_000);
afterAll(() => db.close());

const holders = (which?: Parameters<UserDirectory['holdersOf']>[2], reach: 'all' | OrganisationId[] = 'all') =>
  directory.holdersOf('review.decide', reach, which);

test('the first are named in order, and that there are more is said', async () => {
  const { people, more } = await holders();
  expect([people.length, more]).toEqual([MENU, true]);
  expect(people.map(({ name }) => name)).toEqual(people.map(({ name }) => name).toSorted());
});

test('each is found by the name, the oldest as well, without those who may not or are gone', async () => {
  for (const at of [0, 1, 500, STEWARDS - 1]) {
    const text = `number${String(at).padStart(4, '0')} stew`;
    expect(await holders({ text })).toMatchObject({ people: [{ id: ids[at] }], more: false });
  }
  expect((await holders({ text: 'Number000' })).people).toHaveLength(10);
  for (const text of ['steward auditor', 'steward gone', 'nobody']) {
    expect(await holders({ text }), text).toEqual({ people: [], more: false });
  }
});

test('an address finds nobody: only names are shown', async () => {
  expect((await holders({ text: 's7' })).people).toEqual([]);
  expect((await holders({ text: 'secretplace' })).people).toEqual([]);
});

test('each is known by id, and nobody of another organisation', async () => {
  const [oldest] = ids;
  expect(await holders({ id: oldest as UserId }, [here])).toMatchObject({ people: [{ id: oldest }], more: false });
  expect((await holders({ id: oldest as UserId }, [newId<OrganisationId>()])).people).toEqual([]);
  for (const id of [auditor, left]) expect((await holders({ id })).people).toEqual([]);
});
