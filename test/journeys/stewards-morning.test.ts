import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CSV_HEADER, CSV_MAP, csvLine } from '../../bench/people.ts';
import { startBrowser, type TestBrowser } from '../support/browser.ts';
import { type Account, dayNow, goTo, heading, openAccount } from '../support/journey.ts';
import { type PeopleFile, writePeopleFile } from '../support/people-file.ts';
import { picture } from '../support/pictures.ts';
import { careseal, startTestServer, testHome, type TestServer } from '../support/server.ts';

/**
 * A steward's morning on the whole product: twenty reviews by keyboard with a look at the waterfall, two taken back, a record that has
 * become somebody else found and split, and the threshold moved after seeing what that would change.
 */
const DOMAIN = 'urn:example:hospital-a';
let home: Awaited<ReturnType<typeof testHome>>;
let folder: string;
let server: TestServer;
let browser: TestBrowser;
let page: Page;
let account: Account;
let file: PeopleFile;

beforeAll(async () => {
  home = await testHome();
  folder = await mkdtemp(join(tmpdir(), 'careseal-steward-'));
  server = await startTestServer({ home: home.path });
  browser = await startBrowser();
  ({ page } = await browser.newPage());
  account = await openAccount(page, {
    link: server.setupLink ?? '',
    organisation: 'Lakeside Health Programme',
    name: 'Amina Okello',
    email: 'amina@lakeside.example.org',
    password: 'seven herons over the lake',
  });
  file = await writePeopleFile(join(folder, 'clients.csv'), { rows: 4_000, seed: 31 });
  await writeFile(join(folder, 'map.json'), JSON.stringify(CSV_MAP));
  await load(file.path);
});
afterAll(async () => {
  await browser?.close();
  await server?.end('SIGTERM');
  await home.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function load(path: string): Promise<Record<string, number>> {
  const words = ['load', path, '--domain', DOMAIN, '--map', join(folder, 'map.json'), '--json'];
  const done = await careseal(words, { home: home.path });
  expect(done).toMatchObject({ code: 0 });
  return JSON.parse(done.stdout) as Record<string, number>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- answers of many shapes
async function api(path: string): Promise<any> {
  const answer = await page.context().request.get(`${server.usersUrl}${path}`);
  if (answer.status() !== 200) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
  return await answer.json();
}

/** The pair of this address is on the screen: before, keys mean nothing, or the pair before. */
async function shown(): Promise<void> {
  const id = new URL(page.url()).pathname.split('/').at(-1);
  await page.locator(`.review-grid[data-review="${id}"][aria-busy="false"]`).waitFor();
}

/** Presses a key of the review page and waits for the next pair. */
async function decide(key: 'l' | 'd', said: string): Promise<string> {
  await shown();
  const at = page.url();
  await page.keyboard.press(key);
  await page.getByText(said).first().waitFor();
  await expect.poll(() => page.url()).not.toBe(at);
  return new URL(at).pathname;
}

describe('the queue', () => {
  const decided: string[] = [];

  const begun = dayNow();

  it('twenty pairs by keyboard, each with its waterfall', async () => {
    await goTo(page, 'Reviews');
    const { open } = (await api('/api/reviews')).counts;
    expect(open).toBeGreaterThan(21);
    await page.getByRole('link', { name: 'Start reviewing' }).click();
    for (let count = 0; count < 20; count++) {
      await heading(page, 'Are these two one person?').waitFor();
      await page.getByText('Why this score', { exact: true }).waitFor();
      const { review } = await api(`/api${new URL(page.url()).pathname}`);
      const link = review.score >= 0.8;
      decided.push(await decide(link ? 'l' : 'd', link ? 'Linked: one person.' : 'Kept apart: different people.'));
    }
    const { counts } = await api('/api/reviews');
    if (dayNow() === begun) expect(counts.decidedToday).toBe(20);
    expect(counts.open).toBeLessThanOrEqual(open - 20);
  });

  it('the last is taken back by one key, an earlier one from its own page, and both wait again', async () => {
    await shown();
    await page.keyboard.press('u');
    const last = decided.at(-1) ?? '';
    await expect.poll(() => new URL(page.url()).pathname).toBe(last);
    expect((await api(`/api${last}`)).review.state).toBe('open');
    const earlier = decided[4] ?? '';
    await page.goto(server.usersUrl + earlier);
    await page.getByRole('button', { name: 'Take back' }).click();
    await expect.poll(async () => (await api(`/api${earlier}`)).review.state).toBe('open');
    const { counts } = await api('/api/reviews');
    if (dayNow() === begun) expect(counts.decidedToday).toBe(18);
  });
});

describe('a record that has become somebody else', () => {
  it('is asked about, not moved, and split off by one key', async () => {
    const twice = file.records.find(
      (one) => one.nationalId !== '' && file.records.some((two) => two !== one && two.nationalId === one.nationalId),
    );
    const other = file.records.findLast((one) => one.gender !== twice?.gender && one.birthDate.slice(0, 2) !== '');
    if (twice === undefined || other === undefined) throw new Error('the file has no such people');
    const changed = { ...other, id: twice.id, nationalId: '', phone: '', given: 'Zebulon', family: 'Quartermain' };
    await writeFile(join(folder, 'monday.csv'), `${CSV_HEADER}\n${csvLine(changed)}\n`);
    expect(await load(join(folder, 'monday.csv'))).toMatchObject({ read: 1, updated: 1, reviews: 1 });
    const { reviews } = await api('/api/reviews?limit=100');
    const overlay = reviews.find((one: { cause: string }) => one.cause === 'overlay');
    expect(overlay).toBeDefined();
    await page.goto(`${server.usersUrl}/reviews/${overlay.id}`);
    await page.getByText('One record was changed into what looks like somebody else.').waitFor();
    await picture(page, 'steward-overlay');
    const before = (await api(`/api/reviews/${overlay.id}`)).review;
    expect(before.a.clientId).toBe(before.b.clientId);
    await decide('d', 'Kept apart: different people.');
    const after = (await api(`/api/reviews/${overlay.id}`)).review;
    expect(after.a.clientId).not.toBe(after.b.clientId);
  });
});

describe('the threshold', () => {
  it('is moved after seeing on the own records what that would change, decides, and is rolled back in one step', async () => {
    await page.goto(`${server.usersUrl}/reviews/models`);
    await heading(page, 'Matching models').waitFor();
    await page.getByRole('link', { name: /decides now/ }).click();
    await page.getByLabel('Records to try it on').selectOption('all');
    await page.getByRole('button', { name: 'Simulate' }).click();
    await page.getByRole('link', { name: 'See what it would change' }).click({ timeout: 60_000 });
    await heading(page, 'Simulation').waitFor();
    const words = page.locator('.threshold-words');
    const asShipped = await words.innerText();
    const field = page.getByLabel('Ask a steward from');
    await field.fill('90');
    await field.press('Tab');
    await expect.poll(() => words.innerText()).not.toBe(asShipped);
    await picture(page, 'steward-thresholds');
    await page.getByLabel('Name for the model with these thresholds').fill('careful-1');
    await page.getByRole('button', { name: 'Keep as a version' }).click();
    await page.getByText('careful-1 is kept').waitFor();

    await page.goto(`${server.usersUrl}/reviews/models`);
    await page
      .getByRole('link', { name: /careful-1/ })
      .first()
      .click();
    await page.getByLabel('Records to try it on').selectOption('all');
    await page.getByRole('button', { name: 'Simulate' }).click();
    await page.getByRole('link', { name: 'See what it would change' }).waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Promote' }).click();
    const proof = page.getByRole('dialog', { name: 'Is it still you?' });
    const done = page.getByText('This model decides');
    await proof.or(done).first().waitFor();
    if (await proof.isVisible()) {
      await page.getByLabel('Code from your authenticator app').fill(await account.authenticator.code());
      await page.getByRole('button', { name: 'Go on' }).click();
      await done.waitFor();
    }
    const active = async () =>
      (await api('/api/models')).models.find((one: { state: string }) => one.state === 'active').version;
    expect(await active()).toBe('careful-1');
    const gone = async () => (await api('/api/models')).activations[0].state;
    await expect.poll(gone, { timeout: 60_000 }).toBe('done');

    await page.goto(`${server.usersUrl}/reviews/models`);
    await page.getByRole('button', { name: /^Roll back to/ }).click();
    await page.getByRole('button', { name: 'Roll back now' }).click();
    await expect.poll(active).not.toBe('careful-1');
  });
});
