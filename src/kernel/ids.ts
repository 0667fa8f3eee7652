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
  const hex: string[] = [];
  let rest = unixMs;
  const time = new Uint8Array(6);
  for (let i = 5; i >= 0; i--) {
    time[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  const bytes = [...time, ...random.subarray(0, 10)];
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  for (const byte of bytes) hex.push(byte.toString(16).padStart(2, '0'));
  const text = hex.join('');
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}` as Id;
}
