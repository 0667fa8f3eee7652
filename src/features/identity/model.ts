import { z } from 'zod';
import type { Role } from '../../kernel/access.ts';
import type { Branded, OrganisationId, SessionId, UserId } from '../../kernel/ids.ts';
import type { USER_STATES } from './wire.ts';

export type UserState = (typeof USER_STATES)[number];
export type FactorId = Branded<'FactorId'>;

/** A person with an account, opened. `email` is lower case ASCII (wire.ts). */
export interface User {
  readonly id: UserId;
  readonly name: string;
  readonly email: string;
  readonly state: UserState;
  readonly organisationId: OrganisationId;
  readonly roles: readonly Role[];
  readonly secondFactor: boolean;
  readonly lastSignInMs: number | undefined;
}

export interface Organisation {
  readonly id: OrganisationId;
  readonly name: string;
}

/** One browser signed in. `address` and `userAgent` are personal data: sealed at rest. */
export interface Session {
  readonly id: SessionId;
  readonly userId: UserId;
  readonly startedMs: number;
  readonly lastSeenMs: number;
  readonly authenticatedMs: number;
  readonly absoluteEndsMs: number;
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
});
export type LinkDraft = z.output<typeof LinkDraft>;

/**
 * Typed settings with safe ranges (NIST SP 800-63B-4, OWASP ASVS 5.0 V6 and V7). Throttling has none: its numbers are part of
 * the promise and live in throttle-rules.ts.
 */
export const IdentitySettings = z.strictObject({
  sessionIdleMinutes: z.int().min(2).max(60).default(15),
  sessionAbsoluteHours: z.int().min(1).max(24).default(12),
  /** Older sessions of the same person end when there are more. */
  sessionsPerUserMax: z.int().min(1).max(100).default(20),
  /** From the right password to the right code. */
  preSessionMinutes: z.int().min(2).max(15).default(10),
  /** 8 is the least together with a second factor, which everybody has (SP 800-63B-4 §3.1.1.2). */
  passwordLengthMin: z.int().min(8).max(64).default(8),
  setupLinkMinutes: z.int().min(5).max(60).default(30),
  enrolmentLinkHours: z.int().min(1).max(168).default(72),
  /** How long a browser counts as one the person has used before (device cookie). */
  knownDeviceDays: z.int().min(1).max(365).default(180),
});
export type IdentitySettings = z.output<typeof IdentitySettings>;

export const DEFAULT_IDENTITY_SETTINGS: IdentitySettings = IdentitySettings.parse({});
