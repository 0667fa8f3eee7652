import { z } from 'zod';
import { AuditActor } from '../audit/wire.ts';

/** Alerts raised from the audit log, and the rules that raise them. */
export const RULE_NAMES = [
  'many-clients',
  'own-name',
  'outside-hours',
  'refusals',
  'export',
  'break-glass',
  'new-network',
  'log-damaged',
  'witness-silent',
  'forwarding-stopped',
  'changed-past',
] as const;
export const RuleName = z.enum(RULE_NAMES);
export type RuleName = z.output<typeof RuleName>;

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time like 20:00');

/** `PUT /api/alerts/rules/:name`. What a rule does not use is kept and without effect. */
export const RuleSettings = z.strictObject({
  enabled: z.boolean(),
  /** How often until it is raised: clients, refusals, acts. */
  threshold: z.number().int().min(1).max(100_000),
  /** Within this time; for silence and standstill, after this time. */
  minutes: z.number().int().min(1).max(43_200),
  /** `outside-hours`: when nobody should be at work, in `zone`. */
  quietFrom: clock,
  quietTo: clock,
  zone: z.string().max(60),
  mail: z.boolean(),
});
export type RuleSettings = z.output<typeof RuleSettings>;

export const RuleView = z.object({
  name: RuleName,
  title: z.string(),
  about: z.string(),
  /** Which settings mean something for this rule. */
  uses: z.array(z.enum(['threshold', 'minutes', 'quiet'])),
  settings: RuleSettings,
  /** Somebody has changed it in the database; it is switched on, as the program has it, until it is saved again. */
  changed: z.boolean().optional(),
});
export type RuleView = z.output<typeof RuleView>;

/** `GET /api/alerts/rules`. */
export const RulesReply = z.object({
  rules: z.array(RuleView),
  /** Ids of the people that mails about alerts go to. */
  recipients: z.array(z.string()),
  /** Who can be chosen: everybody who may see all alerts. */
  people: z.array(z.object({ id: z.string(), name: z.string() })),
  /** Addresses typed in by an earlier version that belong to none of these people: no mail goes there. */
  unknown: z.array(z.string()),
  /** False: no mail server is set up. */
  mail: z.boolean(),
});
export type RulesReply = z.output<typeof RulesReply>;

export const RuleParams = z.strictObject({ name: RuleName });
/** `PUT /api/alerts/recipients`: ids of people who may see all alerts. */
export const Recipients = z.strictObject({ recipients: z.array(z.uuid()).max(20) });

const Handled = z.object({ by: AuditActor, at: z.string(), note: z.string() });
export const AlertView = z.object({
  id: z.string(),
  rule: RuleName,
  title: z.string(),
  /** One plain sentence: what was seen. */
  what: z.string(),
  actor: AuditActor.optional(),
  client: z.string().optional(),
  address: z.string().optional(),
  /** The event that raised it. */
  eventId: z.string().optional(),
  raisedAt: z.string(),
  lastAt: z.string(),
  /** How often it was seen until now. */
  count: z.number().int(),
  acknowledged: Handled.optional(),
  closed: Handled.optional(),
});
export type AlertView = z.output<typeof AlertView>;

/** `GET /api/alerts`. */
export const AlertsQuery = z.strictObject({
  state: z.enum(['open', 'closed']).default('open'),
  before: z.uuid().optional(),
});
export type AlertsQuery = z.output<typeof AlertsQuery>;
export const AlertsReply = z.object({
  alerts: z.array(AlertView),
  next: z.string().optional(),
  /** Not closed; of these, not taken on by anybody. */
  open: z.number().int(),
  unacknowledged: z.number().int(),
});
export type AlertsReply = z.output<typeof AlertsReply>;

export const AlertParams = z.strictObject({ id: z.uuid() });
export const AcknowledgeAlert = z.strictObject({ note: z.string().trim().max(2_000).default('') });
export const CloseAlert = z.strictObject({
  note: z.string().trim().min(3, 'Say in a few words what it was').max(2_000),
});
