import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BASE_URL, enrol, type EnrolledPerson, operator, PASSWORD, setUp, TestBrowser } from '../support/identity.ts';
import { type IdentityDoor, identityDoor } from '../support/identity-door.ts';
import { type Bend, SoftPasskey } from '../support/soft-passkey.ts';

/** Attacker: a page that looks like ours, a copied authenticator, a passkey of their own. Goal: somebody's session. */
let fixture: IdentityDoor;
beforeAll(async () => {
  fixture = await identityDoor();
  await setUp(fixture);
});
afterAll(() => fixture.close());

/** Where the door is: the page's own origin. */
const origin = () => `https://localhost:${fixture.door.port}`;
let people = 0;
async function personWithPasskey(): Promise<EnrolledPerson & { readonly passkey: SoftPasskey }> {
  const email = `person${++people}@example.org`;
  const { link } = await fixture.identity.users.add(operator, { name: 'Person', email, roles: ['steward'] }, BASE_URL);
  const who = await enrol(fixture, link?.url ?? '');
  const { options } = await who.browser.ask('POST', '/api/factors/passkey/options');
  const passkey = await SoftPasskey.make(options, origin());
  await who.browser.ask('POST', '/api/factors/passkey', { name: 'Key', credential: passkey.registration() });
  return { ...who, passkey };
}
const outcome = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'in',
    (refusal: { code: string }) => refusal.code,
  );

/** Signs in by this passkey alone, its answer bent. */
async function alone(passkey: SoftPasskey, bend: Bend = {}): Promise<string> {
  const browser = new TestBrowser(fixture.identity, `10.30.${++people & 255}.1`);
  const { options } = await browser.ask('POST', '/api/sign-in/passkey/options', { alone: true });
  const credential = passkey.assertion(options, bend);
  return await outcome(browser.ask('POST', '/api/sign-in/passkey', { credential, alone: true }));
}

describe('a passkey’s answer', () => {
  test.each([
    ['made at another origin', { origin: 'https://careseal.evil.example' }],
    ['made for another rpId', { rpId: 'evil.example' }],
    ['without user verification', { unverified: true }],
    ['over another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
    ['that was a registration', { type: 'webauthn.create' }],
    ['that names another user', { userHandle: Buffer.alloc(16, 7).toString('base64url') }],
  ] satisfies [string, Bend][])('%s is refused', async (_, bend) => {
    const { passkey } = await personWithPasskey();
    expect(await alone(passkey, bend)).toBe('passkey-refused');
    expect(await alone(passkey)).toBe('in');
  });

  test('made at our host over http is refused', async () => {
    const { passkey } = await personWithPasskey();
    expect(await alone(passkey, { origin: origin().replace('https', 'http') })).toBe('passkey-refused');
  });

  test('with a counter that is not higher is refused: a copied authenticator', async () => {
    const { passkey } = await personWithPasskey();
    expect(await alone(passkey, { counter: 10 })).toBe('in');
    expect(await alone(passkey, { counter: 10 })).toBe('passkey-refused');
    expect(await alone(passkey, { counter: 3 })).toBe('passkey-refused');
    expect(fixture.recorded.at(-1)).toMatchObject({ event: 'sign-in.passkey', reason: 'passkey-counter' });
    expect(await alone(passkey, { counter: 11 })).toBe('in');
  });

  test('is looked at once: neither it nor its challenge works again, and not in another browser', async () => {
    const { passkey } = await personWithPasskey();
    const browser = new TestBrowser(fixture.identity, '10.31.0.1');
    const { options } = await browser.ask('POST', '/api/sign-in/passkey/options', { alone: true });
    const body = { credential: passkey.assertion(options), alone: true };
    const elsewhere = new TestBrowser(fixture.identity, '10.31.0.2');
    expect(await outcome(elsewhere.ask('POST', '/api/sign-in/passkey', body))).toBe('passkey-refused');
    const token = browser.cookies.get('challenge') ?? '';
    expect(await outcome(browser.ask('POST', '/api/sign-in/passkey', body))).toBe('in');
    browser.cookies.set('challenge', token);
    expect(await outcome(browser.ask('POST', '/api/sign-in/passkey', body))).toBe('passkey-refused');
  });

  test('of one person is no second factor of another, nor a proof in another’s session', async () => {
    const [who, thief] = [await personWithPasskey(), await personWithPasskey()];
    const browser = new TestBrowser(fixture.identity, '10.32.0.1');
    await browser.ask('POST', '/api/sign-in/password', { email: who.email, password: PASSWORD });
    const { options } = await browser.ask('POST', '/api/sign-in/passkey/options', { alone: false });
    const credential = thief.passkey.assertion(options);
    expect(await outcome(browser.ask('POST', '/api/sign-in/passkey', { credential, alone: false }))).toBe(
      'passkey-refused',
    );
    const asked = await who.browser.ask('POST', '/api/step-up/options');
    const proof = { credential: thief.passkey.assertion(asked.options) };
    expect(await outcome(who.browser.ask('POST', '/api/step-up', proof))).toBe('passkey-refused');
  });

  test('of a disabled account, or one that was removed, opens nothing, and reads the same as an unknown one', async () => {
    const who = await personWithPasskey();
    const { user } = await who.browser.ask('GET', '/api/session');
    await fixture.identity.users.change(operator, user.id, { kind: 'disable' }, BASE_URL);
    expect(await alone(who.passkey)).toBe('passkey-refused');
    const other = await personWithPasskey();
    const { passkeys } = await other.browser.ask('GET', '/api/factors');
    await other.browser.ask('DELETE', `/api/factors/${passkeys[0].id}`);
    expect(await alone(other.passkey)).toBe('passkey-refused');
    const stranger = await SoftPasskey.make({ challenge: '' }, origin());
    expect(await alone(stranger)).toBe('passkey-refused');
  });
});

describe('a registration', () => {
  test.each([
    ['made at another origin', { origin: 'https://careseal.evil.example' }],
    ['without user verification', { unverified: true }],
    ['over another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
    ['for another rpId', { rpId: 'evil.example' }],
  ] satisfies [string, Bend][])('%s is refused', async (_, bend) => {
    const { browser } = await personWithPasskey();
    const { options } = await browser.ask('POST', '/api/factors/passkey/options');
    const passkey = await SoftPasskey.make(options, origin());
    const credential = passkey.registration(bend);
    expect(await outcome(browser.ask('POST', '/api/factors/passkey', { name: 'Key', credential }))).toBe(
      'passkey-refused',
    );
  });

  test('of a passkey that somebody else has is refused', async () => {
    const [who, thief] = [await personWithPasskey(), await personWithPasskey()];
    const { options } = await thief.browser.ask('POST', '/api/factors/passkey/options');
    const credential = who.passkey.registration({ challenge: options.challenge });
    expect(await outcome(thief.browser.ask('POST', '/api/factors/passkey', { name: 'Mine', credential }))).toBe(
      'passkey-refused',
    );
  });
});
