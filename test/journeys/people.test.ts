import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverKeys, startBrowser, type TestBrowser } from '../support/browser.ts';
import { type Account, heading, openAccount, portSettings, tabTo } from '../support/journey.ts';
import { careseal, startTestServer, testHome, type TestServer } from '../support/server.ts';

/**
 * What an administrator does about people, each task twice on the whole product: with the mouse only (text is pasted) and with the
 * keyboard only. One table of tasks, two hands.
 */
let home: Awaited<ReturnType<typeof testHome>>;
let server: TestServer;
let browser: TestBrowser;
let page: Page;
let grace: { readonly account: Account; readonly page: Page };

/** One way of working the page. */
interface Hand {
  readonly name: string;
  press(what: Locator): Promise<void>;
  tick(what: Locator): Promise<void>;
  type(what: Locator, text: string): Promise<void>;
  /** Chooses in a field that offers a list; `letters` are typed where it looks things up. */
  pick(what: Locator, option: string | RegExp, letters?: string): Promise<void>;
}

const optionOf = (option: string | RegExp): Locator => page.getByRole('option', { name: option });
const MOST_TABS = 160;

const MOUSE: Hand = {
  name: 'mouse',
  press: (what) => what.click(),
  tick: (what) => what.click(),
  type: (what, text) => what.fill(text),
  async pick(what, option, letters) {
    await what.click();
    if (letters !== undefined) await what.fill(letters);
    await optionOf(option).first().click();
  },
};
const KEYBOARD: Hand = {
  name: 'keyboard',
  async press(what) {
    await tabTo(page, what, MOST_TABS);
    await page.keyboard.press('Enter');
  },
  async tick(what) {
    await tabTo(page, what, MOST_TABS);
    await page.keyboard.press('Space');
  },
  async type(what, text) {
    await tabTo(page, what, MOST_TABS);
    await page.keyboard.press('Control+A');
    await page.keyboard.type(text);
  },
  async pick(what, option, letters) {
    await tabTo(page, what, MOST_TABS);
    if (letters === undefined) await page.keyboard.press('Enter');
    else await page.keyboard.type(letters);
    await optionOf(option).first().waitFor();
    for (let pressed = 0; pressed < 20; pressed++) {
      const chosen = page.locator('[role="option"][data-combobox-selected]');
      const name = (await chosen.count()) === 0 ? '' : await chosen.first().innerText();
      if (typeof option === 'string' ? name.startsWith(option) : option.test(name)) break;
      await page.keyboard.press('ArrowDown');
    }
    await page.keyboard.press('Enter');
  },
};

const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
const dialog = (): Locator => page.getByRole('dialog');

async function open(hand: Hand, place: string, within?: string): Promise<void> {
  await page.keyboard.press('Escape');
  await hand.press(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: place, exact: true }));
  if (within === undefined) return;
  const places = page.getByRole('navigation', { name: 'Administration of people' });
  await hand.press(places.getByRole('link', { name: within, exact: true }));
  await heading(page, within).waitFor();
}
const openPerson = async (hand: Hand, name: RegExp): Promise<void> => {
  await open(hand, 'People', 'People');
  await hand.press(page.getByRole('link', { name }));
  await dialog().first().waitFor();
};

beforeAll(async () => {
  home = await testHome();
  server = await startTestServer({ home: home.path, settings: await portSettings() });
  browser = await startBrowser({ trustedKeys: await serverKeys(server.usersUrl) });
  ({ page } = await browser.newPage());
  page.setDefaultTimeout(30_000);
  await openAccount(page, {
    link: server.setupLink ?? '',
    organisation: 'Lakeside Programme',
    name: 'Amina Okello',
    email: 'amina@example.org',
    password: 'seven herons over the lake',
  });
  // Proofs are asked for and given in sign-in.test.ts; here they would only repeat.
  await careseal(['policy', 'set', 'stepUpMinutes', '60'], { home: home.path });
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await server?.end('SIGTERM');
  await home?.dispose();
});

/** What the colleague does meanwhile, as her own page would. */
async function byGrace(path: string, body: object): Promise<number> {
  return await grace.page.evaluate(
    async ([to, text]) => {
      const headers = { 'content-type': 'application/json', 'x-careseal': '1' };
      return (await fetch(to, { method: 'POST', headers, body: text })).status;
    },
    [path, JSON.stringify(body)] as const,
  );
}

/** In the order in which one needs the other. */
const TASKS: readonly { readonly task: string; readonly work: (hand: Hand) => Promise<void> }[] = [
  {
    task: 'adds an organisation',
    async work(hand) {
      await open(hand, 'People', 'Organisations');
      await hand.press(button('Add an organisation'));
      await hand.type(dialog().getByLabel('Name'), `Clinic by ${hand.name}`);
      await hand.press(dialog().getByRole('button', { name: 'Save' }));
      await page.getByText(`Clinic by ${hand.name}`).first().waitFor();
    },
  },
  {
    task: 'makes a role',
    async work(hand) {
      await open(hand, 'People', 'Roles');
      await hand.press(button('Make a role'));
      await hand.type(dialog().getByLabel('Name'), `Reader by ${hand.name}`);
      await hand.type(dialog().getByLabel('What it is for'), 'looks up and nothing else');
      await hand.tick(dialog().getByRole('checkbox').first());
      await hand.press(dialog().getByRole('button', { name: 'Save' }));
      await page.getByText(`Reader by ${hand.name}`).first().waitFor();
    },
  },
  {
    task: 'invites a colleague',
    async work(hand) {
      await open(hand, 'People', 'People');
      await hand.press(button('Invite a colleague'));
      await hand.type(dialog().getByLabel('Name'), `Newcomer by ${hand.name}`);
      await hand.type(dialog().getByLabel('E-mail'), `${hand.name}@example.org`);
      await hand.tick(dialog().getByRole('checkbox', { name: 'Registrar' }));
      await hand.press(dialog().getByRole('button', { name: 'Make the link' }));
      await page
        .getByText(/\/enrol#/)
        .first()
        .waitFor();
      await hand.press(dialog().getByRole('button', { name: 'Done' }));
    },
  },
  {
    task: 'changes somebody’s roles',
    async work(hand) {
      await openPerson(hand, new RegExp(`Newcomer by ${hand.name}`));
      await hand.tick(dialog().getByRole('checkbox', { name: 'Steward' }));
      await hand.press(button('Save the roles'));
      await button('Save the roles').waitFor({ state: 'detached' });
    },
  },
  {
    task: 'is told why somebody can or cannot do a thing',
    async work(hand) {
      await openPerson(hand, new RegExp(`Newcomer by ${hand.name}`));
      await hand.press(page.getByRole('link', { name: /Why can, or can’t/ }));
      await page.getByRole('table', { name: 'Rights with their reasons' }).waitFor();
    },
  },
  {
    task: 'confirms rights in the access review',
    async work(hand) {
      await open(hand, 'People', 'Access review');
      await hand.pick(page.getByRole('combobox', { name: 'Last looked at' }), 'at any time');
      await page.getByText(/memberships? waits?/).waitFor();
      await hand.press(button('Still right').first());
      await page.getByText(/memberships? waits?/).waitFor();
    },
  },
  {
    task: 'ends a token of somebody’s script',
    async work(hand) {
      const wanted = { label: `export by ${hand.name}`, permissions: ['client.read'], days: 7 };
      expect(await byGrace('/api/personal-tokens', wanted)).toBe(201);
      await openPerson(hand, /Grace Namukasa/);
      await hand.press(button(`End it: the token export by ${hand.name}`));
      await button(`End it: the token export by ${hand.name}`).waitFor({ state: 'detached' });
    },
  },
  {
    task: 'ends somebody’s sessions',
    async work(hand) {
      await openPerson(hand, /Grace Namukasa/);
      await hand.press(button('End all sessions'));
      await button('Signed in nowhere').waitFor();
      await grace.page.goto(`${server.usersUrl}/sign-in`);
      await signInAgain();
    },
  },
  {
    task: 'reviews an emergency access',
    async work(hand) {
      const asked = { reason: 'unconscious, unknown allergies', minutes: 5 };
      expect(await byGrace('/api/emergency', asked)).toBe(201);
      await open(hand, 'People', 'Emergencies');
      await hand.press(button('Review').first());
      await hand.type(dialog().getByLabel('What you found'), 'The person was brought in unconscious.');
      await hand.press(dialog().getByRole('button', { name: 'Justified', exact: true }));
      await dialog().waitFor({ state: 'detached' });
    },
  },
  {
    task: 'changes the policy',
    async work(hand) {
      await open(hand, 'Policy');
      await hand.type(
        page.getByRole('textbox', { name: 'Signed out when nobody moves for' }),
        hand === MOUSE ? '20' : '25',
      );
      await hand.press(button('Save the change'));
      await page.getByText('It holds everywhere within a second').waitFor();
    },
  },
  {
    task: 'makes a rule for a role of the programme’s own, and takes it away',
    async work(hand) {
      await open(hand, 'Policy');
      await hand.pick(page.getByRole('combobox', { name: 'Which', exact: true }), `Reader by ${hand.name}`);
      await hand.press(button('Add the rule'));
      await hand.press(button('Take the rule away').first());
      await button('Take the rule away').waitFor({ state: 'detached' });
    },
  },
  {
    task: 'grants an exception and ends it',
    async work(hand) {
      await open(hand, 'Policy');
      await hand.pick(page.getByRole('combobox', { name: 'Person' }), /Grace/, 'Grace');
      await hand.type(page.getByLabel('Reason'), 'waits for a new telephone');
      const day = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10);
      const field = page.getByLabel('Last day');
      if (hand === MOUSE) await field.fill(day);
      else {
        await tabTo(page, field, MOST_TABS);
        await page.keyboard.type(`${day.slice(5, 7)}${day.slice(8)}${day.slice(0, 4)}`);
      }
      await hand.press(button('Allow it'));
      await hand.press(button('End it now').first());
      await button('End it now').waitFor({ state: 'detached' });
    },
  },
  {
    task: 'publishes a notice and withdraws it',
    async work(hand) {
      await open(hand, 'Policy');
      await hand.press(button('Write a notice'));
      await hand.type(dialog().getByLabel('Title'), `Rules by ${hand.name}`);
      await hand.type(dialog().getByLabel('Text'), 'Read them.');
      await hand.tick(dialog().getByRole('checkbox', { name: 'Auditor' }));
      await hand.press(dialog().getByRole('button', { name: 'Publish' }));
      await hand.press(button('Withdraw').first());
      await button('Withdraw').waitFor({ state: 'detached' });
    },
  },
  {
    task: 'resets somebody’s second factor',
    async work(hand) {
      await openPerson(hand, /Grace Namukasa/);
      await hand.press(button('Reset second factor'));
      await hand.press(button('Reset and make a link'));
      await page.getByRole('region', { name: 'the link' }).waitFor();
      await hand.press(dialog().getByRole('button', { name: 'Done' }));
    },
  },
];

async function signInAgain(): Promise<void> {
  const { account, page: own } = grace;
  await own.getByLabel('E-mail').fill(account.email);
  await own.getByLabel('Password', { exact: true }).fill(account.password);
  await own.getByRole('button', { name: 'Continue' }).click();
  await own.getByLabel('Code from your authenticator app').fill(await account.authenticator.code());
  await own.keyboard.press('Enter');
  await heading(own, 'Home').waitFor();
}

describe('an administrator', () => {
  it('has a colleague in a clinic', async () => {
    await open(MOUSE, 'People', 'Organisations');
    await MOUSE.press(button('Add an organisation'));
    await dialog().getByLabel('Name').fill('North Clinic');
    await MOUSE.press(dialog().getByRole('button', { name: 'Save' }));
    await page.getByText('North Clinic').first().waitFor();
    await open(MOUSE, 'People', 'People');
    await MOUSE.press(button('Invite a colleague'));
    await dialog().getByLabel('Name').fill('Grace Namukasa');
    await dialog().getByLabel('E-mail').fill('grace@example.org');
    await MOUSE.pick(dialog().getByRole('combobox', { name: 'Organisation' }), 'North Clinic');
    await MOUSE.tick(dialog().getByRole('checkbox', { name: 'Steward' }));
    await MOUSE.press(dialog().getByRole('button', { name: 'Make the link' }));
    const link = await page
      .getByText(/\/enrol#/)
      .first()
      .innerText();
    await MOUSE.press(dialog().getByRole('button', { name: 'Done' }));
    const { page: own } = await browser.newPage();
    own.setDefaultTimeout(30_000);
    const person = { name: 'Grace Namukasa', email: 'grace@example.org', password: 'nine kingfishers at the weir' };
    grace = { page: own, account: await openAccount(own, { link: link.trim(), ...person }) };
  }, 120_000);

  for (const { task, work } of TASKS) {
    // A reset leaves nobody to reset a second time; the other hand does that in sign-in.test.ts.
    const hands = task.startsWith('resets') ? [KEYBOARD] : [MOUSE, KEYBOARD];
    it.each(hands)(`${task}, by $name only`, async (hand) => await work(hand), 120_000);
  }
});
