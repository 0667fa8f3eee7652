import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { PHONE, type PageOptions, type TestBrowser, type TestPage, startBrowser } from '../support/browser.ts';
import { idOf } from '../support/web-fixture-data.ts';
import { type WebFixture, freshState, startWebFixture } from '../support/web-fixture.ts';

/** What the pages do, against the fixture door: keys, addresses, drafts, expiry, rights, errors. */
let browser: TestBrowser;
let fixture: WebFixture;
let open: TestPage | undefined;

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
afterEach(async () => {
  const faults = open?.faults ?? [];
  await open?.context.close();
  open = undefined;
  if (faults.length > 0) throw new Error(faults.join('\n'));
});

async function visit(path: string, options: PageOptions = {}): Promise<Page> {
  open = await browser.newPage(options);
  await open.page.goto(fixture.url + path);
  await open.page.waitForLoadState('networkidle');
  return open.page;
}

const lastAct = (path: RegExp) => fixture.state.acts.findLast((act) => path.test(act.path));

describe('systems', () => {
  it('finds one of five hundred by parts of its name and domain, or by state', async () => {
    fixture.state.nodes = 500;
    const page = await visit('/nodes');
    await page.getByText('500 nodes', { exact: true }).waitFor();
    await page.getByLabel('Find', { exact: true }).fill('CLINIC more 499');
    await page.getByText('1 of 500 nodes', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Clinic 499' }).waitFor();
    await page.getByLabel('Find', { exact: true }).fill('nobody');
    await page.getByText('No node fits').waitFor();
    await page.getByLabel('Find', { exact: true }).fill('');
    await page.getByRole('combobox', { name: 'State' }).click();
    await page.getByRole('option', { name: 'suspended' }).click();
    await page.getByText(/^\d+ of 500 nodes$/).waitFor();
    expect(await page.getByText('suspended').count()).toBeGreaterThan(1);
  });

  it('other filters of the transactions begin at the newest again', async () => {
    const page = await visit('/nodes/transactions');
    const newer = page.getByRole('button', { name: 'Newer' });
    await page.getByRole('button', { name: 'Older' }).click();
    await expect.poll(() => newer.isEnabled()).toBe(true);
    const asked = page.waitForRequest((request) => /\/api\/calls\?.*request=abc/.test(request.url()));
    await page.getByLabel('Correlation id').fill('abc');
    expect((await asked).url()).not.toContain('before=');
    await expect.poll(() => newer.isEnabled()).toBe(false);
  });
});

describe('clients', () => {
  it('searches while typing, keeps the words out of the address, and opens by keyboard alone', async () => {
    const page = await visit('/clients');
    await page.keyboard.type('oke 19');
    await page.getByText(/clients found/).waitFor();
    await expect.poll(() => lastAct(/clients\/search/)?.body).toMatchObject({ q: 'oke 19' });
    expect(page.url()).toBe(`${fixture.url}/clients`);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What is known' }).waitFor();
    await page.goBack();
    await expect.poll(() => page.getByLabel('Search clients').inputValue()).toBe('oke 19');
  });

  it('shows five thousand rows with few of them in the document', async () => {
    const page = await visit('/clients');
    const rows = page.locator('.list-body [role=row]');
    await rows.first().waitFor();
    await page.getByLabel('Search clients').blur();
    await rows.first().locator('.row-link').focus();
    // Each time the end is reached, more is fetched.
    const toEnd = async () => {
      await page.keyboard.press('End');
      return Number(await rows.last().getAttribute('aria-rowindex'));
    };
    await expect.poll(toEnd, { interval: 100 }).toBeGreaterThan(250);
    expect(await rows.count()).toBeLessThan(90);
    expect(await page.locator('[role=table]').getAttribute('aria-rowcount')).toBe('5001');
  });

  it('takes a record out with a reason, and says what became of it', async () => {
    const page = await visit(`/clients/${idOf(1, 3)}`);
    await page
      .getByRole('button', { name: /^Take out the record/ })
      .nth(1)
      .click();
    await page.getByRole('button', { name: 'Take it out' }).click();
    await page.getByText('Say in a few words why.').waitFor();
    await page.getByLabel('Reason').fill('Father and son');
    await page.getByRole('button', { name: 'Take it out' }).click();
    await page.getByText('Taken out.').waitFor();
    await expect
      .poll(() => lastAct(/unlink$/)?.body)
      .toEqual({ sourceId: idOf(2, 3 * 8 + 1), reason: 'Father and son' });
  });

  it('shows why a tie holds when the tie is chosen by keyboard', async () => {
    const page = await visit(`/clients/${idOf(1, 3)}`);
    const tie = page.getByRole('button', { name: /^Mulago clinic and Central laboratory: 91/ });
    await tie.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /Mulago clinic.*and Central laboratory/ }).waitFor();
    await expect.poll(() => tie.getAttribute('aria-pressed')).toBe('true');
  });

  it('tells a failure in three parts and tries again', async () => {
    fixture.state.failures.set('/api/clients/search', 500);
    const page = await visit('/clients');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toMatch(/could not finish.*half done.*Try again.*0195ffff/s);
    fixture.state.failures.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('5,000 clients').waitFor();
  });
});

/** The pair is on the screen, as it is now: before, keys mean nothing or the one before. */
async function shown(page: Page, at: number): Promise<void> {
  await page.locator(`.review-grid[data-review="${idOf(4, at)}"][aria-busy="false"]`).waitFor();
}

describe('reviews', () => {
  it('are decided by keys, taken back by U, and walked through with J and K', async () => {
    const page = await visit(`/reviews/${idOf(4, 0)}`);
    await shown(page, 0);
    await page.keyboard.press('j');
    await page.waitForURL(`**/reviews/${idOf(4, 1)}`);
    await shown(page, 1);
    await page.keyboard.press('k');
    await page.waitForURL(`**/reviews/${idOf(4, 0)}`);
    await shown(page, 0);
    await page.keyboard.press('l');
    await page.waitForURL(`**/reviews/${idOf(4, 1)}`);
    await expect.poll(() => lastAct(/decision$/)?.body).toEqual({ decision: 'link' });
    await page.getByText('Linked: one person.').waitFor();
    await shown(page, 1);
    await page.keyboard.press('u');
    await page.waitForURL(`**/reviews/${idOf(4, 0)}`);
    await expect.poll(() => lastAct(/undo$/)?.path).toContain(idOf(4, 0));
    await shown(page, 0);
    await page.keyboard.press('d');
    await page.waitForURL(`**/reviews/${idOf(4, 1)}`);
    await expect.poll(() => lastAct(/decision$/)?.body).toEqual({ decision: 'different' });
  });

  it('keys do nothing while somebody types', async () => {
    const page = await visit(`/reviews/${idOf(4, 0)}`);
    await shown(page, 0);
    await page.keyboard.press('/');
    await page.getByRole('combobox', { name: 'Search everything' }).fill('');
    await page.keyboard.type('ldsu');
    expect(lastAct(/decision$/)).toBeUndefined();
  });

  it('are looked at in one’s own order, which stays while walking through them', async () => {
    const page = await visit('/reviews');
    await page.getByLabel('Order').selectOption('likeliest');
    await page.getByLabel('Whose pairs').selectOption('nobodys');
    await page.getByRole('link', { name: 'Start reviewing' }).click();
    await page.locator('.review-grid[aria-busy="false"]').waitFor();
    await page.keyboard.press('j');
    await page.waitForURL(/reviews\/.*order=likeliest&whose=nobodys|reviews\/.*whose=nobodys&order=likeliest/);
  });

  it('are taken, and say who wants to link where a second person is needed', async () => {
    const page = await visit(`/reviews/${idOf(4, 2)}`);
    await page.getByText('Ben Otieno says: one person. Do you agree?').waitFor();
    await page.getByRole('button', { name: 'I agree: one person' }).waitFor();
    await page.getByRole('button', { name: 'With nobody yet' }).click();
    await page.getByRole('menuitem', { name: 'Take it' }).click();
    await expect.poll(() => lastAct(/reviews\/assign/)?.body).toEqual({ reviews: [idOf(4, 2)], to: idOf(9, 0) });
  });

  it('need a second person when an administrator says so', async () => {
    const page = await visit('/reviews');
    await page.getByRole('button', { name: 'Rules' }).click();
    await page.getByRole('radio', { name: 'For every link' }).check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await expect.poll(() => lastAct(/review-rules/)?.body).toEqual({ secondPerson: 'always' });
  });

  it('are accepted together only from a sample that was looked at whole', async () => {
    const page = await visit('/reviews/together');
    const groups = page.getByRole('article');
    expect(
      await groups
        .nth(0)
        .getByRole('button', { name: /^Link the other/ })
        .count(),
    ).toBe(0);
    await groups.nth(1).getByRole('button', { name: 'Link the other 363' }).click();
    await expect.poll(() => lastAct(/review-groups\/.*\/accept/)).toBeDefined();
  });

  it('are measured: a drawn link is judged without its score', async () => {
    const page = await visit('/reviews/quality');
    await page.getByText('of 200 links were right').waitFor();
    await page.getByRole('button', { name: 'Different people' }).click();
    await expect.poll(() => lastAct(/quality\/checks\//)?.body).toEqual({ verdict: 'wrong' });
  });

  it('come back to the queue when the last one is decided, and can still be undone', async () => {
    fixture.state.reviews = 1;
    const page = await visit(`/reviews/${idOf(4, 22)}`);
    await shown(page, 22);
    await page.keyboard.press('s');
    await page.waitForURL('**/reviews');
    await page.getByText('Put off for later.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.waitForURL(`**/reviews/${idOf(4, 22)}`);
  });
});

describe('a session', () => {
  it('that ended on the server brings back to the place after signing in, with what was typed', async () => {
    const page = await visit('/nodes/add');
    await page.getByLabel('Name').fill('Clinic by the lake');
    await page.getByLabel('Domain').fill('urn:example:lake');
    fixture.state.signedIn = 'anonymous';
    await page.getByRole('button', { name: 'Add the node' }).click();
    await page.getByText('You were signed out').waitFor();
    await page.getByLabel('E-mail').fill('amina@example.org');
    await page.getByLabel('Password', { exact: true }).fill('right');
    await page.keyboard.press('Enter');
    await page.getByLabel('Code from').fill('123456');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/nodes/add');
    await expect.poll(() => page.getByLabel('Name').inputValue()).toBe('Clinic by the lake');
    await expect.poll(() => page.getByLabel('Domain').inputValue()).toBe('urn:example:lake');
  });

  it('is ended by Ctrl-L at once, and nothing of it stays on the screen', async () => {
    const page = await visit(`/clients/${idOf(1, 3)}`);
    await page.getByRole('heading', { name: 'What is known' }).waitFor();
    await page.keyboard.press('Control+l');
    await page.getByText('Locked.').waitFor();
    expect(await page.locator('body').innerText()).not.toMatch(/Okello/);
    await expect.poll(() => lastAct(/sign-out$/)).toBeDefined();
  });

  it('warns before it ends for want of a move, and goes on when asked', async () => {
    // Half of so short a time is for working, half for the warning.
    fixture.state.idleTimeoutSeconds = 24;
    const page = await visit('/clients');
    await page.getByText('Still there?').waitFor();
    expect(await page.locator('body').innerText()).toMatch(/signed out in 0:(0|1)\d/);
    await page.getByRole('button', { name: 'Stay signed in' }).click();
    await page.getByText('Still there?').waitFor({ state: 'hidden' });
  });

  it('hides the page when nobody moves, and shows it again at any key', async () => {
    open = await browser.newPage();
    await open.context.addInitScript(() =>
      localStorage.setItem('careseal-look', JSON.stringify({ privacyAfterSeconds: 2 })),
    );
    await open.page.goto(`${fixture.url}/clients`);
    const cover = open.page.getByRole('dialog', { name: /Hidden/ });
    await cover.waitFor();
    await open.page.keyboard.press('a');
    await cover.waitFor({ state: 'hidden' });
  });

  it('of an auditor shows the log and nothing of clients', async () => {
    fixture.state.roles = ['auditor'];
    const page = await visit('/');
    const rail = page.getByRole('navigation', { name: 'Main' }).first();
    const entries = async () => (await rail.innerText()).split('\n').filter(Boolean);
    await expect.poll(entries).toEqual(['Careseal', 'Home', 'Audit']);
  });

  it('of an auditor shows what other systems sent, who proved it, and asks for persons in no address', async () => {
    fixture.state.roles = ['auditor'];
    const page = await visit('/audit/received');
    await page.getByRole('table', { name: 'Received events' }).waitFor();
    await page.getByRole('link', { name: 'Patient Record' }).first().click();
    await page.getByText('The sender proved who it is').waitFor();
    await page.goBack();
    await page.goto(`${fixture.url}/audit/received?open=${idOf(24, 5)}`);
    await page.getByText('Nobody proved to have sent this').waitFor();
    await page.getByText('its end was cut off on the way').waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Person').fill('NIN-4711');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing fits these filters').waitFor();
    await expect.poll(() => lastAct(/audit\/received$/)?.body).toMatchObject({ person: 'NIN-4711' });
    expect(page.url()).toBe(`${fixture.url}/audit/received`);
    await page.getByRole('main').getByRole('button', { name: 'Show everything' }).last().click();
    await page.getByRole('table', { name: 'Received events' }).waitFor();
    await expect.poll(() => page.getByLabel('Person').inputValue()).toBe('');
  });

  it('of an auditor lets an event be taken away with its proof, and says so when it cannot be', async () => {
    fixture.state.roles = ['auditor'];
    const page = await visit(`/audit?open=${idOf(10, 6)}`);
    const button = page.getByRole('button', { name: 'Download with proof' });
    const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
    expect(file.suggestedFilename()).toBe(`audit-event-${idOf(10, 6)}.json`);
    expect(await readFile(await file.path(), 'utf8')).toContain('"format"');
    fixture.state.failures.set(`/api/audit/events/${idOf(10, 6)}/export`, 503);
    await button.click();
    await page.getByText('The file could not be made.').waitFor();
  });

  it('is told calmly that a place is not theirs, without asking the server for it', async () => {
    fixture.state.roles = ['auditor'];
    const page = await visit('/clients');
    await page.getByText('Your roles do not include this page.').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(lastAct(/clients/)).toBeUndefined();
  });

  it('with a recovery code says how many are left', async () => {
    fixture.state.signedIn = 'second-factor';
    const page = await visit('/sign-in');
    await page.getByRole('button', { name: /use a recovery code/ }).click();
    await page.getByLabel('Recovery code').fill('7k2m 0qxt 4zb9 pwc0');
    await page.keyboard.press('Enter');
    await page.getByText('3 are left').waitFor();
    await expect.poll(() => lastAct(/sign-in\/code$/)?.body).toEqual({ recoveryCode: '7k2m 0qxt 4zb9 pwc0' });
  });
});

describe('loading and connecting', () => {
  it('maps columns, refuses to start with gaps, and starts a dry run with the document', async () => {
    const page = await visit('/load/new');
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'clients.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b\n1,2') });
    await page.getByRole('heading', { name: 'What each column is' }).waitFor();
    await page.getByRole('button', { name: 'Dry run' }).click();
    await page.getByText('Say where the records come from').waitFor();
    await page.getByRole('combobox', { name: 'Domain' }).fill('urn:example:hospital-a');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Dry run' }).click();
    await page.waitForURL(({ pathname }) => /^\/load\/(?!new$)/.test(pathname));
    await expect
      .poll(() => lastAct(/loads$/)?.body)
      .toMatchObject({
        domain: 'urn:example:hospital-a',
        dryRun: true,
        map: {
          id: 'rec_id',
          given: 'given_name',
          birthDate: { column: 'date_of_birth', format: 'YYYYMMDD' },
          identifier: [{ system: 'urn:ug:nin', column: 'uganda_nin' }],
          address: { city: 'suburb' },
        },
      });
  });

  it('hands the key out once and does not let one leave without it', async () => {
    const page = await visit('/nodes/add');
    await page.getByLabel('Name').fill('Mulago clinic');
    await page.getByLabel('Domain').fill('urn:example:mulago');
    await page.getByRole('button', { name: 'Add the node' }).click();
    await page.getByText('shown only now').first().waitFor();
    const asked: string[] = [];
    page.on('dialog', (dialog) => {
      asked.push(dialog.message());
      void dialog.dismiss();
    });
    await page.getByRole('link', { name: 'Audit' }).click();
    await expect.poll(() => asked.length).toBe(1);
    expect(page.url()).toMatch(/nodes\/add$/);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download node.key' }).click();
    expect((await download).suggestedFilename()).toBe('node.key');
    await page.getByRole('link', { name: 'Done' }).click();
    await page.waitForURL('**/nodes');
  });

  it('puts what does not fit the phone’s bar behind More', async () => {
    const page = await visit('/', PHONE);
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('dialog').getByRole('link', { name: /Audit/ }).click();
    await page.waitForURL('**/audit');
  });
});
