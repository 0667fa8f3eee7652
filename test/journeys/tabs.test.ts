import { afterAll, beforeAll, expect, it } from 'vitest';
import { PHONE, type TestBrowser, startBrowser } from '../support/browser.ts';
import { type WebFixture, startWebFixture } from '../support/web-fixture.ts';

/** The places of one part of the product stand in a bar of their own; on a phone not all of them fit. */
let browser: TestBrowser;
let fixture: WebFixture;

beforeAll(async () => {
  browser = await startBrowser();
  fixture = await startWebFixture();
});
afterAll(async () => {
  await browser.close();
  await fixture.close();
});

it.each([
  ['/audit/received', 'Received'],
  ['/people/providers', 'Identity providers'],
  ['/nodes/trust', 'Trust'],
])('the place that is shown is in sight on a phone: %s', async (path, name) => {
  const { page, context, faults } = await browser.newPage(PHONE);
  await page.goto(fixture.url + path);
  const place = page.locator('main').getByRole('link', { name, exact: true });
  await place.waitFor();
  const inSight = () =>
    place.evaluate((link) => {
      const { left, right } = link.getBoundingClientRect();
      return left >= 0 && right <= window.innerWidth;
    });
  await expect.poll(inSight).toBe(true);
  expect(faults).toEqual([]);
  await context.close();
});
