import { describe, expect, it } from 'vitest';
import type { Hour } from '../../support/first-hour.ts';
import { dayNow, goTo, heading } from '../../support/journey.ts';
import { picture } from '../../support/pictures.ts';

/** Reviews by keyboard, the picture of why, a link broken. */
export function duplicates(hour: Hour): void {
  let linkedReview: string;

  describe('3. duplicates', () => {
    it('finds a person while typing', async () => {
      const { page } = hour.administrator;
      await goTo(page, 'Clients');
      const somebody = hour.file.records[40];
      await page.getByLabel('Search clients').fill(`${somebody?.given.slice(0, 4)} ${somebody?.birthDate}`);
      await page.getByText(/\d client.* found/).waitFor();
      await picture(page, 'clients-found');
      await expect
        .poll(() => page.getByRole('table', { name: 'Clients' }).innerText())
        .toContain(somebody?.family ?? '');
      expect(page.url()).toBe(hour.url('/clients'));
    });

    it('decides reviews by keyboard, and takes decisions back', async () => {
      const { page } = hour.administrator;
      await goTo(page, 'Reviews');
      const begun = dayNow();
      const open = (await hour.api('/api/reviews')).counts.open;
      await picture(page, 'reviews');
      await page.getByRole('link', { name: 'Start reviewing' }).click();
      await heading(page, 'Are these two one person?').waitFor();
      await picture(page, 'review');
      await page.locator('.review-grid[aria-busy="false"]').waitFor();
      const first = page.url();
      const stateOf = async (address: string): Promise<unknown> =>
        (await hour.api(`/api${new URL(address).pathname}`)).review;
      const press = async (key: string, said: string): Promise<void> => {
        const at = page.url();
        await page.keyboard.press(key);
        await page.getByText(said).waitFor();
        await expect.poll(() => page.url()).not.toBe(at);
        const next = new URL(page.url()).pathname.split('/').at(-1);
        await page.locator(`.review-grid[data-review="${next}"][aria-busy="false"]`).waitFor();
      };
      await press('l', 'Linked: one person.');
      expect(await stateOf(first)).toMatchObject({ state: 'decided', decision: 'link' });
      const second = page.url();
      await press('d', 'Kept apart: different people.');
      expect(await stateOf(second)).toMatchObject({ state: 'decided', decision: 'different' });
      const third = page.url();
      await press('s', 'Put off for later.');
      expect(await stateOf(third)).toMatchObject({ state: 'later' });
      await picture(page, 'review-undo');
      await page.keyboard.press('u');
      await expect.poll(() => page.url()).toBe(third);
      expect(await stateOf(third)).toMatchObject({ state: 'open' });
      const { counts } = await hour.api('/api/reviews');
      expect(counts.later).toBe(0);
      if (dayNow() === begun) expect(counts.decidedToday).toBe(2);
      // A link answers every other question between the same two people as well.
      expect(counts.open).toBeLessThanOrEqual(open - 2);
      linkedReview = first;
    });

    it('shows on the client’s page why the records are one person, and breaks a link with a reason', async () => {
      const { page } = hour.administrator;
      const { review } = await hour.api(`/api${new URL(linkedReview).pathname}`);
      expect(review.a.clientId).toBe(review.b.clientId);
      await page.goto(hour.url(`/clients/${review.a.clientId}`));
      const net = page.getByRole('group', { name: /^\d source records and their links$/ });
      await net.waitFor();
      const ties = net.getByRole('button');
      expect(await ties.count()).toBeGreaterThan(0);
      await ties.first().press('Enter');
      expect(await page.getByRole('list').filter({ hasText: 'Sum' }).innerText()).toMatch(
        /Family name|Given name|Birth date/,
      );
      await picture(page, 'client');
      await page.getByRole('button', { name: /^Break: take/ }).click();
      await page.getByRole('dialog').getByLabel('Reason').fill('Two sisters, the clinic confirmed it');
      await picture(page, 'client-break');
      await page.getByRole('button', { name: 'Take it out' }).click();
      await page.getByText('Taken out.').waitFor();
      await expect.poll(() => page.locator('.ledger').innerText()).toContain('Two sisters, the clinic confirmed it');
      await picture(page, 'client-broken');
      await page.getByRole('link', { name: 'open it' }).click();
      await page.getByText('One record only').waitFor();
      expect(page.url()).not.toContain(review.a.clientId);
    });
  });
}
