import { z } from 'zod';

/** What linkage tells programs and pages. Nothing here holds a value of a record; records are named by their ids of the file judged. */
export const Accuracy = z.object({
  /** Pairs found. */
  pairs: z.number(),
  precision: z.number(),
  recall: z.number(),
  f1: z.number(),
});

export const RuleReport = z.object({
  rule: z.string(),
  used: z.boolean(),
  pairs: z.number(),
  largestBlock: z.number(),
  overfullBlocks: z.number(),
  pairsNotCompared: z.number(),
});

const WrongPair = z.object({
  records: z.tuple([z.string(), z.string()]),
  score: z.number(),
  /** Field and the level it reached; fields that one record lacks are left out. */
  fields: z.array(z.object({ field: z.string(), level: z.string() })),
});

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
  blocking: z.object({
    pairsCompared: z.number(),
    rules: z.array(RuleReport),
  }),
  warnings: z.array(z.string()),
});
export type Evaluation = z.infer<typeof Evaluation>;
