import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

/** Attacker: anybody on the network, with any number of addresses and any patience. Goal: to get in, or to keep the owner out. */
let db: TestDatabase;
let fixture: IdentityFixture;
beforeAll(async () => {
  db = await testDatabase();
  fixture = identityFixture(db.database, { passwords: cheapPasswords() });
  await setUp(fixture);
});
afterAll(() => db.close());

const DAY = 86_400_000;
const owner = enrolledPeople(() => fixture, { called: 'Owner', roles: ['steward'] });

/** Tries to sign in; answers the refusal's code. */
async function guess(browser: TestBrowser, email: string, password = 'a guess of the attacker'): Promise<string> {
  return await browser.ask('POST', '/api/sign-in/password', { email, password }).then(
    () => 'right',
    (refusal: { code: string }) => refusal.code,
  );
}

/** `tries` guesses, `everyMs` apart, over so many addresses; answers how many were compared with the password at all. */
async function attack(email: string, how: { tries: number; addresses: number; everyMs: number }): Promise<number> {
  let compared = 0;
  for (let i = 0; i < how.tries; i++) {
    const at = i % how.addresses;
    const browser = new TestBrowser(fixture.identity, `10.${at >> 8}.${at & 255}.7`);
    if ((await guess(browser, email)) === 'sign-in-refused') compared++;
    fixture.clock.forward(how.everyMs);
  }
  return compared;
}

describe('ten thousand guesses', () => {
  test('from one address, as fast as it goes: ten are compared', async () => {
    const { email } = await owner();
    expect(await attack(email, { tries: 10_000, addresses: 1, everyMs: 0 })).toBe(10);
  });

  test('from a thousand addresses over a month: fifty are compared', async () => {
    const { email } = await owner();
    expect(await attack(email, { tries: 10_000, addresses: 1_000, everyMs: (30 * DAY) / 10_000 })).toBe(50);
  });

  test('at the same moment from a hundred addresses: no more than one after the other', async () => {
    const { email } = await owner();
    const guesses = Array.from({ length: 100 }, (_, i) =>
      guess(new TestBrowser(fixture.identity, `10.9.${i}.1`), email),
    );
    const outcomes = await Promise.all(guesses);
    expect(outcomes.filter((outcome) => outcome !== 'too-many-attempts').length).toBeLessThanOrEqual(10);
  });

  test('of one password at many accounts from one address: fifty are compared, then it waits', async () => {
    const browser = new TestBrowser(fixture.identity, '172.16.0.1');
    let compared = 0;
    for (let i = 0; i < 200; i++) {
      if ((await guess(browser, `somebody${i}@example.org`)) === 'sign-in-refused') compared++;
    }
    expect(compared).toBe(50);
  });

  test('of one password at many accounts from one address, thirty at the same moment: no more than that', async () => {
    let compared = 0;
    for (let round = 0; round < 6; round++) {
      const guesses = Array.from({ length: 30 }, (_, i) =>
        guess(new TestBrowser(fixture.identity, '172.16.1.1'), `sprayed${round}-${i}@example.org`),
      );
      compared += (await Promise.all(guesses)).filter((outcome) => outcome === 'sign-in-refused').length;
    }
    expect(compared).toBeLessThanOrEqual(50);
    // What was under way counted as if it were wrong, so some may be left; not one more than fifty in all.
    for (
      let i = 0;
      (await guess(new TestBrowser(fixture.identity, '172.16.1.1'), `left${i}@example.org`)) !== 'too-many-attempts';
      i++
    ) {
      compared++;
    }
    expect(compared).toBe(50);
  });

  test('… and codes too, with stolen passwords of many', async () => {
    const victims: EnrolledPerson[] = [];
    for (let i = 0; i < 60; i++) victims.push(await owner());
    const thieves = victims.map(({ email }) => ({ email, browser: new TestBrowser(fixture.identity, '172.16.2.1') }));
    for (const { browser, email } of thieves) expect(await guess(browser, email, PASSWORD)).toBe('right');
    const outcomes: string[] = [];
    for (let from = 0; from < thieves.length; from += 12) {
      const some = thieves.slice(from, from + 12).map(({ browser }) =>
        browser.ask('POST', '/api/sign-in/code', { code: '000000' }).then(
          () => 'right',
          (refusal: { code: string }) => refusal.code,
        ),
      );
      outcomes.push(...(await Promise.all(some)));
    }
    expect(outcomes.filter((outcome) => outcome === 'code-refused').length).toBeLessThanOrEqual(50);
    const more = new TestBrowser(fixture.identity, '172.16.2.1');
    let left = 0;
    while (left < 60 && (await guess(more, `left${left}@example.com`)) === 'sign-in-refused') left++;
    expect(outcomes.filter((outcome) => outcome === 'code-refused').length + left).toBe(50);
  });

  test('two processes beside each other: each counts what it has under way twice, so that together they take no more', async () => {
    const quick = { passwords: cheapPasswords(), processes: 2, clock: fixture.clock };
    const both = [0, 1].map(() => identityFixture(db.database, { ...quick, keyRing: fixture.keyRing }).identity);
    let compared = 0;
    for (let round = 0; round < 6; round++) {
      const guesses = both.flatMap((identity, process) =>
        Array.from({ length: 10 }, (_, i) =>
          guess(new TestBrowser(identity, '172.16.3.1'), `sprayed${process}-${round}-${i}@example.com`),
        ),
      );
      compared += (await Promise.all(guesses)).filter((outcome) => outcome === 'sign-in-refused').length;
    }
    expect(compared).toBeGreaterThan(20);
    // What the other has under way at the last moment comes on top: less than its share of fifty.
    expect(compared).toBeLessThanOrEqual(60);
  });

  test('of one IPv6 customer over all their addresses count as one', async () => {
    let compared = 0;
    for (let i = 0; i < 120; i++) {
      const browser = new TestBrowser(fixture.identity, `2001:db8:77:${(0x1200 + i).toString(16)}::1`);
      if ((await guess(browser, `v6-${i}@example.org`)) === 'sign-in-refused') compared++;
    }
    expect(compared).toBe(50);
  });

  test('a throttled right password is not told from a wrong one', async () => {
    const { email } = await owner();
    await attack(email, { tries: 11, addresses: 3, everyMs: 0 });
    expect(await guess(new TestBrowser(fixture.identity, '10.1.1.1'), email, PASSWORD)).toBe('too-many-attempts');
  });
});

describe('keeping the owner out', () => {
  test('is impossible in a browser the owner has used before, also within the same network', async () => {
    const victim = await owner();
    const known = victim.browser;
    expect(await attack(victim.email, { tries: 400, addresses: 1, everyMs: DAY / 24 })).toBe(50);
    const neighbour = new TestBrowser(fixture.identity, known.address);
    for (let i = 0; i < 80; i++) await guess(neighbour, `neighbour${i}@example.org`);
    expect(await guess(neighbour, `another@example.org`)).toBe('too-many-attempts');
    await signIn(fixture, victim, known);
    expect(await known.principal()).toMatchObject({ kind: 'user' });
  });

  test('the owner’s success reopens the account for other browsers of theirs, without a gift to the attacker', async () => {
    const victim = await owner();
    await attack(victim.email, { tries: 400, addresses: 7, everyMs: DAY / 24 });
    const fresh = new TestBrowser(fixture.identity, '198.51.100.200');
    expect(await guess(fresh, victim.email, PASSWORD)).toBe('too-many-attempts');
    await signIn(fixture, victim, victim.browser);
    fixture.clock.forward(DAY / 24);
    expect(await attack(victim.email, { tries: 10, addresses: 10, everyMs: 0 })).toBe(1);
    fixture.clock.forward(DAY / 24);
    await signIn(fixture, victim, fresh);
  });

  test('a stolen device cookie opens nothing and is worth its own fifty guesses only', async () => {
    const victim = await owner();
    const thief = new TestBrowser(fixture.identity, '10.66.0.1');
    thief.cookies.set('device', victim.browser.cookies.get('device') ?? '');
    let compared = 0;
    for (let i = 0; i < 300; i++) {
      if ((await guess(thief, victim.email)) === 'sign-in-refused') compared++;
      fixture.clock.forward(DAY / 24);
    }
    expect(compared).toBe(50);
    expect(compared + (await attack(victim.email, { tries: 300, addresses: 9, everyMs: DAY / 24 }))).toBe(100);
  });

  test('a device cookie planted in the owner’s browser is replaced at sign-in', async () => {
    const victim = await owner();
    const planted = 'A'.repeat(43);
    const browser = new TestBrowser(fixture.identity, '198.51.100.77');
    browser.cookies.set('device', planted);
    await signIn(fixture, victim, browser);
    expect(browser.cookies.get('device')).not.toBe(planted);
    const attacker = new TestBrowser(fixture.identity, '10.66.0.2');
    attacker.cookies.set('device', planted);
    await attack(victim.email, { tries: 11, addresses: 1, everyMs: 0 });
    expect(await guess(attacker, victim.email)).toBe('too-many-attempts');
  });
});

describe('guessing the code with a stolen password', () => {
  test('over a month fifty codes are compared, and the owner still gets in', async () => {
    const victim = await owner();
    let compared = 0;
    for (let i = 0; i < 120; i++) {
      const thief = new TestBrowser(fixture.identity, `10.77.${i & 255}.1`);
      await guess(thief, victim.email, PASSWORD);
      const right = codeAt(victim.totp, fixture.clock.nowMs());
      const wrong = String((Number(right) + 500_000 + i) % 1_000_000).padStart(6, '0');
      const outcome = await thief.ask('POST', '/api/sign-in/code', { code: wrong }).then(
        () => 'right',
        (refusal: { code: string }) => refusal.code,
      );
      if (outcome === 'code-refused') compared++;
      fixture.clock.forward(DAY / 4);
    }
    expect(compared).toBe(50);
    await signIn(fixture, victim, victim.browser);
  });

  test('recovery codes share that count', async () => {
    const victim = await owner();
    const browser = new TestBrowser(fixture.identity, '10.78.0.1');
    const outcomes: string[] = [];
    for (let i = 0; i < 12; i++) {
      await guess(browser, victim.email, PASSWORD);
      const body = i % 2 === 0 ? { code: '000000' } : { recoveryCode: 'AAAA-AAAA-AAAA-AAAA' };
      await browser
        .ask('POST', '/api/sign-in/code', body)
        .catch((refusal: { code: string }) => outcomes.push(refusal.code));
    }
    expect(outcomes.slice(-2)).toEqual(['too-many-attempts', 'too-many-attempts']);
  });
});

test('a clock set back opens no window: used codes stay used, sessions end as they would', async () => {
  const victim = await owner();
  const used = codeAt(victim.totp, fixture.clock.nowMs());
  await signIn(fixture, victim, victim.browser);
  fixture.clock.forward(-120_000);
  const replay = new TestBrowser(fixture.identity, '10.79.0.1');
  await guess(replay, victim.email, PASSWORD);
  await expect(replay.ask('POST', '/api/sign-in/code', { code: used })).rejects.toMatchObject({ code: 'code-refused' });
  await expect(
    replay.ask('POST', '/api/sign-in/code', { code: codeAt(victim.totp, fixture.clock.nowMs()) }),
  ).rejects.toMatchObject({ code: 'code-refused' });
  fixture.clock.forward(12 * 3_600_000 + 120_000);
  expect(await victim.browser.principal()).toMatchObject({ kind: 'anonymous' });
});

test('a clock that was days ahead, and is set right, keeps nobody out who signed in meanwhile', async () => {
  const who = await owner();
  fixture.clock.forward(3 * DAY);
  await signIn(fixture, who, who.browser);
  const fresh = new TestBrowser(fixture.identity, '198.51.100.61');
  await signIn(fixture, who, fresh);
  const another = await owner();
  fixture.clock.forward(-3 * DAY);
  for (const browser of [who.browser, new TestBrowser(fixture.identity, '198.51.100.61')]) {
    expect(await guess(browser, who.email, PASSWORD)).toBe('right');
  }
  expect(await guess(new TestBrowser(fixture.identity, '198.51.100.62'), another.email, PASSWORD)).toBe('right');
});
