import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { UserId } from '../../src/kernel/ids.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  BASE_URL,
  enrol,
  type EnrolledPerson,
  type IdentityFixture,
  identityFixture,
  operator,
  setUp,
  signIn,
  TestBrowser,
  testClock,
  tokenOf,
} from '../support/identity.ts';
import { oidcProvider, type TestProvider } from '../support/oidc-provider.ts';

/**
 * P90: an administrator, who may hand out a link by which somebody links their identity, walks through it with an identity of
 * their own. It opens nothing: only the account's owner, with a fresh proof of their own, makes it a way in.
 */
let db: TestDatabase;
let f: IdentityFixture;
let admin: EnrolledPerson;
let kofi: EnrolledPerson;
let kofiId: UserId;
let provider: TestProvider;
let providerId: string;

beforeAll(async () => {
  db = await testDatabase();
  // Tokens carry real times.
  f = identityFixture(db.database, { clock: testClock(Date.now()) });
  admin = await setUp(f);
  const wanted = { name: 'Kofi', email: 'kofi@example.org', roles: ['registrar'] };
  const added = await f.identity.users.add(operator, wanted, BASE_URL);
  kofi = await enrol(f, added.link?.url ?? '');
  kofiId = added.user.id;
  provider = await oidcProvider(`${BASE_URL}/sign-in/return`);
  const { issuer, authority, clientId, clientSecret } = provider;
  const known = { name: 'Ministry', issuer, authority, clientId, clientSecret, amr: ['mfa'], acr: [] };
  providerId = (await admin.browser.ask('POST', '/api/providers', known)).provider.id;
}, 60_000);
afterAll(async () => {
  await provider.close();
  await db.close();
});
/** Each test begins with an administrator's own identity linked with Kofi's account. */
beforeEach(async () => {
  await signIn(f, admin, admin.browser);
  await signIn(f, kofi, kofi.browser);
  for (const { id } of await identities()) await kofi.browser.ask('DELETE', `/api/identities/${id}`);
  const { link } = await admin.browser.ask('POST', `/api/users/${kofiId}/link-identity`);
  provider.become('the administrator', { amr: ['mfa'] });
  const { url } = await admin.browser.ask('POST', '/api/identity-link', { providerId, token: tokenOf(link) });
  if ((await back(admin.browser, url)).next !== 'linked')
    throw new Error('The administrator’s identity was not linked');
});

const identities = async () => (await kofi.browser.ask('GET', '/api/identities')).identities;
const back = async (browser: TestBrowser, url: string) => {
  const came = Object.fromEntries((await provider.visit(url)).searchParams);
  return await browser.ask('POST', '/api/sign-in/provider/return', came);
};
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'allowed',
    (error: { code?: string }) => error.code ?? String(error),
  );

/** Comes back from the provider as whom it takes us for; what the browser is afterwards. */
async function tryIt(): Promise<{ said: string; kind: string; browser: TestBrowser }> {
  const browser = new TestBrowser(f.identity);
  const { url } = await browser.ask('POST', '/api/sign-in/provider', { providerId });
  const said = await refusal(back(browser, url));
  return { said, kind: (await browser.principal()).kind, browser };
}

test('it opens nothing, not even the way to a second factor', async () => {
  const { said, kind, browser } = await tryIt();
  expect({ said, kind }).toEqual({ said: 'provider-unconfirmed', kind: 'anonymous' });
  expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'anonymous', permissions: [] });
  expect(f.recorded.at(-1)).toMatchObject({ event: 'sign-in.provider', reason: 'identity-unconfirmed' });
});

test('nobody but the owner confirms it, and not in a session that was left open', async () => {
  const [{ id, waits }] = await identities();
  expect(waits).toBe(true);
  expect(await refusal(admin.browser.ask('POST', `/api/identities/${id}/confirm`))).toBe('provider-unknown');
  expect(await refusal(new TestBrowser(f.identity).ask('POST', `/api/identities/${id}/confirm`))).toBe('not-signed-in');
  f.clock.forward(11 * 60_000);
  expect(await refusal(kofi.browser.ask('POST', `/api/identities/${id}/confirm`))).toBe('step-up-needed');
  expect((await tryIt()).said).toBe('provider-unconfirmed');
});

test('a writer of the database does not confirm it either', async () => {
  await db.ownerDatabase.run({ name: 't.confirm', text: 'UPDATE identity.external_identities SET pending = false' });
  expect(await tryIt()).toMatchObject({ said: 'provider-unlinked', kind: 'anonymous' });
});

test('the owner finds it on their profile and takes it away', async () => {
  const [{ id }] = await identities();
  await kofi.browser.ask('DELETE', `/api/identities/${id}`);
  expect(await refusal(kofi.browser.ask('POST', `/api/identities/${id}/confirm`))).toBe('provider-unknown');
  expect(await tryIt()).toMatchObject({ said: 'provider-unlinked', kind: 'anonymous' });
});

test('it does not stand in the way of the owner’s own', async () => {
  provider.become('kofi-at-ministry', { amr: ['mfa'] });
  const { url } = await kofi.browser.ask('POST', '/api/identities', { providerId });
  expect(await back(kofi.browser, url)).toEqual({ next: 'linked' });
  expect(await identities()).toMatchObject([{ waits: false }]);
  expect((await tryIt()).said).toBe('allowed');
  provider.become('the administrator', { amr: ['mfa'] });
  expect((await tryIt()).said).toBe('provider-unlinked');
});

test('once the owner has linked their own, an administrator’s link does not replace it', async () => {
  provider.become('kofi-at-ministry', { amr: ['mfa'] });
  const own = await kofi.browser.ask('POST', '/api/identities', { providerId });
  await back(kofi.browser, own.url);
  const { link } = await admin.browser.ask('POST', `/api/users/${kofiId}/link-identity`);
  provider.become('the administrator', { amr: ['mfa'] });
  const { url } = await admin.browser.ask('POST', '/api/identity-link', { providerId, token: tokenOf(link) });
  expect(await refusal(back(admin.browser, url))).toBe('provider-taken');
  expect((await tryIt()).said).toBe('provider-unlinked');
});

test('confirmed by the owner it opens the account, and the log has link and confirmation by whom they were', async () => {
  const [{ id }] = await identities();
  await kofi.browser.ask('POST', `/api/identities/${id}/confirm`);
  expect(await identities()).toMatchObject([{ waits: false }]);
  expect(await refusal(kofi.browser.ask('POST', `/api/identities/${id}/confirm`))).toBe('provider-unknown');
  expect(await tryIt()).toMatchObject({ said: 'allowed', kind: 'user' });
  const confirmed = f.recorded.find((one) => one.event === 'provider.confirm');
  expect(confirmed?.actor.principal).toMatchObject({ userId: kofiId });
  const linked = f.recorded.find((one) => one.event === 'provider.link');
  expect(linked).toMatchObject({ detail: { waits: 'yes' }, entities: [{ reference: `User/${kofiId}` }] });
});

test('what nobody confirms in a fortnight is gone', async () => {
  f.clock.forward(15 * 86_400_000);
  await f.identity.housekeep();
  await signIn(f, kofi, kofi.browser);
  expect(await identities()).toEqual([]);
});
