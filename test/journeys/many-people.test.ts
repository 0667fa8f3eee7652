import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../support/browser.ts';
import { heading, openAccount, portSettings } from '../support/journey.ts';
import { fillWithPeople, placeName } from '../support/many-people.ts';
import { startTestServer, testHome, type TestServer } from '../support/server.ts';

/** The pages about people with ten thousand of them in five hundred organisations: counts, search, pages, and no silent end. */
let home: Awaited<ReturnType<typeof testHome>>;
let server: TestServer;
let browser: TestBrowser;
let page: Page;

beforeAll(async () => {
  home = await testHome();
  server = await startTestServer({ home: home.path, settings: await portSettings() });
  browser = await startBrowser();
  ({ page } = await browser.newPage());
  await openAccount(page, {
    link: server.setupLink ?? '',
    organisation: 'Lakeside Programme',
    name: 'Amina Okello',
    email: 'amina@example.org',
    password: 'seven herons over the lake',
  });
  await fillWithPeople(home.path, { people: 9_999, organisations: 499, emergencies: 45, exceptions: 520 });
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await server?.end('SIGTERM');
  await home?.dispose();
});

async function show(path: string, name: string): Promise<void> {
  await page.goto(server.usersUrl + path);
  await heading(page, name).waitFor();
}

/** Presses Next until there is none, and answers what the last page says. */
async function toTheEnd(label: string, steps: number): Promise<string> {
  const pages = page.getByRole('navigation', { name: `Pages of ${label}` });
  for (let step = 0; step < steps; step++) {
    const before = await pages.getByRole('status').innerText();
    await pages.getByRole('button', { name: 'Next' }).click();
    await expect.poll(() => pages.getByRole('status').innerText()).not.toBe(before);
  }
  expect(await pages.getByRole('button', { name: 'Next' }).isDisabled()).toBe(true);
  return await pages.getByRole('status').innerText();
}

it('one organisation’s people are found among all, from the organisation as well', async () => {
  await show('/people', 'People');
  const count = page.getByRole('status').filter({ hasText: /^[\d,]+ (people|person)$/ });
  await expect.poll(() => count.innerText()).toBe('10,000 people');
  await show('/people/organisations', 'Organisations');
  await page.getByLabel('Find by name').fill(placeName(41));
  await page.getByRole('button', { name: placeName(41) }).click();
  await page.getByRole('link', { name: '20 people belong to it' }).click();
  await expect.poll(() => count.innerText()).toBe('20 people');
  const place = page.getByRole('combobox', { name: 'In which organisation' });
  await expect.poll(() => place.inputValue()).toBe(placeName(41));
});

it('organisations, emergencies and exceptions have pages to their end', async () => {
  await show('/people/organisations', 'Organisations');
  expect(await toTheEnd('organisations', 4)).toBe('401 to 500 of 500');
  await show('/people/emergencies', 'Emergencies');
  expect(await toTheEnd('emergencies', 2)).toBe('41 to 45 of 45');
  await show('/policy', 'Policy');
  const pages = page.getByRole('navigation', { name: 'Pages of exceptions' });
  expect(await pages.getByRole('status').innerText()).toBe('1 to 20 of 520');
});

it('the access review says how many wait, and looks at one organisation', async () => {
  await show('/people/access-review', 'Access review');
  const pages = page.getByRole('navigation', { name: 'Pages of memberships' });
  await expect.poll(() => pages.getByRole('status').innerText()).toMatch(/^1 to 50 of \d,\d{3}$/);
  const place = page.getByRole('combobox', { name: 'In which organisation' });
  await place.fill(placeName(41));
  await page.getByRole('option', { name: placeName(41), exact: true }).click();
  await page
    .getByRole('status')
    .filter({ hasText: /^\d\d memberships wait$/ })
    .waitFor();
  expect(await pages.count()).toBe(0);
});
