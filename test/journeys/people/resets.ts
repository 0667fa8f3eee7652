import { expect } from 'vitest';
import type { Hand } from '../../support/hands.ts';
import { heading, portSettings } from '../../support/journey.ts';
import { careseal, startTestServer, testHome } from '../../support/server.ts';
import { enrol } from './joining.ts';
import { code, password, signOut } from './sign-in.ts';
import {
  buttonOf,
  type Colleague,
  colleagueOf,
  dialogOf,
  openAccountPage,
  type Stage,
  type Task,
  virtualAuthenticator,
} from './stage.ts';

const MAILED = /https:\S+\/password#\S{43}/;
const OTHERS = { passkey: 'ten bitterns in the reeds', 'recovery code': 'six cranes on the causeway' } as const;

/** Asks for the link by mail and opens it. */
async function forgotten(stage: Stage, hand: Hand, { page, account }: Colleague): Promise<void> {
  await hand.press(page.getByText('I cannot sign in'));
  await hand.press(page.getByRole('link', { name: 'I forgot my password' }));
  await heading(page, 'Forgotten password').waitFor();
  await hand.type(page.getByLabel('E-mail'), account.email);
  await hand.press(buttonOf(page, 'Send the link'));
  await page.getByText('Look into your mailbox').waitFor();
  await expect.poll(() => stage.mail.lastText(account.email)).toMatch(MAILED);
  await page.goto(MAILED.exec(stage.mail.lastText(account.email) ?? '')?.[0] ?? '');
  await heading(page, 'Choose a new password').waitFor();
}

async function otherPassword({ page }: Colleague, hand: Hand, by: keyof typeof OTHERS): Promise<void> {
  await hand.type(page.getByLabel('Password', { exact: true }), OTHERS[by]);
  await hand.pick(page.getByRole('combobox', { name: 'I prove that it is me with' }), `a ${by}`);
}

function otherOf({ others }: Stage, hand: Hand): Colleague {
  const found = others.get(hand.name);
  if (found === undefined) throw new Error(`Nobody beside the colleague of ${hand.name} is there`);
  return found;
}

/** The ways back beside a code and a second factor reset: of a password, of everything, of the last administrator. */
export const RESETS: readonly Task[] = [
  {
    point: 5,
    who: 'user',
    task: 'forgets the password, and chooses another by the mailed link and a passkey',
    async work(stage, hand) {
      const colleague = colleagueOf(stage, hand);
      const { page, account } = colleague;
      await virtualAuthenticator(page);
      await openAccountPage(page, hand);
      await hand.press(buttonOf(page, 'Add a passkey'));
      await hand.type(dialogOf(page).getByLabel('Name'), 'Laptop');
      await hand.press(buttonOf(page, 'Make the passkey'));
      await buttonOf(page, 'Remove Laptop').waitFor();
      await signOut(colleague, hand);
      await forgotten(stage, hand, colleague);
      await otherPassword(colleague, hand, 'passkey');
      await hand.press(buttonOf(page, 'Use my passkey and change it'));
      await heading(page, 'Your password is changed').waitFor();
      const changed = { ...colleague, account: { ...account, password: OTHERS.passkey } };
      stage.colleagues.set(hand.name, changed);
      await hand.press(page.getByRole('link', { name: 'To the sign-in' }));
      await password(changed, hand);
      await code(changed, hand);
      await heading(page, 'Home').waitFor();
    },
  },
  {
    point: 5,
    who: 'user',
    task: 'forgets the password, and chooses another by the mailed link and a recovery code',
    async work(stage, hand) {
      const other = otherOf(stage, hand);
      const { page, account } = other;
      await signOut(other, hand);
      await forgotten(stage, hand, other);
      await otherPassword(other, hand, 'recovery code');
      await hand.type(page.getByLabel('Recovery code', { exact: true }), account.recoveryCodes[0] ?? '');
      await hand.press(buttonOf(page, 'Change the password'));
      await heading(page, 'Your password is changed').waitFor();
      const changed = { ...other, account: { ...account, password: OTHERS['recovery code'] } };
      await hand.press(page.getByRole('link', { name: 'To the sign-in' }));
      await password(changed, hand);
      await code(changed, hand);
      await heading(page, 'Home').waitFor();
    },
  },
];

/** What ends the accounts that the other tasks work with. */
export const LAST_RESETS: readonly Task[] = [
  {
    point: 5,
    who: 'user',
    task: 'chooses password and second factor anew with the link of a whole reset',
    async work(stage, hand) {
      const colleague = colleagueOf(stage, hand);
      const { page, account } = colleague;
      const link = stage.links.get(`whole ${hand.name}`) ?? '';
      const made = await enrol(page, hand, link, 'three storks on the chimney');
      stage.colleagues.set(hand.name, { ...colleague, account: { ...made, email: account.email } });
    },
  },
  {
    point: 5,
    who: 'administrator',
    task: 'is the last one and has lost everything: comes back by the link that the server’s command line prints',
    async work(stage, hand) {
      const { page, account } = stage.administrator;
      const { home, settings } = stage;
      const ran = await careseal(['user', 'recover', account.email, '--json'], { home, settings });
      expect(ran).toMatchObject({ code: 0 });
      const { link } = JSON.parse(ran.stdout) as { link: string };
      await enrol(page, hand, link, `four egrets by the ferry, ${hand.name}`);
      await expect.poll(() => stage.mail.lastText(account.email)).toContain('reset');
    },
  },
  {
    point: 1,
    who: 'administrator',
    task: 'sets Careseal up as its first administrator: organisation, password, authenticator app, recovery codes',
    async work(stage, hand) {
      const home = await testHome();
      const server = await startTestServer({ home: home.path, settings: await portSettings() });
      try {
        const { page } = await stage.newcomer();
        await page.goto(server.setupLink ?? '');
        await hand.type(page.getByLabel('Organisation'), 'Lakeside Programme');
        await hand.type(page.getByLabel('Your name'), 'Amina Okello');
        await hand.type(page.getByLabel('E-mail'), 'amina@example.org');
        await enrol(page, hand, undefined, 'seven herons over the lake');
        await page.getByRole('button', { name: /^Account:.*Amina Okello/ }).waitFor();
        await page.context().close();
      } finally {
        await server.end('SIGTERM');
        await home.dispose();
      }
    },
  },
];
