import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Asked, noting, rowsLookedAt } from '../../../test/support/asked.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import {
  BASE_URL,
  type EnrolledPerson,
  enrol,
  type IdentityFixture,
  identityFixture,
  operator,
  setUp,
} from '../../../test/support/identity.ts';
import { newId } from '../../crypto/index.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import { createCredentialBook } from './credential-book.ts';
import { createOrganisationStore } from './organisation-store.ts';
import { createSealing } from './sealing.ts';
import { createUserStore } from './user-store.ts';

/**
 * Ten thousand people in five hundred organisations, each with a session: what every list asks of the database. Rows that PostgreSQL looks
 * at, not time, which would tell of the machine.
 */
const PEOPLE = 10_000;
const ORGANISATIONS = 500;

let db: TestDatabase;
let f: IdentityFixture;
let admin: EnrolledPerson;
let boss: EnrolledPerson;
let bossId: UserId;
/** One of the many. */
let someone: UserId;
let asked: Asked[];

beforeAll(async () => {
  db = await testDatabase();
  const noted = noting(db.database);
  asked = noted.asked;
  f = identityFixture(noted.database);
  admin = await setUp(f);
  const sealing = createSealing(f.keyRing);
  const users = createUserStore(sealing, createCredentialBook(sealing));
  const organisations = createOrganisationStore(sealing);
  const ids = Array.from({ length: ORGANISATIONS - 1 }, () => newId<OrganisationId>());
  const nowMs = f.clock.nowMs();
  await db.database.transaction(async (tx) => {
    for (const [at, id] of ids.entries()) await organisations.insert(tx, { id, name: `Clinic ${at}` }, nowMs);
  });
  for (let from = 0; from < PEOPLE - 2; from += 1_000) {
    await db.database.transaction(async (tx) => {
      for (let at = from; at < Math.min(from + 1_000, PEOPLE - 2); at += 1) {
        const organisationId = ids[at % ids.length];
        if (organisationId === undefined) throw new Error('no organisation');
        const person = {
          name: `Person ${at} Of Clinic`,
          email: `p${at}@example.org`,
          roles: ['registrar'],
          state: 'invited',
        } as const;
        someone = newId<UserId>();
        await users.insert(tx, { ...person, id: someone, organisationId, nowMs: nowMs - 100 * 86_400_000 });
      }
    });
  }
  const [organisationId] = ids;
  const added = await f.identity.users.add(
    operator,
    {
      name: 'Boss',
      email: 'boss@example.org',
      roles: ['administrator'],
      ...(organisationId ? { organisationId } : {}),
    },
    BASE_URL,
  );
  boss = await enrol(f, added.link?.url ?? '');
  bossId = added.user.id;
  // Others' sessions are never opened by these lists: what they hold does not matter here.
  await db.ownerDatabase.run({
    name: 'test.sessions',
    text: `INSERT INTO identity.sessions (token_hash, id, user_id, sealed_origin, started_at, authenticated_at, last_seen_at,
        absolute_ends_at, method, binding)
      SELECT sha256(u.id::text::bytea), gen_random_uuid(), u.id, ''::bytea, now(), now(), now(), now() + interval '9 years', 'code', ''::bytea
      FROM identity.users u WHERE u.state = 'invited'`,
  });
  await db.ownerDatabase.run({
    name: 'test.analyze',
    text: 'ANALYZE identity.users, identity.memberships, identity.organisations, identity.sessions',
  });
}, 120_000);
afterAll(() => db.close());

/** What a route asks of the database, and how many rows of people, memberships and sessions are looked at for it in all. */
async function costOf(work: () => Promise<unknown>): Promise<{ statements: number; rows: Record<string, number> }> {
  asked.length = 0;
  await work();
  // What is asked besides to explain it is not part of it.
  const route = asked.filter(
    ({ statement: { text } }) => /^\s*(SELECT|WITH)/.test(text) && !text.includes('FOR UPDATE'),
  );
  const statements = asked.length;
  const rows: Record<string, number> = {};
  for (const one of route) {
    for (const [table, looked] of await rowsLookedAt(db.database, one)) rows[table] = (rows[table] ?? 0) + looked;
  }
  return { statements, rows };
}

/** What a page of a hundred, the names of its organisations and the look at who asks may read of any table. */
const A_FEW = 250;
const ALL = PEOPLE + A_FEW;

function expectAtMost(cost: { statements: number; rows: Record<string, number> }, most: Record<string, number> = {}) {
  expect(cost.statements).toBeLessThanOrEqual(8);
  const more = Object.entries(cost.rows).filter(([table, looked]) => looked > (most[table] ?? A_FEW));
  expect(more).toEqual([]);
}

interface List {
  readonly name: string;
  readonly who: () => EnrolledPerson;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly total: number;
  /** Rows of a table where more than a few are looked at, and why. */
  readonly most?: Record<string, number>;
}
const users = { method: 'POST', path: '/api/users/search' };
const places = { method: 'POST', path: '/api/organisations/search' };
const review = { method: 'GET', path: '/api/access-review' };
const centre = (): EnrolledPerson => admin;
const clinic = (): EnrolledPerson => boss;
// How many people each organisation has is counted in one walk over the memberships.
const counted = { organisations: ORGANISATIONS + A_FEW, memberships: ALL };
const LISTS: readonly List[] = [
  // Everybody is counted, and a page is read.
  { name: 'everybody', who: centre, ...users, body: { text: '' }, total: PEOPLE, most: { users: ALL } },
  { name: 'by a name', who: centre, ...users, body: { text: 'person 7777' }, total: 1 },
  { name: 'by the beginning of an address', who: centre, ...users, body: { text: 'p123' }, total: 11 },
  { name: 'one organisation’s people', who: clinic, ...users, body: { text: '' }, total: 22 },
  { name: 'organisations', who: centre, ...places, body: { text: '' }, total: ORGANISATIONS, most: counted },
  { name: 'organisations by name', who: centre, ...places, body: { text: 'clinic 42' }, total: 15, most: counted },
  // The oldest of all that wait, and how many they are: two walks.
  { name: 'access review', who: centre, ...review, total: PEOPLE - 2, most: { users: 2 * ALL, memberships: 2 * ALL } },
  { name: 'access review of one organisation', who: clinic, ...review, total: 21 },
];

describe('at ten thousand people in five hundred organisations', () => {
  test.each(LISTS)('$name', async ({ who, method, path, body, total, most }) => {
    const cost = await costOf(async () => expect((await who().browser.ask(method, path, body)).total).toBe(total));
    expectAtMost(cost, most);
  });

  test.each<[string, () => EnrolledPerson, string, () => string, () => object | undefined]>([
    ['one of them', () => admin, 'GET', () => `/api/users/${someone}`, () => undefined],
    ['sessions of one', () => admin, 'GET', () => `/api/users/${bossId}/sessions`, () => undefined],
    ['effective rights', () => admin, 'POST', () => '/api/rights', () => ({ userId: someone })],
    ['policy and exceptions', () => admin, 'GET', () => '/api/policy', () => undefined],
    ['one’s own session', () => boss, 'GET', () => '/api/session', () => undefined],
  ])('%s', async (_name, who, method, path, body) => {
    // The session is asked for again, too.
    f.clock.forward(1_001);
    expectAtMost(await costOf(() => who().browser.ask(method, path(), body())), {});
  });

  test('one of them is shown as the list shows them, and to nobody who would not find them there', async () => {
    const { user } = await admin.browser.ask('GET', `/api/users/${someone}`);
    expect(user).toMatchObject({ id: someone, state: 'invited', roles: ['registrar'], elsewhere: false });
    const list = await admin.browser.ask('POST', '/api/users/search', { text: user.email });
    expect(list.users).toEqual([user]);
    const refused = boss.browser.ask('GET', `/api/users/${someone}`);
    await expect(refused).rejects.toMatchObject({ code: 'user-unknown' });
    expect((await boss.browser.ask('GET', `/api/users/${bossId}`)).user.name).toBe('Boss');
  });

  test('pages follow one another until everybody has been seen once', async () => {
    const seen = new Set<string>();
    let after: string | undefined;
    do {
      const page = await admin.browser.ask('POST', '/api/users/search', {
        text: '',
        limit: 200,
        ...(after ? { after } : {}),
      });
      for (const user of page.users) seen.add(user.id);
      after = page.next;
    } while (after !== undefined);
    expect(seen.size).toBe(PEOPLE);
  });
});
