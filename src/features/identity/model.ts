import { z } from 'zod';
import type { Permission } from '../../kernel/access.ts';
import type { Branded, OrganisationId, SessionId, UserId } from '../../kernel/ids.ts';
import type { Membership } from './rights.ts';
import { SECOND_FACTOR_LEVELS, type USER_STATES } from './wire.ts';

export type UserState = (typeof USER_STATES)[number];
/** As the database has it; `changed` is what we find. */
export type { StoredUserState } from './wire.ts';
export type FactorId = Branded<'FactorId'>;

/** A person with an account, opened. `email` is lower case ASCII (wire.ts). */
export interface User {
  readonly id: UserId;
  readonly name: string;
  readonly email: string;
  readonly state: UserState;
  /** The organisation joined first. */
  readonly organisationId: OrganisationId;
  /** Held there: names of built-in roles, ids of others. */
  readonly roles: readonly string[];
  /** All of them, the first joined first; never empty. */
  readonly memberships: readonly Membership[];
  readonly secondFactor: boolean;
  readonly lastSignInMs: number | undefined;
}

export interface Organisation {
  readonly id: OrganisationId;
  readonly name: string;
  /** The administration over all the others; there is exactly one, the first. */
  readonly central: boolean;
  /** What its people have at most; undefined: no ceiling. */
  readonly ceiling: readonly Permission[] | undefined;
  readonly retiredMs: number | undefined;
  /** Somebody else wrote to its row: nobody has rights there until its ceiling is set, or it is retired, anew. */
  readonly changed: boolean;
}

/** One browser signed in. `address` and `userAgent` are personal data: sealed at rest. */
export interface Session {
  readonly id: SessionId;
  readonly userId: UserId;
  readonly startedMs: number;
  readonly lastSeenMs: number;
  readonly authenticatedMs: number;
  readonly absoluteEndsMs: number;
  /** What opened it: `code`, `passkey`, `trusted-device`, … */
  readonly method: string;
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
}

/** What a person typed at the account step of a link, kept sealed in the link's row until a right code confirms it. */
export const LinkDraft = z.strictObject({
  organisation: z.string().optional(),
  name: z.string(),
  email: z.string(),
  /** Argon2id, PHC string. */
  passwordHash: z.string(),
  /** Base 32. */
  totpSecret: z.string(),
  /** The password was long enough to stand alone. */
  alone: z.boolean().optional(),
});
export type LinkDraft = z.output<typeof LinkDraft>;

export { SECOND_FACTOR_LEVELS };
export type SecondFactorLevel = (typeof SECOND_FACTOR_LEVELS)[number];

/**
 * The policy: typed settings with safe ranges (NIST SP 800-63B-4, OWASP ASVS 5.0 V6 and V7), changed by administrators while
 * serving (policy.ts). The numbers of throttling that are part of the promise have none; they live in throttle-rules.ts.
 */
export const IdentitySettings = z.strictObject({
  secondFactor: z.enum(SECOND_FACTOR_LEVELS).default('required'),
  trustedDevices: z.boolean().default(true),
  /** Counted from the last real second factor, not from the last use. */
  trustedDeviceDays: z.int().min(1).max(30).default(30),
  sessionIdleMinutes: z.int().min(2).max(60).default(15),
  sessionAbsoluteHours: z.int().min(1).max(24).default(12),
  /** Older sessions of the same person end when there are more. */
  sessionsPerUserMax: z.int().min(1).max(100).default(20),
  /** How recent a full proof must be for acts that are dangerous. */
  stepUpMinutes: z.int().min(1).max(60).default(10),
  /** Together with a second factor; 8 is the least (SP 800-63B-4 §3.1.1.2). */
  passwordLengthMin: z.int().min(8).max(64).default(8),
  /** Where the password is all there is; 15 is the least. */
  passwordAloneLengthMin: z.int().min(15).max(64).default(15),
  /** Words of the organisation that no password may consist of. */
  blocklistWords: z.array(z.string().trim().min(3).max(60)).max(500).default([]),
  /** Wrong attempts before waiting begins. */
  attemptsFree: z.int().min(3).max(10).default(10),
  /** Retires who has not signed in for so long; 0: never. The last administrator is never retired. */
  inactivityDays: z.union([z.literal(0), z.int().min(30).max(1095)]).default(0),
  /** From the right password to the right code. */
  preSessionMinutes: z.int().min(2).max(15).default(10),
  setupLinkMinutes: z.int().min(5).max(60).default(30),
  enrolmentLinkHours: z.int().min(1).max(168).default(72),
  /** For a lost password or second factor. */
  resetLinkMinutes: z.int().min(10).max(1440).default(60),
  /** How long a browser counts as one the person has used before (device cookie). */
  knownDeviceDays: z.int().min(1).max(365).default(180),
});
export type IdentitySettings = z.output<typeof IdentitySettings>;

export const DEFAULT_IDENTITY_SETTINGS: IdentitySettings = IdentitySettings.parse({});
