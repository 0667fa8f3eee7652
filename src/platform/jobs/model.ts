import type { Branded } from '../../kernel/ids.ts';

export type JobId = Branded<'JobId'>;
export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** What may be kept about a job: references, positions, counts. It lies in the database unsealed, so never health data. */
export type JobData = { readonly [key: string]: string | number | boolean | null | readonly string[] | JobData };

export interface Job {
  readonly id: JobId;
  readonly kind: string;
  readonly state: JobState;
  readonly payload: JobData;
  readonly progress: JobData | null;
  readonly attempts: number;
  /** A Problem's code, or 'internal'; set when failed. */
  readonly errorCode: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}
