import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import {
  BASE_URL,
  enrol,
  type EnrolledPerson,
  type IdentityFixture,
  identityFixture,
  operator,
  setUp,
} from '../../../test/support/identity.ts';
import { oidcProvider, type TestProvider } from '../../../test/support/oidc-provider.ts';

let db: TestDatabase;
let fixture: IdentityFixture;
let admin: EnrolledPerson;
let id: string;
let ministry: TestProvider;
const NEW = { name: 'Ministry', clientId: 'careseal', amr: ['mfa'], acr: [] };
beforeAll(async () => {
  db = await testDatabase();
  fixture = identityFixture(db.database);
  admin = await setUp(fixture);
  ministry = await oidcProvider(`${BASE_URL}/sign-in/return`);
  const { issuer, authority } = ministry;
  const added = { ...NEW, issuer, authority, clientSecret: 'first-secret' };
  id = (await admin.browser.ask('POST', '/api/providers', added)).provider.id;
});
afterAll(async () => {
  await ministry.close();
  await db.close();
});

const change = (what: object, who = admin) => who.browser.ask('PUT', `/api/providers/${id}`, what);

test('a provider is changed: what was given is there, its issuer stays, no secret is shown, and the log tells', async () => {
  const { provider } = await change({
    ...NEW,
    name: 'Ministry of Health',
    clientId: 'careseal-2',
    acr: ['urn:strong'],
  });
  expect(provider).toMatchObject({
    ...{
      id,
      name: 'Ministry of Health',
      issuer: ministry.issuer,
      clientId: 'careseal-2',
      amr: ['mfa'],
      acr: ['urn:strong'],
    },
  });
  expect((await admin.browser.ask('GET', '/api/providers')).providers).toEqual([provider]);
  expect(JSON.stringify(provider)).not.toContain('first-secret');
  expect(fixture.recorded.some(({ event, outcome }) => event === 'provider.change' && outcome === 'success')).toBe(
    true,
  );
});

test('no issuer, no nonsense and no unknown provider', async () => {
  await expect(change({ ...NEW, issuer: 'https://other.example.org' })).rejects.toThrow();
  await expect(change({ ...NEW, name: '' })).rejects.toThrow();
  const nobody = admin.browser.ask('PUT', '/api/providers/0198f3a0-0000-7000-8000-0000000000aa', NEW);
  await expect(nobody).rejects.toMatchObject({ code: 'provider-unknown' });
});

test('who may not manage settings changes none', async () => {
  const wanted = { name: 'Kofi', email: 'kofi@example.org', roles: ['registrar'] };
  const { link } = await fixture.identity.users.add(operator, wanted, BASE_URL);
  const kofi = await enrol(fixture, link?.url ?? '');
  await expect(change(NEW, kofi)).rejects.toMatchObject({ code: 'not-allowed' });
});

test('a provider is tested: where it sends people, or in plain words why it cannot be used, and the log tells', async () => {
  const check = () => admin.browser.ask('POST', `/api/providers/${id}/check`);
  expect(await check()).toEqual({ signInUrl: `${ministry.issuer}/auth` });
  ministry.rest(true);
  await expect(check()).rejects.toMatchObject({
    code: 'provider-away',
    publicDetail: expect.stringMatching(/describes itself/),
  });
  ministry.rest(false);
  expect(await check()).toEqual({ signInUrl: `${ministry.issuer}/auth` });
  const told = fixture.recorded.filter(({ event }) => event === 'provider.check');
  expect(told.map(({ outcome }) => outcome).filter((one) => one === 'success')).toHaveLength(2);
});

test('why a provider cannot be added is told: its certificate, its name for itself, nobody there', async () => {
  const { issuer, authority } = ministry;
  const wanted = { ...NEW, clientSecret: 'x' };
  const add = (what: object) => admin.browser.ask('POST', '/api/providers', { ...wanted, ...what });
  await expect(add({ issuer })).rejects.toMatchObject({ publicDetail: expect.stringMatching(/certificate/) });
  const other = issuer.replace('localhost', '127.0.0.1');
  await expect(add({ issuer: other, authority })).rejects.toMatchObject({
    publicDetail: expect.stringMatching(/names itself otherwise/),
  });
  await expect(add({ issuer: 'https://nobody.invalid', authority })).rejects.toMatchObject({
    publicDetail: expect.stringMatching(/cannot be reached/),
  });
});
