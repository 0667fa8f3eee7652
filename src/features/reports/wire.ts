import { z } from 'zod';
import { ActorKind, AuditActor, AuditEventSummary, AuditOutcome } from '../audit/wire.ts';

/** Reports made from the audit log. Times are instants, `from` included, `to` excluded. */
const at = z.iso.datetime({ offset: true });
const text = (max: number) => z.string().trim().min(1).max(max);
const eventName = z
  .string()
  .max(100)
  .regex(/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*(\.\*)?$/);
const cursor = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9_-]+$/);
const outcome = z.union([AuditOutcome, z.literal('failure')]);

/** `GET /api/audit/activity`: at most 400 days. */
export const ActivityQuery = z.strictObject({
  from: at,
  to: at,
  event: eventName.optional(),
  actor: text(200).optional(),
  kind: ActorKind.optional(),
  outcome: outcome.optional(),
});
export type ActivityQuery = z.output<typeof ActivityQuery>;

const counts = { events: z.number().int(), failures: z.number().int() };
export const ActivityReply = z.object({
  ...counts,
  /** Hours in which something happened, oldest first. */
  hours: z.array(z.object({ at: z.string(), ...counts })),
  /** Most frequent first. */
  kinds: z.array(z.object({ event: z.string(), title: z.string(), ...counts })),
  actors: z.array(z.object({ actor: AuditActor, ...counts })),
  /** Newest events that are not counted yet. */
  behind: z.number().int(),
});
export type ActivityReply = z.output<typeof ActivityReply>;

/** `GET /api/audit/actors`: everybody who ever acted, for filters. Names as they were when last seen. */
export const ActorsReply = z.object({ actors: z.array(AuditActor), more: z.boolean() });
export type ActorsReply = z.output<typeof ActorsReply>;

const filter = {
  from: at,
  to: at,
  /** Whose people and nodes: those who belong to the organisation today. */
  organisation: z.uuid().optional(),
  events: z.array(eventName).max(50).optional(),
  actor: text(200).optional(),
  /** The client concerned. */
  client: text(80).optional(),
  outcome: outcome.optional(),
};
/** `POST /api/audit/report`: the User Action Report. */
export const ReportQuery = z.strictObject({ ...filter, cursor: cursor.optional() });
export type ReportQuery = z.output<typeof ReportQuery>;
export const ReportReply = z.object({ rows: z.array(AuditEventSummary), next: z.string().optional() });
export type ReportReply = z.output<typeof ReportReply>;

/** `POST /api/audit/report/file`. */
export const ReportFileQuery = z.strictObject({ ...filter, format: z.enum(['csv', 'pdf']) });
export type ReportFileQuery = z.output<typeof ReportFileQuery>;

export const OrganisationsReply = z.object({ organisations: z.array(z.object({ id: z.string(), name: z.string() })) });
export type OrganisationsReply = z.output<typeof OrganisationsReply>;

export const ClientParams = z.strictObject({ id: z.uuid() });

/** `GET /api/clients/:id/accesses`: who looked at this client, newest first. */
export const AccessesQuery = z.strictObject({ cursor: cursor.optional() });

/** `GET /api/clients/:id/disclosures`: to whom data of this client went in the last years, newest first. */
export const DisclosuresQuery = z.strictObject({ years: z.coerce.number().int().min(1).max(30).default(6) });
export const DisclosureRow = z.object({
  id: z.string(),
  at: z.string(),
  /** `system`: another system asked; `file`: saved, printed or copied by one of our people; `recorded`: told by one of them. */
  way: z.enum(['system', 'file', 'recorded']),
  to: z.string(),
  what: z.string(),
  why: z.string().optional(),
  /** How often on that day, where it is a system. */
  times: z.number().int(),
});
export type DisclosureRow = z.output<typeof DisclosureRow>;
export const DisclosuresReply = z.object({
  since: z.string(),
  rows: z.array(DisclosureRow),
  /** True when there are more than can be shown. */
  more: z.boolean(),
});
export type DisclosuresReply = z.output<typeof DisclosuresReply>;

/** `POST /api/clients/:id/disclosures`: something that was handed over outside of Careseal. */
export const RecordDisclosure = z.strictObject({
  to: text(200),
  what: text(500),
  why: text(500),
  /** The day it was done; today when absent. */
  on: z.iso.date().optional(),
});
export type RecordDisclosure = z.output<typeof RecordDisclosure>;
export const Recorded = z.object({ recorded: z.literal(true) });

/** `GET /api/clients/:id/own-view`: what a client may be given. */
export const OwnViewRow = z.object({
  /** The day, `2026-01-31`. */
  day: z.string(),
  who: z.string(),
  what: z.string(),
  why: z.string().optional(),
  times: z.number().int(),
});
export type OwnViewRow = z.output<typeof OwnViewRow>;
export const OwnViewReply = z.object({ since: z.string(), rows: z.array(OwnViewRow), more: z.boolean() });
export type OwnViewReply = z.output<typeof OwnViewReply>;

/** `POST /api/clients/:id/files`. */
export const ClientFileQuery = z.strictObject({
  kind: z.enum(['disclosures', 'own-view']),
  format: z.enum(['csv', 'pdf']),
  years: z.number().int().min(1).max(30).default(6),
});
export type ClientFileQuery = z.output<typeof ClientFileQuery>;

/** Filters of the log page, kept under a name. */
export const SavedFilters = z.record(z.string().max(20), z.string().max(200));
export const SaveSearch = z.strictObject({ name: text(80), filters: SavedFilters });
export const SavedSearch = z.object({ id: z.string(), name: z.string(), filters: SavedFilters });
export type SavedSearch = z.output<typeof SavedSearch>;
export const SavedReply = z.object({ searches: z.array(SavedSearch) });
export const SavedParams = z.strictObject({ id: z.uuid() });
