import { describe, expect, it } from 'vitest';
import { type Hour, ROWS } from '../../support/first-hour.ts';
import { goTo } from '../../support/journey.ts';
import { picture } from '../../support/pictures.ts';
import { careseal } from '../../support/server.ts';

/** Every act of this hour, as the log names it. */
const HAPPENED = [
  'First administrator set up',
  'First administrator confirmed',
  'File uploaded',
  'Load started',
  'Load finished',
  'Rejected rows downloaded',
  'Client created',
  'Clients searched',
  'Client read',
  'Review read',
  'Review decided',
  'Review decision undone',
  'Records separated',
  'User added',
  'Enrolment confirmed',
  'Sign-out',
  'Sign-in: password',
  'Sign-in: second factor',
  'Node added',
  'Clients matched',
  'Node authentication',
  'Node revoked',
  'Audit log searched',
];

/** Everything is in the log, whole, and nothing went wrong on the way. */
export function log(hour: Hour): void {
  describe('6. the log', () => {
    it('lists all of this, each event proven', async () => {
      const { page } = hour.administrator;
      await goTo(page, 'Audit');
      await page.getByText('The log is whole.').waitFor();
      await picture(page, 'audit');
      const titles = new Set<string>();
      const refused = new Set<string>();
      let cursor: string | undefined = '';
      while (cursor !== undefined) {
        const part: { events: { title: string; outcome: string }[]; next?: string } = await hour.api(
          `/api/audit/events?limit=200${cursor}`,
        );
        for (const { title, outcome } of part.events) {
          titles.add(title);
          if (outcome !== 'success') refused.add(title);
        }
        cursor = part.next === undefined ? undefined : `&cursor=${part.next}`;
      }
      expect([...titles]).toEqual(expect.arrayContaining(HAPPENED));
      // What the registrar may not see, and what the revoked node asked for.
      expect([...refused]).toEqual(expect.arrayContaining(['Audit log searched', 'Node authentication']));
      await page.getByRole('combobox', { name: 'What' }).fill('Node revoked');
      await page.getByRole('option', { name: 'Node revoked' }).click();
      await page.getByRole('table', { name: 'Audit events' }).getByRole('link').first().click();
      const drawer = page.getByRole('dialog');
      await drawer.getByText('done: laptop stolen').waitFor();
      await picture(page, 'audit-event');
      await page.keyboard.press('Escape');
      await drawer.waitFor({ state: 'detached' });
    });

    it('is verified from the command line', async () => {
      const verified = await careseal(['audit', 'verify', '--json'], { home: hour.home });
      expect(verified).toMatchObject({ code: 0, stderr: '' });
      expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, problems: [] });
      expect(JSON.parse(verified.stdout).size).toBeGreaterThan(ROWS);
    });

    it('did all this without an error in a page or on the server', async () => {
      expect(hour.administrator.faults).toEqual([]);
      expect(hour.colleague?.faults).toEqual([]);
      const lines = hour.server
        .stderr()
        .split('\n')
        .filter((line) => /"level":"(warn|error|fatal)"/.test(line));
      expect(lines).toEqual([]);
      await goTo(hour.administrator.page, 'Home');
      await picture(hour.administrator.page, 'home-later');
    });
  });
}
