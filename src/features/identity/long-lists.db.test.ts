import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Asked, noting, rowsLookedAt } from '../../../test/support/asked.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import {
  type EnrolledPerson,
  type IdentityFixture,
  identityFixture,
  operator,
  setUp,
} from '../../../test/support/identity.ts';
import { newId } from '../../crypto/index.ts';
import type { OrganisationId, UserId } from '../../kernel/ids.ts';
import type { Transaction } from '../../platform/db/sql.ts';
import { noteBan } from './ban-notes.ts';
import { createCredentialBook } from './credential-book.ts';
import { exceptionRow } from './row-facts.ts';
import { createSealing, type Sealing } from './sealing.ts';
import { createUserStore } from './user-store.ts';

/**
 * More exceptions, networks and accounts held up, and notices than any one answer holds: every list says how many there are, and comes to
 * its end in pages, each row once. What a page asks of the database does not grow with the list's people.
 */
const EXCEPTIONS = 520;
const NETWORKS = 510;
const WAITING = 505;
const NOTICES = 205;
const HOUR_MS = 3_600_000;

let db: TestDatabase;
let f: IdentityFixture;
let admin: EnrolledPerson;
let sealing: Sealing;
let asked: Asked[];
const people: UserId[] = [];

beforeAll(async () => {
  db = await testDatabase();
  const noted = noting(db.database);
  asked = noted.asked;
  f = identityFixture(noted.database);
  admin = await setUp(f);
  sealing = createSealing(f.keyRing);
  const { user } = await admin.browser.ask('GET', '/api/session');
  await db.database.transaction(async (tx) => {
    for (let at = 0; at < EXCEPTIONS; at++) await addPerson(tx, user.organisation.id, at);
    for (const [at, userId] of people.entries()) await addException(tx, userId, at);
    for (let at = 0; at < NETWORKS; at++) await addBan(tx, at);
  });
  const notice = { title: 'Rules of use', text: 'Nobody lends their account.', roles: ['no-such-role'] };
  for (let at = 0; at < NOTICES; at++) await f.identity.notices.publish(operator, notice);
}, 60_000);
afterAll(() => db.close());

async function addPerson(tx: Transaction, organisationId: OrganisationId, at: number): Promise<void> {
  const users = createUserStore(sealing, createCredentialBook(sealing));
  const id = newId<UserId>();
  const email = `p${at}@example.org`;
  const nowMs = f.clock.nowMs();
  await users.insert(tx, { id, name: `Person ${at}`, email, roles: [], state: 'invited', organisationId, nowMs });
  people.push(id);
  if (at >= WAITING) return;
  await tx.run(
    {
      name: 'test.waiting',
      text: `INSERT INTO identity.attempts (subject, stage, kind, device_hash, failures, waits_until, last_at)
        VALUES ($1, 'password', 'unknown-devices', '', $2, $3, $4)`,
    },
    [sealing.emailToken(email), 11 + (at % 30), new Date(nowMs + HOUR_MS), new Date(nowMs)],
  );
}

async function addException(tx: Transaction, userId: UserId, at: number): Promise<void> {
  const id = newId();
  const grantedMs = f.clock.nowMs() - at * 60_000;
  // Every third is over.
  const endsMs = f.clock.nowMs() + (at % 3 === 0 ? -1 : 1) * HOUR_MS;
  const binding = sealing.rows.bind(exceptionRow({ id, userId, approvedBy: null, grantedMs, endsMs }));
  await tx.run(
    {
      name: 'test.exception',
      text: `INSERT INTO identity.exceptions (id, user_id, sealed_why, approved_by, granted_at, ends_at, binding)
        VALUES ($1, $2, $3, NULL, $4, $5, $6)`,
    },
    [id, userId, sealing.seal('sealed_why', id, `Reason ${at}`), new Date(grantedMs), new Date(endsMs), binding],
  );
}

const addBan = (tx: Transaction, at: number): Promise<boolean> =>
  noteBan(
    tx,
    { sealing, clock: f.clock },
    {
      subject: BigInt(at),
      network: `10.0.${at >> 8}.${at & 255}/32`,
      failures: 60,
      waitsUntilMs: f.clock.nowMs() + HOUR_MS,
    },
  );

interface Listed {
  readonly path: string;
  readonly offset?: string;
  readonly rows: string;
  readonly total?: string;
  readonly key?: string;
  readonly count: number;
}
const LISTS: readonly Listed[] = [
  { path: '/api/policy/exceptions', rows: 'exceptions', count: EXCEPTIONS },
  { path: '/api/bans', rows: 'networks', total: 'networksTotal', count: NETWORKS },
  {
    path: '/api/bans',
    offset: 'accountsOffset',
    rows: 'accounts',
    total: 'accountsTotal',
    key: 'userId',
    count: WAITING,
  },
  { path: '/api/notices', rows: 'notices', count: NOTICES },
];

describe('pages of a long list', () => {
  test.each(LISTS)(
    '$rows: each row once, to the end',
    async ({ path, offset = 'offset', rows, total = 'total', key = 'id', count }) => {
      const seen: string[] = [];
      for (;;) {
        const page = await admin.browser.ask('GET', `${path}?limit=100&${offset}=${seen.length}`);
        expect(page[total]).toBe(count);
        if (page[rows].length === 0) break;
        seen.push(...page[rows].map((row: Record<string, string>) => row[key]));
      }
      expect(seen).toHaveLength(count);
      expect(new Set(seen).size).toBe(count);
    },
  );

  test('exceptions: those in force come first, then the newest', async () => {
    const { exceptions } = await admin.browser.ask('GET', '/api/policy/exceptions?limit=500');
    const states = exceptions.map((one: { state: string }) => one.state);
    expect(states.indexOf('over')).toBe(EXCEPTIONS - Math.ceil(EXCEPTIONS / 3));
    expect(states.lastIndexOf('living')).toBe(states.indexOf('over') - 1);
    expect(exceptions[0]).toMatchObject({ name: 'Person 1', reason: 'Reason 1' });
  });

  test.each(['/api/policy', '/api/policy/exceptions', '/api/bans', '/api/notices'])(
    '%s asks a handful of statements, however long the list',
    async (path) => {
      asked.length = 0;
      await admin.browser.ask('GET', path);
      const route = asked.filter(({ statement: { text } }) => /^\s*(SELECT|WITH)/.test(text));
      expect(route.length).toBeLessThanOrEqual(10);
      let users = 0;
      for (const one of route) users += (await rowsLookedAt(db.database, one)).get('users') ?? 0;
      // Accounts held up are counted and listed: each is looked at for either.
      expect(users).toBeLessThanOrEqual(2 * WAITING + 50);
    },
  );
});

test('a token in force is listed, and can be revoked, however many newer ones are over', async () => {
  const ask = admin.browser.ask.bind(admin.browser);
  const wanted = { label: 'Nightly export', permissions: ['client.read'], days: 30 };
  const made = await ask('POST', '/api/personal-tokens', wanted);
  const kept: string = made.token.id;
  for (let at = 0; at < 101; at++) {
    f.clock.forward(1);
    const other = await ask('POST', '/api/personal-tokens', { ...wanted, label: `Tried ${at}` });
    await ask('DELETE', `/api/personal-tokens/${other.token.id}`);
  }
  const { user } = await ask('GET', '/api/session');
  for (const path of ['/api/personal-tokens', `/api/users/${user.id}/personal-tokens`]) {
    const { tokens } = await ask('GET', path);
    expect(tokens[0]).toMatchObject({ id: kept, label: 'Nightly export' });
  }
  await ask('DELETE', `/api/users/${user.id}/personal-tokens/${kept}`);
});
