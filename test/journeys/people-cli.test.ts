import { afterAll, beforeAll, expect, it } from 'vitest';
import { portSettings } from '../support/journey.ts';
import { careseal, startTestServer, testHome, type TestServer } from '../support/server.ts';
import { setUpServer } from '../support/set-up.ts';

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
