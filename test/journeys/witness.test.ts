import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { careseal, startTestServer, type TestServer, testHome } from '../support/server.ts';
import { testAuthority, testLeaf } from '../support/tls.ts';

/** A ministry runs `careseal witness`; the server's administrator puts its key into the settings; heads get a second signature. */
const NODE = join(import.meta.dirname, '../../node_modules/node/bin/node');
const PROGRAM = join(import.meta.dirname, '../../src/cli/main.ts');
let home: Awaited<ReturnType<typeof testHome>>;
let witness: ChildProcess | undefined;
let server: TestServer | undefined;

interface Head {
  readonly verifierKey: string;
  readonly witnesses: readonly { readonly name: string; readonly size: number; readonly failure?: string }[];
}

beforeAll(async () => {
  home = await testHome();
});
afterAll(async () => {
  await server?.end('SIGTERM');
  witness?.kill('SIGKILL');
  await home.dispose();
});

async function startWitness(): Promise<{ url: string; verifierKey: string }> {
  const words = [
    '--logs',
    join(home.path, 'logs'),
    '--directory',
    join(home.path, 'witness'),
    '--listen',
    '127.0.0.1:0',
    '--certificate',
    join(home.path, 'witness.crt'),
    '--key',
    join(home.path, 'witness.key'),
  ];
  witness = spawn(NODE, [PROGRAM, 'witness', ...words, '--name', 'ministry.example.org', '--json'], {
    env: { PATH: process.env['PATH'] ?? '', CARESEAL_HOME: join(home.path, 'elsewhere') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (witness.stdout === null) throw new Error('no output');
  const [line] = (await once(witness.stdout.setEncoding('utf8'), 'data')) as [string];
  return JSON.parse(line) as { url: string; verifierKey: string };
}

test('from an empty home to a cosigned head that anybody can check', async () => {
  await careseal(['setup'], { home: home.path });
  const headOf = async (settings: Record<string, string> = {}): Promise<Head> =>
    JSON.parse((await careseal(['audit', 'head', '--json'], { home: home.path, settings })).stdout) as Head;
  await writeFile(join(home.path, 'logs'), `${(await headOf()).verifierKey}\n`);
  // The ministry has an authority of its own.
  const authority = await testAuthority('Ministry');
  const leaf = await testLeaf(authority, { usage: 'server' });
  await writeFile(join(home.path, 'witness.crt'), leaf.certificate);
  await writeFile(join(home.path, 'witness.key'), leaf.key);
  await writeFile(join(home.path, 'ministry.crt'), authority.ca);
  const { url, verifierKey } = await startWitness();
  expect(url).toMatch(/^https:/);
  const settings = {
    CARESEAL_AUDIT_WITNESSES: `${url} ${verifierKey}`,
    CARESEAL_AUDIT_WITNESS_AUTHORITY_FILE: join(home.path, 'ministry.crt'),
  };
  server = await startTestServer({ home: home.path, settings });
  await expect
    .poll(async () => (await headOf(settings)).witnesses[0]?.size ?? 0, { timeout: 60_000, interval: 1_000 })
    .toBeGreaterThan(0);
  const folder = join(home.path, 'for-the-auditor');
  expect((await careseal(['audit', 'export', '--out', folder], { home: home.path, settings })).code).toBe(0);
  expect(
    (await careseal(['audit', 'verify', '--since', join(folder, 'checkpoint')], { home: home.path, settings })).code,
  ).toBe(0);
  const wrong = await careseal(['config'], { home: home.path, settings: { CARESEAL_AUDIT_WITNESSES: 'https://x' } });
  expect(wrong.stderr).toContain('AUDIT_WITNESSES');
}, 180_000);
