import { describe, expect, it } from 'vitest';
import type { Hour } from '../../support/first-hour.ts';
import { goTo, heading, openAccount, signInByKeyboard } from '../../support/journey.ts';
import { picture } from '../../support/pictures.ts';

/** A registrar is invited, enrols in a browser of his own, and sees his part only. */
export function colleague(hour: Hour): void {
  describe('4. a colleague', () => {
    it('is invited as registrar and opens the account in another browser', async () => {
      const { page } = hour.administrator;
      await goTo(page, 'People');
      await page.getByRole('button', { name: 'Invite a colleague' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name').fill('Joseph Kato');
      await dialog.getByLabel('E-mail').fill('joseph@lakeside.example.org');
      await dialog.getByLabel('Registrar').check();
      await picture(page, 'people-invite');
      await dialog.getByRole('button', { name: 'Make the link' }).click();
      const link = await page.getByRole('region', { name: 'the link' }).innerText();
      await page.getByRole('button', { name: 'Done' }).click();
      const password = 'nine boats before the storm';
      hour.colleague = await hour.newPage();
      hour.colleagueAccount = await openAccount(hour.colleague.page, {
        link,
        name: 'Joseph Kato',
        email: 'joseph@lakeside.example.org',
        password,
      });
      await page.reload();
      await expect
        .poll(() => page.getByRole('table', { name: 'People' }).innerText())
        .toMatch(/Joseph Kato[^]*Registrar[^]*active/);
      await picture(page, 'people');
    });

    it('signs in again, and sees what a registrar may and nothing else', async () => {
      const { page, context } = hour.colleague;
      await page.getByRole('button', { name: /^Account.*Joseph Kato/ }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
      await signInByKeyboard(page, hour.colleagueAccount);
      await heading(page, 'Home').waitFor();
      await picture(page, 'home-registrar');
      const rail = page.getByRole('navigation', { name: 'Main' }).first();
      expect((await rail.getByRole('listitem').allInnerTexts()).map((name) => name.trim())).toEqual([
        'Home',
        'Clients',
        'Load',
      ]);
      let searches = 0;
      page.on('request', (request) => void (searches += request.url().endsWith('/api/clients/search') ? 1 : 0));
      await goTo(page, 'Clients');
      await page.getByRole('table', { name: 'Clients' }).getByRole('link').first().waitFor();
      await page.waitForTimeout(500);
      expect(searches).toBe(1);
      await page.getByRole('table', { name: 'Clients' }).getByRole('link').first().click();
      await page.getByRole('heading', { name: 'Source records' }).waitFor();
      expect(await page.getByRole('button', { name: /Break|Take out|Merge/ }).count()).toBe(0);
      for (const path of ['/api/audit/events', '/api/users', '/api/nodes', '/api/reviews'])
        expect([path, (await context.request.get(hour.url(path))).status()]).toEqual([path, 403]);
      await page.goto(hour.url('/audit'));
      await page.getByText('Your roles do not include this page.').waitFor();
      expect(await page.getByRole('alert').count()).toBe(0);
      await picture(page, 'audit-registrar');
    });
  });
}
