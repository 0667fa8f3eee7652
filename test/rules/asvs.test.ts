import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asvsTable } from '../../scripts/asvs/table.ts';

describe('docs/asvs.md', () => {
  const { markdown, faults } = asvsTable();

  it('names every requirement of its chapters once, and only tests that are there', () => {
    expect(faults).toEqual([]);
  });

  it('is what scripts/generate-asvs.ts makes', () => {
    expect(readFileSync(join(import.meta.dirname, '../../docs/asvs.md'), 'utf8')).toBe(markdown);
  });
});
