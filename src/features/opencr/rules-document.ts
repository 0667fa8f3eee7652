import { z } from 'zod';

/** OpenCR's `decisionRules.json`, as far as it says something; other keys are looked over. */
const Field = z.looseObject({
  algorithm: z.string(),
  threshold: z.coerce.number().optional(),
  weight: z.coerce.number().optional(),
  mValue: z.coerce.number().optional(),
  uValue: z.coerce.number().optional(),
  fhirpath: z.string().optional(),
  espath: z.string().optional(),
  null_handling: z.string().optional(),
  null_handling_both: z.string().optional(),
});
const Filter = z.looseObject({ fhirpath: z.string().optional(), espath: z.string().optional() });

const Rule = z.looseObject({
  matchingType: z.enum(['deterministic', 'probabilistic']),
  fields: z.record(z.string(), Field),
  threshold: z.coerce.number().optional(),
  potentialMatchThreshold: z.coerce.number().optional(),
  autoMatchThreshold: z.coerce.number().optional(),
  filters: z.record(z.string(), Filter).optional(),
});

export const DecisionRules = z.looseObject({ rules: z.array(Rule).min(1) });
export type DecisionRules = z.infer<typeof DecisionRules>;
export type OpenCrRule = z.infer<typeof Rule>;
export type OpenCrField = z.infer<typeof Field>;
