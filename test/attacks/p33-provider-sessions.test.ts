import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  BASE_URL,
  type EnrolledPerson,
  type IdentityFixture,
  identityFixture,
  setUp,
  TestBrowser,
  testClock,
} from '../support/identity.ts';
import { oidcProvider, type TestProvider } from '../support/oidc-provider.ts';

/** P33: what a provider's word opened is a session of ours, which the provider can neither prolong nor prove afresh. */
const MINUTE = 60_000;
let db: TestDatabase;
let f: IdentityFixture;
let admin: EnrolledPerson;
let provider: TestProvider;
let providerId: string;

const came = (url: URL): Record<string, string> => Object.fromEntries(url.searchParams);

beforeAll(async () => {
  db = await testDatabase();
  // Tokens carry real times.
  f = identityFixture(db.database, { clock: testClock(Date.now()) });
  admin = await setUp(f);
  provider = await oidcProvider(`${BASE_URL}/sign-in/return`);
  const { issuer, authority, clientId, clientSecret } = provider;
  const known = { name: 'Ministry', issuer, authority, clientId, clientSecret, amr: ['mfa'], acr: [] };
  providerId = (await admin.browser.ask('POST', '/api/providers', known)).provider.id;
  provider.become('admin-at-ministry');
  const { url } = await admin.browser.ask('POST', '/api/identities', { providerId });
  await admin.browser.ask('POST', '/api/sign-in/provider/return', came(await provider.visit(url)));
}, 60_000);
afterAll(async () => {
  await provider.close();
  await db.close();
});

async function signedIn(): Promise<TestBrowser> {
  const browser = new TestBrowser(f.identity);
  provider.become('admin-at-ministry', { amr: ['mfa'] });
  const { url } = await browser.ask('POST', '/api/sign-in/provider', { providerId });
  const returned = came(await provider.visit(url));
  expect(await browser.ask('POST', '/api/sign-in/provider/return', returned)).toEqual({ next: 'signed-in' });
  return browser;
}

test('it ends by our idle and absolute times, whatever the provider’s does, and dangerous acts ask for a proof here', async () => {
  const [idle, busy] = [await signedIn(), await signedIn()];
  for (let minutes = 10; minutes < 12 * 60; minutes += 10) {
    f.clock.forward(10 * MINUTE);
    expect((await busy.principal()).kind, `after ${minutes} minutes`).toBe('user');
    if (minutes === 10) expect((await idle.principal()).kind).toBe('user');
  }
  // Not asked anything for longer than fifteen minutes.
  expect((await idle.principal()).kind).toBe('anonymous');
  const dangerous = busy.ask('PUT', '/api/policy', { settings: { secondFactor: 'optional' } });
  await expect(dangerous).rejects.toMatchObject({ code: 'step-up-needed' });
  f.clock.forward(10 * MINUTE);
  expect((await busy.principal()).kind).toBe('anonymous');
});
