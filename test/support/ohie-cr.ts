/** The OpenHIE client registry tests, read where they lie beside the repository; they are not part of it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../../shared/data/ohie-cr/', import.meta.url);
export const OHIE_CR_IS_HERE = existsSync(FOLDER);
if (!OHIE_CR_IS_HERE) console.warn('SKIPPED: the OpenHIE client registry tests are not at ../shared/data/ohie-cr');

/** A message of the suite, byte order mark and all: `02-10`. */
export function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`fixtures/OHIE-CR-${name}.json`, FOLDER));
}

/** All messages of the suite. */
export function fixtures(): Uint8Array[] {
  const folder = new URL('fixtures/', FOLDER);
  return readdirSync(folder).map((file) => readFileSync(new URL(file, folder)));
}

/** The JSON examples of a page, in its order: `04`. The pages' own slips (commas too many) are passed over. */
export function examples(page: string): string[] {
  const text = readFileSync(new URL(`pages/test-ohie-cr-${page}-fhir.md`, FOLDER), 'utf8');
  return [...text.matchAll(/```javascript\n(.*?)```/gs)].map(([, block = '']) =>
    block.replaceAll('\u00a0', ' ').replaceAll(/,(\s*[}\]])/g, '$1'),
  );
}
