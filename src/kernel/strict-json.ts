import { utf8Decode } from './bytes.ts';
import { type JsonFault, locateJsonFault } from './json-fault.ts';
import { Problem } from './problem.ts';

/**
 * JSON as RFC 7493 (I-JSON) wants it: UTF-8, no duplicate names, no lone surrogates, numbers in range, bounded depth.
 * Two readers that disagree on which of two equal names counts are an attacker's way past the stricter of them.
 *
 * It runs on every request, so the work is left to `JSON.parse`: one scan of the text counts members and depth, one walk
 * of the value counts the members that survived; they differ exactly when a name occurred twice. Only then, or when the
 * text does not parse, does the slow and exact `locateJsonFault` look for the place.
 */
export interface StrictJsonOptions {
  /** Deepest nesting of arrays and objects; `[]` is 1. Default 64. */
  readonly depthMax?: number;
  /**
   * Keeps a number whose text is not the one JavaScript prints (`1.00`, `1e2`) as `JSON.rawJSON`, so that it is printed as it
   * came: a FHIR decimal's precision counts. Default false.
   */
  readonly keepNumberText?: boolean;
}

export type StrictJsonCode = 'json-encoding' | 'json-syntax' | 'json-duplicate-name' | 'json-too-deep' | 'json-value';

/** Parses text or UTF-8 bytes. Throws `Problem<StrictJsonCode>` of kind `invalid` naming line and column, never content. */
export function parseStrictJson(input: string | Uint8Array, options: StrictJsonOptions = {}): unknown {
  const depthMax = options.depthMax ?? 64;
  const text = typeof input === 'string' ? wellFormed(input) : decode(input);
  const scanned = scan(text, depthMax);
  if (scanned === 'too-deep') throw fault(text, depthMax);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // V8's own message quotes the text around the fault; that would put health values into an answer and a log.
    throw fault(text, depthMax);
  }
  if (countMembers(value, scanned.escapes) !== scanned.members) throw fault(text, depthMax);
  return options.keepNumberText === true && scanned.fractions ? parseKeepingNumbers(text) : value;
}

// ECMAScript 2026, in every run time we support; TypeScript's ES2024 library does not know it yet.
declare const JSON: {
  parse(
    text: string,
    reviver?: (name: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
};

function parseKeepingNumbers(text: string): unknown {
  return JSON.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && source !== String(value) ? JSON.rawJSON(source) : value,
  );
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8Decode(bytes);
  } catch {
    throw new Problem<StrictJsonCode>('invalid', 'json-encoding', 'The body is not UTF-8.');
  }
}

function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new Problem<StrictJsonCode>('invalid', 'json-encoding', 'The text has a lone surrogate and is not UTF-8.');
}

interface Scan {
  /** Number of `name:value` members, counted as colons outside strings. */
  readonly members: number;
  /** Whether a `\u` escape occurs, the only way a lone surrogate can come in. */
  readonly escapes: boolean;
  /** Whether a full stop or an exponent occurs outside strings, without which a number prints as it came. */
  readonly fractions: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const FULL_STOP = 0x2e;

function scan(text: string, depthMax: number): Scan | 'too-deep' {
  let members = 0;
  let depth = 0;
  let escapes = false;
  let fractions = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      for (i++; i < text.length; i++) {
        const inside = text.charCodeAt(i);
        if (inside === QUOTE) break;
        if (inside === BACKSLASH && text.charCodeAt(++i) === 0x75) escapes = true;
      }
    } else if (code === COLON) members++;
    else if (code === FULL_STOP || isExponent(text, i, code)) fractions = true;
    // 0x7b and 0x5b open, 0x7d and 0x5d close: the same bit pattern but for one bit.
    else if ((code | 0x20) === 0x7b) {
      if (++depth > depthMax) return 'too-deep';
    } else if ((code | 0x20) === 0x7d) depth--;
  }
  return { members, escapes, fractions };
}

/** An e or E after a digit; those of `true` and `false` come after letters. */
function isExponent(text: string, at: number, code: number): boolean {
  return (code | 0x20) === 0x65 && text.charCodeAt(at - 1) <= 0x39;
}

/** Members in the whole value; NaN, which equals no count, when a value in it is out of bounds. */
function countMembers(value: unknown, escapes: boolean): number {
  if (typeof value === 'string') return escapes && !value.isWellFormed() ? Number.NaN : 0;
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : Number.NaN;
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item, escapes);
    return count;
  }
  // JSON.parse makes plain objects with own members only.
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) {
    if (name === '__proto__' || (escapes && !name.isWellFormed())) return Number.NaN;
    count += 1 + countMembers(members[name], escapes);
  }
  return count;
}

const WORDS: Readonly<Record<JsonFault['reason'], readonly [StrictJsonCode, string]>> = {
  syntax: ['json-syntax', 'The body is not JSON'],
  duplicate: ['json-duplicate-name', 'The body names a member twice'],
  deep: ['json-too-deep', 'The body is nested too deeply'],
  surrogate: ['json-value', 'The body has a lone surrogate'],
  number: ['json-value', 'The body has a number out of range'],
  proto: ['json-value', 'The body has a member with a name that is not allowed'],
};

function fault(text: string, depthMax: number): Problem<StrictJsonCode> {
  const found = locateJsonFault(text, depthMax) ?? { reason: 'syntax', offset: 0 };
  const [code, words] = WORDS[found.reason];
  const before = text.slice(0, found.offset);
  const line = before.split('\n').length;
  const column = found.offset - before.lastIndexOf('\n');
  return new Problem('invalid', code, `${words} (line ${line}, column ${column}).`);
}
