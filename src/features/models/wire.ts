/** Shapes of /api/models: the versions of the matching model, which one decides, and what is studied about them. */
import { z } from 'zod';
import { Evaluation } from '../linkage/wire.ts';
import { MapDocument } from '../load/wire.ts';
import { comparisonRow, reviewSide } from '../registry/wire.ts';

const id = z.uuid();
const instant = z.string();
const count = z.number().int();
const share = z.number();

export const modelOrigin = z.enum(['shipped', 'trained', 'uploaded', 'adjusted', 'opencr-rules']);
export type ModelOrigin = z.infer<typeof modelOrigin>;
export const versionName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,60}$/, 'Letters, digits, dots, dashes and underscores, at most 60.');
const thresholds = z.object({ match: share, review: share, probable: share });

export const modelSummary = z.object({
  id,
  version: z.string(),
  origin: modelOrigin,
  createdAt: instant,
  createdBy: z.string(),
  notes: z.string(),
  /** SHA-256 of the document as canonical JSON, lower-case hex. */
  contentHash: z.string(),
  thresholds,
  state: z.enum(['active', 'shadow', 'stored']),
  /** When it was last simulated on the registry's own records. */
  simulatedAt: instant.optional(),
  /** Who wants it promoted, where a second person has to agree. */
  proposedBy: z.object({ name: z.string(), isMe: z.boolean() }).optional(),
});
export type ModelSummary = z.infer<typeof modelSummary>;

/** Work over the whole registry because another model took over. */
export const activationView = z.object({
  id,
  kind: z.enum(['promote', 'roll-back', 're-link', 're-key']),
  at: instant,
  by: z.string(),
  from: z.string(),
  to: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
  phase: z.enum(['settling', 'taking-back', 'going-over', 'clearing']).optional(),
  visited: count,
  total: count,
  joined: count,
  parted: count,
  reviews: count,
  takenBack: count,
  kept: count,
  /** Its links were taken back by a later roll-back. */
  undone: z.boolean(),
});
export type ActivationView = z.infer<typeof activationView>;

/** Pairs that people decided: what a model can be trained and judged on besides. */
export const labelCounts = z.object({
  same: count,
  different: count,
  /** How many of each are needed before training uses them. */
  needed: count,
});
export type LabelCounts = z.infer<typeof labelCounts>;

export const studyKind = z.enum(['training', 'simulation', 'clusters', 'evaluation']);
export type StudyKind = z.infer<typeof studyKind>;
export const studyView = z.object({
  id,
  kind: studyKind,
  state: z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
  model: z.string().optional(),
  createdAt: instant,
  finishedAt: instant.optional(),
  by: z.string(),
  step: z.string().optional(),
  done: count,
  total: count,
  error: z.string().optional(),
});
export type StudyView = z.infer<typeof studyView>;

export const shadowDay = z.object({ day: z.string(), outcomes: z.record(z.string(), count) });

export const modelsReply = z.object({
  models: z.array(modelSummary),
  activations: z.array(activationView),
  studies: z.array(studyView),
  labels: labelCounts,
  /** Source records in the registry. */
  records: count,
  /** A promotion waits for a second person. */
  secondPerson: z.boolean(),
  /** Blocking keys of former models may still be on records: going over them has not ended. */
  goingOver: z.boolean(),
  /** What can be rolled back to in one step. */
  rollBackTo: z.string().optional(),
  /** An earlier version of the program made the blocking keys: until every record has new ones, links may be missed. */
  oldKeys: z.object({ scheme: count, visited: count, total: count, going: z.boolean() }).optional(),
});
export type ModelsReply = z.infer<typeof modelsReply>;

const levelView = z.object({ level: z.string(), m: share, u: share, weight: share });
export const modelDetail = z.object({
  model: modelSummary,
  description: z.string(),
  population: share,
  fields: z.array(z.object({ field: z.string(), levels: z.array(levelView) })),
  blocking: z.array(z.object({ name: z.string(), parts: z.array(z.string()) })),
  uniqueIdentifier: z.boolean(),
  names: z.object({ given: count, family: count }),
  /** How it would have decided the pairs that people decided. */
  judged: z
    .object({
      same: z.object({ link: count, review: count, none: count }),
      different: z.object({ link: count, review: count, none: count }),
    })
    .optional(),
});
export type ModelDetail = z.infer<typeof modelDetail>;

const notes = z.string().trim().max(2000).default('');
export const uploadRequest = z.strictObject({ document: z.unknown(), notes, version: versionName.optional() });
export const adjustRequest = z.strictObject({
  version: versionName,
  notes,
  match: z.number().gte(0.5).lt(1),
  review: z.number().gt(0).lt(1),
});
export const addedReply = z.object({ model: modelSummary });
/** Done, or waiting for a second person. */
export const promoteReply = z.union([z.object({ activationId: id }), z.object({ waitsForSecond: z.literal(true) })]);
export const rollBackReply = z.object({ activationId: id });

export const trainRequest = z.strictObject({
  version: versionName,
  notes,
  /** Use what stewards decided besides. */
  labels: z.boolean().default(false),
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 31)
    .default(1),
  /** Records at most; more are drawn by chance. */
  recordsMax: z.number().int().min(1000).max(400_000).default(200_000),
});
export type TrainRequest = z.infer<typeof trainRequest>;
export const simulateRequest = z.strictObject({
  modelId: id,
  /** Records looked at, drawn by chance; missing: all. */
  records: z.number().int().min(100).max(10_000_000).optional(),
});
export type SimulateRequest = z.infer<typeof simulateRequest>;
export const evaluateRequest = z.strictObject({
  uploadId: id,
  map: MapDocument,
  /** Column of the file that says who is the same person. */
  truth: z.string().trim().min(1).max(200),
  /** Missing: a model is trained on the file, the truth unseen. */
  modelId: id.optional(),
});
export type EvaluateRequest = z.infer<typeof evaluateRequest>;
export const studyReply = z.object({ study: studyView });
export const shadowRequest = z.strictObject({ modelId: id.nullable() });
const word = z.enum(['link', 'review', 'none']);
export const shadowReply = z.object({
  shadow: z.string().optional(),
  days: z.array(shadowDay),
  examples: z.array(z.object({ id, at: instant, now: word, beside: word, scoreNow: share, scoreThen: share })),
});
export type ShadowReply = z.infer<typeof shadowReply>;

const explanation = z.object({
  modelVersion: z.string(),
  score: share,
  weight: share,
  priorWeight: share,
  grade: z.enum(['certain', 'probable', 'possible', 'certainly-not']),
  decision: z.enum(['match', 'review', 'none']),
  rule: z.string().optional(),
  contradictions: z.array(z.string()),
  fields: z.array(z.object({ field: z.string(), level: z.string(), weight: share, similarity: share.optional() })),
});
const exampleKind = z.enum(['gained', 'lost', 'asked', 'no-longer-asked']);
const bounds = z.object({ match: share, review: share });
export const simulationReport = z.object({
  kind: z.literal('simulation'),
  candidate: z.string(),
  active: z.string(),
  records: count,
  looked: count,
  pairs: count,
  thresholds: bounds,
  activeThresholds: bounds,
  newRules: z.array(z.string()),
  /** `<now>-><then>` of pairs. */
  changes: z.record(z.string(), count),
  gained: count,
  lost: count,
  bound: count,
  cut: count,
  /** What each blocking rule of the active model costs and finds, over the records looked at. */
  rules: z.array(
    z.object({
      rule: z.string(),
      parts: z.string(),
      records: count,
      met: count,
      full: count,
      links: count,
      linksAlone: count,
    }),
  ),
  linksUnmet: count,
  /** Pairs by the log2 odds of the candidate's score; the first and last bin hold what is beyond. */
  histogram: z.object({ from: share, to: share, step: share, together: z.array(count), apart: z.array(count) }),
  examples: z.array(z.object({ kind: exampleKind, before: explanation, after: explanation })),
});
export type SimulationReport = z.infer<typeof simulationReport>;

export const trainingReport = z.object({
  kind: z.literal('training'),
  version: z.string(),
  records: count,
  drawn: count,
  converged: z.boolean(),
  rounds: count,
  matchesExpected: share,
  householdsExpected: share,
  labels: z.object({ same: count, different: count }).optional(),
});
export type TrainingReport = z.infer<typeof trainingReport>;

export const groupsReport = z.object({
  kind: z.literal('clusters'),
  active: z.string(),
  groups: count,
  records: count,
  largest: count,
  /** People with 2, 3, 4, 5–9, 10–19, 20 and more records. */
  sizes: z.array(count),
  faults: z.object({ contradiction: count, chain: count, 'weak-link': count, 'too-large': count }),
  examples: z.array(
    z.object({
      clientId: id,
      size: count,
      kind: z.enum(['contradiction', 'chain', 'weak-link', 'too-large']),
      hasPair: z.boolean(),
    }),
  ),
});
export type GroupsReport = z.infer<typeof groupsReport>;

export const evaluationReport = z.object({
  kind: z.literal('evaluation'),
  fileName: z.string(),
  truth: z.string(),
  found: Evaluation,
});
export type EvaluationReport = z.infer<typeof evaluationReport>;

export const studyReportReply = z.object({
  study: studyView,
  report: z.union([simulationReport, trainingReport, groupsReport, evaluationReport]),
});
export type StudyReportReply = z.infer<typeof studyReportReply>;

/** One example, its two records side by side. */
export const exampleReply = z.object({
  pair: z.object({ a: reviewSide, b: reviewSide, comparison: z.array(comparisonRow) }),
  /** The record through which the two hang together. */
  through: id.optional(),
});
