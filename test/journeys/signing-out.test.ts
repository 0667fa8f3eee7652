import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { PHONE, startBrowser, type TestBrowser, type TestPage } from '../support/browser.ts';
import { startWebFixture, type WebFixture } from '../support/web-fixture.ts';

/** Signing out on a machine that others use too: said only when it is so, and nothing of a client left behind. */
let browser: TestBrowser;
let fixture: WebFixture;
let opened: TestPage;

beforeAll(async () => {
  browser = await startBrowser();
  fixture = await startWebFixture();
});
afterAll(async () => {
  await browser.close();
  await fixture.close();
});
beforeEach(async () => {
  fixture.state.signedIn = 'signed-in';
  opened = await browser.newPage(PHONE);
});
afterEach(() => opened.context.close());

/** Home, then a client, then the account: what Back would go through. Returns text that stands on the client's page. */
async function lookAtClient(): Promise<string> {
  const { page } = opened;
  await page.goto(`${fixture.url}/clients/c1`);
  const heading = page.locator('main h1').first();
  await heading.waitFor();
  const text = (await heading.textContent()) ?? '';
  expect(text).not.toBe('');
  return text;
}

async function signOut(): Promise<void> {
  const { page } = opened;
  // The sign-in page is fetched ahead, once the first screen is done.
  const fetched = page.waitForResponse((answer) => answer.url().includes('sign-in-page'));
  await page.goto(`${fixture.url}/profile`);
  await fetched;
  await page.waitForLoadState('networkidle');
  await page.getByRole('button', { name: 'Sign out' }).first().click();
}

it('says that the session is still open when the server cannot be told, and ends it once it can', async () => {
  const { page } = opened;
  await page.route('**/api/sign-out', (route) => route.abort());
  await signOut();
  await page.getByRole('heading', { name: 'You are not signed out yet' }).waitFor();
  expect(fixture.state.signedIn).toBe('signed-in');
  const words = await page.locator('main').textContent();
  expect(words).toMatch(/still open/);
  expect(words).toMatch(/another device/);
  expect(words).toMatch(/ends by itself after \d+ minutes/);
  expect(await page.getByLabel('Password', { exact: true }).count()).toBe(0);
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  const pictures = process.env['JOURNEY_PICTURES'];
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, 'sign-out-not-told.png') });
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { name: 'You are not signed out yet' }).waitFor();
  await page.unroute('**/api/sign-out');
  await page.getByText('You are signed out now').waitFor();
  expect(fixture.state.signedIn).toBe('anonymous');
});

it('a page opened later ends the session first, and shows nothing of it while it cannot', async () => {
  const { page, context } = opened;
  await context.route('**/api/sign-out', (route) => route.abort());
  await signOut();
  await page.getByRole('heading', { name: 'You are not signed out yet' }).waitFor();
  await page.close();
  const next = await context.newPage();
  await next.goto(`${fixture.url}/clients`);
  await next.getByRole('heading', { name: 'You are not signed out yet' }).waitFor();
  expect(fixture.state.signedIn).toBe('signed-in');
  await context.unroute('**/api/sign-out');
  await next.goto(`${fixture.url}/clients`);
  await next.getByLabel('Password', { exact: true }).waitFor();
  expect(fixture.state.signedIn).toBe('anonymous');
});

it('Back after signing out shows nothing of a client', async () => {
  const client = await lookAtClient();
  const { page } = opened;
  await signOut();
  await page.getByLabel('Password', { exact: true }).waitFor();
  for (let back = 0; back < 2; back += 1) {
    await page.goBack();
    await page.getByLabel('Password', { exact: true }).waitFor();
    expect(await page.locator('body').textContent()).not.toContain(client);
  }
});
