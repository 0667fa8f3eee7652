import { afterAll, beforeAll, expect, test } from 'vitest';
import { PASSWORD, setUp, tokenOf, operator, BASE_URL } from '../support/identity.ts';
import { DoorBrowser, type IdentityDoor, identityDoor } from '../support/identity-door.ts';
import type { Answer } from '../support/tls.ts';

/** Attacker: anybody on the network. Goal: to learn who has an account, or which links exist. */
let target: IdentityDoor;
beforeAll(async () => {
  target = await identityDoor();
  await setUp(target, 'ama@example.org');
  const added = await target.identity.users.add(
    operator,
    { name: 'G', email: 'gone@example.org', roles: ['auditor'] },
    BASE_URL,
  );
  await target.identity.users.change(operator, added.user.id, { kind: 'disable' }, BASE_URL);
  await target.identity.users.add(operator, { name: 'N', email: 'new@example.org', roles: ['auditor'] }, BASE_URL);
});
afterAll(() => target.close());

const signIn = (email: string) =>
  new DoorBrowser(target.door).ask('POST', '/api/sign-in/password', { email, password: 'wrong password here' });

/** All that an attacker can compare: everything but the request's own id and the time of day. */
function seen(answer: Answer): unknown {
  const { date: _date, 'x-request-id': _id, ...headers } = answer.headers;
  const { requestId: _requestId, ...body } = answer.json();
  return { status: answer.status, headers, body };
}

test('a wrong password reads the same for an account that exists, is disabled, is invited, or does not exist', async () => {
  const known = await signIn('ama@example.org');
  expect(known.status).toBe(401);
  for (const email of ['gone@example.org', 'new@example.org', 'nobody@example.org', 'no address at all']) {
    expect(seen(await signIn(email)), email).toEqual(seen(known));
  }
});

test('… also once it is throttled', async () => {
  const until429 = async (email: string) => {
    for (let i = 1; ; i++) {
      const answer = await signIn(email);
      if (answer.status === 429) return { attempts: i, seen: seen(answer) };
      // The network's own counter is not what is looked at here.
      await target.db.ownerDatabase.run({
        name: 'test.network',
        text: `DELETE FROM identity.attempts WHERE kind = 'network'`,
      });
    }
  };
  const known = await until429('AMA@example.org');
  expect(known.seen).toMatchObject({ headers: { 'retry-after': '60' } });
  // One attempt each was made in the test above.
  expect(await until429('nobody@example.org')).toEqual(known);
  expect(known.attempts).toBe(10);
});

test('… and takes the same time', async () => {
  target.clock.forward(86_400_000);
  const time = async (email: string) => {
    // What the process works for it, hashing threads included: other work of the machine does not count.
    const started = process.cpuUsage();
    await signIn(email);
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1_000;
  };
  const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
  for (let i = 0; i < 30; i++) {
    await target.db.ownerDatabase.run({ name: 'test.attempts', text: 'DELETE FROM identity.attempts' });
    times.known.push(await time('ama@example.org'));
    times.unknown.push(await time(`nobody${i}@example.org`));
  }
  const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0;
  const [known, unknown] = [median(times.known), median(times.unknown)];
  // Argon2id alone costs 10 ms and more; without it an unknown account would be answered several times faster.
  expect(Math.abs(known - unknown)).toBeLessThan(Math.max(known, unknown) * 0.35);
});

test('a link that never existed, was used, or has expired is one and the same', async () => {
  const added = await target.identity.users.add(
    operator,
    { name: 'L', email: 'late@example.org', roles: ['auditor'] },
    BASE_URL,
  );
  const late = tokenOf(added.link?.url ?? '');
  target.clock.forward(73 * 3_600_000);
  const browser = new DoorBrowser(target.door);
  const never = await browser.ask('POST', '/api/enrol/link', { token: 'B'.repeat(43) });
  expect(never.status).toBe(410);
  expect(seen(await browser.ask('POST', '/api/enrol/link', { token: late }))).toEqual(seen(never));
  const account = { token: late, password: PASSWORD };
  expect(seen(await browser.ask('POST', '/api/enrol/account', account))).toEqual(seen(never));
  expect(seen(await browser.ask('POST', '/api/setup/link', { token: late }))).toEqual(seen(never));
});
