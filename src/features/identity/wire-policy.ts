import { z } from 'zod';
import { SECOND_FACTOR_LEVELS } from './model.ts';

/** Policy, exceptions, allowed networks, bans and notices: what travels between the pages and identity. */
const Instant = z.iso.datetime();
const Id = z.uuid();
const Level = z.enum(SECOND_FACTOR_LEVELS);
const TextLine = z
  .string()
  .trim()
  .normalize('NFC')
  .min(1)
  .max(300)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'Contains characters that cannot be shown');

/** One setting as pages and the command line show it: everything about it comes from the server. */
export const PolicySetting = z.object({
  name: z.string(),
  group: z.enum(['second-factor', 'sessions', 'passwords', 'links', 'accounts']),
  title: z.string(),
  /** What it does and what a change means, in plain words. */
  text: z.string(),
  kind: z.enum(['choice', 'number', 'switch', 'words']),
  value: z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]),
  default: z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]),
  min: z.number().optional(),
  max: z.number().optional(),
  unit: z.string().optional(),
  choices: z.array(z.string()).optional(),
});
export type PolicySetting = z.output<typeof PolicySetting>;

const Scope = z.enum(['organisation', 'role', 'user']);
const ScopeId = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[a-z0-9-]+$/);
const Networks = z.array(z.string().max(50)).max(100);

/** GET /api/policy */
export const PolicyAnswer = z.object({
  settings: z.array(PolicySetting),
  /** What is shown to every administrator as long as it holds. */
  warnings: z.array(z.string()),
  requirements: z.array(
    z.object({ scope: Scope, scopeId: z.string(), name: z.string().optional(), secondFactor: Level }),
  ),
  networks: z.array(z.object({ scope: z.enum(['door', 'role']), scopeId: z.string(), networks: z.array(z.string()) })),
  /** Where this request came from, to be put on a list before anything else. */
  ownAddress: z.string().optional(),
  mail: z.object({
    configured: z.boolean(),
    waiting: z.int(),
    givenUp: z.int(),
    lastFailure: z.string().optional(),
  }),
});
export type PolicyAnswer = z.output<typeof PolicyAnswer>;

/** PUT /api/policy: settings to change, by name. Checked against their ranges by the server. */
export const PolicyChangeRequest = z.strictObject({
  settings: z.record(z.string().max(60), z.unknown()),
});
/** PUT /api/policy/requirement; null takes the rule away. */
export const RequirementRequest = z.strictObject({ scope: Scope, scopeId: ScopeId, secondFactor: Level.nullable() });
/** PUT /api/policy/networks; an empty list: any network. */
export const NetworksRequest = z.strictObject({
  scope: z.enum(['door', 'role']),
  scopeId: ScopeId,
  networks: Networks,
});
/** POST /api/policy/exceptions */
export const ExceptionRequest = z.strictObject({ userId: Id, reason: TextLine.min(10), endsAt: Instant });
export type ExceptionRequest = z.output<typeof ExceptionRequest>;

/** A page of a list: how many at most, after how many. */
const page = (limit: number) => ({
  limit: z.coerce.number().int().min(1).max(500).default(limit),
  offset: z.coerce.number().int().min(0).max(100_000).default(0),
});

/** GET /api/policy/exceptions: the living ones first, then the newest. */
export const ExceptionsQuery = z.strictObject(page(20));
export const ExceptionsAnswer = z.object({
  exceptions: z.array(
    z.object({
      id: Id,
      userId: Id,
      name: z.string(),
      reason: z.string(),
      /** Absent: the operator at the command line. */
      approvedBy: z.string().optional(),
      grantedAt: Instant,
      endsAt: Instant,
      state: z.enum(['living', 'over', 'ended']),
    }),
  ),
  total: z.int(),
});
export type ExceptionsAnswer = z.output<typeof ExceptionsAnswer>;

/** GET /api/bans: `limit` of either list, after `offset` networks and `accountsOffset` accounts. */
export const BansQuery = z.strictObject({ ...page(500), accountsOffset: page(0).offset });
/** GET /api/bans: networks and accounts that must wait after wrong attempts. */
export const BansAnswer = z.object({
  networksTotal: z.int(),
  accountsTotal: z.int(),
  networks: z.array(z.object({ id: Id, network: z.string(), failures: z.int(), since: Instant, until: Instant })),
  accounts: z.array(z.object({ userId: Id, name: z.string(), failures: z.int(), closed: z.boolean(), until: Instant })),
});
export type BansAnswer = z.output<typeof BansAnswer>;

/** POST /api/notices */
export const NoticeRequest = z.strictObject({
  title: TextLine.max(120),
  text: z
    .string()
    .trim()
    .normalize('NFC')
    .min(1)
    .max(4000)
    // Line ends are text here; other control characters are not.
    .regex(/^[^\p{Cf}\p{Zl}\p{Zp}]*$/u, 'Contains characters that cannot be shown'),
  /** Empty: everybody. */
  roles: z.array(ScopeId).max(50),
  endsAt: Instant.optional(),
});
export type NoticeRequest = z.output<typeof NoticeRequest>;
/** GET /api/notices/pending: what this person has still to read. */
export const PendingNoticesAnswer = z.object({
  notices: z.array(z.object({ id: Id, title: z.string(), text: z.string(), createdAt: Instant })),
});
export type PendingNoticesAnswer = z.output<typeof PendingNoticesAnswer>;
/** GET /api/notices: for administrators, the newest first. */
export const NoticesQuery = z.strictObject(page(200));
export const NoticesAnswer = z.object({
  total: z.int(),
  notices: z.array(
    z.object({
      id: Id,
      title: z.string(),
      text: z.string(),
      roles: z.array(z.string()),
      createdAt: Instant,
      endsAt: Instant.optional(),
      withdrawn: z.boolean(),
      acknowledged: z.int(),
    }),
  ),
});
export type NoticesAnswer = z.output<typeof NoticesAnswer>;

/** POST /api/users/import: a CSV file with a head line `name,email,roles`; roles apart by blanks. */
export const UserImportRequest = z.strictObject({
  csv: z.string().min(1).max(1_000_000),
  /** Only say what would happen. */
  dryRun: z.boolean(),
});
export const UserImportAnswer = z.object({
  rows: z.array(
    z.object({
      line: z.int(),
      name: z.string(),
      email: z.string(),
      roles: z.array(z.string()),
      outcome: z.enum(['invited', 'would-invite', 'refused']),
      reason: z.string().optional(),
      /** To hand over in person, shown once; absent where it was mailed or nothing was done. */
      link: z.string().optional(),
      mailed: z.boolean(),
    }),
  ),
  invited: z.int(),
  refused: z.int(),
});
export type UserImportAnswer = z.output<typeof UserImportAnswer>;

/** GET /api/users/:id/sign-in: what an administrator sees of somebody's sign-in. */
export const UserSessionsAnswer = z.object({
  sessions: z.array(
    z.object({
      id: Id,
      method: z.string(),
      startedAt: Instant,
      lastSeenAt: Instant,
      address: z.string().optional(),
      userAgent: z.string().optional(),
    }),
  ),
});
export type UserSessionsAnswer = z.output<typeof UserSessionsAnswer>;
