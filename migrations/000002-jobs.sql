-- Long work that must survive the process: loading a file, rotating keys. Holds references and counts, never health data.
CREATE SCHEMA jobs;
GRANT USAGE ON SCHEMA jobs TO careseal_app;

CREATE TABLE jobs.job (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
  payload jsonb NOT NULL,
  progress jsonb,
  attempts integer NOT NULL DEFAULT 0,
  run_after timestamptz NOT NULL DEFAULT now(),
  -- Who runs it and until when we believe so; a lease that ends without being renewed frees the job.
  runner text,
  lease_until timestamptz,
  cancel_requested boolean NOT NULL DEFAULT false,
  error_code text,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz
);
CREATE INDEX job_open ON jobs.job (run_after) WHERE state IN ('waiting', 'running');
CREATE INDEX job_kind ON jobs.job (kind, created_at);
GRANT SELECT, INSERT, UPDATE ON jobs.job TO careseal_app;
