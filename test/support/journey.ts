/** What people do at the pages, for journeys: the same clicks and keys, seen from outside. */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { Authenticator } from './authenticator.ts';
import { picture } from './pictures.ts';
import { freePorts } from './ports.ts';

export interface Account {
  readonly email: string;
  readonly password: string;
  readonly authenticator: Authenticator;
  readonly recoveryCodes: readonly string[];
}

export interface NewAccount {
  readonly link: string;
  readonly name: string;
  readonly email: string;
  readonly password: string;
  /** Only for the first administrator. */
  readonly organisation?: string;
}

/** Opens a set-up or enrolment link and goes through it; afterwards the page shows the home of a signed-in person. */
export async function openAccount(page: Page, wanted: NewAccount): Promise<Account> {
  const pictures = wanted.organisation === undefined ? 'enrol' : 'setup';
  await page.goto(wanted.link);
  await page.getByLabel('Your name').waitFor();
  if (wanted.organisation !== undefined) {
    await page.getByLabel('Organisation').fill(wanted.organisation);
    await page.getByLabel('E-mail').fill(wanted.email);
  }
  await page.getByLabel('Your name').fill(wanted.name);
  await page.getByLabel('Password', { exact: true }).fill(wanted.password);
  await page.getByText('Good: long enough').waitFor();
  await picture(page, `${pictures}-1-account`);
  await page.getByRole('button', { name: 'Continue' }).click();
  const key = page.getByRole('region', { name: 'the key' });
  await key.waitFor();
  await picture(page, `${pictures}-2-factor`);
  const authenticator = new Authenticator(await key.innerText());
  await page.getByLabel('Code from your authenticator app').fill(await authenticator.code());
  await page.getByRole('button', { name: 'Confirm the code' }).click();
  const list = page.getByRole('list', { name: 'Recovery codes' });
  await list.waitFor();
  await picture(page, `${pictures}-3-recovery`);
  const recoveryCodes = await list.getByRole('listitem').allInnerTexts();
  await page.getByLabel('I have stored them').check();
  await page.getByRole('button', { name: 'Go to Careseal' }).click();
  // Behind a notice that is to be acknowledged, which may be there as soon as the page is, it has no role.
  await page.getByRole('heading', { level: 1, name: 'Home', includeHidden: true }).waitFor();
  return { email: wanted.email, password: wanted.password, authenticator, recoveryCodes };
}

/** Signs in at the page that is shown, with the keyboard alone. */
export async function signInByKeyboard(page: Page, account: Account): Promise<void> {
  await page.getByLabel('E-mail').waitFor();
  await page.keyboard.type(account.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(account.password);
  await page.keyboard.press('Enter');
  await page.getByLabel('Code from your authenticator app').waitFor();
  await page.keyboard.type(await account.authenticator.code());
  await page.keyboard.press('Enter');
}

export const heading = (page: Page, name: string | RegExp): Locator => page.getByRole('heading', { level: 1, name });

/** Comes back to a page that covered itself meanwhile because nobody moved. */
export async function comeBack(page: Page): Promise<void> {
  const cover = page.getByRole('dialog', { name: 'Hidden, because nobody moved' });
  if (await cover.isVisible()) await cover.getByRole('button').click();
}

/** The day by UTC: what the product counts by day begins anew when it turns, also in the middle of a test. */
export const dayNow = (): string => new Date().toISOString().slice(0, 10);

/** Opens a page by the rail. */
export async function goTo(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();
  await heading(page, name).waitFor();
}

/** Presses Tab until the element has the focus. A place that cannot be reached is an error, not a wait. */
export async function tabTo(page: Page, wanted: Locator, most = 60): Promise<void> {
  await wanted.waitFor();
  for (let pressed = 0; pressed <= most; pressed++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${String(wanted)} was not reached with ${most} tabs`);
}

/** Label → number of a list of bars. */
export async function figuresOf(page: Page): Promise<Readonly<Record<string, number>>> {
  const labels = await page.locator('.bars dt').allInnerTexts();
  const numbers = await page.locator('.bars dd.numbers').allInnerTexts();
  return Object.fromEntries(
    labels.map((label, index) => [label, Number((numbers[index] ?? '').replaceAll(/\D/g, ''))]),
  );
}

/** Watches a load until it is done; the percentages that were shown, in order. */
export async function progressSeen(page: Page): Promise<readonly number[]> {
  const seen: number[] = [];
  const percent = page.locator('.running-line strong');
  const done = page.getByText('Finished', { exact: true });
  const until = Date.now() + 150_000;
  while (!(await done.isVisible())) {
    if (Date.now() > until) throw new Error('The load does not finish');
    const text = await percent.innerText({ timeout: 1_000 }).catch(() => '');
    const shown = /^(\d+) %$/.exec(text)?.[1];
    if (shown !== undefined && Number(shown) !== seen.at(-1)) seen.push(Number(shown));
  }
  return seen;
}

/** The text of the file that a click downloads. */
export async function download(page: Page, click: () => Promise<void>): Promise<string> {
  const [started] = await Promise.all([page.waitForEvent('download'), click()]);
  return await readFile(await started.path(), 'utf8');
}

/** Settings with ports that are free now: where the server prints and shows addresses, they are the real ones. */
export async function portSettings(): Promise<Readonly<Record<string, string>>> {
  const names = ['CARESEAL_USERS_PORT', 'CARESEAL_NODES_PORT', 'CARESEAL_OPERATIONS_PORT'];
  const ports = await freePorts(names.length);
  return Object.fromEntries(names.map((name, index) => [name, String(ports[index])]));
}
