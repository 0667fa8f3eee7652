import { createCsvReader, type CsvRow } from '../load/index.ts';
import type { Problem } from '../../kernel/problem.ts';
import { encodingProblem } from './errors.ts';
import type { EncodedPair } from './model.ts';

/** Which of the two files of a comparison was one's own. */
export type Side = 'a' | 'b';

/** The result of a comparison as CSV: `a,b,similarity,grade`. Random names only. */
export function* printPairs(pairs: readonly EncodedPair[]): Generator<string> {
  yield 'a,b,similarity,grade\n';
  for (const { a, b, similarity, grade } of pairs) yield `${a},${b},${similarity.toFixed(4)},${grade}\n`;
}

/** Which record each random name stands for: stays with the programme that encoded. CSV `encoded,record`. */
export function* printIds(ids: Iterable<readonly [encoded: string, record: string]>): Generator<string> {
  yield 'encoded,record\n';
  for (const [encoded, record] of ids) yield `${encoded},${quoted(record)}\n`;
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const HEADERS = { pairs: ['a', 'b', 'similarity', 'grade'], ids: ['encoded', 'record'] } as const;

/** Puts one's own records beside the pairs: rows of `record,other,similarity,grade`. Throws Problem naming the file at fault. */
export async function* resolvePairs(
  pairs: AsyncIterable<string>,
  ids: AsyncIterable<string>,
  side: Side,
): AsyncGenerator<string> {
  const own = new Map<string, string>();
  for await (const row of rowsOf(ids, 'ids')) own.set(row['encoded'] ?? '', row['record'] ?? '');
  yield 'record,other,similarity,grade\n';
  for await (const row of rowsOf(pairs, 'pairs')) {
    const record = own.get(row[side] ?? '');
    if (record === undefined) {
      throw encodingProblem(
        'ids-invalid',
        `A pair names a record on side ${side} that the list of ids does not know. Nothing was resolved. Give the list that was written together with the encoded file, and say with --side which file was yours.`,
      );
    }
    yield `${quoted(record)},${row[side === 'a' ? 'b' : 'a'] ?? ''},${row['similarity'] ?? ''},${row['grade'] ?? ''}\n`;
  }
}

async function* rowsOf(
  pieces: AsyncIterable<string>,
  kind: keyof typeof HEADERS,
): AsyncGenerator<Record<string, string>> {
  const expected: readonly string[] = HEADERS[kind];
  let rows: CsvRow[] = [];
  let isHeader = true;
  const csv = createCsvReader(',', (row) => rows.push(row));
  const take = function* (): Generator<Record<string, string>> {
    for (const { fields, fault } of rows) {
      const fits = fault === undefined && fields.length === expected.length;
      if (!fits || (isHeader && fields.join() !== expected.join())) throw problemOf(kind);
      if (!isHeader) yield Object.fromEntries(expected.map((name, at) => [name, fields[at] ?? '']));
      isHeader = false;
    }
    rows = [];
  };
  for await (const piece of pieces) {
    csv.push(piece);
    yield* take();
  }
  csv.end();
  yield* take();
  if (isHeader) throw problemOf(kind);
}

function problemOf(kind: keyof typeof HEADERS): Problem {
  const what = kind === 'pairs' ? 'The file of pairs' : 'The list of ids';
  return encodingProblem(
    kind === 'pairs' ? 'pairs-invalid' : 'ids-invalid',
    `${what} is not one that Careseal wrote (columns ${HEADERS[kind].join(', ')}). Nothing was resolved.`,
  );
}
