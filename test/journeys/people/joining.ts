import type { Page } from 'playwright-core';
import { Authenticator } from '../../support/authenticator.ts';
import type { Hand } from '../../support/hands.ts';
import { type Account, heading } from '../../support/journey.ts';
import { buttonOf, dialogOf, open, type Task } from './stage.ts';

const PASSWORDS = { mouse: 'nine kingfishers at the weir', keyboard: 'eleven otters under the bridge' } as const;

/** Goes through an enrolment page, at the link or shown already, with this hand; then the home of a signed-in person is there. */
export async function enrol(
  page: Page,
  hand: Hand,
  link: string | undefined,
  password: string,
): Promise<Omit<Account, 'email'>> {
  if (link !== undefined) await page.goto(link);
  await page.getByLabel('Your name').waitFor();
  await hand.type(page.getByLabel('Password', { exact: true }), password);
  await page.getByText('Good: long enough').waitFor();
  await hand.press(buttonOf(page, 'Continue'));
  const authenticator = new Authenticator(await page.getByRole('region', { name: 'the key' }).innerText());
  await hand.type(page.getByLabel('Code from your authenticator app'), await authenticator.code());
  await hand.press(buttonOf(page, 'Confirm the code'));
  const codes = page.getByRole('list', { name: 'Recovery codes' });
  await codes.waitFor();
  const recoveryCodes = await codes.getByRole('listitem').allInnerTexts();
  await hand.tick(page.getByLabel('I have stored them'));
  await hand.press(buttonOf(page, 'Go to Careseal'));
  await heading(page, 'Home').waitFor();
  return { password, authenticator, recoveryCodes };
}

/** From the invitation to the first page, in the order in which one needs the other. */
export const JOINING: readonly Task[] = [
  {
    point: 3,
    who: 'administrator',
    task: 'adds an organisation',
    async work({ administrator: { page } }, hand) {
      await open(page, hand, 'People', 'Organisations');
      await hand.press(buttonOf(page, 'Add an organisation'));
      await hand.type(dialogOf(page).getByLabel('Name'), `Clinic by ${hand.name}`);
      await hand.press(dialogOf(page).getByRole('button', { name: 'Save' }));
      await page.getByRole('button', { name: new RegExp(`Clinic by ${hand.name}`) }).waitFor();
    },
  },
  {
    point: 3,
    who: 'administrator',
    task: 'invites a colleague into an organisation',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await open(page, hand, 'People', 'People');
      await hand.press(buttonOf(page, 'Invite a colleague'));
      const dialog = dialogOf(page);
      await hand.type(dialog.getByLabel('Name'), `Newcomer by ${hand.name}`);
      await hand.type(dialog.getByLabel('E-mail'), `${hand.name}@example.org`);
      const clinic = `Clinic by ${hand.name}`;
      await hand.pick(dialog.getByRole('combobox', { name: 'Organisation' }), clinic, clinic);
      await hand.tick(dialog.getByRole('checkbox', { name: 'Registrar' }));
      await hand.press(dialog.getByRole('button', { name: 'Make the link' }));
      const link = page.getByRole('region', { name: 'the link' });
      stage.links.set(`invitation ${hand.name}`, (await link.innerText()).trim());
      await hand.press(dialog.getByRole('button', { name: 'Done' }));
    },
  },
  {
    point: 1,
    who: 'user',
    task: 'accepts the invitation: a password, an authenticator app, recovery codes',
    async work(stage, hand) {
      const somebody = await stage.newcomer();
      const link = stage.links.get(`invitation ${hand.name}`) ?? '';
      const made = await enrol(somebody.page, hand, link, PASSWORDS[hand.name]);
      stage.colleagues.set(hand.name, { ...somebody, account: { ...made, email: `${hand.name}@example.org` } });
    },
  },
  {
    point: 9,
    who: 'administrator',
    task: 'invites people from a file, and sees first what would happen',
    async work({ administrator: { page } }, hand) {
      await open(page, hand, 'People', 'People');
      await hand.press(buttonOf(page, 'Invite from a file'));
      const rows = [`Imported by ${hand.name},imported-${hand.name}@example.org,steward`, 'Nobody,nonsense,steward'];
      const text = `name,email,roles\n${rows.join('\n')}\n`;
      await hand.file(dialogOf(page).getByRole('button', { name: 'File' }), { name: 'people.csv', text });
      await page.getByText('This is not an e-mail address.').waitFor();
      await hand.press(buttonOf(page, 'Invite 1 person'));
      await page.getByText('1 person is invited').waitFor();
      await hand.press(buttonOf(page, 'Done'));
      await dialogOf(page).waitFor({ state: 'detached' });
    },
  },
];
