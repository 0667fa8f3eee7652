import { expect } from 'vitest';
import type { Hand } from '../../support/hands.ts';
import { heading } from '../../support/journey.ts';
import { code, signOut } from './sign-in.ts';
import {
  ask,
  buttonOf,
  colleagueOf,
  dialogOf,
  open,
  openAccountPage,
  openPerson,
  type Stage,
  type Task,
} from './stage.ts';

const nameOf = (hand: Hand): string => `Ministry by ${hand.name}`;

async function providerPage({ administrator: { page } }: Stage, hand: Hand): Promise<void> {
  await open(page, hand, 'People', 'Identity providers');
}

/** Sign-in from elsewhere, from adding the provider to taking it out of use. */
export const PROVIDERS: readonly Task[] = [
  {
    point: 8,
    who: 'administrator',
    task: 'adds an identity provider, and is told when its address is wrong',
    async work(stage, hand) {
      const { page } = stage.administrator;
      const provider = stage.providers[hand.name];
      provider.become(`someone-${hand.name}`, { amr: ['pwd'] });
      await providerPage(stage, hand);
      await hand.press(buttonOf(page, 'Add a provider'));
      const dialog = dialogOf(page);
      await hand.type(dialog.getByLabel('Name'), nameOf(hand));
      await hand.type(dialog.getByLabel('Issuer'), `${provider.issuer}/wrong`);
      await hand.type(dialog.getByLabel('Client id'), provider.clientId);
      await hand.type(dialog.getByLabel('Client secret'), provider.clientSecret);
      await hand.type(dialog.getByLabel('Certificate authority (PEM)'), provider.authority);
      await hand.press(dialog.getByRole('button', { name: 'Add', exact: true }));
      await dialog.getByRole('alert').waitFor();
      await hand.type(dialog.getByLabel('Issuer'), provider.issuer);
      await hand.press(dialog.getByRole('button', { name: 'Add', exact: true }));
      await dialog.waitFor({ state: 'detached' });
      await page.getByRole('heading', { name: nameOf(hand) }).waitFor();
    },
  },
  {
    point: 8,
    who: 'user',
    task: 'links their identity at the provider with the account here',
    async work(stage, hand) {
      const { page } = colleagueOf(stage, hand);
      await page.reload();
      await openAccountPage(page, hand);
      await hand.press(buttonOf(page, `Link: ${nameOf(hand)}`));
      await page.waitForURL('**/profile');
      await buttonOf(page, `Unlink: ${nameOf(hand)}`).waitFor();
    },
  },
  {
    point: 8,
    who: 'user',
    task: 'signs in from the provider, and still gives the second factor, which it does not prove',
    async work(stage, hand) {
      const colleague = colleagueOf(stage, hand);
      const { page } = colleague;
      await signOut(colleague, hand);
      await hand.press(buttonOf(page, `Sign in with ${nameOf(hand)}`));
      await heading(page, 'One more step').waitFor();
      await code(colleague, hand);
      await heading(page, 'Home').waitFor();
    },
  },
  {
    point: 8,
    who: 'administrator',
    task: 'changes a provider: what it says proves a second factor; its secret stays',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await providerPage(stage, hand);
      await hand.press(buttonOf(page, `Change ${nameOf(hand)}`));
      const dialog = dialogOf(page);
      await hand.add(dialog.getByLabel(/^amr values/).and(page.locator('input')), 'mfa');
      await hand.press(dialog.getByRole('button', { name: 'Save' }));
      await dialog.waitFor({ state: 'detached' });
      const card = page.getByRole('listitem').filter({ hasText: nameOf(hand) });
      await card.getByText('a second factor is proved by mfa').waitFor();
      await card.getByText('1 account linked').waitFor();
    },
  },
  {
    point: 8,
    who: 'administrator',
    task: 'tests a provider, and is told that it answers, or what is wrong with it',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await providerPage(stage, hand);
      await hand.press(buttonOf(page, `Test ${nameOf(hand)}`));
      await page.getByText('It answers').waitFor();
      stage.providers[hand.name].rest(true);
      await hand.press(buttonOf(page, `Test ${nameOf(hand)}`));
      await page.getByRole('alert').waitFor();
      stage.providers[hand.name].rest(false);
    },
  },
  {
    point: 8,
    who: 'user',
    task: 'unlinks the identity',
    async work(stage, hand) {
      const { page } = colleagueOf(stage, hand);
      await openAccountPage(page, hand);
      await hand.press(buttonOf(page, `Unlink: ${nameOf(hand)}`));
      await buttonOf(page, `Link: ${nameOf(hand)}`).waitFor();
    },
  },
  {
    point: 8,
    who: 'administrator',
    task: 'makes a link with which somebody links their identity',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await openPerson(stage, hand, `Newcomer by ${hand.name}`);
      await hand.press(buttonOf(page, 'Link an identity'));
      const link = (await page.getByRole('region', { name: 'the link' }).innerText()).trim();
      stage.links.set(`identity ${hand.name}`, link);
      await hand.press(dialogOf(page).getByRole('button', { name: 'Done' }));
    },
  },
  {
    point: 8,
    who: 'user',
    task: 'links the identity by the administrator’s link, and confirms that it was them',
    async work(stage, hand) {
      const colleague = colleagueOf(stage, hand);
      const { page } = colleague;
      await page.goto(stage.links.get(`identity ${hand.name}`) ?? '');
      await hand.press(buttonOf(page, `Go to ${nameOf(hand)}`));
      await page.waitForURL('**/profile');
      await hand.press(buttonOf(page, `Confirm: ${nameOf(hand)}`));
      await buttonOf(page, `Unlink: ${nameOf(hand)}`).waitFor();
    },
  },
  {
    point: 8,
    who: 'administrator',
    task: 'takes a provider out of use; it is offered to nobody any more',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await providerPage(stage, hand);
      await hand.press(buttonOf(page, `Take out of use: ${nameOf(hand)}`));
      await hand.press(dialogOf(page).getByRole('button', { name: 'Take it out of use' }));
      await page.getByRole('heading', { name: nameOf(hand) }).waitFor({ state: 'detached' });
      const { page: stranger } = await stage.newcomer();
      await stranger.goto(`${stage.server.usersUrl}/sign-in`);
      await heading(stranger, 'Sign in').waitFor();
      expect(await ask(stranger, 'GET', '/api/sign-in/providers')).toBe(200);
      await buttonOf(stranger, `Sign in with ${nameOf(hand)}`).waitFor({ state: 'detached' });
      await stranger.context().close();
    },
  },
];
