import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { PHONE, type TestBrowser, WIDE, accessibilityFindings, startBrowser, withAxe } from '../support/browser.ts';
import { ALTERED_CLIENT, idOf } from '../support/web-fixture-data.ts';
import { type WebFixture, freshState, startWebFixture } from '../support/web-fixture.ts';

/**
 * Every page in every size and colour: no finding of axe-core, no error in the console (so nothing that the content security
 * policy refuses), no sideways scrolling, and no name in the address or the title.
 */
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

interface Visit {
  readonly name: string;
  readonly path: string;
  readonly before?: () => void;
  readonly act?: (page: Page) => Promise<void>;
}

const signedOut = (): void => {
  fixture.state.signedIn = 'anonymous';
};
const nothingYet = (): void => {
  Object.assign(fixture.state, { clients: 0, reviews: 0, nodes: 0, loads: 0 });
};

async function fillAccount(page: Page): Promise<void> {
  await page.getByLabel('Organisation').fill('Lakeside');
  await page.getByLabel('Your name').fill('Amina');
  await page.getByLabel('E-mail').fill('amina@example.org');
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('Connect your second factor').waitFor();
}

const VISITS: readonly Visit[] = [
  { name: 'sign-in', path: '/sign-in', before: signedOut },
  {
    name: 'sign-in refused',
    path: '/sign-in',
    before: signedOut,
    act: async (page) => {
      await page.getByLabel('E-mail').fill('a@example.org');
      await page.getByLabel('Password', { exact: true }).fill('wrong');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
    },
  },
  { name: 'second factor', path: '/sign-in', before: () => void (fixture.state.signedIn = 'second-factor') },
  { name: 'set-up', path: '/setup#token', before: signedOut },
  { name: 'set-up, second factor', path: '/setup#token', before: signedOut, act: fillAccount },
  {
    name: 'set-up, recovery codes',
    path: '/setup#token',
    before: signedOut,
    act: async (page) => {
      await fillAccount(page);
      await page.getByLabel('Code from').fill('123456');
      await page.keyboard.press('Enter');
      await page.getByText('I have stored them').waitFor();
    },
  },
  { name: 'dead link', path: '/enrol#dead', before: signedOut },
  {
    name: 'enrolment, second factor that may wait',
    path: '/enrol#optional',
    before: signedOut,
    act: async (page) => {
      await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('button', { name: 'Not now' }).waitFor();
    },
  },
  { name: 'forgotten password', path: '/forgot', before: signedOut },
  { name: 'new password by link', path: '/password#token', before: signedOut },
  { name: 'new factor by link', path: '/factor#token', before: signedOut },
  { name: 'policy', path: '/policy' },
  { name: 'notice to acknowledge', path: '/', before: () => void (fixture.state.noticePending = true) },
  { name: 'home', path: '/' },
  { name: 'home on the first day', path: '/', before: nothingYet },
  { name: 'clients', path: '/clients' },
  { name: 'clients, none', path: '/clients', before: nothingYet },
  {
    name: 'clients, failed',
    path: '/clients',
    before: () => void fixture.state.failures.set('/api/clients/search', 500),
  },
  { name: 'client', path: `/clients/${idOf(1, 3)}` },
  {
    name: 'client changed past Careseal',
    path: `/clients/${idOf(1, ALTERED_CLIENT)}`,
    act: async (page) => await page.getByText('This client was changed past Careseal').waitFor(),
  },
  {
    name: 'client, tables instead of pictures',
    path: `/clients/${idOf(1, 3)}`,
    act: async (page) => {
      await page.getByText('Table', { exact: true }).first().click();
      await page.getByText('Table', { exact: true }).last().click();
    },
  },
  {
    name: 'client, taking a record out',
    path: `/clients/${idOf(1, 3)}`,
    act: async (page) => {
      await page
        .getByRole('button', { name: /^Take out the record/ })
        .first()
        .click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'client, merging',
    path: `/clients/${idOf(1, 3)}`,
    act: async (page) => {
      await page.getByRole('button', { name: 'Merge with another client' }).click();
      await page.getByLabel('Find the other client').fill('okello');
      await page.getByRole('list', { name: 'Clients found' }).getByRole('button').first().click();
      await page.getByText('Which id remains?').waitFor();
    },
  },
  { name: 'reviews', path: '/reviews' },
  { name: 'quality', path: '/reviews/quality' },
  { name: 'models', path: '/reviews/models' },
  { name: 'models, only the shipped one', path: '/reviews/models', before: nothingYet },
  { name: 'a model', path: `/reviews/models/${idOf(20, 0)}` },
  {
    name: 'a simulation with an example open',
    path: `/reviews/models/studies/${idOf(21, 0)}`,
    act: async (page) => {
      await page.getByText('Would be linked:').click();
      await page.getByRole('button', { name: 'Show the two records' }).first().click();
      await page.locator('table.comparison').waitFor();
    },
  },
  { name: 'a training', path: `/reviews/models/studies/${idOf(21, 1)}` },
  { name: 'groups looked through', path: `/reviews/models/studies/${idOf(21, 2)}` },
  {
    name: 'a model judged by a file, a wrong link open',
    path: `/reviews/models/studies/${idOf(21, 4)}`,
    act: async (page) => {
      await page.getByText('r-1001 and r-2044').click();
      await page.locator('ol.fall').first().waitFor();
    },
  },
  { name: 'judge by a file', path: '/reviews/models/evaluate' },
  {
    name: 'judge by a file, columns',
    path: '/reviews/models/evaluate',
    act: async (page) => {
      const file = { name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from('id,name\n1,Anna\n') };
      await page.getByLabel('File of clients').setInputFiles(file);
      await page.getByText('Column with the truth', { exact: true }).waitFor();
    },
  },
  { name: 'reviews, many together', path: '/reviews/together' },
  { name: 'reviews, none', path: '/reviews', before: nothingYet },
  { name: 'review', path: `/reviews/${idOf(4, 3)}` },
  {
    name: 'review, keys',
    path: `/reviews/${idOf(4, 0)}`,
    act: async (page) => {
      await page.getByRole('table').first().waitFor();
      await page.keyboard.press('?');
      await page.getByText('Keys for reviewing').waitFor();
    },
  },
  { name: 'loads', path: '/load' },
  { name: 'new load', path: '/load/new' },
  {
    name: 'new load, mapping',
    path: '/load/new',
    act: async (page) => {
      await page
        .locator('input[type=file]')
        .setInputFiles({ name: 'clients.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b\n1,2') });
      await page.getByText('Would be rejected').waitFor();
    },
  },
  { name: 'load running', path: `/load/${idOf(5, 1)}` },
  { name: 'load done', path: `/load/${idOf(5, 0)}` },
  { name: 'load stopped', path: `/load/${idOf(5, 2)}` },
  { name: 'nodes', path: '/nodes' },
  { name: 'nodes, none', path: '/nodes', before: nothingYet },
  { name: 'node', path: `/nodes?node=${idOf(7, 1)}` },
  { name: 'node, whole', path: `/nodes/${idOf(7, 0)}` },
  { name: 'node, changed outside', path: `/nodes/${idOf(7, 5)}` },
  {
    name: 'node, changing it',
    path: `/nodes/${idOf(7, 1)}`,
    async act(page) {
      await page.getByRole('button', { name: 'Change' }).first().click();
      await page.getByRole('button', { name: 'Add a certificate' }).click();
    },
  },
  { name: 'transactions', path: '/nodes/transactions' },
  { name: 'transactions, none', path: '/nodes/transactions', before: nothingYet },
  { name: 'trust', path: '/nodes/trust' },
  { name: 'trust, nobody else', path: '/nodes/trust', before: nothingYet },
  {
    name: 'trusting an authority',
    path: '/nodes/trust',
    act: (page) => page.getByRole('button', { name: 'Trust an authority' }).click(),
  },
  {
    name: 'add a node',
    path: '/nodes/add',
    act: (page) => page.getByLabel('The system made its own key').check(),
  },
  { name: 'audit', path: '/audit' },
  {
    name: 'audit, how the log proves itself',
    path: '/audit',
    act: async (page) => {
      await page.getByRole('button', { name: 'What this means' }).click();
      await page.getByRole('link', { name: 'careseal-verify.html' }).scrollIntoViewIfNeeded();
    },
  },
  { name: 'audit event', path: `/audit?open=${idOf(10, 6)}` },
  { name: 'activity', path: '/audit/activity' },
  {
    name: 'activity, tables',
    path: '/audit/activity',
    act: async (page) => {
      await page.getByText('Table', { exact: true }).first().click();
      await page.getByText('Table', { exact: true }).last().click();
    },
  },
  { name: 'activity, none', path: '/audit/activity', before: nothingYet },
  { name: 'user actions', path: '/audit/report' },
  { name: 'alerts', path: '/audit/alerts' },
  { name: 'alerts, none', path: '/audit/alerts', before: nothingYet },
  {
    name: 'alerts, rules',
    path: '/audit/alerts',
    act: async (page) => {
      await page.getByRole('button', { name: 'Rules and mails' }).click();
      await page.getByText('Many clients in a short time').last().waitFor();
    },
  },
  { name: 'forwarding', path: '/audit/forwarding' },
  { name: 'forwarding, none', path: '/audit/forwarding', before: nothingYet },
  {
    name: 'forwarding, adding',
    path: '/audit/forwarding',
    act: async (page) => {
      await page.getByRole('button', { name: 'Add a receiver' }).click();
      await page.getByLabel('Certificate authority').waitFor();
    },
  },
  { name: 'received', path: '/audit/received' },
  { name: 'received, none', path: '/audit/received', before: nothingYet },
  { name: 'received event', path: `/audit/received?open=${idOf(24, 0)}` },
  { name: 'received, not understood', path: `/audit/received?open=${idOf(24, 5)}` },
  { name: 'who looked', path: `/audit/clients/${idOf(1, 3)}` },
  { name: 'disclosures', path: `/audit/clients/${idOf(1, 3)}?part=disclosures` },
  { name: 'list for the client', path: `/audit/clients/${idOf(1, 3)}?part=client` },
  { name: 'audit, nothing fits', path: `/audit?client=${idOf(1, 99_999)}` },
  { name: 'people', path: '/people' },
  { name: 'person', path: `/people?person=${idOf(9, 1)}` },
  { name: 'invite', path: '/people?invite=true' },
  { name: 'organisations', path: '/people/organisations' },
  { name: 'organisations, one', path: '/people/organisations', before: nothingYet },
  {
    name: 'organisation, its ceiling',
    path: '/people/organisations',
    act: async (page) => {
      await page.getByText('Kisoro').click();
      await page.getByText('Cap what its people may').waitFor();
    },
  },
  { name: 'roles', path: '/people/roles' },
  { name: 'roles, built in alone', path: '/people/roles', before: nothingYet },
  {
    name: 'role, making one',
    path: '/people/roles',
    act: async (page) => {
      await page.getByRole('button', { name: 'Make a role' }).click();
      await page.getByLabel('What it is for').waitFor();
    },
  },
  { name: 'why can somebody', path: `/people/rights?person=${idOf(9, 1)}` },
  { name: 'access review', path: '/people/access-review' },
  { name: 'access review, nothing waits', path: '/people/access-review', before: nothingYet },
  { name: 'emergencies', path: '/people/emergencies' },
  { name: 'emergencies, none', path: '/people/emergencies', before: nothingYet },
  {
    name: 'emergency, reviewing it',
    path: '/people/emergencies',
    act: async (page) => {
      await page.getByRole('button', { name: 'Review' }).click();
      await page.getByText('Was this right?').waitFor();
    },
  },
  { name: 'glass is broken', path: '/clients', before: () => void (fixture.state.emergency = true) },
  { name: 'identity providers', path: '/people/providers' },
  { name: 'identity providers, none', path: '/people/providers', before: nothingYet },
  {
    name: 'identity provider, changing one',
    path: '/people/providers',
    act: async (page) => await page.getByRole('button', { name: /^Change/ }).click(),
  },
  {
    name: 'identity provider, adding one',
    path: '/people/providers',
    act: async (page) => {
      await page.getByRole('button', { name: 'Add a provider' }).click();
      await page.getByLabel('Issuer').waitFor();
    },
  },
  { name: 'back from a provider, refused', path: '/sign-in/return?state=x', before: signedOut },
  { name: 'identity link', path: '/identity#token', before: signedOut },
  {
    name: 'token, making one',
    path: '/profile',
    act: async (page) => {
      await page.getByRole('button', { name: 'Make a token' }).click();
      await page.getByLabel('What it is for').fill('nightly export');
      await page.getByRole('button', { name: 'Make it' }).click();
      await page.getByText('It is shown this once').waitFor();
    },
  },
  {
    name: 'sharing a client',
    path: `/clients/${idOf(1, 3)}`,
    act: async (page) => {
      await page.getByRole('button', { name: 'Share' }).click();
      await page.getByLabel('Why', { exact: true }).waitFor();
    },
  },
  { name: 'own account', path: '/profile' },
  {
    name: 'search everything',
    path: '/',
    act: async (page) => {
      await page.getByRole('heading', { name: 'Home' }).waitFor();
      await page.keyboard.press('/');
      await page.getByRole('combobox', { name: 'Search everything' }).fill('okello');
      await page.getByRole('option').first().waitFor();
    },
  },
  { name: 'no such page', path: '/nothing/here' },
];

const NAMES = /okello|namukasa|amina|فاطمة/i;

async function sideways(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

const VIEWS = [
  { size: WIDE, colorScheme: 'light' },
  { size: WIDE, colorScheme: 'dark' },
  { size: PHONE, colorScheme: 'dark' },
  { size: PHONE, colorScheme: 'light' },
] as const;

describe('every page, wide and phone, light and dark', () => {
  it.each(VISITS)('$name', async ({ path, before, act }) => {
    before?.();
    const { page, context, faults } = await browser.newPage({ ...WIDE, colorScheme: 'light' });
    await withAxe(context);
    await page.goto(fixture.url + path);
    await page.waitForLoadState('networkidle');
    await act?.(page);
    // 320 px is a desk's 1280 at a zoom of 400 % (WCAG 1.4.10); the others are tablets and small laptops.
    for (const width of [320, 780, 1024, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      await page.waitForTimeout(30);
      await expect.poll(() => sideways(page), { message: `${width} px` }).toBeLessThanOrEqual(0);
    }
    for (const { size, colorScheme } of VIEWS) {
      await page.setViewportSize({ width: size.width, height: size.height });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.waitForTimeout(60);
      const view = `${size.width} px, ${colorScheme}`;
      await expect.poll(() => accessibilityFindings(page), { message: view, interval: 500 }).toEqual([]);
      await expect.poll(() => sideways(page), { message: view }).toBeLessThanOrEqual(0);
    }
    expect(faults).toEqual([]);
    expect(page.url()).not.toMatch(NAMES);
    expect(await page.title()).not.toMatch(NAMES);
    expect(await page.title()).toMatch(/ · Careseal$/);
    await context.close();
  });
});
