import { z } from 'zod';
import { SECOND_FACTOR_LEVELS } from './model.ts';
import { AccountAnswer, PasswordText, RecoveryCode, TotpCode } from './wire.ts';

/** Second factors, passkeys, trusted devices and step-up: what travels between the pages and identity. */
const Instant = z.iso.datetime();
const Id = z.uuid();

/** What somebody calls a factor: "Work phone", "Yellow key". */
export const FactorName = z
  .string()
  .trim()
  .normalize('NFC')
  .min(1)
  .max(60)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'Contains characters that cannot be shown');

/** GET /api/factors, GET /api/users/:id/factors */
export const FactorsAnswer = z.object({
  authenticators: z.array(z.object({ id: Id, name: z.string(), createdAt: Instant, lastUsedAt: Instant.optional() })),
  passkeys: z.array(
    z.object({
      id: Id,
      name: z.string(),
      createdAt: Instant,
      lastUsedAt: Instant.optional(),
      /** Also kept elsewhere, by the password manager or the maker of the device. */
      backedUp: z.boolean(),
    }),
  ),
  recoveryCodesLeft: z.int(),
  trustedDevices: z.array(
    z.object({
      id: Id,
      address: z.string().optional(),
      userAgent: z.string().optional(),
      factorAt: Instant,
      lastUsedAt: Instant,
      expiresAt: Instant,
    }),
  ),
  /** The strictest that applies to this person. */
  secondFactor: z.enum(SECOND_FACTOR_LEVELS),
});
export type FactorsAnswer = z.output<typeof FactorsAnswer>;

/** POST /api/factors/authenticator: a new secret, which counts once its first code was right. */
export const AuthenticatorBeginAnswer = AccountAnswer;
/** POST /api/factors/authenticator/confirm */
export const AuthenticatorConfirmRequest = z.strictObject({ name: FactorName, code: TotpCode });
export const FactorAddedAnswer = z.object({
  id: Id,
  /** Made when there were none yet; shown once. */
  recoveryCodes: z.array(z.string()).optional(),
});
export type FactorAddedAnswer = z.output<typeof FactorAddedAnswer>;

/** PUT /api/factors/:id */
export const FactorRenameRequest = z.strictObject({ name: FactorName });
/** POST /api/recovery-codes: the ones before stop working. */
export const RecoveryCodesAnswer = z.object({ recoveryCodes: z.array(z.string()).length(10) });
export type RecoveryCodesAnswer = z.output<typeof RecoveryCodesAnswer>;

const Base64Url = z
  .string()
  .max(16_384)
  .regex(/^[A-Za-z0-9_-]*$/);
/** WebAuthn's options as JSON; the browser's own parser reads them. */
export const PasskeyOptionsAnswer = z.object({ options: z.record(z.string(), z.unknown()) });
export type PasskeyOptionsAnswer = z.output<typeof PasskeyOptionsAnswer>;

const credential = {
  id: Base64Url.max(1_400),
  rawId: Base64Url.max(1_400),
  type: z.literal('public-key'),
  authenticatorAttachment: z.string().max(40).nullish(),
  clientExtensionResults: z.record(z.string().max(60), z.unknown()).optional(),
};
/** RegistrationResponseJSON of WebAuthn 3, as far as it is read. */
export const PasskeyRegistration = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: Base64Url,
    attestationObject: Base64Url,
    transports: z.array(z.string().max(40)).max(10).optional(),
  }),
});
export type PasskeyRegistration = z.output<typeof PasskeyRegistration>;
/** AuthenticationResponseJSON of WebAuthn 3. */
export const PasskeyAssertion = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: Base64Url,
    authenticatorData: Base64Url,
    signature: Base64Url,
    userHandle: Base64Url.nullish(),
  }),
});
export type PasskeyAssertion = z.output<typeof PasskeyAssertion>;

/** POST /api/factors/passkey */
export const PasskeyAddRequest = z.strictObject({ name: FactorName, credential: PasskeyRegistration });

/** POST /api/sign-in/passkey/options. `alone`: without a password before, by a passkey the browser offers. */
export const PasskeySignInOptionsRequest = z.strictObject({ alone: z.boolean() });
/** POST /api/sign-in/passkey: signs in. */
export const PasskeySignInRequest = z.strictObject({
  credential: PasskeyAssertion,
  /** As in the options. */
  alone: z.boolean(),
  trust: z.boolean().optional(),
});
export const PasskeySignInAnswer = z.object({ state: z.literal('signed-in') });

/** POST /api/step-up: a new proof within the session; `password` only for who has no second factor. */
export const StepUpRequest = z.union([
  z.strictObject({ code: TotpCode }),
  z.strictObject({ credential: PasskeyAssertion }),
  z.strictObject({ password: PasswordText }),
]);
export type StepUpRequest = z.output<typeof StepUpRequest>;
/** GET /api/step-up: what this person can prove it with. */
export const StepUpWaysAnswer = z.object({
  ways: z.array(z.enum(['authenticator', 'passkey', 'password'])),
  minutes: z.int(),
});
export type StepUpWaysAnswer = z.output<typeof StepUpWaysAnswer>;

/** POST /api/password: choose another one. */
export const PasswordChangeRequest = z.strictObject({ current: PasswordText, password: PasswordText });

/** POST /api/forgot-password: always the same answer. */
export const ForgotPasswordRequest = z.strictObject({ email: z.string().trim().min(1).max(254) });
export const ForgotPasswordAnswer = z.object({
  /** Whether this server can send mail at all; says nothing about the address. */
  mail: z.boolean(),
});
export type ForgotPasswordAnswer = z.output<typeof ForgotPasswordAnswer>;

/** POST /api/factor-reset/link */
export const FactorResetLinkAnswer = z.object({ expiresAt: Instant, email: z.string() });
/** POST /api/password-reset/link */
export const ResetLinkAnswer = z.object({
  expiresAt: Instant,
  email: z.string(),
  passwordLengthMin: z.int(),
  ways: z.array(z.enum(['authenticator', 'passkey', 'recovery-code'])),
});
export type ResetLinkAnswer = z.output<typeof ResetLinkAnswer>;
const Token = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
export const ResetTokenRequest = z.strictObject({ token: Token });
/** POST /api/password-reset: the link, the new password, and a factor that is enrolled. */
export const PasswordResetRequest = z.strictObject({
  token: Token,
  password: PasswordText,
  proof: z.union([
    z.strictObject({ code: TotpCode }),
    z.strictObject({ recoveryCode: RecoveryCode }),
    z.strictObject({ credential: PasskeyAssertion }),
  ]),
});
export type PasswordResetRequest = z.output<typeof PasswordResetRequest>;

/** POST /api/factor-reset/begin: the link and the password, which stays as it was. */
export const FactorResetBeginRequest = z.strictObject({ token: Token, password: PasswordText });
/** POST /api/factor-reset/confirm: signs in. */
export const FactorResetConfirmRequest = z.strictObject({ token: Token, code: TotpCode });
