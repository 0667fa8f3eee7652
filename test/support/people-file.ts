import { writeFile } from 'node:fs/promises';
import { CSV_HEADER, csvLine, people, type SyntheticRecord } from '../../bench/people.ts';

/** Rows as registration desks make them, that cannot be used as they are. */
export const BAD_ROWS = {
  /** Kept, without its birth date: a warning. */
  dateThatDoesNotExist: 'x1,,Amina,Wasswa,female,1990-02-30,,,1 lake road,jinja,10600,',
  ragged: 'x2,,Joseph,Kato',
  withoutNumber: ',,Grace,Akello,female,1988-04-17,,,2 lake road,jinja,10600,',
} as const;

export interface PeopleFile {
  readonly path: string;
  readonly records: readonly SyntheticRecord[];
  /** Rows of the file that follow the header, bad ones included. */
  readonly rows: number;
}

const capital = (text: string): string => text.replaceAll(/(^|[ -])\p{Ll}/gu, (letter) => letter.toUpperCase());

/** Made-up people as a spreadsheet would hold them; the same for the same seed. */
export function madeUpPeople(rows: number, seed: number): readonly SyntheticRecord[] {
  const records: SyntheticRecord[] = [];
  for (const record of people({ seed, count: rows, duplicates: 0.25 })) {
    if (records.length === rows) break;
    const { given, family, line, city, mother } = record;
    const written = { given, family, line, city, mother };
    records.push({
      ...record,
      ...Object.fromEntries(Object.entries(written).map(([key, text]) => [key, capital(text)])),
    });
  }
  return records;
}

/** Writes a CSV file of `rows` people, many of them twice, with bad rows in the middle where wanted. */
export async function writePeopleFile(
  path: string,
  { rows, seed, bad = [] }: { readonly rows: number; readonly seed: number; readonly bad?: readonly string[] },
): Promise<PeopleFile> {
  const records = madeUpPeople(rows, seed);
  const lines = records.map(csvLine);
  lines.splice(Math.floor(rows / 2), 0, ...bad);
  await writeFile(path, `${CSV_HEADER}\n${lines.join('\n')}\n`);
  return { path, records, rows: lines.length };
}
