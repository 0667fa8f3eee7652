import { afterAll, beforeAll, expect, it } from 'vitest';
import { portSettings } from '../support/journey.ts';
import { careseal, startTestServer, testHome, type TestServer } from '../support/server.ts';
import { enrolAt, setUpServer } from '../support/set-up.ts';

/** Rules, networks, exceptions and notices from another shell beside the server, as a script reads them. */
let home: Awaited<ReturnType<typeof testHome>>;
let server: TestServer;
beforeAll(async () => {
  home = await testHome();
  server = await startTestServer({ home: home.path, settings: await portSettings() });
  const password = 'seven herons over the lake';
  const organisation = 'Lakeside Programme';
  await setUpServer(server, { organisation, name: 'Amina Okello', email: 'amina@example.org', password });
}, 240_000);
afterAll(async () => {
  await server?.end('SIGTERM');
  await home?.dispose();
});

// oxlint-disable-next-line typescript/no-explicit-any -- answers of many shapes
async function run(...words: readonly string[]): Promise<any> {
  const ran = await careseal([...words, '--json'], { home: home.path });
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(ran.stdout);
}

/** The code of a refusal, which a script finds in the answer, and the exit code. */
async function refused(...words: readonly string[]): Promise<[number | null, string]> {
  const ran = await careseal([...words, '--json'], { home: home.path });
  return [ran.code, JSON.parse(ran.stdout).error.code];
}

it('lists people and their sessions, ends and gives back access, and refuses in codes that a script can read', async () => {
  const words = ['user', 'add', 'Kofi', '--email', 'kofi@example.org', '--role', 'steward'];
  const { link } = await run(...words);
  expect(await refused(...words)).toEqual([1, 'email-taken']);
  const again = await run('user', 'invite-again', 'kofi@example.org');
  expect(again.link).not.toBe(link);
  const { sessions, ended } = await run('user', 'sessions', 'amina@example.org');
  expect(ended).toBe(false);
  expect(sessions).toMatchObject([{ method: 'enrolment', address: expect.any(String) }]);
  expect(await run('user', 'sessions', 'amina@example.org', '--end')).toMatchObject({ ended: true });
  expect(await run('user', 'sessions', 'amina@example.org')).toEqual({ sessions: [], ended: false });
  for (const act of ['disable', 'enable', 'reset', 'reset-factor', 'retire', 'recover', 'sessions', 'invite-again']) {
    expect(await refused('user', act, 'nobody@example.org'), act).toEqual([1, 'user-unknown']);
  }
  expect(await run('user', 'retire', 'kofi@example.org')).toMatchObject({ user: { state: 'retired' } });
  expect((await run('user', 'list')).users).toHaveLength(2);
  const factor = await run('user', 'reset-factor', 'amina@example.org');
  expect(factor.link).toContain('/factor#');
}, 240_000);

it('ends a person’s access and gives it back, and says which state does not allow it', async () => {
  const email = 'tendai@example.org';
  const { link } = await run('user', 'add', 'Tendai', '--email', email, '--role', 'auditor');
  expect(await refused('user', 'enable', email)).toEqual([1, 'wrong-state']);
  await enrolAt(server, link, 'nine otters by the old mill');
  expect(await run('user', 'disable', email)).toMatchObject({ user: { email, state: 'disabled' } });
  expect(await refused('user', 'disable', email)).toEqual([1, 'wrong-state']);
  expect(await run('user', 'enable', email)).toMatchObject({ user: { email, state: 'active' } });
  expect(await refused('user', 'enable', email)).toEqual([1, 'wrong-state']);
  const { users } = await run('user', 'list');
  expect(users.find((one: { email: string }) => one.email === email)).toMatchObject({ state: 'active' });
  expect(await careseal(['user', 'disable', email], { home: home.path })).toMatchObject({ code: 0, stderr: '' });
  expect((await careseal(['user', 'disable'], { home: home.path })).code).toBe(2);
}, 240_000);

it('shows and changes settings within their ranges', async () => {
  const name = 'sessionIdleMinutes';
  const { settings } = await run('policy', 'get', name);
  expect(settings).toMatchObject([{ name, value: 15 }]);
  expect(await run('policy', 'set', name, '10')).toMatchObject({ setting: { name, value: 10 } });
  expect(await refused('policy', 'set', name, '100000')).toEqual([1, 'policy-refused']);
  expect(await refused('policy', 'set', 'no-such-setting', '1')).toEqual([2, 'usage']);
  expect((await run('policy', 'get')).settings).toContainEqual(expect.objectContaining({ name, value: 10 }));
  const bare = await careseal(['policy', 'set', name], { home: home.path });
  expect([bare.code, bare.stdout]).toEqual([2, '']);
}, 120_000);

it('sets and takes away rules and networks', async () => {
  const rule = { scope: 'role', scopeId: 'auditor', secondFactor: 'required' };
  expect(await run('policy', 'require', 'role', 'auditor', 'required')).toEqual({ requirements: [rule] });
  expect(await run('policy', 'require', 'role', 'auditor', 'none')).toEqual({ requirements: [] });
  const network = { scope: 'role', scopeId: 'auditor', networks: ['192.0.2.0/24'] };
  const allowed = await run('policy', 'networks', 'role', 'auditor', '--allow', '192.0.2.0/24');
  expect(allowed).toEqual({ networks: [network] });
  const wrong = await careseal(['policy', 'networks', 'role', 'auditor', '--allow', 'everywhere', '--json'], {
    home: home.path,
  });
  expect([wrong.code, JSON.parse(wrong.stdout).error.code]).toEqual([1, 'policy-refused']);
  expect(await run('policy', 'networks', 'role', 'auditor', '--any')).toEqual({ networks: [] });
}, 120_000);

it('grants an exception and ends it, publishes a notice and withdraws it', async () => {
  const words = ['policy', 'exception', 'amina@example.org', '--reason', 'waits for a telephone', '--days', '3'];
  const { exceptions } = await run(...words);
  expect(exceptions).toMatchObject([{ state: 'living', reason: 'waits for a telephone', approvedBy: null }]);
  expect(await run('policy', 'exception', '--end', exceptions[0].id)).toMatchObject({
    exceptions: [{ state: 'ended' }],
  });
  const { notice } = await run('notice', 'publish', 'Rules', 'Read them.', '--role', 'auditor');
  expect(notice).toMatchObject({ title: 'Rules', roles: ['auditor'], withdrawn: false });
  expect(await run('notice', 'withdraw', notice.id)).toEqual({ withdrawn: notice.id });
  expect(await run('notice', 'list')).toMatchObject({ notices: [{ withdrawn: true, acknowledged: 0 }] });
}, 120_000);
