import { z } from 'zod';
import type { SystemPrincipal } from '../../kernel/principal.ts';
import { AuditActor } from '../audit/wire.ts';
import type { RuleName } from './wire.ts';

/** What an alert says, as it is sealed. */
export const Content = z.object({
  what: z.string(),
  actor: AuditActor.optional(),
  client: z.string().optional(),
  address: z.string().optional(),
  eventId: z.string().optional(),
});
export type Content = z.output<typeof Content>;

/** Who took an alert on or closed it. */
export const Mark = z.object({ by: AuditActor, note: z.string() });

/** A rule that an event fulfils. `subject`: whom it is about; equal ones belong to one alert. */
export interface Finding {
  readonly rule: RuleName;
  readonly subject: string;
  readonly what: string;
  /** Whom it is about, where that is not whoever acted. */
  readonly about?: Pick<Content, 'actor' | 'client'>;
}

/** An alert to raise. `subject` tells whom or what it is about. */
export interface Raised extends Content {
  readonly rule: RuleName;
  readonly subject: string;
  readonly atMs: number;
  readonly mail: boolean;
}

export const SYSTEM: SystemPrincipal = { kind: 'system', permissions: new Set() };
