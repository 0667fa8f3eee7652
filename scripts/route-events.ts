/**
 * Brings test/golden/route-events.txt up to date: which test saw which route write the event it declares.
 * `CARESEAL_ANSWERED_ROUTES=/tmp/routes npm run test:db` (and `test:attacks`) notes what answered, `node scripts/route-events.ts
 * /tmp/routes` adds it. Routes are those of test/golden/routes.txt; what no test has called stays in the list as `none`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const GOLDEN = 'test/golden/route-events.txt';
const [noted] = process.argv.slice(2);
const linesOf = (file: string): string[][] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' | '))
    : [];

const seen = new Map<string, string>();
for (const [key = '', , by = 'none'] of linesOf(GOLDEN)) if (by !== 'none' && existsSync(by)) seen.set(key, by);
for (const [method = '', path = '', , written, test = ''] of noted === undefined ? [] : linesOf(noted)) {
  const key = `${method} ${path}`;
  if (written === 'written' && !seen.has(key)) seen.set(key, test);
}
const routes = new Map<string, string>();
for (const [route = '', , audit = ''] of linesOf('test/golden/routes.txt')) {
  const [, method = '', path = ''] = route.split(' ');
  if (audit.startsWith('event ')) routes.set(`${method} ${path}`, audit.slice('event '.length));
}
const lines = [...routes]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([key, event]) => `${key} | ${event} | ${seen.get(key) ?? 'none'}`);
writeFileSync(GOLDEN, `${lines.join('\n')}\n`);
console.log(
  `${lines.length} routes with an event, ${lines.filter((line) => line.endsWith('| none')).length} of them seen by no test`,
);
