import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CSV_MAP } from '../../bench/people.ts';
import { buildVerifier } from '../../scripts/build-verifier.ts';
import { withMaintenanceSession } from '../../src/platform/db/index.ts';
import { startBrowser, type TestBrowser } from '../support/browser.ts';
import { comeBack, goTo, heading, openAccount } from '../support/journey.ts';
import { writePeopleFile } from '../support/people-file.ts';
import { picture } from '../support/pictures.ts';
import { careseal, type Finished, startTestServer, testHome, type TestServer } from '../support/server.ts';

/**
 * An auditor comes with a head of the log that he kept: he checks on his own laptop that last year's log is still in today's, asks who
 * looked at one client, and takes away a report and an event that prove themselves. In the end somebody with the database's own rights
 * changes an event, and it is found.
 */
let home: Awaited<ReturnType<typeof testHome>>;
let laptop: string;
let server: TestServer;
let browser: TestBrowser;
let administrator: Page;
let auditor: Page;
let clientId: string;
let verifierKey: string;

beforeAll(async () => {
  home = await testHome();
  laptop = await mkdtemp(join(tmpdir(), 'careseal-auditor-'));
  server = await startTestServer({ home: home.path });
  browser = await startBrowser();
  await buildVerifier(laptop);
});
afterAll(async () => {
  await browser?.close();
  await server?.end('SIGTERM');
  await home.dispose();
  await rm(laptop, { recursive: true, force: true });
});

const run = (...words: readonly string[]): Promise<Finished> => careseal([...words, '--json'], { home: home.path });

/** The one-file verifier, as on a laptop that has Node and nothing of Careseal. */
async function verifyOnLaptop(...words: readonly string[]): Promise<{ code: number | null; answer: string }> {
  const child = spawn(process.execPath, [join(laptop, 'careseal-verify.mjs'), '--key', verifierKey, ...words], {
    cwd: laptop,
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let answer = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (answer += text));
  return await new Promise((resolve) => child.once('close', (code) => resolve({ code, answer })));
}

/** Bytes and name of the file that a click downloads. */
async function downloaded(page: Page, click: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> {
  const [started] = await Promise.all([page.waitForEvent('download'), click()]);
  return { name: started.suggestedFilename(), bytes: await readFile(await started.path()) };
}

describe('before the visit', () => {
  it('a programme works: people are loaded, an administrator looks at a client, an auditor is invited', async () => {
    ({ page: administrator } = await browser.newPage());
    await openAccount(administrator, {
      link: server.setupLink ?? '',
      organisation: 'Lakeside Health Programme',
      name: 'Amina Okello',
      email: 'amina@lakeside.example.org',
      password: 'seven herons over the lake',
    });
    const file = await writePeopleFile(join(laptop, 'clients.csv'), { rows: 200, seed: 5 });
    await writeFile(join(laptop, 'map.json'), JSON.stringify(CSV_MAP));
    const words = ['load', file.path, '--domain', 'urn:example:hospital-a', '--map', join(laptop, 'map.json')];
    expect(await run(...words)).toMatchObject({ code: 0 });
    const added = await run('user', 'add', 'Otto Weber', '--email', 'otto@audit.example.org', '--role', 'auditor');
    expect(added.stderr).toBe('');
    ({ page: auditor } = await browser.newPage());
    await openAccount(auditor, {
      link: (JSON.parse(added.stdout) as { link: string }).link,
      name: 'Otto Weber',
      email: 'otto@audit.example.org',
      password: 'twelve scales on the table',
    });
  });

  it('the auditor keeps a head, and more happens after it', async () => {
    const head = JSON.parse((await run('audit', 'head')).stdout) as { checkpoint: string; verifierKey: string };
    verifierKey = head.verifierKey;
    await writeFile(join(laptop, 'kept.txt'), head.checkpoint);
    await comeBack(administrator);
    await goTo(administrator, 'Clients');
    await administrator.getByRole('table', { name: 'Clients' }).getByRole('link').first().click();
    await heading(administrator, /\w/).waitFor();
    await administrator.getByRole('heading', { name: 'Source records' }).waitFor();
    clientId = new URL(administrator.url()).pathname.split('/').at(-1) ?? '';
    expect(clientId).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('the visit', () => {
  it('the log of today has grown out of the head he kept, on his own laptop', async () => {
    expect(await run('audit', 'export', '--out', join(laptop, 'log'))).toMatchObject({ code: 0 });
    const checked = await verifyOnLaptop('--since', 'kept.txt', 'log');
    expect(checked).toMatchObject({ code: 0 });
    expect(checked.answer).toContain('your checkpoint of');
  });

  it('the pages tell him who looked at one client, and that the log is whole', async () => {
    await comeBack(auditor);
    await goTo(auditor, 'Audit');
    await auditor.getByText('The log is whole.').waitFor();
    await auditor.getByRole('link', { name: 'User actions' }).click();
    await heading(auditor, 'User actions').waitFor();
    await auditor.getByLabel('Affected client (id)').fill(clientId);
    const rows = auditor.getByRole('table', { name: 'User actions' }).getByRole('row');
    await rows.filter({ hasText: 'Client read' }).filter({ hasText: 'Amina Okello' }).first().waitFor();
    await picture(auditor, 'auditor-report');
  });

  it('he takes the report away as a table and on paper, both with the signed head', async () => {
    const files: Record<string, string> = {};
    for (const kind of ['CSV', 'PDF']) {
      const { name, bytes } = await downloaded(auditor, () => auditor.getByRole('button', { name: kind }).click());
      files[name.split('.').at(-1) ?? ''] = bytes.toString('latin1');
    }
    expect(files['csv']).toContain('Amina Okello');
    expect(files['csv']).toContain(clientId);
    expect(files['csv']).toContain(verifierKey.split('+')[0]);
    expect(files['pdf']).toMatch(/^%PDF-/);
  });

  it('he may not look at the client himself', async () => {
    const answer = await auditor.context().request.get(`${server.usersUrl}/api/clients/${clientId}`);
    expect(answer.status()).toBe(403);
    expect(await auditor.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Clients' }).count()).toBe(
      0,
    );
  });

  it('one event with its proof stands by itself on his laptop, and a changed one does not', async () => {
    const asked = await auditor
      .context()
      .request.get(`${server.usersUrl}/api/audit/events?limit=50&event=client.read&client=${clientId}`);
    const { events } = (await asked.json()) as { events: { id: string }[] };
    expect(events.length).toBeGreaterThan(0);
    const path = join(laptop, 'event.json');
    expect(await run('audit', 'export', '--event', events[0]?.id ?? '', '--out', path)).toMatchObject({ code: 0 });
    expect(await verifyOnLaptop('event.json')).toMatchObject({ code: 0 });
    const text = await readFile(path, 'utf8');
    expect(text).toContain('Amina Okello');
    await writeFile(join(laptop, 'forged.json'), text.replaceAll('Amina Okello', 'Joseph Katoo'));
    expect(await verifyOnLaptop('forged.json')).toMatchObject({ code: 1 });
  });
});

describe('somebody with the database’s own rights', () => {
  it('blames another person for an event, and is found, by the server and from outside', async () => {
    const owner = { host: join(home.path, 'pg/data'), port: 5432, user: 'careseal_owner', database: 'careseal' };
    await withMaintenanceSession(owner, async (session) => {
      await session.script('ALTER TABLE audit.event DISABLE TRIGGER USER');
      await session.script(
        `UPDATE audit.event SET commitment = sha256('forged') WHERE index = (SELECT max(index) - 3 FROM audit.event)`,
      );
      await session.script('ALTER TABLE audit.event ENABLE TRIGGER USER');
    });
    const verified = await run('audit', 'verify', '--since', join(laptop, 'kept.txt'));
    expect(verified.code).toBe(1);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: false });
    await mkdir(join(laptop, 'again'));
    await run('audit', 'export', '--out', join(laptop, 'again'));
    const outside = await verifyOnLaptop('--since', 'kept.txt', 'again');
    expect(outside.answer).not.toBe('');
  });
});
