import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { has, run } from '../support/programs.ts';
import { careseal, startTestServer, testHome, type TestServer } from '../support/server.ts';

/** Every command of docs/integration.md, in its order, with the programs an integrator has. A comment `# → text` says what must come. */
interface Block {
  readonly kind: string;
  readonly text: string;
  readonly expected: string | undefined;
}

const GUIDE = readFileSync(join(import.meta.dirname, '../../docs/integration.md'), 'utf8');
const blocks: Block[] = [...GUIDE.matchAll(/```sh ?(\w*)\n([\s\S]*?)```/g)].map(([, kind = '', body = '']) => ({
  kind,
  text: body.replaceAll(/^# → .*$/gm, '').trim(),
  expected: /^# → (.*)$/m.exec(body)?.[1],
}));

describe.skipIf(!has('curl') || !has('openssl'))('the integration guide', () => {
  let home: Awaited<ReturnType<typeof testHome>>;
  let server: TestServer;
  let token = '';
  let clientId = '';
  beforeAll(async () => {
    home = await testHome();
    server = await startTestServer({ home: home.path });
  });
  afterAll(async () => {
    await server.end('SIGTERM');
    await home.dispose();
  });

  it('has commands to try', () => {
    expect(blocks.filter(({ kind }) => kind === '').length).toBeGreaterThan(12);
  });

  it.each(
    blocks.filter(({ kind }) => kind !== 'skip').map((block) => [block.text.split('\n')[0] ?? '', block] as const),
  )('%s', async (_first, { kind, text, expected }) => {
    if (kind === 'operator') return operatorRuns(text);
    const env = `export FHIR='${server.nodesUrl.replace(/\/fhir$/, '')}/fhir' TOKEN='${token}' CLIENT_ID='${clientId}'\n`;
    const ran = await run('bash', ['-euc', env + text], join(home.path, 'sandbox'));
    expect(ran.code, ran.stderr + ran.stdout).toBe(0);
    if (expected !== undefined) expect(ran.stdout).toContain(expected);
  });

  /** `careseal …` as whoever runs the server types it, in the folder above `sandbox`. */
  async function operatorRuns(text: string): Promise<void> {
    const words = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '').slice(1);
    const placed = words.map((word, index) =>
      ['--out', '--csr', '--file'].includes(words[index - 1] ?? '') ? join(home.path, word) : word,
    );
    const done = await careseal([...placed, '--json'], { home: home.path });
    expect(done.code, done.stderr).toBe(0);
    const answer = JSON.parse(done.stdout) as { invitation?: { token: string }; node?: { id: string } };
    if (answer.invitation !== undefined) token = answer.invitation.token;
    if (words.includes('keys')) clientId = answer.node?.id ?? '';
  }
});
