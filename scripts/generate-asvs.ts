// Writes docs/asvs.md: node scripts/generate-asvs.ts
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asvsTable } from './asvs/table.ts';

const { markdown, faults } = asvsTable();
for (const fault of faults) console.error(fault);
const docs = join(import.meta.dirname, '../docs');
mkdirSync(docs, { recursive: true });
writeFileSync(join(docs, 'asvs.md'), markdown);
if (faults.length > 0) process.exitCode = 1;
