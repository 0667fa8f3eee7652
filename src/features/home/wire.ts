/** The overview that people see after sign-in. */
import { z } from 'zod';

export const attentionItem = z.object({
  kind: z.string(),
  level: z.enum(['info', 'amber', 'red']),
  /** One plain sentence. */
  text: z.string(),
  count: z.number().int().optional(),
  /** Page of the web to go to. */
  href: z.string().optional(),
});
export type AttentionItem = z.infer<typeof attentionItem>;

/** A figure is missing where the person's roles do not reach. */
export const homeReply = z.object({
  attention: z.array(attentionItem),
  figures: z.object({
    clients: z.number().int().optional(),
    sources: z.number().int().optional(),
    reviewsOpen: z.number().int().optional(),
    oldestReviewAt: z.string().optional(),
    nodes: z.number().int().optional(),
    users: z.number().int().optional(),
    loads: z.number().int().optional(),
  }),
});
export type HomeReply = z.infer<typeof homeReply>;
