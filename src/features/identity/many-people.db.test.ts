import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

/** Ten thousand people in five hundred organisations: every list answers by pages and stays quick. */
const PEOPLE = 10_000;
const ORGANISATIONS = 500;
/** Far above what is measured (see the report of the run), far below what anybody would notice. */
const QUICK_MS = 1_500;

let db: TestDatabase;
let f: IdentityFixture;
let admin: EnrolledPerson;
let boss: EnrolledPerson;

beforeAll(async () => {
  db = await testDatabase();
  f = identityFixture(db.database);
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
        await users.insert(tx, { ...person, id: newId<UserId>(), organisationId, nowMs: nowMs - 100 * 86_400_000 });
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
  await db.ownerDatabase.run({
    name: 'test.analyze',
    text: 'ANALYZE identity.users, identity.memberships, identity.organisations',
  });
}, 120_000);
afterAll(() => db.close());

/** The quickest of some tries: what else the machine does can only make one slower. */
async function timed<T>(work: () => Promise<T>): Promise<{ readonly answer: T; readonly ms: number }> {
  let answer = await work();
  let ms = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 5; tries += 1) {
    const begun = performance.now();
    answer = await work();
    ms = Math.min(ms, performance.now() - begun);
  }
  return { answer, ms };
}

describe('quick at ten thousand', () => {
  test.each<[string, () => EnrolledPerson, string, string, object | undefined, number]>([
    ['everybody, first page', () => admin, 'POST', '/api/users/search', { text: '' }, PEOPLE],
    ['by a name', () => admin, 'POST', '/api/users/search', { text: 'person 7777' }, 1],
    ['by the beginning of an address', () => admin, 'POST', '/api/users/search', { text: 'p123' }, 11],
    ['one organisation’s administrator', () => boss, 'POST', '/api/users/search', { text: '' }, 22],
    ['organisations', () => admin, 'POST', '/api/organisations/search', { text: '' }, ORGANISATIONS],
    ['organisations by name', () => admin, 'POST', '/api/organisations/search', { text: 'clinic 42' }, 15],
    ['access review', () => admin, 'GET', '/api/access-review', undefined, PEOPLE - 2],
  ])('%s', async (name, who, method, path, body, total) => {
    const url = path;
    const { answer, ms } = await timed(() => who().browser.ask(method, url, body));
    expect(answer.total, name).toBe(total);
    expect(ms, `${name}: ${Math.round(ms)} ms`).toBeLessThan(QUICK_MS);
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

  test('a session’s check stays one quick query', async () => {
    const cookie = [...boss.browser.cookies].map(([name, value]) => `__Host-${name}=${value}`).join('; ');
    const origin = { door: 'users', address: '192.0.2.10', requestId: 'r' } as const;
    const rounds = 20;
    const { ms } = await timed(async () => {
      for (let at = 0; at < rounds; at += 1) {
        f.clock.forward(1_001);
        await f.identity.authenticateUser(cookie, origin);
      }
    });
    expect(ms / rounds, `${(ms / rounds).toFixed(2)} ms`).toBeLessThan(50);
  });
});
