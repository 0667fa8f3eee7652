import { expect } from 'vitest';
import { banNetwork, holdUpAccount } from '../../support/bans.ts';
import type { Hand } from '../../support/hands.ts';
import { ask, buttonOf, colleagueOf, dialogOf, open, type Stage, type Task } from './stage.ts';

const SAVED = 'It holds everywhere within a second';

/** One setting of the policy as the server has it. */
async function setting({ administrator: { page } }: Stage, wanted: string): Promise<unknown> {
  return await page.evaluate(async (name) => {
    const { settings } = (await (await fetch('/api/policy')).json()) as {
      settings: { name: string; value: unknown }[];
    };
    return settings.find((one) => one.name === name)?.value;
  }, wanted);
}

async function addRule({ administrator: { page } }: Stage, hand: Hand, kind: string, field: string): Promise<void> {
  const who = {
    role: `Reader by ${hand.name}`,
    organisation: `Clinic by ${hand.name}`,
    person: `Newcomer by ${hand.name}`,
  };
  const name = who[kind as keyof typeof who];
  await hand.pick(page.getByRole('combobox', { name: 'For', exact: true }).first(), new RegExp(kind));
  const letters = kind === 'role' ? undefined : name;
  await hand.pick(page.getByRole('combobox', { name: field, exact: true }), new RegExp(name), letters);
  await hand.press(buttonOf(page, 'Add the rule'));
  await hand.press(buttonOf(page, `Take the rule away: ${name}`));
  await buttonOf(page, `Take the rule away: ${name}`).waitFor({ state: 'detached' });
}

/** How people sign in, and who is held up. */
export const POLICY: readonly Task[] = [
  {
    point: 2,
    who: 'administrator',
    task: 'changes a number, a switch and a list of words of the policy at once',
    async work(stage, hand) {
      const { page } = stage.administrator;
      const idle = hand.name === 'mouse' ? 20 : 25;
      await open(page, hand, 'Policy');
      await hand.type(page.getByRole('textbox', { name: 'Signed out when nobody moves for' }), String(idle));
      await hand.tick(page.getByRole('switch', { name: 'Trusted devices' }));
      await hand.type(page.getByRole('textbox', { name: 'Words no password may be made of' }), `lakeside ${hand.name}`);
      await hand.press(buttonOf(page, 'Save 3 changes'));
      await page.getByText(SAVED).waitFor();
      expect(await setting(stage, 'sessionIdleMinutes')).toBe(idle);
      expect(await setting(stage, 'blocklistWords')).toEqual([`lakeside ${hand.name}`]);
    },
  },
  {
    point: 2,
    who: 'administrator',
    task: 'is told of a number outside the safe range, and puts it back',
    async work({ administrator: { page } }, hand) {
      await open(page, hand, 'Policy');
      await hand.type(page.getByRole('textbox', { name: 'Sessions of one person at once' }), '100000');
      await hand.press(buttonOf(page, 'Save the change'));
      await page.getByRole('alert').waitFor();
      await hand.press(buttonOf(page, 'Put back'));
      await buttonOf(page, 'Nothing is changed').waitFor();
    },
  },
  {
    point: 2,
    who: 'administrator',
    task: 'switches the second factor off for all, is warned on every page, and requires it again',
    async work(stage, hand) {
      const { page } = stage.administrator;
      for (const level of ['Off', 'Required']) {
        await open(page, hand, 'Policy');
        await hand.pick(page.getByRole('combobox', { name: 'Second factor', exact: true }).first(), level);
        await hand.press(buttonOf(page, 'Save the change'));
        await page.getByText(SAVED).waitFor();
        await open(page, hand, 'Home');
        const warning = page.getByText('The second factor is off');
        await warning.waitFor({ state: level === 'Off' ? 'visible' : 'detached' });
      }
    },
  },
  {
    point: 2,
    who: 'administrator',
    task: 'makes a rule for a role, an organisation and a person, and takes each away',
    async work(stage, hand) {
      await open(stage.administrator.page, hand, 'Policy');
      await addRule(stage, hand, 'role', 'Which role');
      await addRule(stage, hand, 'organisation', 'Which organisation');
      await addRule(stage, hand, 'person', 'Which person');
    },
  },
  {
    point: 2,
    who: 'administrator',
    task: 'allows an exception with a reason and an end, and ends it',
    async work({ administrator: { page } }, hand) {
      await open(page, hand, 'Policy');
      const newcomer = `Newcomer by ${hand.name}`;
      await hand.pick(page.getByRole('combobox', { name: 'Person', exact: true }), new RegExp(newcomer), newcomer);
      await hand.type(page.getByLabel('Reason'), 'waits for a new telephone');
      const day = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10);
      await hand.day(page.getByLabel('Last day'), day);
      await hand.press(buttonOf(page, 'Allow it'));
      await hand.press(buttonOf(page, `End it now: ${newcomer}`));
      await buttonOf(page, `End it now: ${newcomer}`).waitFor({ state: 'detached' });
    },
  },
  {
    point: 6,
    who: 'administrator',
    task: 'allows some networks at each door, sees the list, and allows all again',
    async work(stage, hand) {
      const { page } = stage.administrator;
      for (const door of ['Sign-in of people', 'Systems (nodes)']) {
        await networks(stage, hand, door, '127.0.0.0/8\n::1/128');
        await page.getByRole('list', { name: 'Lists in force' }).getByText(door).waitFor();
        await networks(stage, hand, door, '');
        await page.getByRole('list', { name: 'Lists in force' }).getByText(door).waitFor({ state: 'detached' });
      }
    },
  },
  {
    point: 6,
    who: 'administrator',
    task: 'allows a role in some networks alone, and is kept from shutting out themselves',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await networks(stage, hand, 'Role: Auditor', '192.0.2.0/24');
      await page.getByRole('list', { name: 'Lists in force' }).getByText('192.0.2.0/24').waitFor();
      await networks(stage, hand, 'Role: Auditor', '');
      await page.getByRole('list', { name: 'Lists in force' }).getByText('192.0.2.0/24').waitFor({ state: 'detached' });
      await networks(stage, hand, 'Role: Administrator', '192.0.2.0/24');
      await page.getByRole('region', { name: 'Allowed networks' }).getByRole('alert').waitFor();
    },
  },
  {
    point: 6,
    who: 'administrator',
    task: 'sees a network that is held up after wrong attempts, with its end, and lifts the ban',
    async work(stage, hand) {
      const { page } = stage.administrator;
      const address = hand.name === 'mouse' ? '198.51.100.7' : '198.51.100.8';
      await banNetwork(stage.home, address);
      await open(page, hand, 'Home');
      await open(page, hand, 'Policy');
      await hand.press(buttonOf(page, `Lift it: ${address}`));
      await buttonOf(page, `Lift it: ${address}`).waitFor({ state: 'detached' });
    },
  },
  {
    point: 6,
    who: 'administrator',
    task: 'sees an account at which strangers must wait, and lifts it',
    async work(stage, hand) {
      const { page } = stage.administrator;
      const { account } = colleagueOf(stage, hand);
      await holdUpAccount(stage.home, account.email);
      await open(page, hand, 'Home');
      await open(page, hand, 'Policy');
      await hand.press(buttonOf(page, `Lift it: Newcomer by ${hand.name}`));
      await buttonOf(page, `Lift it: Newcomer by ${hand.name}`).waitFor({ state: 'detached' });
    },
  },
  {
    point: 9,
    who: 'administrator',
    task: 'publishes a notice for some roles',
    async work({ administrator: { page } }, hand) {
      await open(page, hand, 'Policy');
      await hand.press(buttonOf(page, 'Write a notice'));
      await hand.type(dialogOf(page).getByLabel('Title'), `Rules by ${hand.name}`);
      await hand.type(dialogOf(page).getByLabel('Text'), 'Read them, then go on.');
      await hand.tick(dialogOf(page).getByRole('checkbox', { name: `Reader by ${hand.name}` }));
      await hand.press(dialogOf(page).getByRole('button', { name: 'Publish' }));
      await buttonOf(page, `Withdraw: Rules by ${hand.name}`).waitFor();
    },
  },
  {
    point: 9,
    who: 'user',
    task: 'acknowledges a notice before going on',
    async work(stage, hand) {
      const { page } = colleagueOf(stage, hand);
      await page.reload();
      await page.getByRole('dialog', { name: `Rules by ${hand.name}` }).waitFor();
      expect(await ask(page, 'POST', '/api/clients/search', { q: 'a' })).toBe(403);
      await hand.press(buttonOf(page, 'I have read it'));
      await dialogOf(page).waitFor({ state: 'detached' });
      expect(await ask(page, 'POST', '/api/clients/search', { q: 'a' })).toBe(200);
    },
  },
  {
    point: 9,
    who: 'administrator',
    task: 'sees how many have acknowledged a notice, and withdraws it',
    async work({ administrator: { page } }, hand) {
      await open(page, hand, 'Home');
      await open(page, hand, 'Policy');
      const notice = page.getByRole('listitem').filter({ hasText: `Rules by ${hand.name}` });
      await notice.getByText('acknowledged by 1').waitFor();
      await hand.press(notice.getByRole('button', { name: /^Withdraw/ }));
      await notice.getByText('withdrawn').waitFor();
    },
  },
];

async function networks({ administrator: { page } }: Stage, hand: Hand, place: string, text: string): Promise<void> {
  await open(page, hand, 'Policy');
  const section = page.getByRole('region', { name: 'Allowed networks' });
  await hand.pick(section.getByRole('combobox', { name: 'For' }), place);
  await hand.type(section.getByLabel('Networks'), text);
  await hand.press(section.getByRole('button', { name: text === '' ? 'Allow every network' : 'Save the list' }));
}
