/**
 * Identifiers. Each kind of id is a branded string, so that a user id cannot be passed where a record id is meant.
 * Ids are UUID version 7 (RFC 9562 §5.7): time-ordered, so that B-tree inserts stay at the right edge.
 */
declare const brand: unique symbol;
export type Branded<Name extends string> = string & { readonly [brand]: Name };

export type ResourceId = Branded<'ResourceId'>;
export type UserId = Branded<'UserId'>;
export type NodeId = Branded<'NodeId'>;
export type OrganisationId = Branded<'OrganisationId'>;
export type SessionId = Branded<'SessionId'>;
export type ReviewId = Branded<'ReviewId'>;
export type LoadId = Branded<'LoadId'>;
export type AuditEventId = Branded<'AuditEventId'>;
export type LinkEntryId = Branded<'LinkEntryId'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Parses a lower-case UUID; `undefined` when the text is none. Callers turn that into their own "not found". */
export function parseId<Id extends Branded<string>>(text: unknown): Id | undefined {
  // The one cast that makes a branded id: the pattern above is its proof.
  return typeof text === 'string' && UUID.test(text) ? (text as Id) : undefined;
}

/**
 * Builds a UUIDv7 from a Unix time in milliseconds and ten random bytes.
 * Pure: the clock and the randomness come in as values; `crypto/random.ts` has the impure `newId()`.
 */
export function uuidV7<Id extends Branded<string>>(unixMs: number, random: Uint8Array): Id {
  if (random.length < 10) throw new RangeError('uuidV7 needs ten random bytes');
  const time = unixMs.toString(16).padStart(12, '0');
  const byte = (at: number): string => HEX[random[at] ?? 0] ?? '';
  const version = HEX[((random[0] ?? 0) & 0x0f) | 0x70] ?? '';
  const variant = HEX[((random[2] ?? 0) & 0x3f) | 0x80] ?? '';
  const rest = byte(4) + byte(5) + byte(6) + byte(7) + byte(8) + byte(9);
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${byte(1)}-${variant}${byte(3)}-${rest}` as Id;
}

const HEX = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));
