import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { startBrowser, type TestBrowser, type TestPage } from './browser.ts';
import { type Account, portSettings } from './journey.ts';
import { BAD_ROWS, type PeopleFile, writePeopleFile } from './people-file.ts';
import { picture } from './pictures.ts';
import { startTestServer, testHome, type TestServer } from './server.ts';

export const DOMAIN = 'urn:example:hospital-a';
export const NATIONAL_ID = 'urn:example:national-id';
export const ROWS = 5_000;

/** What the steps of the first hour share: one server in a new home, one browser, and who is signed in where. */
export interface Hour {
  readonly home: string;
  readonly folder: string;
  readonly file: PeopleFile;
  readonly server: TestServer;
  readonly administrator: TestPage;
  account: Account;
  colleague: TestPage;
  colleagueAccount: Account;
  url(path: string): string;
  /** What the administrator's browser would get, to compare with what it shows. */
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of many shapes
  api(path: string): Promise<any>;
  newPage(): Promise<TestPage>;
}

/** Starts it all before the file's first step and stops it after the last. A step after a failed one is skipped. */
export function firstHour(): Hour {
  const started = new Started();
  beforeAll(() => started.start());
  afterAll(() => started.stop());
  let broken: string | undefined;
  beforeEach(({ skip }) => skip(broken !== undefined, `"${broken}" failed before`));
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail' || broken !== undefined) return;
    broken = task.name;
    await started.tell();
  });
  return started;
}

function early(): never {
  throw new Error('The first hour has not come so far');
}

class Started implements Hour {
  #home: Awaited<ReturnType<typeof testHome>> | undefined;
  #browser: TestBrowser | undefined;
  #server: TestServer | undefined;
  #file: PeopleFile | undefined;
  #pages: TestPage[] = [];
  #account: Account | undefined;
  #colleague: TestPage | undefined;
  #colleagueAccount: Account | undefined;
  folder = '';

  get home(): string {
    return this.#home?.path ?? early();
  }
  get server(): TestServer {
    return this.#server ?? early();
  }
  get file(): PeopleFile {
    return this.#file ?? early();
  }
  get administrator(): TestPage {
    return this.#pages[0] ?? early();
  }
  get account(): Account {
    return this.#account ?? early();
  }
  set account(account: Account) {
    this.#account = account;
  }
  get colleague(): TestPage {
    return this.#colleague ?? early();
  }
  set colleague(page: TestPage) {
    this.#colleague = page;
  }
  get colleagueAccount(): Account {
    return this.#colleagueAccount ?? early();
  }
  set colleagueAccount(account: Account) {
    this.#colleagueAccount = account;
  }

  async start(): Promise<void> {
    this.#home = await testHome();
    this.folder = await mkdtemp(join(tmpdir(), 'careseal-journey-'));
    const bad = Object.values(BAD_ROWS);
    this.#file = await writePeopleFile(join(this.folder, 'clients.csv'), { rows: ROWS, seed: 11, bad });
    const settings = await portSettings();
    this.#server = await startTestServer({ home: this.home, settings });
    this.#browser = await startBrowser();
    await this.newPage();
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.#server?.end('SIGTERM');
    await this.#home?.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** What the pages showed and the server said when a step failed. */
  async tell(): Promise<void> {
    for (const { page, faults } of this.#pages) {
      if (page.isClosed()) continue;
      await picture(page, 'failed');
      console.log(page.url(), await page.locator('body').innerText(), faults);
    }
    console.log(this.#server?.stderr());
  }

  url(path: string): string {
    return this.server.usersUrl + path;
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- answers of many shapes
  async api(path: string): Promise<any> {
    const answer = await this.administrator.context.request.get(this.url(path));
    if (answer.status() !== 200) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
    return await answer.json();
  }

  async newPage(): Promise<TestPage> {
    const made = await (this.#browser ?? early()).newPage();
    this.#pages.push(made);
    return made;
  }
}
