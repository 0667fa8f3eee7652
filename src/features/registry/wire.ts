/**
 * Shapes of the registry's user API under /api: shared by server, command line and web.
 * Every value of a client is shown as text, ready to display; dates are ISO 8601.
 */
import { z } from 'zod';

const id = z.uuid();
const instant = z.string();

export const identifierView = z.object({ system: z.string(), label: z.string(), value: z.string() });

export const clientSummary = z.object({
  id,
  name: z.string(),
  givenNames: z.array(z.string()),
  familyName: z.string().optional(),
  gender: z.string().optional(),
  birthDate: z.string().optional(),
  identifiers: z.array(identifierView),
  /** Number of source records that stand behind this person. */
  sources: z.number().int(),
  updatedAt: instant,
  active: z.boolean(),
});
export type ClientSummary = z.infer<typeof clientSummary>;

/** Words are AND-ed; each is a name prefix, a birth date or year, an identifier or a telephone number. Empty lists all. */
export const clientSearchRequest = z.strictObject({
  q: z.string().max(200).default(''),
  cursor: z.string().max(400).optional(),
  limit: z.number().int().min(1).max(100).default(25),
});
export const clientSearchReply = z.object({
  clients: z.array(clientSummary),
  next: z.string().optional(),
  total: z.number().int().optional(),
  /** True when `total` is a lower bound: counting all would take too long. */
  totalIsAtLeast: z.boolean().optional(),
});
export type ClientSearchReply = z.infer<typeof clientSearchReply>;

/** Field by field: why a pair of records got its score (features/matching Explanation). */
export const explanationView = z.object({
  modelVersion: z.string(),
  score: z.number(),
  weight: z.number(),
  priorWeight: z.number(),
  grade: z.enum(['certain', 'probable', 'possible', 'certainly-not']),
  decision: z.enum(['match', 'review', 'none']),
  rule: z.string().optional(),
  contradictions: z.array(z.string()),
  fields: z.array(
    z.object({
      field: z.string(),
      level: z.string(),
      weight: z.number(),
      similarity: z.number().optional(),
    }),
  ),
});
export type ExplanationView = z.infer<typeof explanationView>;

/** One line of a record as a person reads it: `{path:'birthDate', label:'Birth date', value:'1980-02-01'}`. */
export const fieldView = z.object({ path: z.string(), label: z.string(), value: z.string() });
export type FieldView = z.infer<typeof fieldView>;

export const actorView = z.object({
  kind: z.enum(['user', 'node', 'operator', 'system', 'anonymous']),
  id: z.string().optional(),
  name: z.string(),
});

export const sourceView = z.object({
  id,
  domain: z.string(),
  domainLabel: z.string(),
  node: z.string().optional(),
  /** The record's own identifier in its domain, when it has one. */
  key: z.string().optional(),
  version: z.number().int(),
  updatedAt: instant,
  fields: z.array(fieldView),
  linkedBy: z
    .object({
      entryId: id,
      at: instant,
      actor: actorView,
      kind: z.string(),
      rule: z.string().optional(),
      score: z.number().optional(),
      modelVersion: z.string().optional(),
      reason: z.string().optional(),
    })
    .optional(),
});
export type SourceView = z.infer<typeof sourceView>;

export const demographicView = z.object({
  path: z.string(),
  label: z.string(),
  value: z.string(),
  /** The source records that say so, newest first. */
  from: z.array(z.object({ sourceId: id, domainLabel: z.string(), updatedAt: instant })),
  /** The survivorship rule that chose it, in words. */
  rule: z.string(),
  alternatives: z.array(z.object({ value: z.string(), sourceId: id, domainLabel: z.string() })),
});

export const ledgerKind = z.enum([
  'created',
  'linked',
  'unlinked',
  'merged',
  'unmerged',
  'never-link',
  'review-opened',
  'review-decided',
  'decision-undone',
  'repaired',
]);
export const ledgerEntryView = z.object({
  entryId: id,
  at: instant,
  actor: actorView,
  kind: ledgerKind,
  /** One plain sentence without names. */
  text: z.string(),
  reason: z.string().optional(),
  sourceId: id.optional(),
  otherSourceId: id.optional(),
  goldenId: id.optional(),
  otherGoldenId: id.optional(),
  score: z.number().optional(),
  rule: z.string().optional(),
  modelVersion: z.string().optional(),
  /** The entry that this one takes back. */
  undoes: id.optional(),
});
export type LedgerEntryView = z.infer<typeof ledgerEntryView>;

export const clientDetailReply = z.object({
  client: z.object({
    id,
    version: z.number().int(),
    active: z.boolean(),
    /** The golden record that stands for this person now, if this one was merged away. */
    replacedBy: id.optional(),
    /** Its rows were changed past Careseal: who is of one organisation does not see it, and nothing is decided about it. */
    altered: z.literal(true).optional(),
    name: z.string(),
    updatedAt: instant,
    demographics: z.array(demographicView),
  }),
  sources: z.array(sourceView),
  /** Source records of other organisations, which are counted and not shown. */
  sourcesElsewhere: z.number().int(),
  /** Every pair of source records of this person, scored now with the current model: the identity graph's edges. */
  links: z.array(z.object({ a: id, b: id, explanation: explanationView })),
  ledger: z.array(ledgerEntryView),
  reviewsOpen: z.number().int(),
  neverLinked: z.array(z.object({ a: id, b: id, entryId: id })),
});
export type ClientDetailReply = z.infer<typeof clientDetailReply>;

export const clientHistoryReply = z.object({ entries: z.array(ledgerEntryView) });

const reason = z.string().trim().min(3, 'Say in a few words why.').max(500);
export const unlinkRequest = z.strictObject({ sourceId: id, reason });
export const unlinkReply = z.object({ entryId: id, newClientId: id });
export const mergeRequest = z.strictObject({ survivor: id, other: id, reason });
/** Done, or, where a second person has to agree, the review that waits for one. */
export const mergeReply = z.union([
  z.object({ entryId: id, clientId: id }),
  z.object({ waitsForSecond: z.literal(true), reviewId: id }),
]);
export const unmergeRequest = z.strictObject({ reason });
export const unmergeReply = z.object({ entryId: id, clientIds: z.array(id) });
/** Takes a record taken out, or a pair set apart, back: an `unlinked` or `never-link` entry of this client's ledger. */
export const undoEntryRequest = z.strictObject({ entryId: id, reason });
export const undoEntryReply = z.object({ entryId: id, clientId: id });
export const neverLinkRequest = z.strictObject({ a: id, b: id, reason });
export const neverLinkReply = z.object({ entryId: id });

export const reviewSide = z.object({
  sourceId: id,
  clientId: id,
  domainLabel: z.string(),
  name: z.string(),
  birthDate: z.string().optional(),
  gender: z.string().optional(),
});
export const reviewState = z.enum(['open', 'later', 'decided']);
export const reviewSummary = z.object({
  id,
  state: reviewState,
  createdAt: instant,
  score: z.number(),
  grade: z.enum(['certain', 'probable', 'possible', 'certainly-not']),
  /** Why it waits: a `ReviewCause` of the registry. */
  cause: z.string(),
  a: reviewSide,
  b: reviewSide,
  decision: z.enum(['link', 'different']).optional(),
  decidedAt: instant.optional(),
  /** Who works on it. */
  assignee: z.object({ id, name: z.string(), isMe: z.boolean() }).optional(),
  /** Who wants to link, where a second person has to agree. */
  proposedBy: z.object({ name: z.string(), isMe: z.boolean() }).optional(),
});
export type ReviewSummary = z.infer<typeof reviewSummary>;
/** How one steward looks at the queue; `whose: waiting-for-second` are links that somebody else proposed. */
export const reviewView = z.object({
  order: z.enum(['oldest', 'likeliest']).default('oldest'),
  whose: z.enum(['all', 'mine', 'nobodys', 'waiting-for-second']).default('all'),
});
export const reviewListQuery = reviewView.extend({
  state: reviewState.default('open'),
  cursor: z.string().max(400).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
});
export const reviewCounts = z.object({
  open: z.number().int(),
  later: z.number().int(),
  mine: z.number().int(),
  waitingForSecond: z.number().int(),
  decidedToday: z.number().int(),
});
export const reviewListReply = z.object({
  counts: reviewCounts,
  reviews: z.array(reviewSummary),
  next: z.string().optional(),
});
export type ReviewListReply = z.infer<typeof reviewListReply>;

/** The two records line by line; `same` says how the values compare, so that differences need no colour. */
export const comparisonRow = z.object({
  path: z.string(),
  label: z.string(),
  a: z.string().optional(),
  b: z.string().optional(),
  same: z.enum(['same', 'similar', 'different', 'only-a', 'only-b']),
});
export const reviewDetailReply = z.object({
  review: reviewSummary.extend({
    explanation: explanationView,
    comparison: z.array(comparisonRow),
    sourceA: sourceView,
    sourceB: sourceView,
  }),
  counts: reviewCounts,
  next: id.optional(),
  previous: id.optional(),
});
export type ReviewDetailReply = z.infer<typeof reviewDetailReply>;

export const reviewDecisionRequest = z.strictObject({
  decision: z.enum(['link', 'different', 'later']),
  reason: z.string().trim().max(500).optional(),
});
export const reviewDecisionReply = z.object({
  entryId: id.optional(),
  clientId: id.optional(),
  /** The link is proposed: a second person has to agree. */
  waitsForSecond: z.literal(true).optional(),
  /** How many other questions about the same two people it answers as well. */
  alsoAnswered: z.number().int(),
  next: id.optional(),
});
export const reviewUndoReply = z.object({ review: reviewSummary });

export const reviewAssignRequest = z.strictObject({
  reviews: z.array(id).min(1).max(100),
  /** A colleague's id; nobody when missing. */
  to: id.optional(),
});
export const reviewAssignReply = z.object({ assigned: z.array(id) });
export const reviewersReply = z.object({
  /** The first 50 by name. */
  reviewers: z.array(z.object({ id, name: z.string() })),
  /** There are others: a search for the name finds them. */
  more: z.boolean(),
});
export const reviewersSearch = z.strictObject({
  /** Words, of which each begins a word of the name; everybody when empty. */
  text: z.string().max(200),
});
export const reviewRules = z.strictObject({
  /** Which links a second person has to agree to. `merges`: those between two clients of several records each. */
  secondPerson: z.enum(['never', 'merges', 'always']),
});
export type ReviewRules = z.infer<typeof reviewRules>;

/** Many alike pairs accepted together after a sample was decided one by one. */
export const bulkView = z.object({
  id,
  state: z.enum(['sampling', 'accepting', 'done', 'given-up']),
  createdAt: instant,
  createdBy: z.object({ name: z.string(), isMe: z.boolean() }),
  scoreFrom: z.number(),
  total: z.number().int(),
  accepted: z.number().int(),
  skipped: z.number().int(),
  sample: z.array(
    z.object({ id, state: reviewState, decision: z.enum(['link', 'different']).optional(), score: z.number() }),
  ),
});
export type BulkView = z.infer<typeof bulkView>;
export const bulkReply = z.object({ bulk: bulkView });
export const bulksReply = z.object({ bulks: z.array(bulkView) });
export const bulkRequest = z.strictObject({
  scoreFrom: z.number().min(0).max(1),
  sampleSize: z.number().int().min(20).max(200).default(50),
});
export const bulkProgress = z.object({ done: z.number().int(), skipped: z.number().int(), more: z.boolean() });
