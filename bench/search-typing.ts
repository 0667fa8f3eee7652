/**
 * Search as you type, as a person at the Clients page meets it: a whole server with its own PostgreSQL, a generated registry loaded by
 * the command line, Chromium. From a key to the answer on the screen, the pause that the page waits for more keys (80 ms) included.
 * `npm run bench -- search-typing --people 100000 --searches 60 [--pictures <directory>]`
 */
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { PHONE, startBrowser, type TestBrowser, WIDE } from '../test/support/browser.ts';
import { heading, openAccount } from '../test/support/journey.ts';
import { careseal, startTestServer, type TestServer } from '../test/support/server.ts';
import { CSV_HEADER, CSV_MAP, csvLine, people, type SyntheticRecord } from './people.ts';
import { machine, printTable } from './support/report.ts';

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '100000' },
    searches: { type: 'string', default: '60' },
    pictures: { type: 'string' },
  },
});
const PEOPLE = Number(values.people);
const SEARCHES = Number(values.searches);

/** Every n-th record is searched for. */
const wanted: SyntheticRecord[] = [];

async function load(folder: string, home: string): Promise<number> {
  const [csv, map] = [join(folder, 'people.csv'), join(folder, 'map.json')];
  const every = Math.floor(PEOPLE / SEARCHES);
  let rows = 0;
  function* lines(): Generator<string> {
    yield `${CSV_HEADER}\n`;
    for (const record of people({ seed: 7, count: PEOPLE, duplicates: 0.1 })) {
      if (rows++ % every === 0 && wanted.length < SEARCHES) wanted.push(record);
      yield `${csvLine(record)}\n`;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(csv));
  await writeFile(map, JSON.stringify(CSV_MAP));
  const from = performance.now();
  const done = await careseal(['load', csv, '--domain', 'urn:bench:clinic', '--map', map, '--json'], { home });
  if (done.code !== 0) throw new Error(done.stderr + done.stdout);
  console.log(`${rows} records loaded in ${Math.round((performance.now() - from) / 1000)} s\n`);
  return rows;
}

/** Notes when the last key was taken, and the second frame after the answer to what was asked since. */
const WATCH = `() => {
  window.typed = 0;
  window.answered = 0;
  document.addEventListener('input', () => { window.typed = performance.now(); window.answered = 0; }, true);
  const shown = () => requestAnimationFrame(() => requestAnimationFrame(() => { window.answered = performance.now(); }));
  new PerformanceObserver((list) => {
    for (const { name, startTime } of list.getEntries())
      if (name.endsWith('/api/clients/search') && startTime > window.typed && window.answered === 0) shown();
  }).observe({ type: 'resource' });
}`;

/** Milliseconds from the last key of a text to its answer. */
async function typed(page: Page, text: string): Promise<number> {
  const box = page.getByLabel('Search clients');
  await box.fill('');
  await page.waitForLoadState('networkidle');
  const answer = page.waitForResponse(
    (one) => one.url().endsWith('/api/clients/search') && saidTo(one.request()) === text,
  );
  await box.pressSequentially(text, { delay: 60 });
  await answer;
  return await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const look = (): void => {
          const { typed: from, answered: to } = globalThis as unknown as { typed: number; answered: number };
          if (to > from) resolve(to - from);
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
}

function saidTo(request: { postDataJSON(): unknown }): string {
  const body = request.postDataJSON() as { q?: string; text?: string };
  return body.q ?? body.text ?? '';
}

function quantile(list: readonly number[], share: number): number {
  return Math.round(list.toSorted((a, b) => a - b)[Math.ceil(list.length * share) - 1] ?? 0);
}

async function measure(page: Page): Promise<void> {
  await page.getByRole('navigation', { name: 'Main' }).first().getByRole('link', { name: 'Clients' }).click();
  await heading(page, 'Clients').waitFor();
  await page.evaluate(`(${WATCH})()`);
  const kinds: Readonly<Record<string, (one: SyntheticRecord) => string>> = {
    'four letters of a given name': (one) => one.given.slice(0, 4),
    'family name': (one) => one.family,
    'given and family name': (one) => `${one.given} ${one.family}`,
    'family name and year': (one) => `${one.family} ${one.birthDate.slice(0, 4)}`,
  };
  const rows = [];
  const asked = new Set<string>();
  for (const [what, textOf] of Object.entries(kinds)) {
    const times: number[] = [];
    // What was asked before, the page remembers.
    for (const text of new Set(wanted.map((one) => textOf(one).trim()))) {
      if (asked.has(text)) continue;
      asked.add(text);
      times.push(await typed(page, text));
    }
    rows.push({
      typed: what,
      searches: times.length,
      'p50 ms': quantile(times, 0.5),
      'p95 ms': quantile(times, 0.95),
      max: quantile(times, 1),
    });
  }
  printTable(`From the last key to the answer on the page, ${PEOPLE.toLocaleString('en')} people`, rows);
}

const PAGES = [
  '/',
  '/clients',
  '/reviews',
  '/reviews/models',
  '/reviews/quality',
  '/load',
  '/audit',
  '/audit/activity',
];

async function pictures(page: Page, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const origin = new URL(page.url()).origin;
  const client = await page.request.post(`${origin}/api/clients/search`, {
    data: { q: '' },
    headers: { 'x-careseal': '1' },
  });
  const found = (await client.json()) as { clients?: readonly { id: string }[] };
  const review = (await (await page.request.get(`${origin}/api/reviews`)).json()) as {
    reviews: readonly { id: string }[];
  };
  const paths = [...PAGES, `/clients/${found.clients?.[0]?.id}`, `/reviews/${review.reviews[0]?.id}`];
  for (const [at, path] of paths.entries()) {
    const from = performance.now();
    await page.goto(origin + path);
    await page.waitForLoadState('networkidle');
    console.log(`${path.replace(/[0-9a-f-]{36}/, ':id')}: ${Math.round(performance.now() - from)} ms until quiet`);
    for (const [size, name] of [
      [WIDE, 'wide'],
      [PHONE, 'phone'],
    ] as const) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize(size);
        await page.emulateMedia({ colorScheme });
        await page.screenshot({
          path: join(directory, `${at}-${path.split('/')[1] || 'home'}-${name}-${colorScheme}.png`),
        });
      }
    }
    await page.setViewportSize(WIDE);
  }
}

const folder = await mkdtemp(join(tmpdir(), 'careseal-typing-'));
const home = join(folder, 'home');
let server: TestServer | undefined;
let browser: TestBrowser | undefined;
try {
  console.log(machine());
  server = await startTestServer({ home });
  await load(folder, home);
  browser = await startBrowser();
  const { page } = await browser.newPage();
  await openAccount(page, {
    link: server.setupLink ?? '',
    organisation: 'Lakeside Health Programme',
    name: 'Amina Okello',
    email: 'amina@lakeside.example.org',
    password: 'seven herons over the lake',
  });
  await measure(page);
  if (values.pictures) await pictures(page, values.pictures);
} finally {
  await browser?.close();
  await server?.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
}
