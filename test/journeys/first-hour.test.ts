import { describe, expect, it } from 'vitest';
import { firstHour } from '../support/first-hour.ts';
import { dayNow, heading, openAccount, signInByKeyboard, tabTo } from '../support/journey.ts';
import { picture } from '../support/pictures.ts';
import { clinic } from './first-hour/clinic.ts';
import { colleague } from './first-hour/colleague.ts';
import { duplicates } from './first-hour/duplicates.ts';
import { loading } from './first-hour/loading.ts';
import { log } from './first-hour/log.ts';

/**
 * The first hour of a programme administrator, on the whole product: `careseal start` in a new home with its own PostgreSQL
 * and TLS, a real browser, a real node with curl. The steps build on each other, in order.
 */
const hour = firstHour();

describe('1. set-up', () => {
  it('opens the printed link once: organisation, account, second factor, recovery codes', async () => {
    const { page } = hour.administrator;
    hour.account = await openAccount(page, {
      link: hour.server.setupLink ?? '',
      organisation: 'Lakeside Health Programme',
      name: 'Amina Okello',
      email: 'amina@lakeside.example.org',
      password: 'seven herons over the lake',
    });
    expect(new Set(hour.account.recoveryCodes).size).toBe(10);
    expect(await page.locator('.bar-organisation').innerText()).toBe('Lakeside Health Programme');
    await picture(page, 'home-first-day');

    const { page: second, context } = await hour.newPage();
    await second.goto(hour.server.setupLink ?? '');
    await heading(second, 'This link does not work any more').waitFor();
    await context.close();
  });
});

loading(hour);
duplicates(hour);
colleague(hour);
clinic(hour);
log(hour);

describe('by keyboard alone', () => {
  it('signs in, goes to the reviews, decides one', async () => {
    const { page, context } = await hour.newPage();
    await page.goto(hour.url('/'));
    await signInByKeyboard(page, hour.account);
    await heading(page, 'Home').waitFor();
    await tabTo(page, page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Reviews' }));
    await page.keyboard.press('Enter');
    await heading(page, 'Reviews').waitFor();
    await tabTo(page, page.getByRole('link', { name: 'Start reviewing' }));
    await page.keyboard.press('Enter');
    await page.locator('.review-grid[aria-busy="false"]').waitFor();
    const begun = dayNow();
    const { decidedToday } = (await hour.api('/api/reviews')).counts;
    const decidedSince = async (): Promise<number | string> => {
      const now = (await hour.api('/api/reviews')).counts.decidedToday;
      return dayNow() === begun ? now - decidedToday : 'another day';
    };
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Undo the last decision').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const first = page.url();
    await page.keyboard.press('d');
    await page.getByText('Kept apart: different people.').waitFor();
    // The next pair is another page: what has the focus on this one goes with it.
    await expect.poll(() => page.url()).not.toBe(first);
    const next = new URL(page.url()).pathname.split('/').at(-1);
    await page.locator(`.review-grid[data-review="${next}"][aria-busy="false"]`).waitFor();
    expect([1, 'another day']).toContain(await decidedSince());
    await tabTo(page, page.getByRole('button', { name: /^One person/ }));
    await page.keyboard.press('Enter');
    await page.getByText('Linked: one person.').waitFor();
    expect([2, 'another day']).toContain(await decidedSince());
    await context.close();
  });
});
