import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../support/browser.ts';
import { KEYBOARD } from '../support/hands.ts';
import { heading } from '../support/journey.ts';
import { freshState, startWebFixture, type WebFixture } from '../support/web-fixture.ts';
import { idOf } from '../support/web-fixture-data.ts';

/** What single fields and buttons of the pages about people do, beside the tasks of test/journeys/people. */
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
beforeEach(() => {
  Object.assign(fixture.state, freshState());
});

async function opened(path: string) {
  const { page, context } = await browser.newPage();
  await page.goto(fixture.url + path);
  return { page, context };
}

describe('values that prove a second factor', () => {
  it('leave Escape to the dialog, at the first press', async () => {
    const { page, context } = await opened('/people/providers');
    await KEYBOARD.press(page.getByRole('button', { name: /^Change/ }).first());
    const dialog = page.getByRole('dialog', { name: 'Change the provider' });
    await KEYBOARD.type(dialog.getByLabel(/^amr values/).and(page.locator('input')), 'mf');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached', timeout: 5_000 });
    await context.close();
  });

  it('are kept when they are typed and saved at once', async () => {
    const { page, context } = await opened('/people/providers');
    await page
      .getByRole('button', { name: /^Change/ })
      .first()
      .click();
    const dialog = page.getByRole('dialog', { name: 'Change the provider' });
    await dialog
      .getByLabel(/^acr values/)
      .and(page.locator('input'))
      .fill('urn:gold');
    const saved = page.waitForRequest((request) => request.method() === 'PUT');
    await dialog.getByRole('button', { name: 'Save' }).click();
    expect((await saved).postDataJSON()).toMatchObject({ acr: expect.arrayContaining(['urn:gold']) });
    await context.close();
  });
});

describe('access review', () => {
  it('says in the question why rights could not be taken away, and takes nothing', async () => {
    fixture.state.failures.set('/api/users/', 503);
    const { page, context } = await opened('/people/access-review');
    const takers = page.getByRole('button', { name: /^Take away/ });
    await takers.first().click();
    const question = page.getByRole('dialog', { name: 'Take the rights away' });
    await question.getByRole('button', { name: 'Take away' }).click();
    await question.getByRole('alert').waitFor();
    // Nobody was disabled instead: that is done for a last membership alone.
    expect(fixture.state.acts.filter(({ path }) => path.startsWith('/api/users/')).map(({ method }) => method)).toEqual(
      ['DELETE'],
    );
    await question.getByRole('button', { name: 'Cancel' }).click();
    await question.waitFor({ state: 'detached' });
    expect(await takers.count()).toBeGreaterThan(0);
    await context.close();
  });

  it('asks for one organisation where one is chosen', async () => {
    const { page, context } = await opened('/people/access-review');
    const place = page.getByRole('combobox', { name: 'In which organisation' });
    await place.click();
    const asked = page.waitForRequest((request) => request.url().includes(`organisation=${idOf(8, 1)}`));
    await page.getByRole('option', { name: 'Clinique du Nord' }).click();
    await asked;
    await context.close();
  });
});

it('somebody’s account opens by its address, also where the list has not come to them', async () => {
  const { page, context } = await opened(`/people?person=${idOf(9, 4_000)}`);
  await page.getByRole('dialog', { name: 'Grace Namukasa' }).waitFor();
  await context.close();
});

it('switches of alert rules have names of their own', async () => {
  const { page, context } = await opened('/audit/alerts');
  await page.getByRole('button', { name: 'Rules and mails' }).click();
  const switches = page.getByRole('switch', { name: /^(on|mail): ./ });
  await switches.first().waitFor();
  const names = await switches.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
  expect(names).toEqual([...new Set(names)]);
  expect(names).toHaveLength(await page.getByRole('switch').count());
  await context.close();
});

it('whoever works in one window is not signed out by another one', async () => {
  const { page, context } = await browser.newPage();
  await page.clock.install();
  await page.goto(fixture.url);
  const other = await context.newPage();
  await other.goto(fixture.url);
  await heading(other, 'Home').waitFor();
  await heading(page, 'Home').waitFor();
  for (let minutes = 0; minutes < 20; minutes += 5) {
    await page.clock.fastForward(5 * 60_000);
    await page.mouse.move(100 + minutes, 100);
    await page.waitForTimeout(50);
  }
  await other.clock.runFor(2_000);
  expect(await other.getByRole('dialog', { name: 'Still there?' }).count()).toBe(0);
  await heading(other, 'Home').waitFor();
  await context.close();
});
