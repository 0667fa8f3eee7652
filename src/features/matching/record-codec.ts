import type { MatchAddress, MatchIdentifier, MatchRecord } from './model.ts';

/**
 * A MatchRecord as compact JSON text, for the sealed copy that matching opens instead of the whole Patient. An array by position with
 * trailing empty places cut; `1` in front is the version. `decodeRecord(encodeRecord(r))` equals r.
 */
const VERSION = 1;

export function encodeRecord(record: MatchRecord): string {
  const { address } = record;
  const fields: unknown[] = [
    VERSION,
    record.given,
    record.family,
    record.birthDate ?? 0,
    record.gender ?? 0,
    record.phones,
    record.emails,
    record.identifiers.map(({ system, value }) => [system, value]),
    address === undefined
      ? 0
      : [address.line, address.city ?? 0, address.state ?? 0, address.postalCode ?? 0, address.country ?? 0],
    record.mothersMaidenName ?? 0,
    record.multipleBirth === undefined ? 0 : [record.multipleBirth],
    record.suffix ?? 0,
    record.birthDateText ?? 0,
  ];
  let end = fields.length;
  while (end > 1 && isEmpty(fields[end - 1])) end--;
  return JSON.stringify(fields.slice(0, end));
}

function isEmpty(field: unknown): boolean {
  return field === 0 || (Array.isArray(field) && field.length === 0);
}

/** Reads what `encodeRecord` wrote. The text comes out of the seal, so only its shape is checked, not its content. */
export function decodeRecord(text: string): MatchRecord {
  const fields: unknown = JSON.parse(text);
  if (!Array.isArray(fields) || fields[0] !== VERSION) throw new TypeError('not a match record of version 1');
  // By place and by assignment: a registration decodes a dozen of them, a large load thirty, and spreading costs as much as parsing.
  const places: readonly unknown[] = fields;
  const record: { -readonly [Key in keyof MatchRecord]: MatchRecord[Key] } = {
    given: texts(places[1]),
    family: texts(places[2]),
    phones: texts(places[5]),
    emails: texts(places[6]),
    identifiers: Array.isArray(places[7]) ? places[7].map(identifier) : [],
  };
  const [birthDate, gender, address, multiple] = [places[3], places[4], places[8], places[10]];
  if (typeof birthDate === 'string') record.birthDate = birthDate;
  if (typeof places[12] === 'string') record.birthDateText = places[12];
  if (isGender(gender)) record.gender = gender;
  if (Array.isArray(address)) record.address = addressOf(address);
  if (typeof places[9] === 'string') record.mothersMaidenName = places[9];
  if (Array.isArray(multiple) && isMultiple(multiple[0])) record.multipleBirth = multiple[0];
  if (Array.isArray(places[11])) record.suffix = texts(places[11]);
  return record;
}

/** The list itself where it holds nothing else: it was parsed just now and is nobody else's. */
function texts(field: unknown): string[] {
  if (!Array.isArray(field)) return [];
  for (const value of field as readonly unknown[]) {
    if (typeof value !== 'string') return field.filter((one) => typeof one === 'string');
  }
  return field as string[];
}

function identifier(pair: unknown): MatchIdentifier {
  const parts = texts(pair);
  return { system: parts[0] ?? '', value: parts[1] ?? '' };
}

function isGender(value: unknown): value is NonNullable<MatchRecord['gender']> {
  return value === 'male' || value === 'female' || value === 'other' || value === 'unknown';
}

function isMultiple(value: unknown): value is boolean | number {
  return typeof value === 'boolean' || typeof value === 'number';
}

function addressOf(fields: readonly unknown[]): MatchAddress {
  const address: { -readonly [Key in keyof MatchAddress]: MatchAddress[Key] } = { line: texts(fields[0]) };
  if (typeof fields[1] === 'string') address.city = fields[1];
  if (typeof fields[2] === 'string') address.state = fields[2];
  if (typeof fields[3] === 'string') address.postalCode = fields[3];
  if (typeof fields[4] === 'string') address.country = fields[4];
  return address;
}
