import { describe, expect, it } from 'vitest';
import { DOMAIN, type Hour, NATIONAL_ID, ROWS } from '../../support/first-hour.ts';
import { download, figuresOf, goTo, heading, progressSeen } from '../../support/journey.ts';
import { picture } from '../../support/pictures.ts';

const GUESSES = {
  rec_id: 'Record number',
  person: 'Leave out',
  given_name: 'Given name',
  surname: 'Family name',
  sex: 'Gender',
  date_of_birth: 'Birth date',
  phone_number: 'Telephone',
  national_id: 'Identifier (number of a card)',
  address: 'Street and house',
  city: 'Town or village',
  postcode: 'Postal code',
  mother: 'Mother’s maiden name',
} as const;

/** Five thousand rows by the page, three of them bad. */
export function loading(hour: Hour): void {
  describe('2. loading', () => {
    it('guesses the mapping and shows the first rows before anything is kept', async () => {
      const { page } = hour.administrator;
      await goTo(page, 'Load');
      await picture(page, 'load-empty');
      await page.getByRole('link', { name: 'Load a file' }).click();
      await page.getByLabel('File of clients').setInputFiles(hour.file.path);
      const preview = page.getByRole('region', { name: 'First rows as clients' });
      await preview.waitFor();
      const becomes = (column: string) =>
        page.getByRole('combobox', { name: `What the column ${column} becomes` }).inputValue();
      for (const [column, target] of Object.entries(GUESSES))
        expect([column, await becomes(column)]).toEqual([column, target]);
      await page.getByLabel('System of the identifier in national_id').fill(NATIONAL_ID);
      const [first] = hour.file.records;
      expect(await preview.innerText()).toContain(`${first?.family}`);
      await picture(page, 'load-mapping');
    });

    it('says what is missing instead of starting', async () => {
      const { page } = hour.administrator;
      await page.getByRole('button', { name: 'Dry run' }).click();
      await page.getByText('Say where the records come from').waitFor();
      await page.getByRole('combobox', { name: 'Domain' }).fill(DOMAIN);
    });

    it('tries the load without keeping anything', async () => {
      const { page } = hour.administrator;
      await page.getByRole('button', { name: 'Dry run' }).click();
      await heading(page, 'clients.csv').waitFor();
      await page.getByText('dry run done').waitFor({ timeout: 60_000 });
      const would = await figuresOf(page);
      expect(would).toMatchObject({
        'Rows read': ROWS + 3,
        'Records would be new': ROWS + 1,
        Rejected: 2,
        'With a warning': 1,
      });
      await picture(page, 'load-dry-run');
      expect(await hour.api('/api/home')).toMatchObject({ figures: { clients: 0, sources: 0 } });
    });

    it('loads, shows how far it is, and says what happened', async () => {
      const { page } = hour.administrator;
      await page.getByRole('link', { name: 'Back to the file, to load it' }).click();
      expect(await page.getByLabel('System of the identifier in national_id').inputValue()).toBe(NATIONAL_ID);
      await page.getByRole('button', { name: 'Load the file' }).click();
      await heading(page, 'clients.csv').waitFor();
      const seen = await progressSeen(page);
      expect(seen.filter((percent) => percent > 0 && percent < 100).length).toBeGreaterThan(0);
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      const figures = await figuresOf(page);
      expect(figures).toMatchObject({
        'Rows read': ROWS + 3,
        'Records new': ROWS + 1,
        Rejected: 2,
        'With a warning': 1,
      });
      expect(figures['Linked to a known client']).toBeGreaterThan(500);
      expect(figures['Reviews for a steward']).toBeGreaterThan(0);
      await picture(page, 'load-done');
      const { figures: home } = await hour.api('/api/home');
      expect(home.sources).toBe(ROWS + 1);
      expect(home.clients).toBe(ROWS + 1 - (figures['Linked to a known client'] ?? 0));
      console.log(`loaded: ${JSON.stringify(figures)}, ${home.clients} clients`);
    });

    it('hands out the rows it could not use, each with its reason', async () => {
      const { page } = hour.administrator;
      const rejected = await download(page, () =>
        page.getByRole('link', { name: 'Download the rejected rows' }).click(),
      );
      const lines = rejected.trim().split('\r\n');
      expect(lines).toHaveLength(3);
      expect(lines[0]).toMatch(/^rec_id,person,given_name,.*,careseal_line,careseal_column,careseal_reason$/);
      expect(lines.find((line) => line.startsWith('x2,'))).toMatch(/Joseph,Kato,.*,\d+,.*4 fields.*12/);
      expect(lines.find((line) => line.includes('Grace'))).toContain('rec_id');
      const warnings = await download(page, () => page.getByRole('link', { name: 'Download the warnings' }).click());
      expect(warnings).toMatch(/1990-02-30.*date_of_birth/);
    });

    it('changes nothing when the same file is loaded again', async () => {
      const { page } = hour.administrator;
      const { figures: before } = await hour.api('/api/home');
      await page.goto(hour.url('/load/new'));
      await page.getByLabel('File of clients').setInputFiles(hour.file.path);
      await page.getByLabel('System of the identifier in national_id').fill(NATIONAL_ID);
      await page.getByRole('combobox', { name: 'Domain' }).fill(DOMAIN);
      await page.getByRole('button', { name: 'Load the file' }).click();
      await heading(page, 'clients.csv').waitFor();
      await progressSeen(page);
      expect(await figuresOf(page)).toEqual({
        'Rows read': ROWS + 3,
        'Records new': 0,
        'Records changed': 0,
        'Already there, unchanged': ROWS + 1,
        'Linked to a known client': 0,
        'Reviews for a steward': 0,
        'With a warning': 1,
        Rejected: 2,
      });
      expect((await hour.api('/api/home')).figures).toEqual({ ...before, loads: before.loads + 1 });
      await goTo(page, 'Load');
      await picture(page, 'loads');
    });
  });
}
