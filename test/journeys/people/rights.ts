import { expect } from 'vitest';
import { heading } from '../../support/journey.ts';
import { careseal } from '../../support/server.ts';
import { ask, buttonOf, colleagueOf, dialogOf, open, openPerson, type Task } from './stage.ts';

/** Organisations, roles, who belongs where, and why somebody may or may not. */
export const RIGHTS: readonly Task[] = [
  {
    point: 3,
    who: 'administrator',
    task: 'caps what the people of an organisation may',
    async work({ administrator: { page } }, hand) {
      await open(page, hand, 'People', 'Organisations');
      await hand.type(page.getByLabel('Find by name'), `Clinic by ${hand.name}`);
      await hand.press(page.getByRole('button', { name: new RegExp(`Clinic by ${hand.name}`) }));
      await hand.tick(dialogOf(page).getByRole('checkbox', { name: 'Cap what its people may' }));
      await hand.tick(dialogOf(page).getByRole('checkbox', { name: 'load files of clients' }));
      await hand.press(dialogOf(page).getByRole('button', { name: 'Save' }));
      await dialogOf(page).waitFor({ state: 'detached' });
      await page.getByText(/permissions at most/).waitFor();
    },
  },
  {
    point: 3,
    who: 'administrator',
    task: 'retires an organisation and restores it',
    async work({ administrator: { page } }, hand) {
      const name = `Old ward by ${hand.name}`;
      expect(await ask(page, 'POST', '/api/organisations', { name })).toBe(201);
      await open(page, hand, 'People', 'Roles');
      await open(page, hand, 'People', 'Organisations');
      await hand.type(page.getByLabel('Find by name'), name);
      await hand.press(page.getByRole('button', { name }));
      await hand.press(dialogOf(page).getByRole('button', { name: 'Retire' }));
      await hand.press(buttonOf(page, 'Retire it'));
      await dialogOf(page).first().waitFor({ state: 'detached' });
      await hand.pick(page.getByRole('combobox', { name: 'Show' }), 'retired');
      await hand.press(page.getByRole('button', { name }));
      await hand.press(dialogOf(page).getByRole('button', { name: 'Restore' }));
      await dialogOf(page).waitFor({ state: 'detached' });
      await hand.pick(page.getByRole('combobox', { name: 'Show' }), 'at work');
      await page.getByRole('button', { name }).waitFor();
    },
  },
  {
    point: 3,
    who: 'administrator',
    task: 'makes a role',
    async work({ administrator: { page } }, hand) {
      await open(page, hand, 'People', 'Roles');
      await hand.press(buttonOf(page, 'Make a role'));
      await hand.type(dialogOf(page).getByLabel('Name'), `Reader by ${hand.name}`);
      await hand.type(dialogOf(page).getByLabel('What it is for'), 'looks up and nothing else');
      await hand.tick(dialogOf(page).getByRole('checkbox').first());
      await hand.press(dialogOf(page).getByRole('button', { name: 'Save' }));
      await page.getByRole('heading', { name: `Reader by ${hand.name}` }).waitFor();
    },
  },
  {
    point: 3,
    who: 'administrator',
    task: 'changes a role, and retires one that nobody needs',
    async work({ administrator: { page } }, hand) {
      expect(
        await ask(page, 'POST', '/api/roles', {
          name: `Typist by ${hand.name}`,
          about: '',
          permissions: ['client.read'],
        }),
      ).toBe(201);
      await page.reload();
      await open(page, hand, 'People', 'Roles');
      await hand.press(buttonOf(page, `Change Typist by ${hand.name}`));
      await hand.tick(dialogOf(page).getByRole('checkbox').nth(1));
      await hand.press(dialogOf(page).getByRole('button', { name: 'Save' }));
      await dialogOf(page).waitFor({ state: 'detached' });
      await hand.press(buttonOf(page, `Change Typist by ${hand.name}`));
      await hand.press(dialogOf(page).getByRole('button', { name: 'Retire' }));
      await hand.press(buttonOf(page, 'Retire it'));
      await page.getByRole('heading', { name: `Typist by ${hand.name}` }).waitFor({ state: 'detached' });
    },
  },
  {
    point: 3,
    who: 'administrator',
    task: 'changes somebody’s roles',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await openPerson(stage, hand, `Newcomer by ${hand.name}`);
      await hand.tick(dialogOf(page).getByRole('checkbox', { name: 'Steward' }));
      await hand.tick(dialogOf(page).getByRole('checkbox', { name: 'Administrator' }));
      await hand.press(buttonOf(page, 'Save the roles'));
      await buttonOf(page, 'Save the roles').waitFor({ state: 'detached' });
    },
  },
  {
    point: 3,
    who: 'administrator',
    task: 'lets somebody join a second organisation',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await openPerson(stage, hand, `Newcomer by ${hand.name}`);
      await hand.press(page.getByText('Let them join another organisation'));
      const ward = `Old ward by ${hand.name}`;
      await hand.pick(dialogOf(page).getByRole('combobox', { name: 'Organisation' }), ward, ward);
      await hand.tick(dialogOf(page).getByRole('checkbox', { name: 'Auditor' }).last());
      await hand.press(buttonOf(page, 'Join'));
      await page.getByRole('region', { name: `Roles in ${ward}` }).waitFor();
    },
  },
  {
    point: 3,
    who: 'user',
    task: 'chooses in which of several organisations to be at work',
    async work(stage, hand) {
      const { page } = colleagueOf(stage, hand);
      await page.reload();
      const here = page.getByRole('button', { name: /^At work in/ });
      await hand.choose(here, `Old ward by ${hand.name}`);
      await page.getByRole('button', { name: `At work in Old ward by ${hand.name}` }).waitFor();
      await hand.choose(here, `Clinic by ${hand.name}`);
      await page.getByRole('button', { name: `At work in Clinic by ${hand.name}` }).waitFor();
    },
  },
  {
    point: 3,
    who: 'administrator',
    task: 'takes somebody out of an organisation',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await openPerson(stage, hand, `Newcomer by ${hand.name}`);
      const ward = page.getByRole('region', { name: `Roles in Old ward by ${hand.name}` });
      await hand.press(ward.getByRole('button', { name: /Take out of this organisation/ }));
      await ward.waitFor({ state: 'detached' });
    },
  },
  {
    point: 3,
    who: 'user',
    task: 'as administrator of a clinic invites somebody into it, and finds nobody of another',
    async work(stage, hand) {
      const { page } = colleagueOf(stage, hand);
      await open(page, hand, 'People', 'People');
      await hand.press(buttonOf(page, 'Invite a colleague'));
      await hand.type(dialogOf(page).getByLabel('Name'), `Nurse by ${hand.name}`);
      await hand.type(dialogOf(page).getByLabel('E-mail'), `nurse-${hand.name}@example.org`);
      await hand.tick(dialogOf(page).getByRole('checkbox', { name: 'Registrar' }));
      await hand.press(dialogOf(page).getByRole('button', { name: 'Make the link' }));
      await hand.press(dialogOf(page).getByRole('button', { name: 'Done' }));
      await page.getByRole('link', { name: new RegExp(`Nurse by ${hand.name}`) }).waitFor();
      await hand.type(page.getByLabel('Find by name or e-mail'), 'Amina');
      await page.getByText('Nobody’s name or address begins so').waitFor();
    },
  },
  {
    point: 3,
    who: 'administrator',
    task: 'is told why somebody can or cannot do a thing',
    async work(stage, hand) {
      const { page } = stage.administrator;
      await openPerson(stage, hand, `Newcomer by ${hand.name}`);
      await hand.press(page.getByRole('link', { name: /Why can, or can’t/ }));
      await page.getByRole('table', { name: 'Rights with their reasons' }).waitFor();
      await page.getByText('but the organisation’s ceiling does not let it through').first().waitFor();
    },
  },
  {
    point: 3,
    who: 'administrator',
    task: 'confirms somebody’s rights in the access review, and takes somebody else’s away',
    async work({ administrator: { page } }, hand) {
      await open(page, hand, 'People', 'Access review');
      await hand.pick(page.getByRole('combobox', { name: 'Last looked at' }), 'at any time');
      const newcomer = `Newcomer by ${hand.name}`;
      await hand.press(buttonOf(page, `Still right: ${newcomer}`));
      await page
        .getByRole('listitem')
        .filter({ hasText: newcomer })
        .getByText(/looked at .*(now|second|minute)/)
        .waitFor();
      const nurse = `Take away: Nurse by ${hand.name}`;
      await hand.press(buttonOf(page, nurse));
      await hand.press(page.getByRole('dialog').getByRole('button', { name: 'Take away' }));
      await buttonOf(page, nurse).waitFor({ state: 'detached' });
    },
  },
  {
    point: 3,
    who: 'administrator',
    task: 'shares a client with another organisation, and ends the sharing',
    async work(stage, hand) {
      const { page } = stage.administrator;
      if (stage.links.get('clients') === undefined) {
        const made = await careseal(['sandbox', 'create', '--out', `${stage.home}/sandbox`], { home: stage.home });
        expect(made).toMatchObject({ code: 0 });
        stage.links.set('clients', 'made');
      }
      await open(page, hand, 'Clients');
      await hand.type(page.getByLabel('Search clients'), 'Sandcastle');
      await hand.press(page.getByRole('link', { name: /Sandcastle/ }).first());
      await page.getByRole('heading', { name: 'What is known' }).waitFor();
      await hand.press(page.getByRole('button', { name: 'Share', exact: true }));
      const clinic = `Clinic by ${hand.name}`;
      await hand.pick(dialogOf(page).getByRole('combobox', { name: 'With which organisation' }), clinic, clinic);
      await hand.type(dialogOf(page).getByLabel('Why', { exact: true }), 'They care for her as well.');
      await hand.press(dialogOf(page).getByRole('button', { name: 'Share' }));
      await hand.press(buttonOf(page, `End it: ${clinic}`));
      await hand.type(dialogOf(page).getByLabel('Why', { exact: true }), 'She has moved away.');
      await hand.press(dialogOf(page).getByRole('button', { name: 'End it' }));
      await buttonOf(page, `End it: ${clinic}`).waitFor({ state: 'detached' });
      await heading(page, /Sandcastle/).waitFor();
    },
  },
];
