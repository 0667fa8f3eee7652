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
  const places: readonly unknown[] = fields;
  const [, given, family, birthDate, gender, phones, emails, identifiers, address, mother, multiple, suffix, written] =
    places;
  return {
    given: texts(given),
    family: texts(family),
    phones: texts(phones),
    emails: texts(emails),
    identifiers: Array.isArray(identifiers) ? identifiers.map(identifier) : [],
    ...(typeof birthDate === 'string' && { birthDate }),
    ...(typeof written === 'string' && { birthDateText: written }),
    ...(isGender(gender) && { gender }),
    ...(Array.isArray(address) && { address: addressOf(address) }),
    ...(typeof mother === 'string' && { mothersMaidenName: mother }),
    ...(Array.isArray(multiple) && isMultiple(multiple[0]) && { multipleBirth: multiple[0] }),
    ...(Array.isArray(suffix) && { suffix: texts(suffix) }),
  };
}

function texts(field: unknown): string[] {
  return Array.isArray(field) ? field.filter((value) => typeof value === 'string') : [];
}

function identifier(pair: unknown): MatchIdentifier {
  const [system, value] = texts(pair);
  return { system: system ?? '', value: value ?? '' };
}

function isGender(value: unknown): value is NonNullable<MatchRecord['gender']> {
  return value === 'male' || value === 'female' || value === 'other' || value === 'unknown';
}

function isMultiple(value: unknown): value is boolean | number {
  return typeof value === 'boolean' || typeof value === 'number';
}

function addressOf(fields: readonly unknown[]): MatchAddress {
  const [line, city, state, postalCode, country] = fields;
  return {
    line: texts(line),
    ...(typeof city === 'string' && { city }),
    ...(typeof state === 'string' && { state }),
    ...(typeof postalCode === 'string' && { postalCode }),
    ...(typeof country === 'string' && { country }),
  };
}
