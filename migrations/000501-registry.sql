-- The client registry: which source record belongs to which golden record, why, and what waits for a steward.
-- Patients themselves live sealed in store.resource; here are ids, blind tokens and sealed details only.
CREATE SCHEMA registry;
GRANT USAGE ON SCHEMA registry TO careseal_app;

-- One row per live source record. match_record is the sealed demographic extract that scoring reads.
CREATE TABLE registry.source (
  source_id    uuid    PRIMARY KEY,
  golden_id    uuid    NOT NULL,
  domain_id    integer NOT NULL,
  key_token    bigint,            -- blind token of the record's own identifier in its domain
  version      integer NOT NULL,
  pinned       boolean NOT NULL DEFAULT false, -- a steward placed it: no model moves it
  match_record bytea   NOT NULL
);
CREATE INDEX source_golden_id ON registry.source (golden_id);
CREATE INDEX source_key_token ON registry.source (key_token) WHERE key_token IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.source TO careseal_app;

-- Blocking keys, blind. The primary key is the covering index that every candidate search reads.
CREATE TABLE registry.blocking_key (
  token     bigint NOT NULL,
  source_id uuid   NOT NULL,
  PRIMARY KEY (token, source_id)
);
GRANT SELECT, INSERT, DELETE ON registry.blocking_key TO careseal_app;

-- One row per golden record, merged ones included: those redirect for ever.
CREATE TABLE registry.golden (
  golden_id   uuid        PRIMARY KEY,
  version     integer     NOT NULL,
  updated_at  timestamptz NOT NULL,
  replaced_by uuid,
  deleted     boolean     NOT NULL DEFAULT false
);
CREATE INDEX golden_live_by_time ON registry.golden (updated_at, golden_id) WHERE replaced_by IS NULL AND NOT deleted;
CREATE INDEX golden_live_by_id ON registry.golden (golden_id) WHERE replaced_by IS NULL AND NOT deleted;
CREATE INDEX golden_replaced_by ON registry.golden (replaced_by) WHERE replaced_by IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.golden TO careseal_app;

-- The link ledger: append-only. detail is sealed (actor, reason, score, what moved).
CREATE TABLE registry.ledger (
  golden_id       uuid        NOT NULL,
  entry_id        uuid        NOT NULL,
  kind            text        NOT NULL CHECK (kind IN ('created', 'linked', 'unlinked', 'merged', 'unmerged', 'never-link',
                                                       'review-opened', 'review-decided', 'decision-undone')),
  at              timestamptz NOT NULL,
  source_id       uuid,
  other_source_id uuid,
  other_golden_id uuid,
  detail          bytea       NOT NULL,
  PRIMARY KEY (golden_id, entry_id)
);
CREATE INDEX ledger_source ON registry.ledger (source_id, entry_id) WHERE source_id IS NOT NULL;
CREATE INDEX ledger_other_golden ON registry.ledger (other_golden_id, entry_id) WHERE other_golden_id IS NOT NULL;
GRANT SELECT, INSERT ON registry.ledger TO careseal_app;

CREATE FUNCTION registry.refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'registry.ledger is append-only';
END $$;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.ledger
  FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_ledger_change();

-- Pairs of source records that wait for a steward. a < b.
CREATE TABLE registry.review (
  review_id     uuid        PRIMARY KEY,
  a             uuid        NOT NULL,
  b             uuid        NOT NULL,
  state         text        NOT NULL CHECK (state IN ('open', 'later', 'decided')),
  cause         text        NOT NULL,
  score         real        NOT NULL,
  grade         text        NOT NULL,
  model_version text        NOT NULL,
  created_at    timestamptz NOT NULL,
  decided_at    timestamptz,
  decision      text CHECK (decision IN ('link', 'different')),
  entry_id      uuid,
  CHECK (a < b)
);
CREATE UNIQUE INDEX review_pair_waiting ON registry.review (a, b) WHERE state <> 'decided';
CREATE INDEX review_queue ON registry.review (state, review_id);
CREATE INDEX review_by_a ON registry.review (a);
CREATE INDEX review_by_b ON registry.review (b);
CREATE INDEX review_decided_at ON registry.review (decided_at) WHERE decided_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.review TO careseal_app;

-- Pairs that a steward declared two people. a < b.
CREATE TABLE registry.never_link (
  a        uuid NOT NULL,
  b        uuid NOT NULL,
  entry_id uuid NOT NULL,
  PRIMARY KEY (a, b),
  CHECK (a < b)
);
CREATE INDEX never_link_b ON registry.never_link (b);
GRANT SELECT, INSERT, DELETE ON registry.never_link TO careseal_app;
