import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
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
} from '../../../test/support/identity.ts';
import type { UserId } from '../../kernel/ids.ts';
import { isRefusalAudited } from '../../platform/http/audited.ts';

let db: TestDatabase;
let fixture: IdentityFixture;
let admin: EnrolledPerson;
let adminId: UserId;
beforeAll(async () => {
  db = await testDatabase();
  fixture = identityFixture(db.database);
  admin = await setUp(fixture);
  adminId = (await fixture.identity.findUserByEmail(admin.email))?.id ?? adminId;
});
afterAll(() => db.close());
beforeEach(() => void fixture.recorded.splice(0));

/** What was recorded since the test began: event, outcome, kind of actor, reason and who it was about. */
const seen = () =>
  fixture.recorded.map(({ event, outcome, actor, reason, entities }) => [
    event,
    outcome,
    actor.principal.kind,
    reason,
    entities?.[0]?.reference,
  ]);
const user = () => `User/${adminId}`;

test('set-up, enrolment and management', async () => {
  const other = await testDatabase();
  const fresh = identityFixture(other.database);
  const ama = await setUp(fresh);
  const added = await ama.browser.ask('POST', '/api/users', { name: 'K', email: 'k@example.org', roles: ['auditor'] });
  await enrol(fresh, added.link);
  for (const act of ['disable', 'enable', 'reset', 'invite-again']) {
    await ama.browser.ask('POST', `/api/users/${added.user.id}/${act}`);
  }
  await ama.browser.ask('PUT', `/api/users/${added.user.id}/roles`, { roles: ['steward', 'auditor'] });
  await ama.browser.ask('GET', '/api/users');
  expect(fresh.recorded.map(({ event, actor, outcome }) => [event, actor.principal.kind, outcome])).toEqual(
    [
      ['setup.link', 'operator'],
      ['setup.account', 'anonymous'],
      ['setup.confirm', 'user'],
      ['user.add', 'user'],
      ['link.look', 'anonymous'],
      ['enrol.account', 'anonymous'],
      ['enrol.confirm', 'user'],
      ['user.disable', 'user'],
      ['user.enable', 'user'],
      ['user.reset', 'user'],
      ['user.invite-again', 'user'],
      ['user.roles', 'user'],
      ['user.list', 'user'],
    ].map((line) => [...line, 'success']),
  );
  const roles = fresh.recorded.find(({ event }) => event === 'user.roles');
  expect(roles?.detail).toMatchObject({ roles: 'steward auditor', rolesBefore: 'auditor' });
  // Ids and words of the program only: nobody's name or address, no link, no secret.
  const details = JSON.stringify(fresh.recorded.map(({ actor: _actor, ...rest }) => rest));
  expect(details).not.toMatch(/Ama|Mensah|@|#|otpauth|Lakeside/);
  await other.close();
});

test('a sign-in, by code and by recovery code, and its end', async () => {
  const browser = new TestBrowser(fixture.identity);
  await signIn(fixture, admin, browser);
  await browser.ask('GET', '/api/sessions');
  await browser.ask('POST', '/api/sign-out');
  await browser.ask('POST', '/api/sign-in/password', { email: admin.email, password: PASSWORD });
  await browser.ask('POST', '/api/sign-in/code', { recoveryCode: admin.recoveryCodes[0] });
  expect(seen()).toEqual([
    ['sign-in.password', 'success', 'anonymous', undefined, user()],
    ['sign-in.code', 'success', 'user', undefined, user()],
    ['session.list', 'success', 'user', undefined, undefined],
    ['sign-out', 'success', 'user', undefined, user()],
    ['sign-in.password', 'success', 'anonymous', undefined, user()],
    ['sign-in.recovery-code', 'success', 'user', undefined, user()],
  ]);
  expect(fixture.recorded.at(-1)?.detail).toEqual({ method: 'recovery-code', recoveryCodesLeft: '9' });
});

test('failures: which account, which reason, once each', async () => {
  const browser = new TestBrowser(fixture.identity);
  const marked: boolean[] = [];
  const fail = (path: string, body: object) =>
    browser.ask('POST', path, body).catch((refusal: object) => void marked.push(isRefusalAudited(refusal)));
  await fail('/api/sign-in/password', { email: admin.email, password: 'not this' });
  await fail('/api/sign-in/password', { email: 'nobody@example.org', password: 'not this' });
  await browser.ask('POST', '/api/sign-in/password', { email: admin.email, password: PASSWORD });
  await fail('/api/sign-in/code', { code: '000000' });
  const used = codeAt(admin.totp, fixture.clock.nowMs() - 30_000);
  await fail('/api/sign-in/code', { code: used });
  await fail('/api/sign-in/code', { recoveryCode: admin.recoveryCodes[0] });
  expect(seen()).toEqual([
    ['sign-in.password', 'minor-failure', 'anonymous', 'password-wrong', user()],
    ['sign-in.password', 'minor-failure', 'anonymous', 'account-unknown', undefined],
    ['sign-in.password', 'success', 'anonymous', undefined, user()],
    ['sign-in.code', 'minor-failure', 'anonymous', 'code-wrong', user()],
    ['sign-in.code', 'minor-failure', 'anonymous', 'code-replayed', user()],
    ['sign-in.recovery-code', 'minor-failure', 'anonymous', 'recovery-code-wrong', user()],
  ]);
  expect(marked).toEqual([true, true, true, true, true]);
});

test('refused acts upon users, with whom they were aimed at', async () => {
  const act = fixture.identity.users.change(operator, adminId, { kind: 'disable' }, BASE_URL);
  await expect(act).rejects.toSatisfy((refusal: object) => isRefusalAudited(refusal));
  expect(seen()).toEqual([['user.disable', 'serious-failure', 'operator', 'last-administrator', user()]]);
});

test('an act whose audit event cannot be written does not happen', async () => {
  const other = await testDatabase();
  const fresh = identityFixture(other.database);
  await setUp(fresh);
  await other.ownerDatabase.run({
    name: 'test.revoke',
    text: 'REVOKE INSERT (id, events, sealed) ON audit.batch FROM careseal_app',
  });
  const add = fresh.identity.users.add(operator, { name: 'K', email: 'k@example.org', roles: ['auditor'] }, BASE_URL);
  await expect(add).rejects.toThrow();
  expect(await fresh.identity.findUserByEmail('k@example.org')).toBeUndefined();
  const link = tokenOf('https://x/#' + 'A'.repeat(43));
  await expect(new TestBrowser(fresh.identity).ask('POST', '/api/enrol/link', { token: link })).rejects.toThrow();
  await other.close();
});
