-- Versions of the matching model, and which one decides. Documents are sealed: they hold how common names are.
CREATE SCHEMA models;
GRANT USAGE ON SCHEMA models TO careseal_app;

CREATE TABLE models.model (
  model_id     uuid        PRIMARY KEY,
  version      text        NOT NULL UNIQUE,
  origin       text        NOT NULL CHECK (origin IN ('shipped', 'trained', 'uploaded', 'adjusted', 'opencr-rules')),
  content_hash bytea       NOT NULL, -- SHA-256 of the document as canonical JSON (RFC 8785)
  document     bytea       NOT NULL, -- sealed
  detail       bytea       NOT NULL, -- sealed: notes, who, what training found
  created_at   timestamptz NOT NULL,
  created_by   uuid,
  proposed_by  uuid,                 -- who wants it promoted, where a second person has to agree
  proposed_at  timestamptz,
  CHECK ((proposed_by IS NULL) = (proposed_at IS NULL))
);
GRANT SELECT, INSERT, UPDATE (document, detail, proposed_by, proposed_at) ON models.model TO careseal_app;

-- Each time another model took over. `work`: what has to be done over the registry because of it, and how it stands.
CREATE TABLE models.activation (
  activation_id uuid        PRIMARY KEY,
  from_model    uuid        NOT NULL,
  to_model      uuid        NOT NULL,
  kind          text        NOT NULL CHECK (kind IN ('promote', 'roll-back', 're-link')),
  at            timestamptz NOT NULL,
  by_user       uuid,
  undoes        uuid,       -- the activation whose links a roll-back takes back
  job_id        uuid        NOT NULL,
  finished_at   timestamptz,
  undone_at     timestamptz
);
CREATE INDEX activation_at ON models.activation (at);
GRANT SELECT, INSERT, UPDATE (job_id, finished_at, undone_at) ON models.activation TO careseal_app;

-- One row: the model that decides, those whose blocking keys records may still have, and the one that is tried beside it.
CREATE TABLE models.in_force (
  only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  active     uuid        NOT NULL,
  former     uuid[]      NOT NULL DEFAULT '{}',
  shadow     uuid,
  changed_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON models.in_force TO careseal_app;

-- Long work with models, and what it found (sealed, since it names records).
CREATE TABLE models.study (
  study_id    uuid        PRIMARY KEY, -- also the id of its job
  kind        text        NOT NULL CHECK (kind IN ('training', 'simulation', 'evaluation', 'clusters')),
  model_id    uuid,
  created_at  timestamptz NOT NULL,
  created_by  uuid,
  request     bytea       NOT NULL, -- sealed: what was asked, by whom
  report      bytea,                -- sealed: what was found; null until done
  finished_at timestamptz
);
CREATE INDEX study_created ON models.study (created_at);
GRANT SELECT, INSERT, DELETE, UPDATE (request, report, model_id, finished_at) ON models.study TO careseal_app;

-- How often the shadow would have decided otherwise.
CREATE TABLE models.shadow_tally (
  shadow   uuid    NOT NULL,
  active   uuid    NOT NULL,
  day      date    NOT NULL,
  outcome  text    NOT NULL, -- `<active>-><shadow>`: link, review, none; `skipped` where there was no time
  count    bigint  NOT NULL,
  PRIMARY KEY (shadow, active, day, outcome)
);
GRANT SELECT, INSERT, UPDATE ON models.shadow_tally TO careseal_app;
CREATE TABLE models.shadow_example (
  shadow     uuid        NOT NULL,
  example_id uuid        NOT NULL,
  at         timestamptz NOT NULL,
  detail     bytea       NOT NULL, -- sealed: the two records, both scores
  PRIMARY KEY (shadow, example_id)
);
GRANT SELECT, INSERT, DELETE, UPDATE (detail) ON models.shadow_example TO careseal_app;
