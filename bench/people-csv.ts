/** Writes synthetic people as CSV to standard output: `node bench/people-csv.ts COUNT [SEED] [SHARE-OF-DUPLICATES]`. */
import { once } from 'node:events';
import { CSV_HEADER, csvLine, people } from './people.ts';

const [count = '1000', seed = '1', duplicates = '0.3'] = process.argv.slice(2);
let chunk = `${CSV_HEADER}\n`;
for (const record of people({ count: Number(count), seed: Number(seed), duplicates: Number(duplicates) })) {
  chunk += `${csvLine(record)}\n`;
  if (chunk.length > 65_536) {
    if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
    chunk = '';
  }
}
process.stdout.write(chunk);
