import { z } from 'zod';
import { PERMISSIONS } from '../../kernel/access.ts';
import { OrganisationName, RoleName } from './wire.ts';

/** What travels for organisations, roles, rights and their review, emergency access. Times are FHIR instants. */
const Id = z.uuid();
const Instant = z.iso.datetime();
export const PermissionName = z.enum(PERMISSIONS);
/** None twice. */
export const PermissionList = z
  .array(PermissionName)
  .max(PERMISSIONS.length)
  .refine((names) => new Set(names).size === names.length, 'A permission is named twice');

const reason = z
  .string()
  .trim()
  .normalize('NFC')
  .min(10, 'Say it in a sentence: at least 10 characters')
  .max(500)
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'Contains characters that cannot be shown');
const named = z.object({ id: Id, name: z.string() });

/** POST /api/organisations/search */
export const OrganisationsSearch = z.strictObject({
  text: z.string().max(160).default(''),
  state: z.enum(['active', 'retired']).default('active'),
  after: z.int().min(0).max(100_000).default(0),
});
export const OrganisationEntry = z.object({
  id: Id,
  name: z.string(),
  central: z.boolean(),
  /** What its people have at most; missing: no ceiling. */
  ceiling: z.array(PermissionName).optional(),
  users: z.int(),
  retiredAt: Instant.optional(),
});
export type OrganisationEntry = z.output<typeof OrganisationEntry>;
export const OrganisationsAnswer = z.object({
  organisations: z.array(OrganisationEntry),
  total: z.int(),
  /** `after` of the next page. */
  next: z.int().optional(),
});
export type OrganisationsAnswer = z.output<typeof OrganisationsAnswer>;
/** POST /api/organisations */
export const OrganisationAdd = z.strictObject({ name: OrganisationName, ceiling: PermissionList.optional() });
/** PUT /api/organisations/:id. `ceiling: null` takes the ceiling away. */
export const OrganisationChange = z.strictObject({
  name: OrganisationName.optional(),
  ceiling: PermissionList.nullable().optional(),
  retired: z.boolean().optional(),
});
export const OrganisationAnswer = z.object({ organisation: OrganisationEntry });

/** POST /api/organisations/choices: up to twenty whose names have these words. */
export const OrganisationChoice = z.strictObject({ text: z.string().max(160).default('') });
export const OrganisationChoices = z.object({ organisations: z.array(named) });

/** GET /api/roles: the built-in ones and the programme's own. */
export const RoleEntry = z.object({
  id: RoleName,
  /** Missing for built-in ones: pages have words for them. */
  name: z.string().optional(),
  about: z.string().optional(),
  builtIn: z.boolean(),
  permissions: z.array(PermissionName),
  /** Memberships that hold it; own roles only. */
  held: z.int().optional(),
});
export type RoleEntry = z.output<typeof RoleEntry>;
export const RolesAnswer = z.object({
  roles: z.array(RoleEntry),
  /** Permissions that only the central organisation's people have, whatever a role says. */
  centralOnly: z.array(PermissionName),
});
const line = (max: number) =>
  z
    .string()
    .trim()
    .normalize('NFC')
    .max(max)
    .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'Contains characters that cannot be shown');
/** POST /api/roles, PUT /api/roles/:id */
export const RoleWanted = z.strictObject({
  name: line(60).min(1),
  about: line(300).default(''),
  permissions: PermissionList.min(1),
});
export type RoleWanted = z.output<typeof RoleWanted>;
export const RoleAnswer = z.object({ role: RoleEntry });

/** POST /api/rights: why can, or can't, this person do that there? */
export const RightsRequest = z.strictObject({ userId: Id, organisationId: Id.optional() });
export const ReasonEntry = z.object({
  kind: z.enum(['account', 'granted', 'blocked', 'not-member', 'no-role']),
  organisation: named.optional(),
  role: z.object({ id: RoleName, name: z.string().optional() }).optional(),
  central: z.boolean().optional(),
  by: z.enum(['organisation-retired', 'central-only', 'ceiling']).optional(),
  state: z.string().optional(),
});
export type ReasonEntry = z.output<typeof ReasonEntry>;
export const RightsAnswer = z.object({
  user: z.object({ id: Id, name: z.string(), state: z.string() }),
  organisation: named,
  /** Others of this person's that whoever asks may look at. */
  organisations: z.array(named),
  rights: z.array(z.object({ permission: PermissionName, allowed: z.boolean(), reasons: z.array(ReasonEntry) })),
});
export type RightsAnswer = z.output<typeof RightsAnswer>;

/** GET /api/access-review: memberships nobody has looked at for so long, the longest first. */
export const AccessReviewQuery = z.strictObject({
  /** Looked at before this many days, or never. 0: all. */
  days: z.coerce.number().int().min(0).max(3650).default(90),
  organisation: Id.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  offset: z.coerce.number().int().min(0).max(100_000).default(0),
});
export const AccessReviewEntry = z.object({
  user: z.object({ id: Id, name: z.string(), email: z.string(), state: z.string() }),
  organisation: named,
  roles: z.array(z.object({ id: RoleName, name: z.string().optional() })),
  lastSignInAt: Instant.optional(),
  joinedAt: Instant,
  reviewedAt: Instant.optional(),
  self: z.boolean(),
});
export type AccessReviewEntry = z.output<typeof AccessReviewEntry>;
export const AccessReviewAnswer = z.object({ entries: z.array(AccessReviewEntry), total: z.int() });
/** POST /api/access-review/confirm. Removing is leaving the organisation, or disabling the account. */
export const AccessConfirm = z.strictObject({ userId: Id, organisationId: Id });

/** POST /api/session/organisation */
export const ActIn = z.strictObject({ organisationId: Id });

/** POST /api/emergency: break the glass. */
export const EmergencyRequest = z.strictObject({ reason, minutes: z.int().min(5).max(60).default(30) });
export const EmergencyAnswer = z.object({ id: Id, endsAt: Instant });
/** GET /api/emergencies */
export const EmergenciesQuery = z.strictObject({
  state: z.enum(['waiting', 'reviewed']).default('waiting'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  offset: z.coerce.number().int().min(0).max(100_000).default(0),
});
export const EmergencyEntry = z.object({
  id: Id,
  user: named,
  organisation: named,
  reason: z.string(),
  startedAt: Instant,
  endsAt: Instant,
  /** Still going on. */
  open: z.boolean(),
  /** One's own: somebody else reviews it. */
  self: z.boolean(),
  review: z
    .object({ at: Instant, by: z.string(), verdict: z.enum(['justified', 'not-justified']), note: z.string() })
    .optional(),
});
export type EmergencyEntry = z.output<typeof EmergencyEntry>;
export const EmergenciesAnswer = z.object({ emergencies: z.array(EmergencyEntry), total: z.int() });
/** POST /api/emergencies/:id/review */
export const EmergencyReview = z.strictObject({ verdict: z.enum(['justified', 'not-justified']), note: reason });

/** GET and POST /api/personal-tokens */
export const TOKEN_PERMISSIONS = ['client.read', 'client.write', 'client.delete'] as const;
export const TokenWanted = z.strictObject({
  label: line(60).min(1),
  permissions: z
    .array(z.enum(TOKEN_PERMISSIONS))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'A permission is named twice'),
  days: z.int().min(1).max(90).default(30),
});
export const TokenEntry = z.object({
  id: Id,
  label: z.string(),
  permissions: z.array(PermissionName),
  organisation: named,
  createdAt: Instant,
  expiresAt: Instant,
  lastUsedAt: Instant.optional(),
  state: z.enum(['active', 'expired', 'revoked']),
});
export type TokenEntry = z.output<typeof TokenEntry>;
export const TokensAnswer = z.object({ tokens: z.array(TokenEntry) });
/** Shown once, never again. */
export const TokenMade = z.object({ token: TokenEntry, secret: z.string() });
export type TokenMade = z.output<typeof TokenMade>;

/** Identity providers (OpenID Connect). */
export const ProviderName = line(60).min(1);
export const ProviderWanted = z.strictObject({
  name: ProviderName,
  /** https, exactly as the provider names itself. */
  issuer: z.url({ protocol: /^https$/, hostname: /^[a-z0-9.-]+$/i }).max(300),
  clientId: line(200).min(1),
  clientSecret: z.string().min(1).max(500),
  amr: z.array(line(60).min(1)).max(20).default([]),
  acr: z.array(line(200).min(1)).max(20).default([]),
  /** Authority that issued the provider's certificate, PEM, where it is not a public one. */
  authority: z.string().max(50_000).optional(),
});
/** PUT /api/providers/:id. The issuer stays: identities are linked by it. Without a secret the one there stays. */
export const ProviderChange = ProviderWanted.omit({ issuer: true }).extend({
  clientSecret: z.string().min(1).max(500).optional(),
});
export const ProviderEntry = z.object({
  id: Id,
  name: z.string(),
  issuer: z.string(),
  clientId: z.string(),
  amr: z.array(z.string()),
  acr: z.array(z.string()),
  /** Whether it has an authority of its own; keeping it needs no sending it again. */
  ownAuthority: z.boolean(),
  linked: z.int(),
  /** Where the provider sends people back to; to be registered there. */
  redirectUri: z.string(),
});
export type ProviderEntry = z.output<typeof ProviderEntry>;
export const ProvidersAnswer = z.object({ providers: z.array(ProviderEntry) });
export const ProviderAnswer = z.object({ provider: ProviderEntry });
/** POST /api/providers/:id/check: where the provider says that people sign in. */
export const ProviderCheckAnswer = z.object({ signInUrl: z.url() });
/** GET /api/sign-in/providers */
export const ProviderChoices = z.object({ providers: z.array(named) });
/** POST /api/sign-in/provider, /api/identities and /api/enrol/provider: where the browser goes next. */
export const VisitRequest = z.strictObject({ providerId: Id });
export const EnrolVisitRequest = z.strictObject({ providerId: Id, token: z.string().regex(/^[A-Za-z0-9_-]{43}$/) });
export const VisitAnswer = z.object({ url: z.url() });
/** POST /api/sign-in/provider/return: what came back in the address. */
export const VisitReturn = z.strictObject({
  code: z.string().max(2_000).optional(),
  state: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  iss: z.string().max(300).optional(),
  error: z.string().max(200).optional(),
});
export type VisitReturn = z.output<typeof VisitReturn>;
export const VisitResult = z.object({ next: z.enum(['signed-in', 'second-factor', 'linked']) });
/** GET /api/identities */
export const IdentityEntry = z.object({
  id: Id,
  provider: named,
  linkedAt: Instant,
  lastUsedAt: Instant.optional(),
  /** Linked through an administrator's link: opens nothing until POST /api/identities/:id/confirm. */
  waits: z.boolean(),
});
export type IdentityEntry = z.output<typeof IdentityEntry>;
export const IdentitiesAnswer = z.object({ identities: z.array(IdentityEntry) });
export type IdentitiesAnswer = z.output<typeof IdentitiesAnswer>;
