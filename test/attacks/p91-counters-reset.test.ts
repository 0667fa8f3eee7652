import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  cheapPasswords,
  codeAt,
  type EnrolledPerson,
  enrolledPeople,
  type IdentityFixture,
  identityFixture,
  PASSWORD,
  setUp,
  signIn,
  TestBrowser,
} from '../support/identity.ts';

/**
 * P91: the attacker has somebody's password and may write to the database, so they take every counter of wrong attempts away between
 * two guesses. A code of six digits would fall within the hour; the process that compares remembers by itself.
 */
let db: TestDatabase;
let fixture: IdentityFixture;
beforeAll(async () => {
  db = await testDatabase();
  fixture = identityFixture(db.database, { passwords: cheapPasswords() });
  await setUp(fixture);
});
afterAll(() => db.close());

const TRIES = 130;
const MOST = 100;
const owner = enrolledPeople(() => fixture, { called: 'Owner', roles: ['steward'] });

async function resetCounters(): Promise<void> {
  await db.ownerDatabase.run({ name: 't.attempts', text: 'DELETE FROM identity.attempts' });
  await db.ownerDatabase.run({ name: 't.bans', text: 'DELETE FROM identity.bans' });
  await db.ownerDatabase.run({ name: 't.codes', text: 'UPDATE identity.pre_sessions SET codes_tried = 0' });
}

const said = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'right',
    (refusal: { code: string }) => refusal.code,
  );
const password = (browser: TestBrowser, email: string, given = PASSWORD): Promise<string> =>
  said(browser.ask('POST', '/api/sign-in/password', { email, password: given }));

/** A code that is none of this person's at about this time. */
function wrongCode({ totp }: EnrolledPerson): string {
  const right = [-60_000, -30_000, 0, 30_000, 60_000].map((by) => codeAt(totp, fixture.clock.nowMs() + by));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code)) ?? '';
}

test('codes: a hundred are compared, then none, though every counter in the database is taken away', async () => {
  const who = await owner();
  const thief = new TestBrowser(fixture.identity, '198.51.100.7');
  expect(await password(thief, who.email)).toBe('right');
  let compared = 0;
  for (let i = 0; i < TRIES; i++) {
    await resetCounters();
    const outcome = await said(thief.ask('POST', '/api/sign-in/code', { code: wrongCode(who) }));
    if (outcome === 'code-refused') compared++;
    else expect(outcome).toBe('too-many-attempts');
  }
  expect(compared).toBe(MOST);
  // The right one is not compared either.
  await resetCounters();
  const right = codeAt(who.totp, fixture.clock.nowMs());
  expect(await said(thief.ask('POST', '/api/sign-in/code', { code: right }))).toBe('too-many-attempts');
  expect((await thief.principal()).kind).toBe('anonymous');
  // The owner is not kept out of a browser they have used before.
  await signIn(fixture, who, who.browser);
  expect((await who.browser.principal()).kind).toBe('user');
});

test('step-up in an open session: the same', async () => {
  const who = await owner();
  let compared = 0;
  for (let i = 0; i < TRIES; i++) {
    await resetCounters();
    await db.ownerDatabase.run({ name: 't.step-ups', text: 'UPDATE identity.sessions SET step_up_failures = 0' });
    const outcome = await said(who.browser.ask('POST', '/api/step-up', { code: wrongCode(who) }));
    if (outcome === 'code-refused') compared++;
    else expect(outcome).toBe('too-many-attempts');
  }
  expect(compared).toBe(MOST);
});

test('passwords: the same, from as many addresses as one likes', async () => {
  const who = await owner();
  let compared = 0;
  for (let i = 0; i < TRIES; i++) {
    await resetCounters();
    const browser = new TestBrowser(fixture.identity, `10.0.${i}.7`);
    if ((await password(browser, who.email, 'a guess of the attacker')) === 'sign-in-refused') compared++;
  }
  expect(compared).toBe(MOST);
  expect(await password(who.browser, who.email)).toBe('right');
});

test('planted browsers are one channel, however many', async () => {
  const who = await owner();
  const id = (await fixture.identity.findUserByEmail(who.email))?.id ?? '';
  const { hashToken, randomToken } = await import('../../src/crypto/index.ts');
  let compared = 0;
  for (let i = 0; i < TRIES; i++) {
    await resetCounters();
    const browser = new TestBrowser(fixture.identity, '198.51.100.9');
    const token = randomToken(256);
    browser.cookies.set('device', token);
    await db.ownerDatabase.run(
      {
        name: 't.plant',
        text: `INSERT INTO identity.devices (token_hash, user_id, expires_at) VALUES ($1, $2, now() + interval '9 years')`,
      },
      [hashToken(token), id],
    );
    if ((await password(browser, who.email, 'a guess of the attacker')) === 'sign-in-refused') compared++;
  }
  expect(compared).toBe(MOST);
});

test('the next day begins anew', async () => {
  const who = await owner();
  const guess = () => password(new TestBrowser(fixture.identity, '198.51.100.7'), who.email, 'a guess');
  for (let i = 0; i < MOST; i++) {
    await resetCounters();
    await guess();
  }
  await resetCounters();
  expect(await guess()).toBe('too-many-attempts');
  fixture.clock.forward(86_400_000);
  expect(await guess()).toBe('sign-in-refused');
});
