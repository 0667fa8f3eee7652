import { z } from 'zod';

/** What linkage tells programs and pages. Records are named by their ids of the file judged; only `values`, where asked for, hold more. */
export const Accuracy = z.object({
  /** Pairs found. */
  pairs: z.number(),
  precision: z.number(),
  recall: z.number(),
  f1: z.number(),
});

export const RuleReport = z.object({
  rule: z.string(),
  /** A rule that would cost too many pairs in this file is left out, and says so here. */
  used: z.boolean(),
  /** Pairs it brings together; an estimate where it is not used. */
  pairs: z.number(),
  largestBlock: z.number(),
  /** Blocks so large that not every pair in them was compared, only neighbours; how many pairs were not. */
  overfullBlocks: z.number(),
  pairsNotCompared: z.number(),
  /** The largest of them, ten at most. */
  overfull: z.array(z.object({ records: z.number(), pairsNotCompared: z.number() })),
  /** Links whose two records this rule brings together; those that no other rule does; those that only others do. */
  links: z.number(),
  linksAlone: z.number(),
  linksMissed: z.number(),
});
export type RuleReport = z.infer<typeof RuleReport>;

export const BlockingReport = z.object({
  pairsCompared: z.number(),
  /** Every record with every other. */
  pairsPossible: z.number(),
  links: z.number(),
  rules: z.array(RuleReport),
});
export type BlockingReport = z.infer<typeof BlockingReport>;

export const WrongPair = z.object({
  records: z.tuple([z.string(), z.string()]),
  score: z.number(),
  /** Field and the level it reached; fields that one record lacks are left out. */
  fields: z.array(z.object({ field: z.string(), level: z.string(), weight: z.number() })),
  /** log2 of the odds, and what they are before anything is compared. The rest is how common the values are. */
  weight: z.number(),
  priorWeight: z.number(),
  /** What the two records hold, normalised; only where asked for. */
  values: z.array(z.object({ field: z.string(), a: z.string(), b: z.string() })).optional(),
});

export type WrongPair = z.infer<typeof WrongPair>;

export const Evaluation = z.object({
  records: z.number(),
  rejected: z.number(),
  truePairs: z.number(),
  /** Pairs linked without anybody looking. */
  linked: Accuracy,
  /** Those, and what a steward would be asked. */
  linkedOrReviewed: Accuracy,
  /** Pairs that the groups imply. */
  clusters: Accuracy.extend({ groups: z.number(), conflicts: z.number() }),
  seconds: z.number(),
  /** Seconds by step. */
  steps: z.record(z.string(), z.number()),
  worst: z.object({ falseLinks: z.array(WrongPair), misses: z.array(WrongPair) }),
  thresholds: z.object({ match: z.number(), review: z.number() }),
  model: z.object({
    version: z.string(),
    trained: z.boolean(),
    converged: z.boolean().optional(),
    rounds: z.number().optional(),
    pairsExpected: z.number().optional(),
  }),
  /** `truePairsCompared`: how many of the true pairs some rule brought together; no scoring can find the others. Not counted beyond millions. */
  blocking: BlockingReport.extend({ truePairsCompared: z.number().optional() }),
  warnings: z.array(z.string()),
});
export type Evaluation = z.infer<typeof Evaluation>;
