-- The key hierarchy below the root key. Every key here is wrapped (sealed) by the one above it; the root key is not in the
-- database, so these rows alone open nothing. formats/sealed-at-rest.md says how; src/store/key-table.ts reads and writes.
CREATE SCHEMA keys;
GRANT USAGE ON SCHEMA keys TO careseal_app;

CREATE SEQUENCE keys.key_id AS integer;
GRANT USAGE ON SEQUENCE keys.key_id TO careseal_app;

CREATE TABLE keys.key (
  -- Goes into the header of every seal made with a data key; never used again after a key is destroyed.
  id integer PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('key-encryption', 'data', 'index')),
  -- Append-only audit rows cannot be re-sealed, so they have keys of their own that are never destroyed.
  family text NOT NULL CHECK (family IN ('all', 'record', 'audit')),
  -- announced: known to every process, not used yet; current: seals and blinds; retiring: opens and finds what is left of it.
  state text NOT NULL CHECK (state IN ('announced', 'current', 'retiring', 'destroyed')),
  wrapped bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  state_since timestamptz NOT NULL DEFAULT now(),
  CHECK ((purpose = 'key-encryption') = (family = 'all')),
  CHECK ((state = 'destroyed') = (wrapped IS NULL))
);
CREATE UNIQUE INDEX key_current ON keys.key (purpose, family) WHERE state = 'current';
CREATE UNIQUE INDEX key_announced ON keys.key (purpose, family) WHERE state = 'announced';
-- No DELETE: that a key existed, and when it was destroyed, stays known.
GRANT SELECT, INSERT, UPDATE ON keys.key TO careseal_app;

-- One row per re-sealing of everything; it outlives the process that began it.
CREATE TABLE keys.rotation (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('data', 'index')),
  old_key integer NOT NULL,
  new_key integer NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE UNIQUE INDEX rotation_running ON keys.rotation ((true)) WHERE finished_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON keys.rotation TO careseal_app;

-- How far each feature's rows have come.
CREATE TABLE keys.rotation_part (
  rotation_id uuid NOT NULL,
  participant text NOT NULL,
  total bigint NOT NULL,
  done bigint NOT NULL DEFAULT 0,
  -- Where the next batch begins, in the participant's own words; null at the start.
  cursor text,
  finished boolean NOT NULL DEFAULT false,
  PRIMARY KEY (rotation_id, participant)
);
GRANT SELECT, INSERT, UPDATE ON keys.rotation_part TO careseal_app;
