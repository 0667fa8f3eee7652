import { expect } from 'vitest';
import type { Hand } from '../../support/hands.ts';
import { heading } from '../../support/journey.ts';
import { ageProof } from '../../support/old-proof.ts';
import { code, password } from './sign-in.ts';
import {
  buttonOf,
  colleagueOf,
  dialogOf,
  open,
  openAccountPage,
  type Stage,
  type Task,
  virtualAuthenticator,
} from './stage.ts';

const STILL_YOU = 'Is it still you?';

/** The administrator’s proof becomes older than the policy of these tests allows. */
async function longAgo({ home, administrator }: Stage): Promise<void> {
  await ageProof(home, administrator.account.email, 61);
}

async function addOrganisation({ administrator: { page } }: Stage, hand: Hand, name: string): Promise<void> {
  await open(page, hand, 'People', 'Organisations');
  await hand.press(buttonOf(page, 'Add an organisation'));
  await hand.type(dialogOf(page).getByLabel('Name'), name);
  await hand.press(dialogOf(page).getByRole('button', { name: 'Save' }));
}

/** Fresh proofs before dangerous acts, and what happens to whoever walks away. */
export const PROOFS: readonly Task[] = [
  {
    point: 4,
    who: 'administrator',
    task: 'is asked for a fresh code before a dangerous act, declines, then gives it: the act goes on by itself',
    async work(stage, hand) {
      const { page, account } = stage.administrator;
      await longAgo(stage);
      const name = `Proven by a code by ${hand.name}`;
      await addOrganisation(stage, hand, name);
      const asked = page.getByRole('dialog', { name: STILL_YOU });
      await hand.press(asked.getByRole('button', { name: 'Cancel' }));
      await asked.waitFor({ state: 'detached' });
      const typed = dialogOf(page).getByLabel('Name');
      expect(await typed.inputValue()).toBe(name);
      await hand.press(dialogOf(page).getByRole('button', { name: 'Save' }));
      await hand.type(asked.getByLabel('Code from your authenticator app'), await account.authenticator.code());
      await hand.press(asked.getByRole('button', { name: 'Go on' }));
      await dialogOf(page).first().waitFor({ state: 'detached' });
      await hand.type(page.getByLabel('Find by name'), name);
      await page.getByRole('button', { name }).waitFor();
    },
  },
  {
    point: 4,
    who: 'administrator',
    task: 'gives the fresh proof by a passkey',
    async work(stage, hand) {
      const { page } = stage.administrator;
      const authenticator = await virtualAuthenticator(page);
      await openAccountPage(page, hand);
      const key = `Key by ${hand.name}`;
      await hand.press(buttonOf(page, 'Add a passkey'));
      await hand.type(dialogOf(page).getByLabel('Name'), key);
      await hand.press(buttonOf(page, 'Make the passkey'));
      await buttonOf(page, `Remove ${key}`).waitFor();
      await longAgo(stage);
      const name = `Proven by a key by ${hand.name}`;
      await addOrganisation(stage, hand, name);
      await hand.press(page.getByRole('dialog', { name: STILL_YOU }).getByRole('button', { name: 'Use my passkey' }));
      await dialogOf(page).first().waitFor({ state: 'detached' });
      await hand.type(page.getByLabel('Find by name'), name);
      await page.getByRole('button', { name }).waitFor();
      // One at a time: the other hand brings its own.
      await authenticator.send('WebAuthn.disable');
    },
  },
  {
    point: 4,
    who: 'user',
    task: 'walks away, is warned and stays; walks away again, and finds what they typed after signing in anew',
    async work(stage, hand) {
      const { account } = colleagueOf(stage, hand);
      const { page, watched } = await stage.newcomer();
      const here = { page, watched, account };
      // The page's clock alone is turned on: to the server no time passes.
      await page.clock.install();
      await page.goto(`${stage.server.usersUrl}/sign-in`);
      await password(here, hand);
      await code(here, hand);
      await heading(page, 'Home').waitFor();
      await open(page, hand, 'Clients');
      const search = page.getByLabel('Search clients');
      await hand.type(search, 'Sandcas');
      const idleMs = 1_000 * (await idleSeconds(stage));
      await page.clock.fastForward(idleMs - 60_000);
      const warning = page.getByRole('dialog', { name: 'Still there?' });
      await warning.getByText('What you typed on this page is kept').waitFor();
      // Whoever comes back looks first: the warning waits for an answer.
      await page.clock.runFor(5_000);
      await hand.press(warning.getByRole('button', { name: 'Stay signed in' }));
      await warning.waitFor({ state: 'detached' });
      expect(await search.inputValue()).toBe('Sandcas');
      await page.clock.fastForward(idleMs + 5_000);
      await heading(page, 'Sign in').waitFor();
      await password(here, hand);
      await code(here, hand);
      await heading(page, 'Clients').waitFor();
      expect(await search.inputValue()).toBe('Sandcas');
      await page.context().close();
    },
  },
];

async function idleSeconds({ administrator: { page } }: Stage): Promise<number> {
  return await page.evaluate(async () => {
    const session = (await (await fetch('/api/session')).json()) as { idleTimeoutSeconds: number };
    return session.idleTimeoutSeconds;
  });
}
