import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Locator, Page } from 'playwright-core';
import { type TestBrowser, type TestPage, startBrowser } from '../support/browser.ts';
import { idOf } from '../support/web-fixture-data.ts';
import { type WebFixture, freshState, startWebFixture } from '../support/web-fixture.ts';

/** What was typed and not sent outlives the end of a session: for the same person, never a secret, and no more is promised. */
let browser: TestBrowser;
let fixture: WebFixture;
let open: TestPage;
/** Nobody moves for so long that the warning stands there, and the session does not end yet. */
const ALMOST_MS = 830_000;

beforeAll(async () => {
  browser = await startBrowser();
  fixture = await startWebFixture();
});
afterAll(async () => {
  await browser.close();
  await fixture.close();
});
beforeEach(async () => {
  Object.assign(fixture.state, freshState());
  open = await browser.newPage();
});
afterEach(async () => {
  await open.context.close();
  if (open.faults.length > 0) throw new Error(open.faults.join('\n'));
});

const button = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true });

/** Each form: how it is opened, filled, sent, and what must stand there again. */
interface Form {
  readonly name: string;
  readonly path: string;
  /** The button that opens it; undefined: it stands on the page. */
  readonly by?: string;
  readonly send: string;
  fill(page: Page): Promise<void>;
  /** What stands in the fields now. */
  read(page: Page): Promise<readonly unknown[]>;
  readonly filled: readonly unknown[];
}

const FORMS: readonly Form[] = [
  {
    name: 'an invitation',
    path: '/people?invite=true',
    send: 'Make the link',
    fill: async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('Esther Achieng');
      await page.getByLabel('E-mail', { exact: true }).fill('esther@example.org');
      await page.getByRole('checkbox', { name: 'Auditor' }).check();
    },
    read: async (page) => [
      await page.getByLabel('Name', { exact: true }).inputValue(),
      await page.getByLabel('E-mail', { exact: true }).inputValue(),
      await page.getByRole('checkbox', { name: 'Auditor' }).isChecked(),
    ],
    filled: ['Esther Achieng', 'esther@example.org', true],
  },
  {
    name: 'a role',
    path: '/people/roles',
    by: 'Make a role',
    send: 'Save',
    fill: async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('Night desk');
      await page.getByLabel('What it is for').fill('Registers at night');
      await page.getByRole('dialog').getByRole('checkbox').first().check();
    },
    read: async (page) => [
      await page.getByLabel('Name', { exact: true }).inputValue(),
      await page.getByLabel('What it is for').inputValue(),
      await page.getByRole('dialog').getByRole('checkbox').first().isChecked(),
    ],
    filled: ['Night desk', 'Registers at night', true],
  },
  {
    name: 'an organisation',
    path: '/people/organisations',
    by: 'Add an organisation',
    send: 'Save',
    fill: async (page) => await page.getByLabel('Name', { exact: true }).fill('Hill clinic'),
    read: async (page) => [await page.getByLabel('Name', { exact: true }).inputValue()],
    filled: ['Hill clinic'],
  },
  {
    name: 'a provider, without its secret',
    path: '/people/providers',
    by: 'Add a provider',
    send: 'Add',
    fill: async (page) => {
      await page.getByLabel('Name', { exact: true }).fill('Ministry');
      await page.getByLabel('Issuer').fill('https://sso.example.org');
      await page.getByLabel('Client id').fill('careseal');
      await page.getByLabel('Client secret').fill('a secret of the client');
    },
    read: async (page) => [
      await page.getByLabel('Name', { exact: true }).inputValue(),
      await page.getByLabel('Issuer').inputValue(),
      await page.getByLabel('Client id').inputValue(),
      await page.getByLabel('Client secret').inputValue(),
    ],
    filled: ['Ministry', 'https://sso.example.org', 'careseal', ''],
  },
  {
    name: 'settings of the policy',
    path: '/policy',
    send: 'Save the change',
    fill: async (page) => await page.getByLabel('Signed out when nobody moves for').fill('21'),
    read: async (page) => [await page.getByLabel('Signed out when nobody moves for').inputValue()],
    filled: ['21 minutes'],
  },
];

it.each(FORMS)('$name stands there again after signing in', async (form) => {
  await begin(form);
  await expireBySending(form);
  await signIn();
  await openForm(form);
  await expect.poll(() => form.read(open.page)).toEqual(form.filled);
});

it('a file of invitations is looked at again after signing in', async () => {
  const { page } = open;
  const form = { path: '/people', by: 'Invite from a file', send: '' };
  await page.goto(fixture.url + form.path);
  await openForm(form);
  fixture.state.signedIn = 'anonymous';
  const csv = Buffer.from('name,email,roles\nEsther,esther@example.org,auditor\n');
  await page.locator('input[type=file]').setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: csv });
  await page.getByText('You were signed out').waitFor();
  await signIn();
  await openForm(form);
  await page.getByRole('dialog').getByText('people.csv').waitFor();
  const asked = () => fixture.state.acts.findLast(({ path }) => path.endsWith('/users/import'))?.body;
  await expect.poll(asked).toEqual({ csv: csv.toString(), dryRun: true });
});

it('what was closed is not kept', async () => {
  const form = formOf('a role');
  await begin(form);
  await button(open.page, 'Cancel').click();
  await openForm(form);
  expect(await form.read(open.page)).toEqual(['', '', false]);
});

it.each(['the account menu', 'the warning'])('signing out by %s leaves nothing', async (by) => {
  const { page } = open;
  const form = formOf('settings of the policy');
  await page.clock.install();
  await begin(form);
  if (by === 'the warning') {
    await page.clock.fastForward(ALMOST_MS);
    await button(page, 'Sign out now').click();
  } else {
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
  }
  await page.getByLabel('E-mail').waitFor();
  await signIn();
  await page.getByRole('link', { name: 'Policy' }).first().click();
  await openForm(form);
  expect(await form.read(page)).toEqual(['15 minutes']);
});

it('another person who signs in finds nothing', async () => {
  const { page } = open;
  const form = formOf('a role');
  await begin(form);
  await expireBySending(form);
  await page.route('**/api/session', async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    if (body.user !== undefined) body.user.id = idOf(9, 77);
    await route.fulfill({ response: answer, json: body });
  });
  await signIn();
  await openForm(form);
  expect(await form.read(page)).toEqual(['', '', false]);
});

it('the warning promises what is kept, and does not where a secret was typed', async () => {
  const { page } = open;
  await page.clock.install();
  await page.goto(`${fixture.url}/people/providers`);
  await button(page, 'Add a provider').click();
  await page.getByLabel('Client id').fill('careseal');
  await page.clock.fastForward(ALMOST_MS);
  await page.getByText('What you typed on this page is kept then').waitFor();
  await button(page, 'Stay signed in').click();
  await page.getByLabel('Client secret').fill('a secret of the client');
  await page.clock.fastForward(ALMOST_MS);
  await page.getByText('Not all that you typed on this page is kept').waitFor();
});

function formOf(name: string): Form {
  const form = FORMS.find((one) => one.name === name);
  if (form === undefined) throw new Error(`no form ${name}`);
  return form;
}

async function begin(form: Form): Promise<void> {
  await open.page.goto(fixture.url + form.path);
  await openForm(form);
  await form.fill(open.page);
}

async function openForm({ by, send }: Pick<Form, 'by' | 'send'>): Promise<void> {
  if (by !== undefined) await button(open.page, by).click();
  else if (send !== 'Save the change') await button(open.page, send).waitFor();
  else await open.page.getByLabel('Signed out when nobody moves for').waitFor();
}

async function expireBySending({ send }: Form): Promise<void> {
  fixture.state.signedIn = 'anonymous';
  await button(open.page, send).click();
  await open.page.getByText('You were signed out').waitFor();
}

async function signIn(): Promise<void> {
  const { page } = open;
  await page.getByLabel('E-mail').fill('amina@example.org');
  await page.getByLabel('Password', { exact: true }).fill('right');
  await page.keyboard.press('Enter');
  await page.getByLabel('Code from').fill('123456');
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Main' }).first().waitFor();
}
