import { expect } from 'vitest';
import { Authenticator } from '../../support/authenticator.ts';
import type { Hand } from '../../support/hands.ts';
import { type Account, heading } from '../../support/journey.ts';
import { code, password, signOut } from './sign-in.ts';
import {
  ask,
  buttonOf,
  type Colleague,
  colleagueOf,
  dialogOf,
  openAccountPage,
  type Stage,
  type Task,
  virtualAuthenticator,
} from './stage.ts';

/** Second authenticators, by the hand that added them. */
const added = new Map<Hand['name'], Authenticator>();

async function ownPage(stage: Stage, hand: Hand): Promise<Colleague> {
  const colleague = colleagueOf(stage, hand);
  await openAccountPage(colleague.page, hand);
  return colleague;
}

/** What everybody does about their own account. */
export const OWN_ACCOUNT: readonly Task[] = [
  {
    point: 1,
    who: 'user',
    task: 'adds a second authenticator app, which counts once it has given a right code',
    async work(stage, hand) {
      const { page } = await ownPage(stage, hand);
      await hand.press(buttonOf(page, 'Add an authenticator app'));
      await hand.type(dialogOf(page).getByLabel('Name'), 'Home telephone');
      await hand.press(dialogOf(page).getByRole('button', { name: 'Continue' }));
      const authenticator = new Authenticator(await page.getByRole('region', { name: 'the key' }).innerText());
      added.set(hand.name, authenticator);
      await hand.type(page.getByLabel('Code from your authenticator app'), await authenticator.code());
      await hand.press(dialogOf(page).getByRole('button', { name: 'Confirm' }));
      await buttonOf(page, 'Remove Home telephone').waitFor();
    },
  },
  {
    point: 1,
    who: 'user',
    task: 'adds a passkey',
    async work(stage, hand) {
      const { page } = await ownPage(stage, hand);
      await virtualAuthenticator(page);
      await hand.press(buttonOf(page, 'Add a passkey'));
      await hand.type(dialogOf(page).getByLabel('Name'), 'Laptop');
      await hand.press(buttonOf(page, 'Make the passkey'));
      await buttonOf(page, 'Remove Laptop').waitFor();
    },
  },
  {
    point: 1,
    who: 'user',
    task: 'gives a factor another name',
    async work(stage, hand) {
      const { page } = await ownPage(stage, hand);
      await hand.press(buttonOf(page, 'Rename Laptop'));
      await hand.type(dialogOf(page).getByLabel('Name'), 'Blue laptop');
      await hand.press(dialogOf(page).getByRole('button', { name: 'Rename' }));
      await buttonOf(page, 'Rename Blue laptop').waitFor();
    },
  },
  {
    point: 4,
    who: 'user',
    task: 'signs out, and in again with the password and a code',
    async work(stage, hand) {
      const colleague = colleagueOf(stage, hand);
      const { page } = colleague;
      await hand.close(page);
      await signOut(colleague, hand);
      await password(colleague, hand);
      await code(colleague, hand);
      await heading(page, 'Home').waitFor();
    },
  },
  {
    point: 1,
    who: 'user',
    task: 'signs in with the passkey alone',
    async work(stage, hand) {
      const colleague = colleagueOf(stage, hand);
      await signOut(colleague, hand);
      await hand.press(buttonOf(colleague.page, 'Sign in with a passkey'));
      await heading(colleague.page, 'Home').waitFor();
    },
  },
  {
    point: 1,
    who: 'user',
    task: 'signs in with password and passkey and trusts the device; then the password is enough; then ends the trust',
    async work(stage, hand) {
      const colleague = colleagueOf(stage, hand);
      const { page } = colleague;
      await signOut(colleague, hand);
      await password(colleague, hand);
      await hand.tick(page.getByLabel('Do not ask again on this device'));
      await hand.press(buttonOf(page, 'Use a passkey'));
      await hand.press(buttonOf(page, 'Use my passkey'));
      await heading(page, 'Home').waitFor();
      await signOut(colleague, hand);
      await password(colleague, hand);
      await heading(page, 'Home').waitFor();
      await openAccountPage(page, hand);
      await hand.press(buttonOf(page, /^End the trust/));
      await page.getByText('None: the second factor is asked for everywhere.').waitFor();
    },
  },
  {
    point: 5,
    who: 'user',
    task: 'signs in with a recovery code, and is told how many are left',
    async work(stage, hand) {
      const colleague = colleagueOf(stage, hand);
      const { page, account } = colleague;
      await hand.close(page);
      await signOut(colleague, hand);
      await password(colleague, hand);
      await hand.press(buttonOf(page, /use a recovery code/));
      await hand.type(page.getByLabel('Recovery code'), account.recoveryCodes[0] ?? '');
      await hand.press(page.getByRole('button', { name: 'Sign in', exact: true }));
      await page.getByText('9 are left').waitFor();
      await hand.press(buttonOf(page, 'Go on'));
      await heading(page, 'Home').waitFor();
      await expect.poll(() => stage.mail.lastText(account.email)).toContain('recovery code');
    },
  },
  {
    point: 4,
    who: 'user',
    task: 'sees where they are signed in, ends one of these sessions, then all others',
    async work(stage, hand) {
      const { account } = colleagueOf(stage, hand);
      for (const recoveryCode of account.recoveryCodes.slice(1, 3)) await elsewhere(stage, account, recoveryCode);
      const { page } = await ownPage(stage, hand);
      await page.reload();
      const end = page.getByRole('button', { name: /^End it: the session/ });
      await expect.poll(() => end.count()).toBe(2);
      await hand.press(end.first());
      await expect.poll(() => end.count()).toBe(1);
      await hand.press(buttonOf(page, 'End all others'));
      await expect.poll(() => end.count()).toBe(0);
    },
  },
  {
    point: 5,
    who: 'user',
    task: 'makes new recovery codes',
    async work(stage, hand) {
      const { page } = await ownPage(stage, hand);
      await page.getByText('7 of 10 left').waitFor();
      await hand.press(buttonOf(page, 'Make new codes'));
      await page.getByRole('list', { name: 'Recovery codes' }).waitFor();
      await hand.press(buttonOf(page, 'I have stored them'));
      await page.getByText('10 of 10 left').waitFor();
    },
  },
  {
    point: 1,
    who: 'user',
    task: 'takes a factor away',
    async work(stage, hand) {
      const { page } = await ownPage(stage, hand);
      await hand.press(buttonOf(page, 'Remove Blue laptop'));
      await hand.press(dialogOf(page).getByRole('button', { name: 'Remove' }));
      await buttonOf(page, 'Remove Blue laptop').waitFor({ state: 'detached' });
    },
  },
  {
    point: 9,
    who: 'user',
    task: 'chooses another password on the profile page',
    async work(stage, hand) {
      const colleague = await ownPage(stage, hand);
      const { page, account } = colleague;
      const other = `${account.password}, and a heron`;
      await hand.press(buttonOf(page, 'Choose another password'));
      await hand.type(page.getByLabel('Present password', { exact: true }), account.password);
      await hand.type(page.getByLabel('New password'), other);
      await hand.press(buttonOf(page, 'Change it'));
      await page.getByText('Your password is changed').waitFor();
      colleague.account = { ...account, password: other };
    },
  },
  {
    point: 9,
    who: 'user',
    task: 'chooses on the profile page how Careseal looks',
    async work(stage, hand) {
      const { page } = await ownPage(stage, hand);
      await hand.pick(page.getByRole('combobox', { name: 'Colours' }), 'dark');
      await page.locator('html[data-mantine-color-scheme="dark"]').waitFor();
      await hand.pick(page.getByRole('combobox', { name: 'Contrast' }), 'high');
      await page.locator('html[data-contrast="more"]').waitFor();
    },
  },
  {
    point: 10,
    who: 'user',
    task: 'makes a token for a script, sees it once, and ends it',
    async work(stage, hand) {
      const { page } = await ownPage(stage, hand);
      await hand.press(buttonOf(page, 'Make a token'));
      await hand.type(dialogOf(page).getByLabel('What it is for'), 'nightly export');
      await hand.pick(dialogOf(page).getByRole('combobox', { name: 'It ends after' }), '7 days');
      await hand.press(buttonOf(page, 'Make it'));
      await page.getByRole('region', { name: 'the token' }).waitFor();
      await hand.press(buttonOf(page, 'I have kept it'));
      await hand.press(buttonOf(page, 'End it: the token nightly export'));
      await buttonOf(page, 'End it: the token nightly export').waitFor({ state: 'detached' });
    },
  },
  {
    point: 5,
    who: 'user',
    task: 'forgets the password, and chooses another by the mailed link and a code',
    async work(stage, hand) {
      const colleague = colleagueOf(stage, hand);
      const { page, account } = colleague;
      await hand.close(page);
      await signOut(colleague, hand);
      await hand.press(page.getByText('I cannot sign in'));
      await hand.press(page.getByRole('link', { name: 'I forgot my password' }));
      await heading(page, 'Forgotten password').waitFor();
      await hand.type(page.getByLabel('E-mail'), account.email);
      await hand.press(buttonOf(page, 'Send the link'));
      await page.getByText('Look into your mailbox').waitFor();
      const link = /https:\S+\/password#\S{43}/;
      await expect.poll(() => stage.mail.lastText(account.email)).toMatch(link);
      await page.goto(link.exec(stage.mail.lastText(account.email) ?? '')?.[0] ?? '');
      const other = `${account.password}, twice`;
      await hand.type(page.getByLabel('Password', { exact: true }), other);
      const code = await added.get(hand.name)?.code();
      await hand.type(page.getByLabel('Code from your authenticator app'), code ?? '');
      await hand.press(buttonOf(page, 'Change the password'));
      await heading(page, 'Your password is changed').waitFor();
      colleague.account = { ...account, password: other };
      await hand.press(page.getByRole('link', { name: 'To the sign-in' }));
      await password(colleague, hand);
      await hand.type(page.getByLabel('Code from your authenticator app'), await account.authenticator.code());
      await hand.press(page.getByRole('button', { name: 'Sign in', exact: true }));
      await heading(page, 'Home').waitFor();
    },
  },
];

/** The same person signs in on a device of which this browser knows nothing. */
async function elsewhere(stage: Stage, { email, password: known }: Account, recoveryCode: string): Promise<void> {
  const { page } = await stage.newcomer();
  await page.goto(`${stage.server.usersUrl}/sign-in`);
  expect(await ask(page, 'POST', '/api/sign-in/password', { email, password: known })).toBe(200);
  expect(await ask(page, 'POST', '/api/sign-in/code', { recoveryCode })).toBe(200);
  await page.context().close();
}
