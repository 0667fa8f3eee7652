/**
 * What of a row must not be changed by anybody but us, as a list of values in a fixed order. Pure; changing an order or adding
 * a fact makes every row of that kind look changed, so it needs an upgrade of the rows (row-upgrade.ts).
 */
export type Fact = string | number | boolean | null | readonly string[];

/** Kinds of bound rows; part of what each binding is sealed for. */
export const BOUND_KINDS = [
  'account',
  'credentials',
  'membership',
  'organisation',
  'role',
  'session',
  'pre-session',
  'link',
  'trusted-device',
  'exception',
  'emergency',
  'personal-token',
  'provider',
  'external-identity',
  'visit',
  'policy',
] as const;
export type BoundKind = (typeof BOUND_KINDS)[number];

/** A row's identity within its kind, and its facts. Times are Unix ms, bytes are hex. */
export interface BoundRow {
  readonly kind: BoundKind;
  readonly id: string;
  readonly facts: readonly Fact[];
}

const row = (kind: BoundKind, id: string, ...facts: Fact[]): BoundRow => ({ kind, id, facts });
const sorted = (values: readonly string[]): string[] => [...values].sort();

/** Whether the account is open. */
export const accountRow = (id: string, state: string): BoundRow => row('account', id, state);

/** All that opens the account. A factor removed, added or given to somebody else shows as well as one exchanged. */
export interface Credentials {
  /** Argon2id, PHC string; null: none. */
  readonly passwordHash: string | null;
  /** Authenticators and passkeys; what each holds is sealed for its id. */
  readonly factorIds: readonly string[];
  /** Hashes of unused recovery codes, hex. */
  readonly unusedCodes: readonly string[];
}

export const credentialsRow = (userId: string, of: Credentials): BoundRow =>
  row('credentials', userId, of.passwordHash, sorted(of.factorIds), sorted(of.unusedCodes));

export const membershipId = (userId: string, organisationId: string): string => `${userId} ${organisationId}`;
export const membershipRow = (userId: string, organisationId: string, roles: readonly string[]): BoundRow =>
  row('membership', membershipId(userId, organisationId), sorted(roles));

export const organisationRow = (of: {
  readonly id: string;
  readonly central: boolean;
  readonly ceiling: readonly string[] | null;
  readonly retired: boolean;
}): BoundRow => row('organisation', of.id, of.central, of.ceiling === null ? null : sorted(of.ceiling), of.retired);

/** Of a living role; a retired one has no binding. */
export const roleRow = (id: string, permissions: readonly string[]): BoundRow => row('role', id, sorted(permissions));

export const sessionRow = (of: {
  readonly tokenHash: string;
  readonly id: string;
  readonly userId: string;
  readonly startedMs: number;
  readonly authenticatedMs: number;
  readonly absoluteEndsMs: number;
  readonly method: string;
}): BoundRow =>
  row('session', of.id, of.tokenHash, of.userId, of.startedMs, of.authenticatedMs, of.absoluteEndsMs, of.method);

export const preSessionRow = (tokenHash: string, userId: string, expiresMs: number): BoundRow =>
  row('pre-session', tokenHash, userId, expiresMs);

export const linkRow = (of: {
  readonly tokenHash: string;
  readonly kind: string;
  readonly userId: string | null;
  readonly expiresMs: number;
}): BoundRow => row('link', of.tokenHash, of.kind, of.userId, of.expiresMs);

export const trustedDeviceRow = (of: {
  readonly id: string;
  readonly userId: string;
  readonly tokenHash: string;
  readonly factorMs: number;
  readonly expiresMs: number;
}): BoundRow => row('trusted-device', of.id, of.userId, of.tokenHash, of.factorMs, of.expiresMs);

/** Of a living exception; one that was ended has no binding. */
export const exceptionRow = (of: {
  readonly id: string;
  readonly userId: string;
  readonly approvedBy: string | null;
  readonly grantedMs: number;
  readonly endsMs: number;
}): BoundRow => row('exception', of.id, of.userId, of.approvedBy, of.grantedMs, of.endsMs);

/** An emergency may be cut short, by whoever; never begun or prolonged. */
export const emergencyRow = (of: {
  readonly id: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly startedMs: number;
  readonly endsMs: number;
}): BoundRow => row('emergency', of.id, of.userId, of.sessionId, of.startedMs, of.endsMs);

/** Of a living token; a revoked one has no binding. */
export const personalTokenRow = (of: {
  readonly id: string;
  readonly userId: string;
  readonly tokenHash: string;
  readonly organisationId: string;
  readonly permissions: readonly string[];
  readonly expiresMs: number;
}): BoundRow =>
  row('personal-token', of.id, of.userId, of.tokenHash, of.organisationId, sorted(of.permissions), of.expiresMs);

/** Of a provider in use; a retired one has no binding. */
export const providerRow = (id: string, issuer: string): BoundRow => row('provider', id, issuer);

export const externalIdentityRow = (of: {
  readonly id: string;
  readonly providerId: string;
  readonly userId: string;
  readonly subject: string;
  /** Linked through somebody else's link, and not confirmed by the person yet. */
  readonly pending: boolean;
}): BoundRow =>
  row('external-identity', of.id, of.providerId, of.userId, of.subject, ...(of.pending ? ['pending'] : []));

export const visitRow = (of: {
  readonly id: string;
  readonly stateHash: string;
  readonly browserHash: string;
  readonly providerId: string;
  readonly userId: string | null;
  readonly linkHash: string | null;
}): BoundRow => row('visit', of.id, of.stateHash, of.browserHash, of.providerId, of.userId, of.linkHash);

/** The policy as a whole; `rules` are lines such as `role auditor required`, `network door users 10.0.0.0/8`. */
export const policyRow = (of: {
  readonly version: number;
  readonly settings: unknown;
  readonly rules: readonly string[];
}): BoundRow => row('policy', 'policy', of.version, canonical(of.settings), sorted(of.rules));

/** jsonb keeps no order of keys. */
function canonical(settings: unknown): string {
  const entries = typeof settings === 'object' && settings !== null ? Object.entries(settings) : [];
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
