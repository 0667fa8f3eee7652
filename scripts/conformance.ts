/**
 * Writes docs/conformance.md from the names and results of the conformance tests, so that the table says what was tested and
 * nothing else. Run: npm run conformance
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Result {
  readonly title: string;
  readonly ancestorTitles: readonly string[];
  readonly status: string;
}

const FOLDER = 'test/db/conformance';
const TARGET = 'docs/conformance.md';
const report = join(tmpdir(), `careseal-conformance-${process.pid}.json`);

function results(): Result[] {
  const vitest = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    'db',
    FOLDER,
    '--reporter=json',
    `--outputFile=${report}`,
  ];
  spawnSync(process.execPath, vitest, { stdio: ['ignore', 'ignore', 'inherit'] });
  // Vitest's JSON report, of which these fields are read.
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: readonly { readonly assertionResults: readonly Result[] }[];
  };
  return testResults.flatMap((file) => file.assertionResults);
}

function table(profile: string, tests: readonly Result[]): string {
  const rows = tests.map(({ title, status }) => {
    const [transaction = '', ...words] = title.split(' · ');
    const shown = { passed: 'yes', failed: '**no**' }[status] ?? 'not run';
    return `| ${transaction} | ${words.join(' · ').replaceAll('|', '\\|')} | ${shown} |`;
  });
  return [`## ${profile}`, '', '| transaction | what is asked | holds |', '| --- | --- | --- |', ...rows].join('\n');
}

const all = results();
const profiles = [...Map.groupBy(all, ({ ancestorTitles }) => ancestorTitles.at(-1) ?? '')].sort(([a], [b]) =>
  a < b ? -1 : 1,
);
const passed = all.filter(({ status }) => status === 'passed').length;
const text = [
  '# Conformance',
  '',
  `Made by \`npm run conformance\` from the tests in \`${FOLDER}\`: each row is a test, and says what it found.`,
  `${passed} of ${all.length} hold. "Not run" are the OpenHIE tests where their pages are not at hand.`,
  '',
  ...profiles.map(([profile, tests]) => `${table(profile, tests)}\n`),
].join('\n');
mkdirSync('docs', { recursive: true });
writeFileSync(TARGET, text);
process.stdout.write(`${TARGET}: ${passed} of ${all.length}\n`);
