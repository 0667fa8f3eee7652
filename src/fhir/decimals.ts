/**
 * FHIR decimals keep their precision: 1.00 is not 1.0. A JavaScript number cannot hold that, so a number whose text would
 * change is kept as `JSON.rawJSON(text)`, which JSON.stringify writes back exactly; all others are plain numbers.
 */
interface RawJson {
  readonly rawJSON: string;
}
declare global {
  // ECMAScript's "JSON.parse source text access"; the compiler's library does not declare it yet.
  interface JSON {
    rawJSON(text: string): RawJson;
    isRawJSON(value: unknown): value is RawJson;
  }
}

const DECIMAL = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const DECIMAL_LENGTH_MAX = 64;

/** A number in JSON's notation as a value that prints as it came; undefined when it is no such number. */
export function exactNumber(text: string): number | RawJson | undefined {
  if (text.length > DECIMAL_LENGTH_MAX || !DECIMAL.test(text)) return undefined;
  const value = Number(text);
  return String(value) === text ? value : JSON.rawJSON(text);
}

/** The text of a decimal as it came; undefined when the value is no finite number. */
export function decimalText(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  return JSON.isRawJSON(value) && DECIMAL.test(value.rawJSON) ? value.rawJSON : undefined;
}
