import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import {
  BASE_URL,
  codeAt,
  enrol,
  type EnrolledPerson,
  type IdentityFixture,
  identityFixture,
  operator,
  PASSWORD,
  setUp,
  signIn,
  TestBrowser,
} from '../../../test/support/identity.ts';
import type { Database } from '../../platform/db/index.ts';

let db: TestDatabase;
let fixture: IdentityFixture;
let admin: EnrolledPerson;
beforeAll(async () => {
  db = await testDatabase();
  fixture = identityFixture(db.database);
  admin = await setUp(fixture);
});
afterAll(() => db.close());
beforeEach(() => signIn(fixture, admin, admin.browser));

let people = 0;
async function person(roles = ['steward']): Promise<EnrolledPerson & { readonly id: string }> {
  const email = `nurse${++people}@example.org`;
  const { user, link } = await fixture.identity.users.add(operator, { name: 'Nurse', email, roles }, BASE_URL);
  return { ...(await enrol(fixture, link?.url ?? '')), id: user.id };
}
const login = (who: EnrolledPerson) =>
  new TestBrowser(fixture.identity).ask('POST', '/api/sign-in/password', { email: who.email, password: PASSWORD });
const refusal = (code: string) => ({ code });

describe('the policy', () => {
  test('is told in words with ranges, and changed with old and new value in the log', async () => {
    const { settings, warnings } = await admin.browser.ask('GET', '/api/policy');
    expect(warnings).toEqual([]);
    expect(settings).toContainEqual(
      expect.objectContaining({ name: 'sessionIdleMinutes', value: 15, min: 2, max: 60, unit: 'minutes' }),
    );
    await admin.browser.ask('PUT', '/api/policy', { settings: { sessionIdleMinutes: 10 } });
    expect(fixture.recorded.at(-1)).toMatchObject({
      event: 'policy.change',
      detail: { what: 'sessionIdleMinutes', from: '15', to: '10' },
    });
    expect((await admin.browser.ask('GET', '/api/session')).idleTimeoutSeconds).toBe(600);
    await admin.browser.ask('PUT', '/api/policy', { settings: { sessionIdleMinutes: 15 } });
  });

  test('refuses what is outside its safe range, and names nobody knows, and changes nothing then', async () => {
    for (const settings of [
      { sessionIdleMinutes: 600 },
      { passwordLengthMin: 4 },
      { attemptsFree: 100 },
      { nonsense: 1 },
    ]) {
      const change = admin.browser.ask('PUT', '/api/policy', { settings: { ...settings, stepUpMinutes: 5 } });
      await expect(change).rejects.toMatchObject(refusal('policy-refused'));
    }
    expect(fixture.identity.policy.settings.stepUpMinutes).toBe(10);
  });

  test('holds in another process within a second, also when no notification came', async () => {
    const other = identityFixture(db.database, { clock: fixture.clock, keyRing: fixture.keyRing });
    await fixture.identity.policy.set(operator, { stepUpMinutes: 7 });
    fixture.clock.forward(1000);
    const elsewhere = new TestBrowser(other.identity);
    for (const [name, value] of admin.browser.cookies) elsewhere.cookies.set(name, value);
    await elsewhere.principal();
    expect(other.identity.policy.settings.stepUpMinutes).toBe(7);
    await fixture.identity.policy.set(operator, { stepUpMinutes: 10 });
  });

  test('is looked at along with a session, and read anew only once it has changed', async () => {
    const asked: string[] = [];
    const rows: Database['rows'] = (one, values) => {
      asked.push(one.name);
      return db.database.rows(one, values);
    };
    const listening = { ...db.database, rows };
    const other = identityFixture(listening, { clock: fixture.clock, keyRing: fixture.keyRing });
    const elsewhere = new TestBrowser(other.identity);
    for (const [name, value] of admin.browser.cookies) elsewhere.cookies.set(name, value);
    const statements = async (): Promise<string[]> => {
      asked.length = 0;
      fixture.clock.forward(1000);
      expect(await elsewhere.principal()).toMatchObject({ kind: 'user' });
      return asked.filter((name) => name.startsWith('identity.'));
    };
    expect(await statements()).toContain('identity.policy');
    expect(await statements()).toEqual(['identity.session']);
    await fixture.identity.policy.set(operator, { stepUpMinutes: 8 });
    expect(await statements()).toEqual(['identity.session', 'identity.policy-mark', 'identity.policy']);
    expect(other.identity.policy.settings.stepUpMinutes).toBe(8);
    expect(await statements()).toEqual(['identity.session']);
    await fixture.identity.policy.set(operator, { stepUpMinutes: 10 });
  });

  test('can be changed by no steward, and by nobody without a recent proof', async () => {
    const steward = await person();
    await expect(steward.browser.ask('GET', '/api/policy')).rejects.toMatchObject(refusal('not-allowed'));
    fixture.clock.forward(11 * 60_000);
    const change = admin.browser.ask('PUT', '/api/policy', { settings: { secondFactor: 'off' } });
    await expect(change).rejects.toMatchObject(refusal('step-up-needed'));
  });
});

describe('a second factor', () => {
  test('off is off, and every administrator is warned; required again asks again', async () => {
    const who = await person();
    await admin.browser.ask('PUT', '/api/policy', { settings: { secondFactor: 'off' } });
    expect(await login(who)).toEqual({ next: 'signed-in' });
    expect((await admin.browser.ask('GET', '/api/policy')).warnings).toHaveLength(1);
    expect((await admin.browser.ask('GET', '/api/session')).warnings).toHaveLength(1);
    await admin.browser.ask('PUT', '/api/policy', { settings: { secondFactor: 'required' } });
    expect(await login(who)).toMatchObject({ next: 'second-factor' });
    expect((await admin.browser.ask('GET', '/api/session')).warnings).toEqual([]);
  });

  test('is decided by the strictest of server, organisation, role and person', async () => {
    const who = await person(['auditor']);
    const { user } = await admin.browser.ask('GET', '/api/session');
    const rule = (scope: string, scopeId: string, secondFactor: string | null) =>
      admin.browser.ask('PUT', '/api/policy/requirement', { scope, scopeId, secondFactor });
    await admin.browser.ask('PUT', '/api/policy', { settings: { secondFactor: 'off' } });
    for (const [scope, id] of [
      ['organisation', user.organisation.id],
      ['role', 'auditor'],
      ['user', who.id],
    ] as const) {
      await rule(scope, id, 'required');
      expect(await login(who)).toMatchObject({ next: 'second-factor' });
      await rule(scope, id, null);
      expect(await login(who)).toEqual({ next: 'signed-in' });
    }
    await admin.browser.ask('PUT', '/api/policy', { settings: { secondFactor: 'required' } });
    await rule('role', 'auditor', 'off');
    expect(await login(who)).toMatchObject({ next: 'second-factor' });
    await rule('role', 'auditor', null);
  });

  test('may be waived for a while, with a reason, by somebody else, and is in the report', async () => {
    const who = await person();
    const { link } = await admin.browser.ask('POST', `/api/users/${who.id}/reset-factor`);
    expect(link).toContain('/factor#');
    await expect(login(who)).rejects.toMatchObject(refusal('factor-missing'));
    const endsAt = new Date(fixture.clock.nowMs() + 86_400_000).toISOString();
    const reason = 'Her new telephone comes on Monday';
    await admin.browser.ask('POST', '/api/policy/exceptions', { userId: who.id, reason, endsAt });
    expect(await login(who)).toEqual({ next: 'signed-in' });
    const { exceptions, total } = await admin.browser.ask('GET', '/api/policy/exceptions');
    expect(total).toBe(1);
    expect(exceptions).toMatchObject([{ name: 'Nurse', reason, approvedBy: 'Ama Mensah', state: 'living' }]);
    const { user } = await admin.browser.ask('GET', '/api/session');
    const own = admin.browser.ask('POST', '/api/policy/exceptions', { userId: user.id, reason, endsAt });
    await expect(own).rejects.toMatchObject(refusal('own-exception'));
    await admin.browser.ask('DELETE', `/api/policy/exceptions/${exceptions[0].id}`);
    await expect(login(who)).rejects.toMatchObject(refusal('factor-missing'));
  });
});

describe('allowed networks', () => {
  const list = (scope: string, scopeId: string, networks: string[]) =>
    admin.browser.ask('PUT', '/api/policy/networks', { scope, scopeId, networks });

  test('of the users’ door end sessions outside of them, and cannot shut out who sets them', async () => {
    const who = await person();
    await expect(list('door', 'users', ['10.0.0.0/8'])).rejects.toMatchObject(refusal('network-would-lock-out'));
    await expect(list('door', 'users', ['nonsense'])).rejects.toMatchObject(refusal('policy-refused'));
    await list('door', 'users', ['192.0.2.0/24']);
    expect(await who.browser.principal()).toMatchObject({ kind: 'user' });
    const elsewhere = new TestBrowser(fixture.identity, '203.0.113.5');
    for (const [name, value] of who.browser.cookies) elsewhere.cookies.set(name, value);
    expect(await elsewhere.principal()).toMatchObject({ kind: 'anonymous' });
    await elsewhere.ask('POST', '/api/sign-in/password', { email: who.email, password: PASSWORD });
    const code = codeAt(who.totp, fixture.clock.nowMs());
    await expect(elsewhere.ask('POST', '/api/sign-in/code', { code })).rejects.toMatchObject(
      refusal('network-refused'),
    );
    await list('door', 'users', []);
  });

  test('of a role hold for that role alone; those of the nodes’ door for systems', async () => {
    const auditor = await person(['auditor']);
    const steward = await person();
    await list('role', 'auditor', ['10.1.0.0/16']);
    expect(await auditor.browser.principal()).toMatchObject({ kind: 'anonymous' });
    expect(await steward.browser.principal()).toMatchObject({ kind: 'user' });
    await list('role', 'auditor', []);
    await list('door', 'nodes', ['10.2.0.0/16', '2001:db8::/32']);
    await fixture.identity.admitNodeNetwork('10.2.3.4');
    await fixture.identity.admitNodeNetwork('2001:db8:1::7');
    await expect(fixture.identity.admitNodeNetwork('10.3.0.1')).rejects.toMatchObject(refusal('network-refused'));
    await list('door', 'nodes', []);
  });
});

describe('accounts', () => {
  test('not used for long are retired, the last administrator never', async () => {
    const who = await person();
    await fixture.identity.policy.set(operator, { inactivityDays: 30 });
    fixture.clock.forward(31 * 86_400_000);
    await fixture.identity.housekeep();
    await expect(login(who)).rejects.toMatchObject(refusal('sign-in-refused'));
    await signIn(fixture, admin, admin.browser);
    expect((await fixture.identity.users.list(operator)).users.find(({ id }) => id === who.id)?.state).toBe('retired');
    await fixture.identity.policy.set(operator, { inactivityDays: 0 });
    const { link } = await admin.browser.ask('POST', `/api/users/${who.id}/reset`);
    await enrol(fixture, link);
  });

  test('retired ones keep their name and nothing to sign in with', async () => {
    const who = await person();
    await admin.browser.ask('POST', `/api/users/${who.id}/retire`);
    expect(await who.browser.principal()).toMatchObject({ kind: 'anonymous' });
    await expect(login(who)).rejects.toMatchObject(refusal('sign-in-refused'));
    expect(await admin.browser.ask('GET', `/api/users/${who.id}/factors`)).toMatchObject({ authenticators: [] });
  });

  test('come in by a file, each checked as if typed', async () => {
    const csv = [
      'email;name;roles',
      'ama2@example.org;Ama Two;steward auditor',
      `${admin.email};Ama;steward`,
      'nonsense;Nobody;steward',
      '"kofi@example.org";"Kofi; the second";registrar',
      'kofi@example.org;Kofi;registrar',
      'esi@example.org;Esi;king',
    ].join('\r\n');
    const dry = await admin.browser.ask('POST', '/api/users/import', { csv, dryRun: true });
    expect(dry).toMatchObject({ invited: 3, refused: 3 });
    const done = await admin.browser.ask('POST', '/api/users/import', { csv, dryRun: false });
    expect(done).toMatchObject({ invited: 2, refused: 4 });
    expect(done.rows[3]).toMatchObject({ line: 5, name: 'Kofi; the second', outcome: 'invited' });
    await enrol(fixture, done.rows[3].link);
    const empty = admin.browser.ask('POST', '/api/users/import', { csv: 'a,b\n1,2', dryRun: true });
    await expect(empty).rejects.toMatchObject(refusal('import-refused'));
  });
});

test('a notice is shown until it was acknowledged, to those it is meant for', async () => {
  const auditor = await person(['auditor']);
  const steward = await person();
  const notice = { title: 'New rules of use', text: 'Read them.\nThen go on.', roles: ['steward'] };
  await admin.browser.ask('POST', '/api/notices', notice);
  expect((await auditor.browser.ask('GET', '/api/notices/pending')).notices).toEqual([]);
  const { notices } = await steward.browser.ask('GET', '/api/notices/pending');
  expect(notices).toMatchObject([{ title: notice.title, text: notice.text }]);
  await steward.browser.ask('POST', `/api/notices/${notices[0].id}/acknowledge`);
  expect((await steward.browser.ask('GET', '/api/notices/pending')).notices).toEqual([]);
  const list = await admin.browser.ask('GET', '/api/notices');
  expect(list.notices).toMatchObject([{ acknowledged: 1, withdrawn: false }]);
  await admin.browser.ask('DELETE', `/api/notices/${notices[0].id}`);
  const late = auditor.browser.ask('POST', `/api/notices/${notices[0].id}/acknowledge`);
  await expect(late).rejects.toMatchObject(refusal('notice-unknown'));
});

test('a network that guesses is banned with an end, told to the log, listed and liftable', async () => {
  const guess = (i: number) =>
    new TestBrowser(fixture.identity, '198.51.100.9')
      .ask('POST', '/api/sign-in/password', { email: `stranger${i}@example.org`, password: 'guess' })
      .catch((error: { code: string }) => error.code);
  for (let i = 0; i < 400; i++) {
    await guess(i);
    fixture.clock.forward(i < 50 ? 1_000 : 60_000);
  }
  expect(fixture.recorded.some(({ event }) => event === 'sign-in.banned')).toBe(true);
  await signIn(fixture, admin, admin.browser);
  const { networks } = await admin.browser.ask('GET', '/api/bans');
  expect(networks).toMatchObject([{ network: '198.51.100.9', until: expect.any(String) }]);
  await admin.browser.ask('DELETE', `/api/bans/networks/${networks[0].id}`);
  expect(await guess(1000)).toBe('sign-in-refused');
  expect((await admin.browser.ask('GET', '/api/bans')).networks).toEqual([]);
});

test('an administrator sees and ends the sessions of others', async () => {
  const who = await person();
  const { sessions } = await admin.browser.ask('GET', `/api/users/${who.id}/sessions`);
  expect(sessions).toMatchObject([{ method: 'enrolment', address: '192.0.2.10' }]);
  await admin.browser.ask('POST', `/api/users/${who.id}/sessions-end`);
  expect(await who.browser.principal()).toMatchObject({ kind: 'anonymous' });
});
