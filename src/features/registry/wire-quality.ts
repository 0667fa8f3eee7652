import { z } from 'zod';
import { comparisonRow, reviewSide } from './wire.ts';

const count = z.number().int();
const share = z.number().min(0).max(1);

/** How good links and records are. */
export const qualityReply = z.object({
  /** Of links made without a person, looked at again by people: `right` of `judged`, and where the true share lies (95 %). */
  precision: z.object({ right: count, judged: count, low: share, high: share }),
  /** Newest first. */
  months: z.array(z.object({ month: z.string(), right: count, wrong: count, unsure: count, low: share, high: share })),
  checksWaiting: count,
  /** Waiting reviews by age: under a day, a week, a month, older. */
  queue: z.object({ day: count, week: count, month: count, older: count }),
  sources: z.array(
    z.object({
      label: z.string(),
      records: count,
      /** Records that stand for a person together with others. */
      linked: count,
      complete: z.array(z.object({ field: z.string(), share })).optional(),
    }),
  ),
  /** Records that completeness was estimated from. */
  sampled: count,
});
export type QualityReply = z.infer<typeof qualityReply>;

export const drawChecksRequest = z.strictObject({ size: z.number().int().min(1).max(500) });
export const drawChecksReply = z.object({ drawn: count });
/** One link to look at, without its score: nobody shall be led. */
export const linkCheckReply = z.object({
  check: z.object({ id: z.string(), a: reviewSide, b: reviewSide, comparison: z.array(comparisonRow) }).optional(),
  waiting: count,
});
export type LinkCheckReply = z.infer<typeof linkCheckReply>;
export const linkVerdictRequest = z.strictObject({ verdict: z.enum(['right', 'wrong', 'unsure']) });
export const linkVerdictReply = z.object({ waiting: count });
