/** Sharing of clients, as pages and server speak of it. */
import { z } from 'zod';

/** GET /api/clients/:id/shares */
export const sharesReply = z.object({
  /** Whether whoever asks may share this client and end what is shared. */
  mayShare: z.boolean(),
  shares: z.array(
    z.object({
      organisation: z.object({ id: z.uuid(), name: z.string() }),
      at: z.string(),
      by: z.string(),
      reason: z.string(),
    }),
  ),
});

/** POST /api/clients/:id/shares, and /shares/end */
export const shareRequest = z.strictObject({
  organisationId: z.uuid(),
  reason: z
    .string()
    .trim()
    .min(10, 'Say why in a sentence: at least 10 characters')
    .max(500)
    .regex(/^[^\p{Cc}]*$/u, 'Contains characters that cannot be shown'),
});
