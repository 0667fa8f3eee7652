import type { CDPSession, Page } from 'playwright-core';
import { serverKeys, startBrowser, type TestBrowser } from '../../support/browser.ts';
import type { Hand, Watched } from '../../support/hands.ts';
import { watchHands } from '../../support/hands.ts';
import { type Account, heading, openAccount, portSettings } from '../../support/journey.ts';
import { type TestMailServer, testMailServer } from '../../support/mail-server.ts';
import { oidcProvider, type TestProvider } from '../../support/oidc-provider.ts';
import { startTestServer, testHome, type TestServer } from '../../support/server.ts';

/** One thing that people come to do, of issue 4's list; worked once with each hand. */
export interface Task {
  /** To which point of the requirements it belongs. */
  readonly point: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;
  readonly who: 'administrator' | 'user';
  readonly task: string;
  readonly work: (stage: Stage, hand: Hand) => Promise<void>;
}

/** Somebody with a browser of their own. */
export interface Somebody {
  readonly page: Page;
  readonly watched: Watched;
}

export interface Colleague extends Somebody {
  account: Account;
}

/** One whole product for all tasks: server, mail server, identity providers, a browser for the administrator and for each hand's colleague. */
export interface Stage {
  readonly home: string;
  /** With which the server runs, for commands beside it. */
  readonly settings: Readonly<Record<string, string>>;
  readonly server: TestServer;
  readonly mail: TestMailServer;
  readonly administrator: Colleague;
  /** A provider for each hand: an issuer is added once. */
  readonly providers: Readonly<Record<Hand['name'], TestProvider>>;
  /** One-time links that a task made for the next, by what they are for. */
  readonly links: Map<string, string>;
  /** Who accepted each hand's invitation. */
  readonly colleagues: Map<Hand['name'], Colleague>;
  /** Somebody of each hand beside them, who forgets things; there with `staff`. */
  readonly others: Map<Hand['name'], Colleague>;
  /** What was used in each browser that was opened. */
  readonly watched: readonly Watched[];
  newcomer(): Promise<Somebody>;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const home = await testHome();
  const mail = await testMailServer();
  const settings = {
    ...(await portSettings()),
    CARESEAL_MAIL_HOST: '127.0.0.1',
    CARESEAL_MAIL_PORT: String(mail.port),
    CARESEAL_MAIL_FROM: 'careseal@lakeside.example.org',
  };
  const server = await startTestServer({ home: home.path, settings });
  const browser = await startBrowser({ trustedKeys: await serverKeys(server.usersUrl) });
  const watched: Watched[] = [];
  const newcomer = async (): Promise<Somebody> => {
    const opened = await somebody(browser);
    watched.push(opened.watched);
    return opened;
  };
  const back = `${server.usersUrl}/sign-in/return`;
  const providers = { mouse: await oidcProvider(back), keyboard: await oidcProvider(back) };
  const first = await newcomer();
  const account = await openAccount(first.page, {
    link: server.setupLink ?? '',
    organisation: 'Lakeside Programme',
    name: 'Amina Okello',
    email: 'amina@example.org',
    password: 'seven herons over the lake',
  });
  // Proofs are asked for and given in a task of their own; elsewhere they would only repeat.
  await ask(first.page, 'PUT', '/api/policy', { settings: { stepUpMinutes: 60 } });
  return {
    ...{ home: home.path, settings, server, mail, providers, newcomer, watched },
    administrator: { ...first, account },
    links: new Map(),
    colleagues: new Map(),
    others: new Map(),
    async close() {
      await browser.close();
      await server.end('SIGTERM');
      for (const provider of Object.values(providers)) await provider.close();
      await mail.close();
      await home.dispose();
    },
  };
}

async function somebody(browser: TestBrowser): Promise<Somebody> {
  const { page, context } = await browser.newPage();
  const watched = await watchHands(context);
  // A page that hides itself while others work is asked of in pages-work.test.ts.
  await context.addInitScript(() => {
    if (location.protocol === 'https:' && localStorage.getItem('careseal-look') === null)
      localStorage.setItem('careseal-look', '{"privacyAfterSeconds":0}');
  });
  page.setDefaultTimeout(20_000);
  return { page, watched };
}

/** A security key in the browser: resident, with user verification, touched at once. */
export async function virtualAuthenticator(page: Page): Promise<CDPSession> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return cdp;
}

/** The colleague of this hand, who is there once the invitation was accepted. */
export function colleagueOf({ colleagues }: Stage, hand: Hand): Colleague {
  const found = colleagues.get(hand.name);
  if (found === undefined) throw new Error(`Nobody has accepted the invitation by ${hand.name}`);
  return found;
}

/** Opens a place by the rail, and one of the places that belong to it. */
export async function open(page: Page, hand: Hand, place: string, within?: string): Promise<void> {
  await hand.close(page);
  await hand.press(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: place, exact: true }));
  if (within === undefined) return await heading(page, place).waitFor();
  const places = page.getByRole('navigation', { name: 'Administration of people' });
  await hand.press(places.getByRole('link', { name: within, exact: true }));
  await heading(page, within).waitFor();
}

export async function openPerson({ administrator: { page } }: Stage, hand: Hand, name: string): Promise<void> {
  await open(page, hand, 'People', 'People');
  await hand.type(page.getByLabel('Find by name or e-mail'), name);
  await page.getByRole('status').getByText('1 person', { exact: true }).waitFor();
  await hand.press(page.getByRole('link', { name: new RegExp(name) }));
  await page.getByRole('dialog', { name }).waitFor();
}

/** One’s own account, by the menu under one’s name. */
export async function openAccountPage(page: Page, hand: Hand): Promise<void> {
  await hand.close(page);
  await hand.choose(page.getByRole('button', { name: /^Account:/ }), 'My account and sessions');
  await heading(page, 'My account').waitFor();
}

export const dialogOf = (page: Page) => page.getByRole('dialog');
export const buttonOf = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

/** What somebody’s own page would ask of the server, where what is meant is not how they ask. Answers the status. */
export async function ask(page: Page, method: string, path: string, body?: object): Promise<number> {
  return await page.evaluate(
    async ([how, to, text]) => {
      const headers = { 'content-type': 'application/json', 'x-careseal': '1' };
      return (await fetch(to, { method: how, ...(text === '' ? {} : { headers, body: text }) })).status;
    },
    [method, path, body === undefined ? '' : JSON.stringify(body)] as const,
  );
}
