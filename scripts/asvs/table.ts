import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * docs/asvs.md is made of requirements.txt and of the titles of our tests: a row that names a test which is gone, or a
 * requirement that is missing or there twice, is a fault, and test/rules/asvs.test.ts fails.
 */
const PROGRAM = join(import.meta.dirname, '../..');
/** How many requirements each chapter of ASVS 5.0.0 has. */
const CHAPTERS: Readonly<Record<string, number>> = { V3: 31, V6: 47, V7: 19, V8: 13, V10: 36 };

interface Requirement {
  readonly id: string;
  readonly level: string;
  readonly words: string;
  readonly evidence: string;
}

export interface AsvsTable {
  readonly markdown: string;
  readonly faults: readonly string[];
}

export function asvsTable(): AsvsTable {
  const requirements = readRequirements();
  const faults = [...chapterFaults(requirements)];
  const lines: string[] = [];
  let shown = 0;
  for (const { id, level, words, evidence } of requirements) {
    if (evidence.startsWith('- ')) {
      lines.push(`| ${id} | ${level} | ${words} | ${evidence.slice(2)} |`);
      continue;
    }
    const cells = evidence.split(' ; ').map((one) => testCell(one, (fault) => faults.push(`${id}: ${fault}`)));
    shown++;
    lines.push(`| ${id} | ${level} | ${words} | ${cells.join('<br>')} |`);
  }
  const markdown = `${head(requirements.length, shown)}\n${lines.join('\n')}\n`;
  return { markdown, faults };
}

function head(all: number, shown: number): string {
  return `# OWASP ASVS 5.0: what each requirement is met by

Chapters V3 (browser), V6 (authentication), V7 (sessions), V8 (authorization) and V10 (OAuth and OpenID Connect), in our own
words. Made by \`node scripts/generate-asvs.ts\` from \`scripts/asvs/requirements.txt\` and the titles of the tests; a test that is named
here and gone breaks the build. ${shown} of ${all} are shown by tests; of the others the last column says why not.

| id | level | asks | shown by, or why not |
| --- | --- | --- | --- |`;
}

function readRequirements(): Requirement[] {
  return readFileSync(join(import.meta.dirname, 'requirements.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [id = '', level = '', words = '', evidence = ''] = line.split(' | ');
      return { id, level, words, evidence };
    });
}

function* chapterFaults(requirements: readonly Requirement[]): Generator<string> {
  const ids = requirements.map(({ id }) => id);
  for (const id of ids) if (ids.filter((one) => one === id).length > 1) yield `${id} is there twice`;
  for (const [chapter, count] of Object.entries(CHAPTERS)) {
    const found = ids.filter((id) => id.startsWith(`${chapter}.`)).length;
    if (found !== count) yield `${chapter} has ${found} requirements, ASVS has ${count}`;
  }
}

function testCell(text: string, fault: (text: string) => void): string {
  const [file = '', part = ''] = text.split(' :: ');
  const files = filesOf(file);
  for (const path of files) {
    const title = titlesOf(path).find((one) => one.includes(part));
    if (title !== undefined) return `\`${path}\`: ${title.replaceAll('|', '\\|').replaceAll('\n', ' ')}`;
  }
  fault(files.length === 0 ? `${file} does not exist` : `${file} has no test “${part}”`);
  return text;
}

function filesOf(name: string): readonly string[] {
  if (!/^p\d\d$/.test(name)) return name.includes('/') && exists(name) ? [name] : [];
  const folder = 'test/attacks';
  return readdirSync(join(PROGRAM, folder))
    .filter((file) => file.startsWith(`${name}-`))
    .map((file) => `${folder}/${file}`);
}

function exists(path: string): boolean {
  const at = path.lastIndexOf('/');
  return readdirSync(join(PROGRAM, path.slice(0, at))).includes(path.slice(at + 1));
}

/** Titles of tests and of tables of tests, as they stand in the file. */
function titlesOf(path: string): readonly string[] {
  const text = readFileSync(join(PROGRAM, path), 'utf8');
  const titles = [...text.matchAll(/\b(?:test|it|describe)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g)].map(
    ([, , title = '']) => title,
  );
  // Rows and titles of test.each: any quoted text in it.
  const tables = [
    ...text.matchAll(/\b(?:test|it|describe)(?:\.\w+)*\.each\(([\s\S]*?)\)\(\s*(['"`])((?:\\.|(?!\2)[^\\])*)\2/g),
  ];
  return [
    ...titles,
    ...tables.flatMap(([, rows = '', , title = '']) => [
      title,
      ...[...rows.matchAll(/(['"`])((?:\\.|(?!\1)[^\\])*)\1/g)].map(([, , row = '']) => row),
    ]),
  ];
}
