import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isDataPath } from '../../src/platform/http/origin-checks.ts';

const PROGRAM = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(PROGRAM, path), 'utf8');

/** Addresses of pages, as the router in the browser knows them. */
const PAGES = [...read('src/web/app/router.tsx').matchAll(/\bpath: '(\/[^']*)'/g)].map(([, path = '']) =>
  path.replaceAll(/\$\w+/g, '0198f3a0-0000-7000-8000-000000000001'),
);
/** Addresses that answer data to browsers. */
const DATA = read('test/golden/routes.txt')
  .split('\n')
  .flatMap((line) => /^users GET (\S+)/.exec(line)?.[1] ?? [])
  .filter((path) => !path.startsWith('/pki/'));

test('there are pages and data', () => {
  expect(PAGES.length).toBeGreaterThan(25);
  expect(DATA.length).toBeGreaterThan(60);
});

test.each(PAGES)('the page %s opens by its address: after a reload, from a bookmark, from a mail', (path) => {
  expect(isDataPath(path)).toBe(false);
});

test.each(DATA)('%s is data, which a link from elsewhere does not open', (path) => {
  expect(isDataPath(path)).toBe(true);
});
