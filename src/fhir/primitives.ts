import { isDate, isDateTime, isInstant } from './dates.ts';
import { decimalText } from './decimals.ts';

/** Why a value is not of its primitive type, in words without the value; undefined when it is. */
export type PrimitiveFault = string | undefined;

/** R4: "strings SHALL NOT exceed 1MB (1024*1024 characters)". */
const STRING_LENGTH_MAX = 1_048_576;
// R4 forbids code points below 32 except tab, line feed and return; XML 1.0 cannot carry U+FFFE and U+FFFF.
// Finding control characters is the purpose.
const FORBIDDEN_CHARACTER = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

function textFault(value: unknown): PrimitiveFault {
  if (typeof value !== 'string') return 'a text was expected';
  if (value.length === 0) return 'a text must not be empty';
  if (value.length > STRING_LENGTH_MAX) return 'a text must not be longer than 1,048,576 characters';
  if (FORBIDDEN_CHARACTER.test(value)) return 'a text must not contain control characters';
  if (!value.isWellFormed()) return 'a text must not contain half of a surrogate pair';
  return undefined;
}

/** A text type with a pattern; what the pattern cannot say (dates that exist) goes into `test`. */
function patterned(test: (text: string) => boolean, fault: string): (value: unknown) => PrimitiveFault {
  return (value) => textFault(value) ?? (test(value as string) ? undefined : fault);
}

function integer(min: number, fault: string): (value: unknown) => PrimitiveFault {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= 2_147_483_647 ? undefined : fault;
}

const matches =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text);

/** Base64 with optional white space (R4's own pattern backtracks badly on long input). */
function isBase64(text: string): boolean {
  const packed = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  return packed.length % 4 === 0 && /^[0-9A-Za-z+/]*={0,2}$/.test(packed);
}

const URI = matches(/^\S*$/);

/** The checks, by type name; xhtml is looked at in narrative.ts. */
export const PRIMITIVE_CHECKS: Readonly<Record<string, (value: unknown) => PrimitiveFault>> = {
  boolean: (value) => (typeof value === 'boolean' ? undefined : 'true or false was expected'),
  integer: integer(-2_147_483_648, 'a whole number of 32 bits was expected'),
  unsignedInt: integer(0, 'a whole number from 0 on was expected'),
  positiveInt: integer(1, 'a whole number from 1 on was expected'),
  decimal: (value) => (decimalText(value) === undefined ? 'a number was expected' : undefined),
  string: textFault,
  markdown: textFault,
  xhtml: textFault,
  code: patterned(matches(/^[^\s]+(?:\s[^\s]+)*$/), 'a code must have no leading, trailing or double white space'),
  id: patterned(matches(/^[A-Za-z0-9\-.]{1,64}$/), 'an id is 1 to 64 letters, digits, hyphens and dots'),
  uri: patterned(URI, 'a URI must not contain white space'),
  url: patterned(URI, 'a URL must not contain white space'),
  canonical: patterned(URI, 'a canonical URL must not contain white space'),
  oid: patterned(matches(/^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$/), 'an OID is written urn:oid:1.2.3'),
  uuid: patterned(
    matches(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
    'a UUID is written urn:uuid: and 36 lower-case characters',
  ),
  base64Binary: patterned(isBase64, 'base64 was expected'),
  date: patterned(isDate, 'a date that exists was expected: YYYY, YYYY-MM or YYYY-MM-DD'),
  dateTime: patterned(isDateTime, 'a date that exists was expected, or a date with time to the second and time zone'),
  instant: patterned(isInstant, 'a moment with date, time to the second and time zone was expected'),
  time: patterned(
    matches(/^(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?$/),
    'a time was expected: hh:mm:ss',
  ),
};
