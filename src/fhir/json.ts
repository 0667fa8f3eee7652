import type { Resource } from '@medplum/fhirtypes';
import { parseStrictJson } from '../kernel/strict-json.ts';
import { utf8Decode, utf8Encode } from '../kernel/bytes.ts';
import { Problem } from '../kernel/problem.ts';
import { exactNumber } from './decimals.ts';

/** Deepest nesting taken in: a Patient needs about 12, extensions of extensions a few more. */
const DEPTH_MAX = 40;

/** Could the text hold a number that a double does not keep (1.00, 1e3, 17 digits)? Hits inside strings only cost time. */
const MAYBE_INEXACT = /\d\.\d*0(?!\d)|\d[eE][+-]?\d|[\d.]{17}/;

/**
 * The same for text without blanks, as this server writes it: there a number follows `":`, `[` or `,`, so the ids, times and
 * addresses that every record is full of do not look like one.
 */
const MAYBE_INEXACT_STORED = /(?:":|[[,])-?(?:\d+\.\d*0(?!\d)|\d[\d.]*[eE]|[\d.]{17})/;

/** Parses a JSON body. Strict: UTF-8, no duplicate names, bounded depth; decimals keep their precision. */
export function parseFhirJson(input: Uint8Array | string): unknown {
  const text = withoutByteOrderMark(typeof input === 'string' ? input : decode(input));
  const value = parseStrictJson(text, { depthMax: DEPTH_MAX });
  return MAYBE_INEXACT.test(text) ? withExactNumbers(text) : value;
}

/** RFC 8259 §8.1 lets a reader ignore it, and systems in the field do send it. */
const withoutByteOrderMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);

function decode(bytes: Uint8Array): string {
  try {
    return utf8Decode(bytes);
  } catch {
    throw new Problem('invalid', 'json-encoding', 'The body is not UTF-8.', { fhirCode: 'structure' });
  }
}

/** Parses what this server has written itself (a sealed version out of the store): no strictness needed, decimals kept. */
export function parseStoredJson(content: Uint8Array): unknown {
  const text = utf8Decode(content);
  return MAYBE_INEXACT_STORED.test(text) ? withExactNumbers(text) : JSON.parse(text);
}

function withExactNumbers(text: string): unknown {
  return JSON.parse(text, (_key, item: unknown, context?: { source?: string }) =>
    typeof item === 'number' && context?.source !== undefined ? (exactNumber(context.source) ?? item) : item,
  );
}

export function printFhirJson(resource: Resource): Uint8Array {
  return utf8Encode(JSON.stringify(resource));
}

/** Indented, for `_pretty=true`. */
export function printPrettyJson(resource: Resource): Uint8Array {
  return utf8Encode(`${JSON.stringify(resource, null, 2)}\n`);
}
