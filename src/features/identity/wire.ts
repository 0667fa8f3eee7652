import { z } from 'zod';
import { PERMISSIONS, ROLES } from '../../kernel/access.ts';

/**
 * What travels between the pages (or the command line) and identity. Times are FHIR instants (UTC, milliseconds).
 * One-time links carry their token in the fragment (`/setup#<token>`, `/enrol#<token>`), which browsers never send, and the
 * pages hand it on in a request body: no address, and so no request log, ever holds one.
 */

/** Codes of identity's refusals (`code` in problem+json), for pages that answer each in its own words. */
export const IDENTITY_PROBLEM_CODES = [
  'not-signed-in', // 401: no session, or it has ended
  'not-allowed', // 403: signed in, without the permission
  'sign-in-refused', // 401: e-mail, password or state of the account; never says which
  'code-refused', // 401: wrong, early, late or used code; the pre-session still lives
  'sign-in-expired', // 401: no pre-session: start again with the password
  'too-many-attempts', // 429 with Retry-After
  'passwords-busy', // 429 with Retry-After: the password queue is full
  'link-dead', // 410: unknown, used or expired link; never says which
  'account-first', // 409: confirm was called before account
  'password-refused', // 422 with one issue per reason
  'email-taken', // 409
  'user-unknown', // 404
  'session-unknown', // 404
  'organisation-unknown', // 404: none, or none of those one administers
  'role-unknown', // 404
  'organisation-central', // 409
  'emergency-needless', // 409
  'emergency-often', // 429
  'emergency-unknown', // 404
  'token-unknown', // 404
  'tokens-many', // 409
  'provider-unknown', // 404
  'provider-refused', // 401: nothing that came back from the provider can be relied on; never says which
  'provider-unlinked', // 403: right at the provider, and no account here is linked with it
  'provider-unconfirmed', // 403: linked through an administrator's link, and not confirmed by the account's owner
  'provider-taken', // 409: linked with another account, or the account with another identity there
  'provider-away', // 503
  'other-organisations', // 403: the person belongs to organisations one does not administer
  'last-membership', // 409
  'member-already', // 409
  'set-up-first', // 409: no organisation yet
  'set-up-done', // 409: there is an administrator already
  'last-administrator', // 409
  'own-rights', // 403: raising one's own rights, ending or resetting oneself
  'rights-exceed', // 403: giving, or touching somebody with, rights one does not have
  'wrong-state', // 409: e.g. inviting again somebody who has enrolled
  'policy-refused', // 422 with one issue per setting outside its range
  'network-would-lock-out', // 409: the list of networks leaves out whoever sets it
  'network-refused', // 403: this network is not on the list
  'step-up-needed', // 403: prove it is you (POST /api/step-up), then ask again
  'passkey-refused', // 401: wrong origin, counter, signature, or no user verification; never says which
  'challenge-dead', // 409: unknown, used or expired challenge
  'factor-unknown', // 404
  'last-factor', // 409
  'too-many-factors', // 409
  'account-changed', // 403: right password, but somebody else wrote to the account in the database
  'factor-missing', // 403: right password, no factor, and one is required
  'exception-unknown', // 404
  'factor-required', // 403: nobody goes on without one
  'own-exception', // 403
  'notice-unknown', // 404
  'notice-pending', // 403: acknowledge what is to be read (GET /api/notices/pending), then ask again
  'ban-unknown', // 404
  'import-refused', // 422 with one issue per row
  'passkeys-unavailable', // 409
] as const;
export type IdentityProblemCode = (typeof IDENTITY_PROBLEM_CODES)[number];

const Instant = z.iso.datetime();
const Id = z.uuid();

/** Text a person typed as a name: trimmed, composed, no control, format or bidi characters. */
const nameText = (lengthMax: number) =>
  z
    .string()
    .trim()
    .normalize('NFC')
    .min(1)
    .max(lengthMax)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'Contains characters that cannot be shown');

export const PersonName = nameText(120);
export const OrganisationName = nameText(160);
/** ASCII only (zod's pattern), so that no look-alike letter makes a second address that reads the same. */
export const EmailAddress = z
  .string()
  .trim()
  .max(254)
  .pipe(z.email())
  .transform((text) => text.toLowerCase());
/** Bounds of what is read at all; the policy (length, blocklist) is decided in rules.ts and answers with reasons. */
export const PasswordText = z.string().min(1).max(1024);
/** 256 bits, base64url. */
export const LinkToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
/** Six digits; authenticator apps show them in groups, so spaces are taken out. */
export const TotpCode = z
  .string()
  .max(16)
  .transform((text) => text.replaceAll(/\s/g, ''))
  .pipe(z.string().regex(/^[0-9]{6}$/));
/** Crockford's base 32, six groups of four (four groups: made by an earlier version); case, spaces and dashes do not matter. */
export const RecoveryCode = z
  .string()
  .max(40)
  .transform((text) => text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1'))
  .pipe(z.string().regex(/^[0-9A-HJKMNP-TV-Z]{16}(?:[0-9A-HJKMNP-TV-Z]{8})?$/));

/** A built-in role's name, or the id of one of the programme's own. */
export const RoleName = z.union([z.enum(ROLES), z.uuid()]);
export type RoleName = z.output<typeof RoleName>;
/** At least one, none twice. */
export const RoleList = z
  .array(RoleName)
  .min(1)
  .max(20)
  .refine((roles) => new Set(roles).size === roles.length, 'A role is named twice');

export const NoQuery = z.strictObject({});
export const NoParams = z.strictObject({});
export const IdParams = z.strictObject({ id: Id });

/** GET /api/session */
export const SessionAnswer = z.object({
  /** `second-factor`: the password was right, the code is still to come. */
  state: z.enum(['anonymous', 'second-factor', 'signed-in']),
  user: z
    .object({
      id: Id,
      name: z.string(),
      email: z.string(),
      roles: z.array(RoleName),
      /** Where this session acts. */
      organisation: z.object({ id: Id, name: z.string(), central: z.boolean() }),
      /** All of the person's organisations. */
      organisations: z.array(z.object({ id: Id, name: z.string() })),
      /** Names of the roles that are the programme's own. */
      roleNames: z.record(z.string(), z.string()),
    })
    .optional(),
  permissions: z.array(z.enum(PERMISSIONS)),
  idleTimeoutSeconds: z.int(),
  absoluteEndsAt: Instant.optional(),
  /** Standing warnings, for who can mend them: the second factor is off. */
  warnings: z.array(z.string()).optional(),
  /** Present while glass is broken: every client is in reach until then, and everything is looked at afterwards. */
  emergency: z.object({ id: Id, endsAt: Instant }).optional(),
});
export type SessionAnswer = z.output<typeof SessionAnswer>;

export const SECOND_FACTOR_LEVELS = ['off', 'optional', 'required'] as const;

/** POST /api/setup/link, POST /api/enrol/link: is the link alive, and what is it for? */
export const LinkRequest = z.strictObject({ token: LinkToken });
export const LinkAnswer = z.object({
  kind: z.enum(['setup', 'enrol']),
  valid: z.literal(true),
  /** Known for enrolment; at set-up the person types them. */
  organisation: z.string().optional(),
  email: z.string().optional(),
  name: z.string().optional(),
  expiresAt: Instant,
  passwordLengthMin: z.int(),
  /** What the policy asks of this person: `off` and `optional` may go on without one. */
  secondFactor: z.enum(SECOND_FACTOR_LEVELS),
});
export type LinkAnswer = z.output<typeof LinkAnswer>;

/** POST /api/setup/account */
export const SetupAccountRequest = z.strictObject({
  token: LinkToken,
  organisation: OrganisationName,
  name: PersonName,
  email: EmailAddress,
  password: PasswordText,
});
/** POST /api/enrol/account */
export const EnrolAccountRequest = z.strictObject({
  token: LinkToken,
  name: PersonName.optional(),
  password: PasswordText,
});
export const AccountAnswer = z.object({
  totp: z.object({
    /** otpauth:// address, the QR's content. */
    uri: z.string(),
    /** Base 32 in groups of four, to be typed by hand. */
    key: z.string(),
    /** A complete `<svg>` document, made by the server: show it as an image. */
    qrSvg: z.string(),
  }),
});
export type AccountAnswer = z.output<typeof AccountAnswer>;

/** POST /api/setup/confirm, POST /api/enrol/confirm: signs in as well. */
export const ConfirmRequest = z.strictObject({ token: LinkToken, code: TotpCode });
export const ConfirmAnswer = z.object({ recoveryCodes: z.array(z.string()).length(10) });
export type ConfirmAnswer = z.output<typeof ConfirmAnswer>;

/** POST /api/setup/without-factor, POST /api/enrol/without-factor: where the policy lets them; signs in as well. */
export const WithoutFactorRequest = z.strictObject({ token: LinkToken });

/** POST /api/password-check */
export const PasswordCheckRequest = z.strictObject({
  password: z.string().max(1024),
  /** The person's and organisation's own words: name, e-mail, organisation. */
  words: z.array(z.string().max(254)).max(10).optional(),
});
export const PASSWORD_REASONS = ['too-short', 'too-long', 'common', 'own-word', 'repetitive', 'sequence'] as const;
export const PasswordReason = z.object({ code: z.enum(PASSWORD_REASONS), text: z.string() });
export type PasswordReason = z.output<typeof PasswordReason>;
export const PasswordCheckAnswer = z.object({ ok: z.boolean(), reasons: z.array(PasswordReason) });
export type PasswordCheckAnswer = z.output<typeof PasswordCheckAnswer>;

/** POST /api/sign-in/password. Whatever is no address is refused like a wrong one, so this takes any text. */
export const SignInPasswordRequest = z.strictObject({
  email: z.string().trim().min(1).max(254),
  password: PasswordText,
});
export const SignInPasswordAnswer = z.union([
  /** `mayTrust`: whether the page may offer not to ask again on this browser. */
  z.object({
    next: z.literal('second-factor'),
    ways: z.array(z.enum(['authenticator', 'passkey'])),
    mayTrust: z.boolean(),
  }),
  /** No second factor is asked for: a trusted device, or the policy. */
  z.object({ next: z.literal('signed-in') }),
]);
export type SignInPasswordAnswer = z.output<typeof SignInPasswordAnswer>;

/** POST /api/sign-in/code */
export const SignInCodeRequest = z.union([
  z.strictObject({ code: TotpCode, trust: z.boolean().optional() }),
  z.strictObject({ recoveryCode: RecoveryCode, trust: z.boolean().optional() }),
]);
export const SignInCodeAnswer = z.object({
  state: z.literal('signed-in'),
  /** Present when a recovery code was used. */
  recoveryCodesLeft: z.int().optional(),
});
export type SignInCodeAnswer = z.output<typeof SignInCodeAnswer>;

/** GET /api/sessions */
export const SessionsAnswer = z.object({
  sessions: z.array(
    z.object({
      id: Id,
      current: z.boolean(),
      startedAt: Instant,
      lastSeenAt: Instant,
      address: z.string().optional(),
      userAgent: z.string().optional(),
    }),
  ),
});
export type SessionsAnswer = z.output<typeof SessionsAnswer>;

export const STORED_USER_STATES = ['invited', 'active', 'disabled', 'retired'] as const;
export type StoredUserState = (typeof STORED_USER_STATES)[number];
/** `changed`: somebody else wrote to the account in the database; it opens nothing until it is reset. */
export const USER_STATES = [...STORED_USER_STATES, 'changed'] as const;
export const UserEntry = z.object({
  id: Id,
  name: z.string(),
  email: z.string(),
  /** In the first of `memberships`. */
  roles: z.array(RoleName),
  /** Those in organisations that whoever asks administers. */
  memberships: z.array(
    z.object({
      organisation: z.object({ id: Id, name: z.string() }),
      roles: z.array(RoleName),
      central: z.boolean(),
    }),
  ),
  /** The person belongs to further organisations. */
  elsewhere: z.boolean(),
  state: z.enum(USER_STATES),
  secondFactor: z.boolean(),
  lastSignInAt: Instant.optional(),
});
export type UserEntry = z.output<typeof UserEntry>;

/** GET /api/users. `q`: words, each of which begins a word of the name or the address; never a part of an address page. */
export const UsersQuery = z.strictObject({
  state: z.enum(STORED_USER_STATES).optional(),
  organisation: Id.optional(),
  after: Id.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(100),
});
/** POST /api/users/search: the same with words, which belong in no address. */
export const UsersSearchRequest = z.strictObject({
  text: z.string().max(200),
  state: z.enum(STORED_USER_STATES).optional(),
  organisation: Id.optional(),
  after: Id.optional(),
  limit: z.int().min(1).max(200).default(100),
});
export const UsersAnswer = z.object({
  users: z.array(UserEntry),
  total: z.int(),
  /** `after` of the next page. */
  next: Id.optional(),
});
export type UsersAnswer = z.output<typeof UsersAnswer>;

/** POST /api/users */
export const UserAddRequest = z.strictObject({
  name: PersonName,
  email: EmailAddress,
  roles: RoleList,
  /** Default: the one the session acts in. */
  organisationId: Id.optional(),
});
/** POST /api/users, /api/users/:id/reset, /api/users/:id/invite-again: the link is shown once, to the administrator. */
export const UserLinkAnswer = z.object({
  user: UserEntry,
  link: z.url(),
  expiresAt: Instant,
  /** Also on its way by e-mail; only ever an invitation. */
  mailed: z.boolean(),
});
export type UserLinkAnswer = z.output<typeof UserLinkAnswer>;

/** POST /api/users/:id/disable, /enable; PUT /api/users/:id/roles */
export const UserAnswer = z.object({ user: UserEntry });
export type UserAnswer = z.output<typeof UserAnswer>;
/** Without an organisation: the person's only one, or the first joined. */
export const RolesRequest = z.strictObject({ roles: RoleList, organisationId: Id.optional() });
/** POST /api/users/:id/memberships, and DELETE /api/users/:id/memberships/:organisation */
export const MembershipRequest = z.strictObject({ organisationId: Id, roles: RoleList });
export const TokenOfUserParams = z.strictObject({ id: Id, token: Id });
export const MembershipParams = z.strictObject({ id: Id, organisation: Id });
