import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBrowser, type TestBrowser } from '../support/browser.ts';
import { startWebFixture, type WebFixture } from '../support/web-fixture.ts';
import { idOf } from '../support/web-fixture-data.ts';

/**
 * P17: a record, a file, a node or a reason whose text is a script is shown as that text, in every page. Every text that somebody
 * outside can choose is replaced on its way to the browser; the pages and their policy are the built ones.
 */
const EVIL = `<img src=x onerror="globalThis.ran=1"><script>globalThis.ran=1</script>"'>{{1+1}}javascript:globalThis.ran=1`;
const CHOSEN = /"(name|familyName|value|text|reason|label|fileName|startedBy|domainLabel|key|a|b)":"[^"]*"/g;

let browser: TestBrowser;
let fixture: WebFixture;
beforeAll(async () => {
  fixture = await startWebFixture();
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
  await fixture.close();
});

test.each([
  ['/', false],
  ['/clients', true],
  [`/clients/${idOf(1, 1)}`, true],
  ['/reviews', true],
  ['/load', true],
  ['/nodes', true],
  ['/audit', true],
  ['/people', true],
])('%s', async (path, shows) => {
  const { page, context, faults } = await browser.newPage();
  let dialogs = 0;
  page.on('dialog', (dialog) => {
    dialogs += 1;
    void dialog.dismiss();
  });
  await page.route('**/api/**', async (route) => {
    const answer = await route.fetch();
    const text = await answer.text();
    const body = text.replaceAll(CHOSEN, (whole, field: string) =>
      /":"[0-9a-f]{8}-[0-9a-f]{4}-/.test(whole) ? whole : `"${field}":${JSON.stringify(EVIL)}`,
    );
    await route.fulfill({ response: answer, body });
  });
  await page.goto(fixture.url + path, { waitUntil: 'networkidle' });
  if (shows) expect(await page.locator('body').innerText()).toContain('globalThis.ran=1');
  expect(await page.evaluate('globalThis.ran')).toBeUndefined();
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect(await page.locator('a[href^="javascript:"]').count()).toBe(0);
  expect(dialogs).toBe(0);
  expect(faults).toEqual([]);
  await context.close();
});
