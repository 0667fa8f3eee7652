-- Many alike reviews accepted together, after a sample of them was decided one by one.
CREATE TABLE registry.bulk (
  bulk_id     uuid        PRIMARY KEY,
  state       text        NOT NULL CHECK (state IN ('sampling', 'accepting', 'done', 'given-up')),
  created_at  timestamptz NOT NULL,
  created_by  uuid        NOT NULL,
  score_from  real        NOT NULL,
  sample      uuid[]      NOT NULL,
  total       integer     NOT NULL,   -- pairs the sample was drawn from
  accepted    integer     NOT NULL DEFAULT 0,
  skipped     integer     NOT NULL DEFAULT 0
);
CREATE INDEX bulk_by_time ON registry.bulk (created_at DESC, bulk_id);
GRANT SELECT, INSERT, UPDATE ON registry.bulk TO careseal_app;

ALTER TABLE registry.review ADD COLUMN bulk_id uuid, ADD COLUMN bulk_skipped boolean NOT NULL DEFAULT false;
CREATE INDEX review_bulk ON registry.review (bulk_id, review_id) WHERE bulk_id IS NOT NULL;
