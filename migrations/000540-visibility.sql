-- Whose clients are whose: the organisations that see a golden record, because a record of theirs is part of it or because it was
-- shared with them. Computed with the golden record itself. The central organisation is never among them: its people see all.
ALTER TABLE registry.golden
  ADD COLUMN organisations uuid[] NOT NULL DEFAULT '{}',
  ADD COLUMN shared_with uuid[] NOT NULL DEFAULT '{}';

CREATE TABLE registry.share (
  golden_id uuid NOT NULL,
  share_id uuid NOT NULL,
  organisation_id uuid NOT NULL,
  detail bytea NOT NULL, -- sealed: who shared it and why
  shared_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (golden_id, share_id)
);
CREATE UNIQUE INDEX share_standing ON registry.share (golden_id, organisation_id) WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE (ended_at, detail) ON registry.share TO careseal_app;
