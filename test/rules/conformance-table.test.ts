import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = new URL('../db/conformance/', import.meta.url);

it('docs/conformance.md has every conformance test that is written out, and no row that holds not (npm run conformance writes it)', () => {
  const table = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
  for (const file of readdirSync(folder)) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    for (const [, transaction, words] of source.matchAll(/\bit\(\s*'([^'·]+) · ((?:[^'\\]|\\.)+)'/g))
      expect(table, file).toContain(`| ${transaction} | ${words?.replaceAll('|', '\\|')} |`);
  }
  expect(table).not.toContain('**no**');
});
