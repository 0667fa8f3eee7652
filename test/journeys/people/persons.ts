import { expect } from 'vitest';
import { Authenticator } from '../../support/authenticator.ts';
import type { Hand } from '../../support/hands.ts';
import { heading } from '../../support/journey.ts';
import { ask, buttonOf, colleagueOf, dialogOf, open, openPerson, type Stage, type Task } from './stage.ts';

const imported = (hand: Hand): string => `Imported by ${hand.name}`;
const newcomer = (hand: Hand): string => `Newcomer by ${hand.name}`;

/** The link that a dialog hands over; closes the dialog. */
async function handedOver({ administrator: { page } }: Stage, hand: Hand): Promise<string> {
  const link = (await page.getByRole('region', { name: 'the link' }).innerText()).trim();
  await hand.press(dialogOf(page).getByRole('button', { name: 'Done' }));
  await dialogOf(page).waitFor({ state: 'detached' });
  return link;
}

/** What an administrator does about one person, and what the person does with it. */
export const PERSONS: readonly Task[] = [
  {
    point: 10,
    who: 'administrator',
    task: 'sees the tokens of somebody’s scripts, and ends one',
    async work(stage, hand) {
      const { page } = stage.administrator;
      const wanted = { label: 'export', permissions: ['client.read'], days: 7 };
      expect(await ask(colleagueOf(stage, hand).page, 'POST', '/api/personal-tokens', wanted)).toBe(201);
      await openPerson(stage, hand, newcomer(hand));
      await hand.press(buttonOf(page, 'End it: the token export'));
      await buttonOf(page, 'End it: the token export').waitFor({ state: 'detached' });
    },
  },
  {
    point: 7,
    who: 'user',
    task: 'breaks the glass with a reason and a time, sees it on every page, and ends it',
    async work(stage, hand) {
      const { page } = colleagueOf(stage, hand);
      await open(page, hand, 'Clients');
      await hand.press(page.getByRole('button', { name: 'Emergency', exact: true }));
      await hand.type(dialogOf(page).getByLabel('Why', { exact: true }), 'unconscious, unknown allergies');
      await hand.pick(dialogOf(page).getByRole('combobox', { name: 'For how long' }), '5 minutes');
      await hand.press(dialogOf(page).getByRole('button', { name: 'Break the glass' }));
      await page.getByText('Glass is broken.').waitFor();
      await hand.press(buttonOf(page, 'End it now'));
      await page.getByText('Glass is broken.').waitFor({ state: 'detached' });
    },
  },
  {
    point: 7,
    who: 'administrator',
    task: 'reviews an emergency access as justified, and one as not justified',
    async work(stage, hand) {
      const { page } = stage.administrator;
      const again = { reason: 'wanted to see a neighbour', minutes: 5 };
      expect(await ask(colleagueOf(stage, hand).page, 'POST', '/api/emergency', again)).toBe(201);
      for (const verdict of ['Justified', 'Not justified']) {
        await open(page, hand, 'People', 'Emergencies');
        await hand.press(buttonOf(page, `Review: ${newcomer(hand)}`).first());
        await hand.type(dialogOf(page).getByLabel('What you found'), 'It is as the record says.');
        await hand.press(dialogOf(page).getByRole('button', { name: verdict, exact: true }));
        await dialogOf(page).waitFor({ state: 'detached' });
      }
      await hand.pick(page.getByRole('combobox', { name: 'Show' }), 'reviewed');
      await page.getByText('not justified').first().waitFor();
    },
  },
  {
    point: 4,
    who: 'administrator',
    task: 'sees where somebody is signed in, and ends all their sessions, effective at once',
    async work(stage, hand) {
      const { page } = stage.administrator;
      const colleague = colleagueOf(stage, hand);
      await openPerson(stage, hand, newcomer(hand));
      await hand.press(buttonOf(page, 'End all sessions'));
      await buttonOf(page, 'Signed in nowhere').waitFor();
      expect(await ask(colleague.page, 'GET', '/api/home')).toBe(401);
    },
  },
  {
    point: 5,
    who: 'administrator',
    task: 'resets somebody’s second factor',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await openPerson(stage, hand, newcomer(hand));
      await hand.press(buttonOf(page, 'Reset second factor'));
      await hand.press(buttonOf(page, 'Reset and make a link'));
      stage.links.set(`factor ${hand.name}`, await handedOver(stage, hand));
    },
  },
  {
    point: 5,
    who: 'user',
    task: 'connects another second factor with the administrator’s link and the password',
    async work(stage, hand) {
      const colleague = colleagueOf(stage, hand);
      const { page, account } = colleague;
      await page.goto(stage.links.get(`factor ${hand.name}`) ?? '');
      await hand.type(page.getByLabel('Password', { exact: true }), account.password);
      await hand.press(buttonOf(page, 'Continue'));
      const authenticator = new Authenticator(await page.getByRole('region', { name: 'the key' }).innerText());
      await hand.type(page.getByLabel('Code from your authenticator app'), await authenticator.code());
      await hand.press(buttonOf(page, 'Confirm'));
      await hand.tick(page.getByLabel('I have stored them'));
      await hand.press(buttonOf(page, 'Go to Careseal'));
      await heading(page, 'Home').waitFor();
      colleague.account = { ...account, authenticator };
    },
  },
  {
    point: 9,
    who: 'administrator',
    task: 'makes a new invitation link for somebody who lost the first',
    async work(stage, hand) {
      await openPerson(stage, hand, imported(hand));
      await hand.press(buttonOf(stage.administrator.page, 'New invitation link'));
      expect(await handedOver(stage, hand)).toContain('/enrol#');
    },
  },
  {
    point: 4,
    who: 'administrator',
    task: 'disables an account and enables it again',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await openPerson(stage, hand, imported(hand));
      await hand.press(page.getByRole('button', { name: 'Disable', exact: true }));
      await hand.press(
        page.getByRole('dialog', { name: 'Disable this account' }).getByRole('button', { name: 'Disable' }),
      );
      await hand.press(buttonOf(page, 'Enable'));
      await page.getByRole('button', { name: 'Disable', exact: true }).waitFor();
    },
  },
  {
    point: 9,
    who: 'administrator',
    task: 'retires somebody who has left; the name stays; and brings them back by a new link',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await openPerson(stage, hand, imported(hand));
      await hand.press(page.getByRole('button', { name: 'Retire', exact: true }));
      await hand.press(
        page.getByRole('dialog', { name: 'Retire this account' }).getByRole('button', { name: 'Retire' }),
      );
      await hand.press(buttonOf(page, 'Bring back'));
      await hand.press(buttonOf(page, 'Reset and make a link'));
      expect(await handedOver(stage, hand)).toContain('/enrol#');
    },
  },
  {
    point: 5,
    who: 'administrator',
    task: 'resets somebody’s whole sign-in, without choosing the password',
    async work(stage, hand) {
      const { page } = stage.administrator;
      const { account } = colleagueOf(stage, hand);
      await openPerson(stage, hand, newcomer(hand));
      await hand.press(buttonOf(page, 'Reset sign-in'));
      await hand.press(buttonOf(page, 'Reset and make a link'));
      const link = await handedOver(stage, hand);
      expect(link).toContain('/enrol#');
      stage.links.set(`whole ${hand.name}`, link);
      await expect.poll(() => stage.mail.lastText(account.email)).toContain('reset');
    },
  },
];
