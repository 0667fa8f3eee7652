import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessibilityFindings, startBrowser, type TestBrowser, withAxe } from '../support/browser.ts';
import { KEYBOARD } from '../support/hands.ts';
import { type WebFixture, startWebFixture } from '../support/web-fixture.ts';
import { idOf } from '../support/web-fixture-data.ts';

/** What opens over a page takes the focus, keeps it while Tab is pressed, and gives it back when Escape closes it. */
let browser: TestBrowser;
let fixture: WebFixture;

beforeAll(async () => {
  browser = await startBrowser();
  fixture = await startWebFixture();
});
afterAll(async () => {
  await browser.close();
  await fixture.close();
});

interface Opened {
  readonly path: string;
  /** The button that opens it. */
  readonly by: string;
  readonly dialog: string;
}

const DIALOGS: readonly Opened[] = [
  { path: '/people', by: 'Invite from a file', dialog: 'Invite people from a file' },
  { path: '/people/organisations', by: 'Add an organisation', dialog: 'Add an organisation' },
  { path: '/people/roles', by: 'Make a role', dialog: 'Make a role' },
  { path: '/people/roles', by: 'Change Front desk', dialog: 'Change the role' },
  { path: '/people/access-review', by: 'Take away', dialog: 'Take the rights away' },
  { path: '/people/emergencies', by: 'Review', dialog: 'Was this right?' },
  { path: '/people/providers', by: 'Add a provider', dialog: 'Add a provider' },
  { path: '/people/providers', by: 'Change', dialog: 'Change the provider' },
  { path: '/people/providers', by: 'Take out of use', dialog: 'Take this provider out of use' },
  { path: `/people?person=${idOf(9, 1)}`, by: 'Retire', dialog: 'Retire this account' },
  { path: `/people?person=${idOf(9, 1)}`, by: 'Reset second factor', dialog: 'Reset the second factor' },
  { path: '/policy', by: 'Write a notice', dialog: 'Write a notice' },
  { path: '/profile', by: 'Add a passkey', dialog: 'Add a passkey' },
  { path: '/profile', by: 'Remove Work telephone', dialog: 'Remove this factor' },
  { path: '/profile', by: 'Make a token', dialog: 'Make a token' },
];

it.each(DIALOGS)('$dialog ($path)', async ({ path, by, dialog: name }) => {
  const { page, context, faults } = await browser.newPage();
  await withAxe(context);
  await page.goto(fixture.url + path);
  const opener = page.getByRole('button', { name: by }).first();
  await KEYBOARD.press(opener);
  const dialog = page.getByRole('dialog', { name });
  await dialog.waitFor();
  const inside = () => dialog.evaluate((element) => element.contains(document.activeElement));
  await expect.poll(inside).toBe(true);
  const stops = await dialog.locator('a[href], button, input, select, textarea').count();
  for (let pressed = 0; pressed < stops + 2; pressed++) {
    await page.keyboard.press('Tab');
    expect(await inside(), `after ${pressed + 1} tabs`).toBe(true);
  }
  expect(await accessibilityFindings(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(() => opener.evaluate((element) => element === document.activeElement)).toBe(true);
  expect(faults).toEqual([]);
  await context.close();
});

it('Escape closes the question alone, and not the form under it', async () => {
  const { page, context } = await browser.newPage();
  await page.goto(`${fixture.url}/people/roles`);
  await KEYBOARD.press(page.getByRole('button', { name: 'Change Front desk' }));
  await KEYBOARD.type(page.getByRole('dialog').getByLabel('Name'), 'Desk of the north');
  await KEYBOARD.press(page.getByRole('dialog').getByRole('button', { name: 'Retire' }));
  const question = page.getByRole('dialog', { name: 'Retire this role' });
  await question.waitFor();
  await page.keyboard.press('Escape');
  await question.waitFor({ state: 'detached' });
  expect(await page.getByRole('dialog', { name: 'Change the role' }).getByLabel('Name').inputValue()).toBe(
    'Desk of the north',
  );
  await context.close();
});
