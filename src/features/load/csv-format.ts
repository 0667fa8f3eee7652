import { createCsvReader } from './csv-reader.ts';

/** What the beginning of a CSV file says about the whole: delimiter, header, first rows. */
export interface CsvHead {
  readonly delimiter: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const DELIMITERS = [',', ';', '\t', '|'] as const;
const ROWS_LOOKED_AT = 200;

/** Finds the delimiter under which the first rows have most columns and agree in their number. */
export function detectDelimiter(head: string): string {
  let best: { delimiter: string; score: number } = { delimiter: ',', score: 0 };
  for (const delimiter of DELIMITERS) {
    const rows = readRows(head, delimiter, 30);
    const columns = rows[0]?.length ?? 0;
    if (columns < 2) continue;
    const agreeing = rows.filter((row) => row.length === columns).length / rows.length;
    const score = agreeing * Math.min(columns, 50);
    if (score > best.score) best = { delimiter, score };
  }
  return best.delimiter;
}

export function readCsvHead(head: string, delimiter: string): CsvHead {
  const [header = [], ...rows] = readRows(head, delimiter, ROWS_LOOKED_AT + 1);
  return { delimiter, header: header.map((name) => name.trim()), rows };
}

/** The first complete rows; the piece may end in the middle of one, which is left out. */
function readRows(head: string, delimiter: string, most: number): string[][] {
  const rows: string[][] = [];
  const reader = createCsvReader(delimiter, (row) => {
    if (rows.length < most) rows.push(row.fields.map((field) => field.trim()));
  });
  reader.push(head);
  if (rows.length < 2) reader.end();
  return rows;
}
