import { z } from 'zod';
import type { Problem } from '../../kernel/problem.ts';
import { fromBase64Url, toBase64Url } from '../../kernel/bytes.ts';
import { HARDENED_BITS } from './encoder.ts';
import { encodingProblem } from './errors.ts';
import type { EncodedHeader, EncodedRecord } from './model.ts';

const header = z.strictObject({
  format: z.literal('careseal-encoded/1'),
  project: z.string().max(100),
  fingerprint: z.string().max(32),
  hardening: z.enum(['balanced', 'xor-folded']),
  bits: z.number().int().positive(),
  records: z.number().int().nonnegative(),
});
const record = z.strictObject({ id: z.string().min(1).max(64), bits: z.string().max(512) });

/** A file of encoded records: one JSON document a line, the header first. */
export function* printEncoded(head: EncodedHeader, records: Iterable<EncodedRecord>): Generator<string> {
  yield `${JSON.stringify(head)}\n`;
  for (const { id, bits } of records) yield `${JSON.stringify({ id, bits: toBase64Url(bits) })}\n`;
}

/** Reads such a file line by line. Throws Problem `encoded-file-invalid`, naming the line. */
export async function readEncoded(
  name: string,
  lines: AsyncIterable<string>,
): Promise<{ readonly header: EncodedHeader; readonly records: readonly EncodedRecord[] }> {
  let head: EncodedHeader | undefined;
  const records: EncodedRecord[] = [];
  const ids = new Set<string>();
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line === '') continue;
    if (head === undefined) {
      head = parseHeader(name, line);
      continue;
    }
    const parsed = parseRecord(line, head.bits);
    if (parsed === undefined || ids.has(parsed.id))
      throw broken(name, `line ${number} is not an encoded record, or names one twice`);
    ids.add(parsed.id);
    records.push(parsed);
  }
  if (head === undefined) throw broken(name, 'it is empty');
  if (records.length !== head.records) {
    throw broken(
      name,
      `it should hold ${head.records} records and holds ${records.length}: it was cut or changed on the way`,
    );
  }
  return { header: head, records };
}

function parseHeader(name: string, line: string): EncodedHeader {
  const parsed = header.safeParse(parseJson(line));
  if (!parsed.success || parsed.data.bits !== HARDENED_BITS[parsed.data.hardening])
    throw broken(name, 'its first line is no header');
  return parsed.data;
}

function parseRecord(line: string, bits: number): EncodedRecord | undefined {
  const parsed = record.safeParse(parseJson(line));
  const bytes = parsed.success ? fromBase64Url(parsed.data.bits) : undefined;
  return parsed.success && bytes?.length === bits / 8 ? { id: parsed.data.id, bits: bytes } : undefined;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function broken(name: string, why: string): Problem {
  return encodingProblem(
    'encoded-file-invalid',
    `${name} is not a whole file of encoded records: ${why}. Nothing was compared. Ask for the file again.`,
  );
}
