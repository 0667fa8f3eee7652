import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authenticator } from '../support/authenticator.ts';
import { serverKeys, startBrowser, type TestBrowser } from '../support/browser.ts';
import { type Account, heading, openAccount, portSettings, signInByKeyboard, tabTo } from '../support/journey.ts';
import { type TestMailServer, testMailServer } from '../support/mail-server.ts';
import { ageProof } from '../support/old-proof.ts';
import { careseal, startTestServer, testHome, type TestServer } from '../support/server.ts';

/**
 * Signing in on the whole product: a real server, a real browser with Chromium's virtual authenticator, codes computed from
 * the typed key, and a real mail server. By mouse and by keyboard.
 */
let home: Awaited<ReturnType<typeof testHome>>;
let server: TestServer;
let mail: TestMailServer;
let browser: TestBrowser;
let page: Page;
let account: Account;

beforeAll(async () => {
  home = await testHome();
  mail = await testMailServer();
  const settings = {
    ...(await portSettings()),
    CARESEAL_MAIL_HOST: '127.0.0.1',
    CARESEAL_MAIL_PORT: String(mail.port),
    CARESEAL_MAIL_FROM: 'careseal@lakeside.example.org',
  };
  server = await startTestServer({ home: home.path, settings });
  browser = await startBrowser({ trustedKeys: await serverKeys(server.usersUrl) });
  ({ page } = await browser.newPage());
});
afterAll(async () => {
  await browser?.close();
  await server?.end('SIGTERM');
  await mail?.close();
  await home.dispose();
});

/** A security key in Chromium: resident, with user verification, touched at once. */
async function virtualAuthenticator(on: Page): Promise<CDPSession> {
  const cdp = await on.context().newCDPSession(on);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return cdp;
}

const url = (path: string): string => `${server.usersUrl}${path}`;

describe('an administrator', () => {
  it('sets up, and adds a passkey to the account, by keyboard alone', async () => {
    account = await openAccount(page, {
      link: server.setupLink ?? '',
      organisation: 'Lakeside Health Programme',
      name: 'Amina Okello',
      email: 'amina@lakeside.example.org',
      password: 'seven herons over the lake',
    });
    await virtualAuthenticator(page);
    await page.goto(url('/profile'));
    await tabTo(page, page.getByRole('button', { name: 'Add a passkey' }));
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Name' }).waitFor();
    await page.keyboard.type('Laptop');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Remove Laptop' }).waitFor();
    await expect.poll(() => mail.lastText(account.email)).toContain('second factor was added');
  });

  it('signs in with the passkey alone', async () => {
    await page.getByRole('button', { name: 'Sign out' }).first().click();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await heading(page, 'Home').waitFor();
  });

  it('signs in with password and passkey, and trusts this browser; next time the password is enough', async () => {
    await page.goto(url('/profile'));
    await page.getByRole('button', { name: 'Sign out' }).first().click();
    await page.getByLabel('E-mail').fill(account.email);
    await page.getByLabel('Password', { exact: true }).fill(account.password);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByLabel('Do not ask again on this device').check();
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByRole('button', { name: 'Use my passkey' }).click();
    await heading(page, 'Home').waitFor();
    await page.goto(url('/profile'));
    await page.getByText('End the trust').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).first().click();
    await page.getByLabel('E-mail').fill(account.email);
    await page.getByLabel('Password', { exact: true }).fill(account.password);
    await page.keyboard.press('Enter');
    await heading(page, 'Home').waitFor();
  });

  it('is asked for a fresh proof before changing the policy, which then goes on by itself', async () => {
    await ageProof(home.path, account.email, 11);
    await page.goto(url('/policy'));
    await page.getByRole('textbox', { name: 'Signed out when nobody moves for' }).fill('20');
    await page.getByRole('button', { name: 'Save the change' }).click();
    await page.getByRole('dialog', { name: 'Is it still you?' }).waitFor();
    await page.getByLabel('Code from your authenticator app').fill(await account.authenticator.code());
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('It holds everywhere within a second').waitFor();
    const shown = await careseal(['policy', 'get', 'sessionIdleMinutes', '--json'], { home: home.path });
    expect(JSON.parse(shown.stdout).settings).toMatchObject([{ value: 20 }]);
  });

  it('publishes a notice by keyboard, which a colleague must acknowledge before going on', async () => {
    await tabTo(page, page.getByRole('button', { name: 'Write a notice' }));
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Title' }).waitFor();
    await page.keyboard.type('New rules of use');
    await page.keyboard.press('Tab');
    await page.keyboard.type('Read them, then go on.');
    await tabTo(page, page.getByRole('checkbox', { name: 'Steward' }));
    await page.keyboard.press('Space');
    await tabTo(page, page.getByRole('button', { name: 'Publish' }));
    await page.keyboard.press('Enter');
    await page.getByText('acknowledged by 0').waitFor();
  });
});

describe('a colleague', () => {
  let nurse: Account;

  it('is invited from a file, and gets the link by e-mail', async () => {
    await page.goto(url('/people'));
    await page.getByRole('button', { name: 'Invite from a file' }).click();
    const csv = 'name,email,roles\nGrace Namukasa,grace@lakeside.example.org,steward\nNobody,nonsense,steward\n';
    await page
      .locator('input[type="file"]')
      .setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
    await page.getByText('This is not an e-mail address.').waitFor();
    await page.getByRole('button', { name: 'Invite 1 person' }).click();
    await page.getByText('1 person is invited').waitFor();
    await expect.poll(() => mail.lastText('grace@lakeside.example.org')).toContain('/enrol#');
  });

  it('enrols, acknowledges the notice and goes on', async () => {
    const link = /https:\S+\/enrol#\S{43}/.exec(mail.lastText('grace@lakeside.example.org') ?? '')?.[0] ?? '';
    const { page: own, context } = await browser.newPage();
    nurse = await openAccount(own, {
      link,
      name: 'Grace Namukasa',
      email: 'grace@lakeside.example.org',
      password: 'nine kingfishers at the weir',
    });
    await own.getByRole('dialog', { name: 'New rules of use' }).waitFor();
    await own.keyboard.press('Escape');
    await own.getByRole('button', { name: 'I have read it' }).click();
    await own.getByRole('dialog').waitFor({ state: 'detached' });
    await context.close();
  });

  it('forgets the password, and chooses another by the mailed link and a code', async () => {
    const { page: own, context } = await browser.newPage();
    await own.goto(url('/sign-in'));
    await own.getByText('I cannot sign in').click();
    await own.getByRole('link', { name: 'I forgot my password' }).click();
    // The page before has a field of this name too.
    await own.getByRole('heading', { name: 'Forgotten password' }).waitFor();
    await own.getByLabel('E-mail').fill(nurse.email);
    await own.getByRole('button', { name: 'Send the link' }).click();
    await own.getByText('Look into your mailbox').waitFor();
    await expect.poll(() => mail.lastText(nurse.email)).toContain('/password#');
    const link = /https:\S+\/password#\S{43}/.exec(mail.lastText(nurse.email) ?? '')?.[0] ?? '';
    await own.goto(link);
    await own.getByLabel('Password', { exact: true }).fill('ten bitterns in the reeds');
    await own.getByLabel('Code from your authenticator app').fill(await nurse.authenticator.code());
    await own.getByRole('button', { name: 'Change the password' }).click();
    await heading(own, 'Your password is changed').waitFor();
    nurse = { ...nurse, password: 'ten bitterns in the reeds' };
    await own.getByRole('link', { name: 'To the sign-in' }).click();
    await signInByKeyboard(own, nurse);
    await heading(own, 'Home').waitFor();
    await context.close();
  });

  it('loses the telephone: the administrator resets the second factor, link and password enrol another', async () => {
    await page.goto(url('/people'));
    await page.getByRole('link', { name: /Grace Namukasa/ }).click();
    await page.getByRole('button', { name: 'Reset second factor' }).click();
    await page.getByRole('button', { name: 'Reset and make a link' }).click();
    const proof = page.getByRole('dialog', { name: 'Is it still you?' });
    const handed = page.getByRole('region', { name: 'the link' });
    await proof.or(handed).first().waitFor();
    if (await proof.isVisible()) {
      await page.getByLabel('Code from your authenticator app').fill(await account.authenticator.code());
      await page.getByRole('button', { name: 'Go on' }).click();
    }
    const link = await handed.innerText();
    await page.getByRole('button', { name: 'Done' }).click();
    const { page: own, context } = await browser.newPage();
    await own.goto(link.trim());
    await own.getByLabel('Password', { exact: true }).fill(nurse.password);
    await own.getByRole('button', { name: 'Continue' }).click();
    const fresh = new Authenticator(await own.getByRole('region', { name: 'the key' }).innerText());
    await own.getByLabel('Code from your authenticator app').fill(await fresh.code());
    await own.getByRole('button', { name: 'Confirm' }).click();
    await own.getByRole('list', { name: 'Recovery codes' }).waitFor();
    await context.close();
  });
});
