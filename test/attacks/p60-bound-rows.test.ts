import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashToken } from '../../src/crypto/index.ts';
import { recoveryCodeHash } from '../../src/features/identity/recovery-codes.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  BASE_URL,
  codeAt,
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
  upgradeRows,
} from '../support/identity.ts';

/**
 * P60. Attacker: owns the database (its superuser), has read all of it, and has an ordinary account here; has no keys. Goal: to
 * be somebody else or to have somebody else's rights, by writing rows of people, rights, sessions, links and policy.
 * Not promised (SECURITY.md): that rows are not deleted as a whole account, or put back whole as they were.
 */
let db: TestDatabase;
let f: IdentityFixture;
let ama: EnrolledPerson;
let mallory: EnrolledPerson;
const ids = { ama: '' as UserId, mallory: '' as UserId };

async function close(): Promise<void> {
  // What was found is written down by the way: after one more event it is.
  if (f !== undefined) await f.identity.users.list(operator);
  await db?.close();
}

async function freshen(): Promise<void> {
  await close();
  db = await testDatabase();
  f = identityFixture(db.database);
  ama = await setUp(f);
  const wanted = { name: 'Mallory', email: 'mallory@example.org', roles: ['registrar'] };
  const added = await f.identity.users.add(operator, wanted, BASE_URL);
  mallory = await enrol(f, added.link?.url ?? '');
  ids.ama = (await f.identity.findUserByEmail(ama.email))?.id ?? ids.ama;
  ids.mallory = added.user.id;
}
beforeAll(freshen, 60_000);
afterAll(close);

/** SQL as the superuser; $1 is the administrator, $2 the attacker. At least one row must have changed. */
async function attack(sql: string, ...values: (string | Uint8Array)[]): Promise<void> {
  await withMaintenanceSession(db.superuserConnection, async (session) => {
    const changed = await session.rows<{ n: number }>(
      `WITH who AS (SELECT $1::uuid AS ama, $2::uuid AS mallory), changed AS (${sql} RETURNING 1)
       SELECT count(*)::int AS n FROM changed`,
      [ids.ama, ids.mallory, ...values],
    );
    expect(changed[0]?.n, sql).toBeGreaterThan(0);
  });
  // What is remembered of a session is at most a second old.
  f.clock.forward(1_500);
}
const AMA = '(SELECT ama FROM who)';
const MALLORY = '(SELECT mallory FROM who)';

const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  await promise.then(
    () => 'allowed',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
const told = (what: string): boolean =>
  f.recorded.some(({ event, detail }) => event === 'identity.changed' && detail?.['what'] === what);
const password = (email: string, given: string, browser = new TestBrowser(f.identity)) =>
  codeOf(browser.ask('POST', '/api/sign-in/password', { email, password: given }));
const stateOf = async (id: UserId) =>
  (await f.identity.users.list(operator)).users.find((user) => user.id === id)?.state;

describe('rights', () => {
  test('a raised role ends the account’s access; giving roles anew makes it whole, with the roles given', async () => {
    await attack(`UPDATE identity.memberships SET roles = '{administrator}' WHERE user_id = ${MALLORY}`);
    expect(await mallory.browser.principal()).toMatchObject({ kind: 'anonymous' });
    expect(await password(mallory.email, PASSWORD)).toBe('account-changed');
    expect(await password(mallory.email, 'not the password at all')).toBe('sign-in-refused');
    expect([told('membership'), await stateOf(ids.mallory)]).toEqual([true, 'changed']);
    // A reset does not make them hers; neither does changing something beside them.
    const reset = await f.identity.users.change(operator, ids.mallory, { kind: 'reset' }, BASE_URL);
    expect(reset.user).toMatchObject({ state: 'invited', roles: [] });
    mallory = await enrol(f, reset.link?.url ?? '');
    await f.identity.users.change(operator, ids.mallory, { kind: 'roles', roles: ['registrar'] }, BASE_URL);
    f.clock.forward(1_500);
    expect(await mallory.browser.principal()).toMatchObject({ kind: 'user', roles: ['registrar'] });
  });

  test('a membership, a role and a ceiling of the attacker’s own making grant nothing', async () => {
    const { organisation } = await f.identity.addOrganisation(operator, { name: 'North', ceiling: ['client.read'] });
    const { id } = organisation;
    const act = { kind: 'join', organisationId: id, roles: ['administrator'] } as const;
    await f.identity.users.change(operator, ids.mallory, act, BASE_URL);
    f.clock.forward(1_500);
    const before = await mallory.browser.principal();
    expect(before.permissions.has('user.manage')).toBe(false);
    await attack(`UPDATE identity.organisations SET ceiling = NULL WHERE id = $3::uuid`, id);
    await mallory.browser.ask('POST', '/api/session/organisation', { organisationId: id }).catch(() => undefined);
    f.clock.forward(1_500);
    expect((await mallory.browser.principal()).permissions.has('user.manage')).toBe(false);
    expect(told('organisation')).toBe(true);
    await attack(
      `INSERT INTO identity.roles (id, sealed_role, permissions, created_at)
       SELECT gen_random_uuid(), sealed_name, '{user.manage,settings.manage}', now() FROM identity.organisations LIMIT 1`,
    );
    await attack(`UPDATE identity.users SET state = 'active' WHERE id = ${MALLORY}`);
    expect((await mallory.browser.principal()).permissions.has('settings.manage')).toBe(false);
    // The ceiling set anew: the organisation is ours again, and no wider.
    await signIn(f, ama, ama.browser);
    await ama.browser.ask('PUT', `/api/organisations/${id}`, { ceiling: ['client.read'] });
    f.clock.forward(1_500);
    expect((await mallory.browser.principal()).permissions.has('user.manage')).toBe(false);
  });

  test('a disabled account stays closed when the row says otherwise', async () => {
    await f.identity.users.change(operator, ids.mallory, { kind: 'disable' }, BASE_URL);
    await attack(`UPDATE identity.users SET state = 'active' WHERE id = ${MALLORY}`);
    expect(await password(mallory.email, PASSWORD)).toBe('account-changed');
    expect(told('account')).toBe(true);
    await f.identity.users.change(operator, ids.mallory, { kind: 'reset' }, BASE_URL).then(async ({ link }) => {
      mallory = await enrol(f, link?.url ?? '');
    });
  });
});

describe('sessions and links', () => {
  test('a session moved to somebody else, made longer, or of another token is none', async () => {
    for (const [at, change] of [
      `user_id = ${AMA}`,
      `absolute_ends_at = absolute_ends_at + interval '1 year'`,
      `authenticated_at = authenticated_at + interval '1 hour'`,
    ].entries()) {
      await signIn(f, mallory, mallory.browser);
      expect(await mallory.browser.principal()).toMatchObject({ kind: 'user' });
      await attack(`UPDATE identity.sessions SET ${change} WHERE user_id = ${MALLORY}`);
      expect(await mallory.browser.principal(), String(at)).toMatchObject({ kind: 'anonymous' });
    }
    await signIn(f, ama, ama.browser);
    const token = 'A'.repeat(43);
    await attack(`UPDATE identity.sessions SET token_hash = $3 WHERE user_id = ${AMA}`, hashToken(token));
    mallory.browser.cookies.set('session', token);
    expect(await mallory.browser.principal()).toMatchObject({ kind: 'anonymous' });
    expect(told('session')).toBe(true);
  });

  test('a half-done sign-in aimed at somebody else, and a trusted device given away, are worth nothing', async () => {
    const browser = new TestBrowser(f.identity);
    await browser.ask('POST', '/api/sign-in/password', { email: mallory.email, password: PASSWORD });
    await attack(`UPDATE identity.pre_sessions SET user_id = ${AMA} WHERE user_id = ${MALLORY}`);
    expect(await codeOf(browser.ask('POST', '/api/sign-in/code', { code: '000000' }))).toBe('sign-in-expired');
    await browser.ask('POST', '/api/sign-in/password', { email: mallory.email, password: PASSWORD });
    const code = codeAt(mallory.totp, f.clock.nowMs());
    await browser.ask('POST', '/api/sign-in/code', { code, trust: true });
    f.clock.forward(30_000);
    await attack(`UPDATE identity.trusted_devices SET user_id = ${AMA} WHERE user_id = ${MALLORY}`);
    const asked = await browser.ask('POST', '/api/sign-in/password', { email: ama.email, password: PASSWORD });
    expect(asked).toMatchObject({ next: 'second-factor' });
    expect([told('pre-session'), told('trusted-device')]).toEqual([true, true]);
  });

  test('a one-time link made or aimed by the attacker opens nothing', async () => {
    const token = 'B'.repeat(43);
    const made = `INSERT INTO identity.links (token_hash, kind, user_id, expires_at) SELECT $3, 'password', ama, now() + interval '9 years' FROM who`;
    await attack(made, hashToken(token));
    const browser = new TestBrowser(f.identity);
    expect(await codeOf(browser.ask('POST', '/api/password-reset/link', { token }))).toBe('link-dead');
    const wanted = { name: 'New', email: 'new@example.org', roles: ['registrar'] };
    const { link, user } = await f.identity.users.add(operator, wanted, BASE_URL);
    await attack(`UPDATE identity.links SET expires_at = now() + interval '9 years' WHERE user_id = $3::uuid`, user.id);
    const enrolling = browser.ask('POST', '/api/enrol/link', { token: tokenOf(link?.url ?? '') });
    expect(await codeOf(enrolling)).toBe('link-dead');
    expect(told('link')).toBe(true);
  });
});

describe('what opens an account', () => {
  test('a removed, added or given-away factor, and a code of the attacker’s, open nothing', async () => {
    const own = 'ABCD-EFGH-JKMN-PQRS-TVWX-YZ01';
    const secret = '(SELECT sealed_secret FROM identity.factors LIMIT 1)';
    for (const sql of [
      `DELETE FROM identity.factors WHERE user_id = ${AMA}`,
      `UPDATE identity.factors SET user_id = ${AMA} WHERE user_id = ${MALLORY}`,
      `INSERT INTO identity.factors (user_id, id, kind, sealed_secret, last_step, created_at)
       SELECT ama, gen_random_uuid(), 'totp', ${secret}, 0, now() FROM who`,
      `INSERT INTO identity.recovery_codes (user_id, code_hash) SELECT ama, $3::bytea FROM who`,
      `DELETE FROM identity.recovery_codes WHERE user_id = ${AMA}`,
    ]) {
      await freshen();
      await f.identity.policy.set(operator, { secondFactor: 'optional' });
      await attack(sql, ...(sql.includes('$3') ? [recoveryCodeHash(ids.ama, own)] : []));
      // The password is known: without binding, the missing or added factor would be all that is needed.
      expect(await password(ama.email, PASSWORD), sql).toBe('account-changed');
      expect(told('credentials'), sql).toBe(true);
    }
    expect(await ama.browser.principal()).toMatchObject({ kind: 'user' });
  }, 60_000);

  test('an exchanged password hash opens nothing, neither by the old nor by the new password', async () => {
    await freshen();
    await attack(
      `UPDATE identity.users SET sealed_password = (SELECT sealed_password FROM identity.users WHERE id = ${MALLORY}) WHERE id = ${AMA}`,
    );
    expect(await password(ama.email, PASSWORD)).toBe('sign-in-refused');
    expect(await stateOf(ids.ama)).toBe('changed');
  });

  test('the last administrator comes back at the command line, whatever was done to the rows', async () => {
    await attack(`UPDATE identity.memberships SET roles = '{registrar}' WHERE user_id = ${AMA}`);
    await attack(`UPDATE identity.organisations SET central = false WHERE central`);
    const recovered = await f.identity.users.change(operator, ids.ama, { kind: 'recover' }, BASE_URL);
    expect(recovered.user.state).toBe('invited');
    ama = await enrol(f, recovered.link?.url ?? '');
    const principal = await ama.browser.principal();
    expect(principal.permissions.has('settings.manage')).toBe(true);
    expect(await stateOf(ids.ama)).toBe('active');
  });
});

describe('policy', () => {
  test('switched off, a rule or a network taken away, an exception of one’s own: the safest holds', async () => {
    await freshen();
    await f.identity.policy.set(operator, { secondFactor: 'optional' });
    await f.identity.policy.setRequirement(operator, { scope: 'role', scopeId: 'registrar' }, 'required');
    for (const sql of [
      `UPDATE identity.policy SET settings = '{"secondFactor":"off"}', version = version + 1`,
      `UPDATE identity.policy SET version = version + 1, binding = NULL`,
      `DELETE FROM identity.policy`,
    ]) {
      await attack(sql);
      await f.identity.policy.refresh();
      expect([f.identity.policy.settings.secondFactor, f.identity.policy.isChanged()], sql).toEqual(['required', true]);
    }
    await f.identity.policy.set(operator, { secondFactor: 'required' });
    expect(f.identity.policy.isChanged()).toBe(false);
    await f.identity.policy.setRequirement(operator, { scope: 'role', scopeId: 'registrar' }, 'required');
    await attack(`DELETE FROM identity.requirements`);
    const elsewhere = identityFixture(db.database, { clock: f.clock, keyRing: f.keyRing });
    await elsewhere.identity.policy.refresh();
    expect(elsewhere.identity.policy.isChanged()).toBe(true);
    await attack(
      `INSERT INTO identity.exceptions (id, user_id, sealed_why, approved_by, granted_at, ends_at)
       SELECT gen_random_uuid(), mallory, sealed_name, ama, now(), now() + interval '80 years' FROM who, identity.organisations LIMIT 1`,
    );
    await attack(`DELETE FROM identity.factors WHERE user_id = ${MALLORY}`);
    expect(await password(mallory.email, PASSWORD)).not.toBe('allowed');
  });
});

test('rows of an earlier version are bound once; stripped of their bindings later they stay stripped', async () => {
  await freshen();
  await upgradeRows(db, f);
  await signIn(f, ama, new TestBrowser(f.identity));
  await attack(`UPDATE identity.memberships SET roles = '{administrator}', binding = NULL WHERE user_id = ${MALLORY}`);
  for (const isSet of [true, false]) {
    const bound = { isSet: async () => isSet, set: async () => undefined };
    const restarted = identityFixture(db.database, { clock: f.clock, keyRing: f.keyRing, bound });
    await restarted.identity.start();
    await restarted.identity.stop();
  }
  expect(await stateOf(ids.mallory)).toBe('changed');
});
