import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UserId } from '../../src/kernel/ids.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  BASE_URL,
  codeAt,
  enrol,
  type EnrolledPerson,
  type IdentityFixture,
  identityFixture,
  operator,
  setUp,
  TestBrowser,
  testClock,
  tokenOf,
} from '../support/identity.ts';
import { type LyingProvider, lyingProvider, oidcProvider, type TestProvider } from '../support/oidc-provider.ts';

/**
 * P33: an identity provider's word opens exactly the account that was linked with that issuer and subject: not one of the same
 * name or e-mail, not for another browser, a second time, in another provider's name, or with a token that is not whole.
 */
let db: TestDatabase;
let f: IdentityFixture;
let admin: EnrolledPerson;
let kofi: EnrolledPerson;
let ids: { admin: UserId; kofi: UserId };
let provider: TestProvider;
let liar: LyingProvider;
let providerId: string;
let liarId: string;
/** What the liar was last asked to put into its token. */
let nonce = '';

const RETURN = `${BASE_URL}/sign-in/return`;

beforeAll(async () => {
  db = await testDatabase();
  // Tokens carry real times.
  f = identityFixture(db.database, { clock: testClock(Date.now()) });
  admin = await setUp(f);
  const added = await f.identity.users.add(
    operator,
    { name: 'Kofi', email: 'kofi@example.org', roles: ['registrar'] },
    BASE_URL,
  );
  kofi = await enrol(f, added.link?.url ?? '');
  ids = { admin: (await f.identity.findUserByEmail(admin.email))?.id ?? added.user.id, kofi: added.user.id };
  provider = await oidcProvider(RETURN);
  liar = await lyingProvider('careseal', () => nonce);
  const { issuer, authority, clientId, clientSecret } = provider;
  const known = { name: 'Ministry', issuer, authority, clientId, clientSecret, amr: ['mfa'], acr: ['urn:strong'] };
  providerId = (await admin.browser.ask('POST', '/api/providers', known)).provider.id;
  const lies = {
    name: 'Liar',
    issuer: liar.issuer,
    authority: liar.authority,
    clientId,
    clientSecret: 'x',
    amr: ['mfa'],
    acr: [],
  };
  liarId = (await admin.browser.ask('POST', '/api/providers', lies)).provider.id;
}, 60_000);
afterAll(async () => {
  await provider.close();
  await liar.close();
  await db.close();
});

const refusal = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'allowed';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};
const came = (url: URL): Record<string, string> => Object.fromEntries(url.searchParams);
const back = (browser: TestBrowser, values: Record<string, string>) =>
  browser.ask('POST', '/api/sign-in/provider/return', values);
const setOut = async (browser: TestBrowser, id = providerId): Promise<string> =>
  (await browser.ask('POST', '/api/sign-in/provider', { providerId: id })).url;

async function signInAs(subject: string, how?: { amr?: string[]; acr?: string }) {
  const browser = new TestBrowser(f.identity);
  provider.become(subject, how);
  const returned = came(await provider.visit(await setOut(browser)));
  return { browser, returned };
}

test('the administrator sees no secret again, and strangers see names alone', async () => {
  const { providers } = await admin.browser.ask('GET', '/api/providers');
  expect(JSON.stringify(providers)).not.toContain(provider.clientSecret);
  expect(providers.map((one: { redirectUri: string }) => one.redirectUri)).toEqual([RETURN, RETURN]);
  const choices = await new TestBrowser(f.identity).ask('GET', '/api/sign-in/providers');
  expect(Object.keys(choices.providers[0]).toSorted()).toEqual(['id', 'name']);
  expect(await refusal(kofi.browser.ask('GET', '/api/providers'))).toBe('not-allowed');
});

test('the same e-mail address, verified by nobody, opens nothing', async () => {
  const { browser, returned } = await signInAs('stranger', { amr: ['mfa'] });
  expect(await refusal(back(browser, returned))).toBe('provider-unlinked');
  expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'anonymous' });
});

describe('once linked', () => {
  test('by its owner, with a fresh proof', async () => {
    provider.become('kofi-at-ministry');
    const { url } = await kofi.browser.ask('POST', '/api/identities', { providerId });
    const returned = came(await provider.visit(url));
    // Not by somebody else's session, though the journey is right.
    expect(await back(kofi.browser, returned)).toEqual({ next: 'linked' });
    expect((await kofi.browser.ask('GET', '/api/identities')).identities).toHaveLength(1);
  });

  test('it opens the account, and the second factor is still asked for', async () => {
    const { browser, returned } = await signInAs('kofi-at-ministry');
    expect(await back(browser, returned)).toEqual({ next: 'second-factor' });
    expect(await browser.ask('GET', '/api/session')).toMatchObject({ state: 'second-factor', permissions: [] });
    f.clock.forward(30_000);
    await browser.ask('POST', '/api/sign-in/code', { code: codeAt(kofi.totp, f.clock.nowMs()) });
    expect(await browser.principal()).toMatchObject({ kind: 'user', userId: ids.kofi });
  });

  test.each([
    ['pwd', undefined, 'second-factor'],
    ['MFA', undefined, 'second-factor'],
    [undefined, 'urn:weak', 'second-factor'],
    ['mfa', undefined, 'signed-in'],
    [undefined, 'urn:strong', 'signed-in'],
  ])('amr %s, acr %s: %s', async (amr, acr, next) => {
    const { browser, returned } = await signInAs('kofi-at-ministry', {
      ...(amr === undefined ? {} : { amr: [amr] }),
      ...(acr === undefined ? {} : { acr }),
    });
    expect(await back(browser, returned)).toEqual({ next });
    expect((await browser.principal()).kind).toBe(next === 'signed-in' ? 'user' : 'anonymous');
  });

  test('no second account takes the identity, and no second identity the account', async () => {
    provider.become('kofi-at-ministry');
    const { url } = await admin.browser.ask('POST', '/api/identities', { providerId });
    expect(await refusal(back(admin.browser, came(await provider.visit(url))))).toBe('provider-taken');
    provider.become('kofi-twice');
    const again = await kofi.browser.ask('POST', '/api/identities', { providerId });
    expect(await refusal(back(kofi.browser, came(await provider.visit(again.url))))).toBe('provider-taken');
  });

  test('a journey begun by one and ended by another links nothing', async () => {
    provider.become('planted');
    // Login CSRF: an attacker's journey, finished in the victim's browser.
    const attacker = new TestBrowser(f.identity);
    const returned = came(await provider.visit(await setOut(attacker)));
    expect(await refusal(back(admin.browser, returned))).toBe('provider-refused');
    const { url } = await kofi.browser.ask('POST', '/api/identities', { providerId });
    const own = came(await provider.visit(url));
    const cookie = kofi.browser.cookies.get('provider') ?? '';
    admin.browser.cookies.set('provider', cookie);
    expect(await refusal(back(admin.browser, own))).toBe('link-dead');
    expect((await admin.browser.ask('GET', '/api/identities')).identities).toEqual([]);
  });
});

describe('what comes back', () => {
  test('works once', async () => {
    const { browser, returned } = await signInAs('kofi-at-ministry', { amr: ['mfa'] });
    const cookies = new Map(browser.cookies);
    expect(await back(browser, returned)).toEqual({ next: 'signed-in' });
    const thief = new TestBrowser(f.identity);
    for (const [name, value] of cookies) thief.cookies.set(name, value);
    expect(await refusal(back(thief, returned))).toBe('provider-refused');
  });

  test('works in the browser that set out, within its time', async () => {
    const { browser, returned } = await signInAs('kofi-at-ministry', { amr: ['mfa'] });
    expect(await refusal(back(new TestBrowser(f.identity), returned))).toBe('provider-refused');
    await db.ownerDatabase.rows({ name: 't.past', text: `UPDATE identity.provider_visits SET expires_at = 'epoch'` });
    expect(await refusal(back(browser, returned))).toBe('provider-refused');
  });

  test.each<[string, (mine: Record<string, string>, theirs: Record<string, string>) => Record<string, string>]>([
    ['another journey’s code (PKCE, nonce)', (mine, theirs) => ({ ...mine, code: theirs['code'] ?? '' })],
    ['another journey’s state', (mine, theirs) => ({ ...mine, state: theirs['state'] ?? '' })],
    ['another issuer (mix-up)', (mine) => ({ ...mine, iss: 'https://evil.example.org' })],
    ['no issuer where the provider says it names itself', ({ iss: _iss, ...rest }) => rest],
    ['a code of nobody', (mine) => ({ ...mine, code: 'AAAA' })],
    ['no code', ({ code: _code, ...rest }) => rest],
    ['an error', ({ code: _code, ...rest }) => ({ ...rest, error: 'access_denied' })],
  ])('%s: refused', async (_name, change) => {
    const mine = await signInAs('kofi-at-ministry', { amr: ['mfa'] });
    const theirs = await signInAs('kofi-at-ministry', { amr: ['mfa'] });
    expect(await refusal(back(mine.browser, change(mine.returned, theirs.returned)))).toBe('provider-refused');
    expect((await mine.browser.principal()).kind).toBe('anonymous');
  });

  test('of one provider is nothing in the name of another', async () => {
    const browser = new TestBrowser(f.identity);
    const state = new URL(await setOut(browser, liarId)).searchParams.get('state') ?? '';
    const { returned } = await signInAs('kofi-at-ministry', { amr: ['mfa'] });
    expect(await refusal(back(browser, { ...returned, state }))).toBe('provider-refused');
  });
});

describe('an ID token', () => {
  const journey = (url: string): Record<string, string> => {
    const asked = new URL(url).searchParams;
    nonce = asked.get('nonce') ?? '';
    return { code: 'any', state: asked.get('state') ?? '', iss: liar.issuer };
  };

  test('that is whole is believed, for the identity that was linked', async () => {
    liar.lie({});
    const { url } = await kofi.browser.ask('POST', '/api/identities', { providerId: liarId });
    expect(await back(kofi.browser, journey(url))).toEqual({ next: 'linked' });
    const browser = new TestBrowser(f.identity);
    expect(await back(browser, journey(await setOut(browser, liarId)))).toEqual({ next: 'signed-in' });
  });

  const past = Math.floor(Date.now() / 1_000) - 86_400;
  test.each<[string, Parameters<LyingProvider['lie']>[0]]>([
    ['signed with another key', { key: 'foreign' }],
    ['not signed', { unsigned: true }],
    ['of another issuer', { claims: { iss: 'https://accounts.example.org' } }],
    ['for another client', { claims: { aud: 'somebody-else' } }],
    ['with another nonce (replayed)', { claims: { nonce: 'of-another-journey' } }],
    ['without a nonce', { without: 'nonce' }],
    ['that has expired', { claims: { iat: past, exp: past + 300 } }],
    ['without a subject', { without: 'sub' }],
    ['with an empty subject', { claims: { sub: '' } }],
  ])('%s: refused', async (_name, told) => {
    liar.lie(told);
    const browser = new TestBrowser(f.identity);
    expect(await refusal(back(browser, journey(await setOut(browser, liarId))))).toBe('provider-refused');
    expect((await browser.principal()).kind).toBe('anonymous');
  });
});

describe('the administration', () => {
  test('hands out a link by which somebody links their identity, once, and not over somebody with more rights', async () => {
    const added = await f.identity.users.add(
      operator,
      { name: 'Efua', email: 'efua@example.org', roles: ['auditor'] },
      BASE_URL,
    );
    const efua = await enrol(f, added.link?.url ?? '');
    const { link } = await admin.browser.ask('POST', `/api/users/${added.user.id}/link-identity`);
    expect(new URL(link).pathname).toBe('/identity');
    const browser = new TestBrowser(f.identity);
    provider.become('efua-at-ministry');
    const token = tokenOf(link);
    const { url } = await browser.ask('POST', '/api/identity-link', { providerId, token });
    const other = new TestBrowser(f.identity);
    const second = await other.ask('POST', '/api/identity-link', { providerId, token });
    const secondReturned = came(await provider.visit(second.url));
    expect(await back(browser, came(await provider.visit(url)))).toEqual({ next: 'linked' });
    expect(await refusal(back(other, secondReturned))).toBe('link-dead');
    expect(await refusal(browser.ask('POST', '/api/identity-link', { providerId, token }))).toBe('link-dead');
    expect(await refusal(kofi.browser.ask('POST', `/api/users/${ids.admin}/link-identity`))).toBe('not-allowed');
    // It opens nothing until she has confirmed it herself.
    const early = await signInAs('efua-at-ministry', { amr: ['mfa'] });
    expect(await refusal(back(early.browser, early.returned))).toBe('provider-unconfirmed');
    const [waiting] = (await efua.browser.ask('GET', '/api/identities')).identities;
    expect(waiting).toMatchObject({ waits: true });
    await efua.browser.ask('POST', `/api/identities/${waiting.id}/confirm`);
    const signed = await signInAs('efua-at-ministry', { amr: ['mfa'] });
    expect(await back(signed.browser, signed.returned)).toEqual({ next: 'signed-in' });
  });

  test('ends it with the account, with a reset, and with the provider', async () => {
    await admin.browser.ask('POST', `/api/users/${ids.kofi}/disable`);
    const disabled = await signInAs('kofi-at-ministry', { amr: ['mfa'] });
    expect(await refusal(back(disabled.browser, disabled.returned))).toBe('provider-unlinked');
    await admin.browser.ask('POST', `/api/users/${ids.kofi}/enable`);
    const again = await signInAs('kofi-at-ministry', { amr: ['mfa'] });
    expect(await back(again.browser, again.returned)).toEqual({ next: 'signed-in' });
    await admin.browser.ask('POST', `/api/users/${ids.kofi}/reset`);
    const reset = await signInAs('kofi-at-ministry', { amr: ['mfa'] });
    expect(await refusal(back(reset.browser, reset.returned))).toBe('provider-unlinked');
    const under = await signInAs('efua-at-ministry', { amr: ['mfa'] });
    await admin.browser.send('DELETE', `/api/providers/${providerId}`);
    expect(await refusal(back(under.browser, under.returned))).toBe('provider-refused');
    expect(await refusal(setOut(new TestBrowser(f.identity)))).toBe('provider-unknown');
  });

  test('the owner ends it too, and nobody else’s', async () => {
    const { identities } = await admin.browser.ask('GET', '/api/identities');
    expect(identities).toEqual([]);
    const { url } = await admin.browser.ask('POST', '/api/identities', { providerId: liarId });
    const asked = new URL(url).searchParams;
    nonce = asked.get('nonce') ?? '';
    liar.lie({ claims: { sub: 'the administrator' } });
    const returned = { code: 'any', state: asked.get('state') ?? '', iss: liar.issuer };
    expect(await back(admin.browser, returned)).toEqual({ next: 'linked' });
    const [linked] = (await admin.browser.ask('GET', '/api/identities')).identities;
    const all = await db.ownerDatabase.rows<{ id: string }>({
      name: 't.others',
      text: 'SELECT id FROM identity.external_identities',
    });
    const others = all.filter(({ id }) => id !== linked.id);
    expect(others.length).toBeGreaterThan(0);
    for (const { id } of others) {
      expect(await refusal(admin.browser.ask('DELETE', `/api/identities/${id}`))).toBe('provider-unknown');
    }
    await admin.browser.ask('DELETE', `/api/identities/${linked.id}`);
    expect((await admin.browser.ask('GET', '/api/identities')).identities).toEqual([]);
  });

  test('is told at once when an address is no provider’s', async () => {
    const wrong = { name: 'Nobody', issuer: 'https://localhost:1', clientId: 'x', clientSecret: 'x' };
    expect(await refusal(admin.browser.ask('POST', '/api/providers', wrong))).toBe('provider-away');
    expect(
      await refusal(admin.browser.ask('POST', '/api/providers', { ...wrong, issuer: 'http://localhost:1' })),
    ).not.toBe('allowed');
  });
});

test('neither names, subjects nor secrets are in the database in the clear, and every refusal is in the log', async () => {
  const tables = ['providers', 'external_identities', 'provider_visits'];
  for (const table of tables) {
    const rows = await db.ownerDatabase.rows<{ text: string }>({
      name: `t.${table}`,
      text: `SELECT t::text AS text FROM identity.${table} t`,
    });
    expect(rows.map((row) => row.text).join(), table).not.toMatch(/kofi|efua|Ministry|a secret of the test/);
  }
  const refused = f.recorded.filter((one) => one.event === 'sign-in.provider' && one.outcome !== 'success');
  expect(new Set(refused.map((one) => one.reason))).toEqual(
    new Set([
      'identity-unlinked',
      'identity-unconfirmed',
      'taken',
      'visit-unknown',
      'link-dead',
      'provider-refused',
      'provider-retired',
    ]),
  );
});
