import { statement } from '../db/index.ts';
import type { Job, JobId } from './model.ts';

const COLUMNS = `id, kind, state, payload, progress, attempts, error_code AS "errorCode",
  created_at AS "createdAt", started_at AS "startedAt", finished_at AS "finishedAt"`;

export const CHANNEL = 'careseal_jobs';

export const insertJob = statement(
  'jobs.insert',
  `WITH made AS (INSERT INTO jobs.job (id, kind, payload) VALUES ($1, $2, $3::text::jsonb) RETURNING 1)
   SELECT pg_notify('${CHANNEL}', '') FROM made`,
);

export const readJob = statement<Job>('jobs.read', `SELECT ${COLUMNS} FROM jobs.job WHERE id = $1`);

export const listJobs = statement<Job>(
  'jobs.list',
  `SELECT ${COLUMNS} FROM jobs.job WHERE kind = $1 ORDER BY created_at DESC LIMIT $2`,
);

/** Takes the oldest job that waits or whose runner has stopped renewing its lease. */
export const claimJob = statement<Job>(
  'jobs.claim',
  `UPDATE jobs.job SET state = 'running', attempts = attempts + 1, runner = $2, lease_until = now() + $3 * interval '1 ms',
     started_at = coalesce(started_at, now())
   WHERE id = (
     SELECT id FROM jobs.job
     WHERE kind = ANY($1) AND NOT cancel_requested
       AND ((state = 'waiting' AND run_after <= now()) OR (state = 'running' AND lease_until < now()))
     ORDER BY run_after LIMIT 1 FOR UPDATE SKIP LOCKED)
   RETURNING ${COLUMNS}`,
);

/** Renews the lease; no row means that the job is no longer ours. */
export const renewLease = statement<{ cancelled: boolean }>(
  'jobs.renew',
  `UPDATE jobs.job SET lease_until = now() + $3 * interval '1 ms' WHERE id = $1 AND runner = $2 AND state = 'running'
   RETURNING cancel_requested AS cancelled`,
);

export const saveProgress = statement<{ id: JobId }>(
  'jobs.progress',
  `UPDATE jobs.job SET progress = $3::text::jsonb WHERE id = $1 AND runner = $2 AND state = 'running' RETURNING id`,
);

export const finishJob = statement(
  'jobs.finish',
  `UPDATE jobs.job SET state = $3, error_code = $4, finished_at = now(), runner = NULL, lease_until = NULL
   WHERE id = $1 AND runner = $2 AND state = 'running'`,
);

/** Gives a job back, to be taken again after a while. */
export const postponeJob = statement(
  'jobs.postpone',
  `UPDATE jobs.job SET state = 'waiting', run_after = now() + $3 * interval '1 ms', runner = NULL, lease_until = NULL
   WHERE id = $1 AND runner = $2 AND state = 'running'`,
);

/** What an earlier process of the same name had begun before it was killed. */
export const releaseOwn = statement(
  'jobs.release',
  `UPDATE jobs.job SET state = 'waiting', runner = NULL, lease_until = NULL WHERE runner = $1 AND state = 'running'`,
);

export const cancelJob = statement(
  'jobs.cancel',
  `UPDATE jobs.job SET cancel_requested = true,
     state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END,
     finished_at = CASE state WHEN 'waiting' THEN now() ELSE finished_at END
   WHERE id = $1 AND state IN ('waiting', 'running')`,
);

/** Jobs whose runner died after they were asked to stop: nobody will take them again. */
export const buryCancelled = statement(
  'jobs.bury',
  `UPDATE jobs.job SET state = 'cancelled', finished_at = now(), runner = NULL, lease_until = NULL
   WHERE cancel_requested AND (state = 'waiting' OR (state = 'running' AND lease_until < now()))`,
);
