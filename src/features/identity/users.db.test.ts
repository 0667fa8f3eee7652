import { beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import {
  BASE_URL,
  type EnrolledPerson,
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
import type { Role } from '../../kernel/access.ts';
import type { UserId } from '../../kernel/ids.ts';

let db: TestDatabase;
let fixture: IdentityFixture;
let admin: EnrolledPerson;
beforeEach(async () => {
  db = await testDatabase();
  fixture = identityFixture(db.database);
  admin = await setUp(fixture);
  return () => db.close();
});

const refusal = (promise: Promise<unknown>, code: string) => expect(promise).rejects.toMatchObject({ code });

async function person(email: string, roles: Role[]): Promise<EnrolledPerson & { id: UserId }> {
  const added = await admin.browser.ask('POST', '/api/users', { name: `Person ${email}`, email, roles });
  return { ...(await enrol(fixture, added.link)), id: added.user.id };
}
async function idOf(email: string): Promise<UserId> {
  const found = await fixture.identity.findUserByEmail(email);
  if (found === undefined) throw new Error(`no user ${email}`);
  return found.id;
}

describe('users', () => {
  test('one address has one account, in any case', async () => {
    const again = admin.browser.ask('POST', '/api/users', {
      name: 'Other',
      email: 'AMA@clinic.EXAMPLE.org',
      roles: ['auditor'],
    });
    await refusal(again, 'email-taken');
  });

  test('adding the same address many times at once makes one account', async () => {
    const adds = Array.from({ length: 6 }, () =>
      admin.browser.ask('POST', '/api/users', { name: 'Kofi', email: 'kofi@example.org', roles: ['auditor'] }),
    );
    const outcomes = await Promise.allSettled(adds);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  test('before set-up nobody can be added', async () => {
    const empty = await testDatabase();
    const { identity } = identityFixture(empty.database);
    const add = identity.users.add(operator, { name: 'X', email: 'x@example.org', roles: ['auditor'] }, BASE_URL);
    await refusal(add, 'set-up-first');
    await empty.close();
  });

  test('disabling ends everything with the next request, and enabling gives it back by sign-in', async () => {
    const kofi = await person('kofi@example.org', ['steward']);
    expect(await kofi.browser.principal()).toMatchObject({ kind: 'user' });
    await admin.browser.ask('POST', `/api/users/${kofi.id}/disable`);
    expect(await kofi.browser.principal()).toMatchObject({ kind: 'anonymous' });
    await refusal(signIn(fixture, kofi, kofi.browser), 'sign-in-refused');
    const enabled = await admin.browser.ask('POST', `/api/users/${kofi.id}/enable`);
    expect(enabled.user).toMatchObject({ state: 'active', secondFactor: true });
    expect(await kofi.browser.principal()).toMatchObject({ kind: 'anonymous' });
    await signIn(fixture, kofi, kofi.browser);
  });

  test('a half-done sign-in does not survive being disabled', async () => {
    const kofi = await person('kofi@example.org', ['steward']);
    const browser = new TestBrowser(fixture.identity);
    await browser.ask('POST', '/api/sign-in/password', { email: kofi.email, password: 'seven herons over the lake' });
    expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'second-factor' });
    await admin.browser.ask('POST', `/api/users/${kofi.id}/disable`);
    expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'anonymous' });
    await refusal(browser.ask('POST', '/api/sign-in/code', { recoveryCode: kofi.recoveryCodes[0] }), 'sign-in-expired');
  });

  test('an invited person who is disabled cannot use the link', async () => {
    const added = await admin.browser.ask('POST', '/api/users', {
      name: 'K',
      email: 'k@example.org',
      roles: ['auditor'],
    });
    await admin.browser.ask('POST', `/api/users/${added.user.id}/disable`);
    await refusal(enrol(fixture, added.link), 'link-dead');
    const enabled = await admin.browser.ask('POST', `/api/users/${added.user.id}/enable`);
    expect(enabled.user.state).toBe('invited');
    await refusal(enrol(fixture, added.link), 'link-dead');
  });

  test('a change of roles holds from the next request', async () => {
    const kofi = await person('kofi@example.org', ['steward']);
    await kofi.browser.principal();
    await admin.browser.ask('PUT', `/api/users/${kofi.id}/roles`, { roles: ['auditor'] });
    expect(await kofi.browser.principal()).toMatchObject({ roles: ['auditor'], permissions: new Set(['audit.read']) });
  });

  test('… and in every other process within a second', async () => {
    const elsewhere = identityFixture(db.database, fixture);
    await elsewhere.identity.start();
    const kofi = await person('kofi@example.org', ['steward']);
    const there = new TestBrowser(elsewhere.identity);
    for (const [name, value] of kofi.browser.cookies) there.cookies.set(name, value);
    expect(await there.principal()).toMatchObject({ kind: 'user' });
    // The clock stands still, so the cached second never ends by itself: only the notification can do this.
    await admin.browser.ask('POST', `/api/users/${kofi.id}/disable`);
    await expect.poll(() => there.principal(), { interval: 5 }).toMatchObject({ kind: 'anonymous' });
    await elsewhere.identity.stop();
  });

  test('… and without notification once the cached second is over', async () => {
    const deaf = identityFixture(db.database, fixture);
    const kofi = await person('kofi@example.org', ['steward']);
    const there = new TestBrowser(deaf.identity);
    for (const [name, value] of kofi.browser.cookies) there.cookies.set(name, value);
    await there.principal();
    await admin.browser.ask('POST', `/api/users/${kofi.id}/disable`);
    fixture.clock.forward(1_000);
    expect(await there.principal()).toMatchObject({ kind: 'anonymous' });
  });

  test('the last administrator can neither be disabled nor demoted, whoever asks', async () => {
    const id = await idOf(admin.email);
    await refusal(fixture.identity.users.change(operator, id, { kind: 'disable' }, BASE_URL), 'last-administrator');
    await refusal(admin.browser.ask('PUT', `/api/users/${id}/roles`, { roles: ['auditor'] }), 'last-administrator');
    const second = await person('second@example.org', ['administrator']);
    await second.browser.ask('POST', `/api/users/${id}/disable`);
    await refusal(
      fixture.identity.users.change(operator, second.id, { kind: 'disable' }, BASE_URL),
      'last-administrator',
    );
  });

  test('two administrators who disable each other at once: one stays', async () => {
    const id = await idOf(admin.email);
    const second = await person('second@example.org', ['administrator']);
    await admin.browser.principal();
    await second.browser.principal();
    const outcomes = await Promise.allSettled([
      admin.browser.ask('POST', `/api/users/${second.id}/disable`),
      second.browser.ask('POST', `/api/users/${id}/disable`),
    ]);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  test('the last administrator recovers through the command line, and set-up stays shut meanwhile', async () => {
    const id = await idOf(admin.email);
    const { link } = await fixture.identity.users.change(operator, id, { kind: 'reset' }, BASE_URL);
    expect(await fixture.identity.setupLink(operator, BASE_URL)).toBeUndefined();
    const again = await enrol(fixture, link?.url ?? '');
    expect(await again.browser.ask('GET', '/api/session')).toMatchObject({ user: { roles: ['administrator'] } });
  });

  test('an unknown user is not found', async () => {
    const id = '0198f3a0-0000-7000-8000-000000000000';
    await refusal(admin.browser.ask('POST', `/api/users/${id}/disable`), 'user-unknown');
  });
});

describe('what a thief of the database reads', () => {
  test('no name, address, e-mail, password hash, secret or token', async () => {
    const kofi = await person('kofi@example.org', ['steward']);
    await refusal(
      new TestBrowser(fixture.identity).ask('POST', '/api/sign-in/password', {
        email: 'who@else.org',
        password: 'not this one',
      }),
      'sign-in-refused',
    );
    const esi = await admin.browser.ask('POST', '/api/users', {
      name: 'Esi Owusu',
      email: 'esi@example.org',
      roles: ['auditor'],
    });
    const draft = { token: tokenOf(esi.link), password: PASSWORD };
    await new TestBrowser(fixture.identity).ask('POST', '/api/enrol/account', draft);
    const tables = [
      'organisations',
      'users',
      'memberships',
      'factors',
      'recovery_codes',
      'sessions',
      'devices',
      'links',
      'attempts',
    ];
    let dump = '';
    for (const table of tables) {
      const rows = await db.ownerDatabase.rows<{ line: string }>({
        name: `test.dump-${table}`,
        text: `SELECT t::text AS line FROM identity.${table} t`,
      });
      expect(rows.length, table).toBeGreaterThan(0);
      dump += rows.map((row) => row.line).join('\n');
    }
    const secret = new URL(kofi.totp.uri).searchParams.get('secret') ?? '?';
    const words = [
      'Lakeside',
      'Ama',
      'Mensah',
      'kofi',
      'example.org',
      'else.org',
      '192.0.2',
      'TestBrowser',
      'argon2',
      secret,
    ];
    words.push(...kofi.recoveryCodes, ...kofi.browser.cookies.values());
    for (const word of words) {
      expect(dump, word).not.toContain(word);
      // So few bytes are in the sealed ones by chance now and then.
      if (word.length > 3) expect(dump, word).not.toContain(Buffer.from(word).toString('hex'));
    }
  });

  test('a value moved into another person’s row is refused, not believed', async () => {
    const kofi = await person('kofi@example.org', ['steward']);
    await db.ownerDatabase.run(
      {
        name: 'test.swap',
        text: `UPDATE identity.users SET sealed_password = (SELECT sealed_password FROM identity.users WHERE id <> $1 LIMIT 1) WHERE id = $1`,
      },
      [kofi.id],
    );
    const ask = new TestBrowser(fixture.identity).ask('POST', '/api/sign-in/password', {
      email: kofi.email,
      password: 'anything',
    });
    await refusal(ask, 'sign-in-refused');
    expect(fixture.recorded).toContainEqual(
      expect.objectContaining({ event: 'identity.changed', detail: { what: 'credentials', id: kofi.id } }),
    );
  });
});
