-- Loading files: uploads spooled in sealed pieces, the loads made from them, what was rejected, saved mappings.
-- Everything that came out of a file is sealed; plain columns hold states, counts and times.
CREATE SCHEMA load;
GRANT USAGE ON SCHEMA load TO careseal_app;

CREATE TABLE load.upload (
  upload_id  uuid        PRIMARY KEY,
  size_bytes bigint      NOT NULL,
  format     text        NOT NULL CHECK (format IN ('csv', 'ndjson')),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- The load that reads it, once there is one.
  load_id    uuid,
  detail     bytea       NOT NULL -- sealed: file name
);
CREATE INDEX upload_expires_at ON load.upload (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON load.upload TO careseal_app;

-- Pieces are written while an upload arrives, before its row: what has no row after a day is rubbish.
CREATE TABLE load.upload_piece (
  upload_id uuid    NOT NULL,
  seq       integer NOT NULL,
  content   bytea   NOT NULL, -- sealed
  PRIMARY KEY (upload_id, seq)
);
-- Sealed bytes do not compress.
ALTER TABLE load.upload_piece ALTER COLUMN content SET STORAGE EXTERNAL;
GRANT SELECT, INSERT, UPDATE, DELETE ON load.upload_piece TO careseal_app;

CREATE TABLE load.load (
  load_id      uuid        PRIMARY KEY,
  state        text        NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
  -- Null for a load from the command line, which reads its file itself.
  upload_id    uuid,
  format       text        NOT NULL CHECK (format IN ('csv', 'ndjson')),
  domain       text        NOT NULL,
  dry_run      boolean     NOT NULL,
  bytes_total  bigint      NOT NULL,
  bytes_done   bigint      NOT NULL DEFAULT 0,
  -- Rows whose outcome is committed; where to go on after an interruption.
  rows_done    bigint      NOT NULL DEFAULT 0,
  count_read      bigint   NOT NULL DEFAULT 0,
  count_created   bigint   NOT NULL DEFAULT 0,
  count_updated   bigint   NOT NULL DEFAULT 0,
  count_unchanged bigint   NOT NULL DEFAULT 0,
  count_linked    bigint   NOT NULL DEFAULT 0,
  count_reviews   bigint   NOT NULL DEFAULT 0,
  count_rejected  bigint   NOT NULL DEFAULT 0,
  count_warnings  bigint   NOT NULL DEFAULT 0,
  work_ms      bigint      NOT NULL DEFAULT 0,
  error_code   text,
  started_at   timestamptz NOT NULL,
  touched_at   timestamptz NOT NULL,
  finished_at  timestamptz,
  detail       bytea       NOT NULL -- sealed: file name, header, mapping, who started it
);
CREATE INDEX load_started_at ON load.load (started_at);
GRANT SELECT, INSERT, UPDATE ON load.load TO careseal_app;

-- Rejected rows and warnings, as many as one batch had in one sealed piece.
CREATE TABLE load.notice (
  load_id uuid    NOT NULL,
  kind    text    NOT NULL CHECK (kind IN ('rejected', 'warning')),
  seq     bigint  NOT NULL, -- number of the batch's first row
  rows    integer NOT NULL,
  content bytea   NOT NULL,
  PRIMARY KEY (load_id, kind, seq)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON load.notice TO careseal_app;

CREATE TABLE load.mapping (
  name       text        PRIMARY KEY,
  updated_at timestamptz NOT NULL,
  detail     bytea       NOT NULL -- sealed: the mapping, who saved it
);
GRANT SELECT, INSERT, UPDATE, DELETE ON load.mapping TO careseal_app;
