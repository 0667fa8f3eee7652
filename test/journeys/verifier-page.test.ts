import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildVerifier } from '../../scripts/build-verifier.ts';
import { readInput, testKeyRing } from '../support/audit.ts';
import { fill, quietLog } from '../support/audit-log.ts';
import { accessibilityFindings, PHONE, startBrowser, type TestBrowser, WIDE, withAxe } from '../support/browser.ts';
import { picture } from '../support/pictures.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

/** The verifier's page, opened from a folder like any file: an auditor without a network and without Node. */
let db: TestDatabase;
let browser: TestBrowser;
let folder: string;
let key: string;
beforeAll(async () => {
  [db, browser, folder] = [await testDatabase(), await startBrowser(), await mkdtemp(join(tmpdir(), 'careseal-page-'))];
  await buildVerifier(folder);
  const log = quietLog(db.database, testKeyRing());
  await fill(log, 300);
  await log.sequence();
  await writeFile(join(folder, 'kept.txt'), (await log.status()).checkpoint);
  await log.recordNow([readInput('amina')]);
  await log.sequence();
  key = (await log.status()).verifierKey;
  const { events } = await log.search({ clients: ['amina'], limit: 1 });
  await writeFile(join(folder, 'event.json'), await log.export.event(events[0]?.id ?? ''));
  await log.export.tree(async (path, bytes) => {
    await mkdir(dirname(join(folder, 'log', path)), { recursive: true });
    await writeFile(join(folder, 'log', path), bytes);
  });
});
afterAll(async () => {
  await browser.close();
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

test.each(['careseal-verify.mjs', 'careseal-verify.html'])('%s stands among the pages, as built', async (name) => {
  const served = await readFile(join(import.meta.dirname, '../../dist/web/verify', name), 'utf8');
  expect(served).toBe(await readFile(join(folder, name), 'utf8'));
});

describe.each([
  ['wide, light', { ...WIDE }],
  ['on a phone, dark', { ...PHONE, colorScheme: 'dark' as const }],
])('the page, %s', (_name, options) => {
  test('checks an event and a whole log, finds what was changed, and is accessible', async () => {
    const { page, context, faults } = await browser.newPage(options);
    await withAxe(context);
    await context.setOffline(true);
    await page.goto(pathToFileURL(join(folder, 'careseal-verify.html')).href);
    await page.getByLabel('Key of the log').fill(key);
    await page.getByLabel('An exported event').setInputFiles(join(folder, 'event.json'));
    await page.getByLabel('Or a whole log').setInputFiles(join(folder, 'log'));
    await page.getByLabel('Checkpoints you kept').setInputFiles(join(folder, 'kept.txt'));
    await page.getByRole('button', { name: 'Check', exact: true }).click();
    await page.getByRole('heading', { name: 'Nothing is wrong' }).waitFor();
    const said = await page.locator('#result').innerText();
    for (const text of [
      'was made of',
      'All 301 leaves were counted again',
      'your checkpoint of 300 events',
      'What these checks cannot know',
    ])
      expect(said).toContain(text);
    expect(await accessibilityFindings(page)).toEqual([]);
    const changed = join(folder, 'changed.json');
    await writeFile(
      changed,
      (await readFile(join(folder, 'event.json'), 'utf8')).replaceAll('Patient/amina', 'Patient/amara'),
    );
    await page.getByLabel('An exported event').setInputFiles(changed);
    await page.getByRole('button', { name: 'Check', exact: true }).click();
    await page.getByRole('heading', { name: 'Something is wrong' }).waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    expect(faults).toEqual([]);
    await picture(page, `verifier-${options.width}`);
    await context.close();
  });
});
