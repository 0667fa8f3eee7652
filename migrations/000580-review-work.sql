-- Who looks at a review, and whose link waits for a second person.
ALTER TABLE registry.review
  ADD COLUMN assignee    uuid,
  ADD COLUMN proposed_by uuid,
  ADD COLUMN proposed_at timestamptz,
  ADD CONSTRAINT review_proposed_whole CHECK ((proposed_by IS NULL) = (proposed_at IS NULL));
CREATE INDEX review_queue_by_score ON registry.review (state, score, review_id) WHERE state <> 'decided';
CREATE INDEX review_assignee ON registry.review (assignee, review_id) WHERE assignee IS NOT NULL AND state <> 'decided';
CREATE INDEX review_proposed ON registry.review (review_id) WHERE proposed_by IS NOT NULL AND state <> 'decided';

-- How stewards work together: one row a setting.
CREATE TABLE registry.setting (
  name       text        PRIMARY KEY,
  value      text        NOT NULL,
  changed_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON registry.setting TO careseal_app;
