-- What a re-link moved, so that it can be taken back exactly. Ids only: the ledger says why.
CREATE TABLE registry.relink_move (
  activation_id uuid    NOT NULL,
  move          bigint  GENERATED ALWAYS AS IDENTITY,
  source_id     uuid    NOT NULL,
  from_golden   uuid    NOT NULL,
  to_golden     uuid    NOT NULL,
  entry_id      uuid    NOT NULL,
  undone        text    CHECK (undone IN ('taken-back', 'kept')),
  PRIMARY KEY (activation_id, move)
);
CREATE INDEX relink_move_standing ON registry.relink_move (activation_id, move) WHERE undone IS NULL;
GRANT SELECT, INSERT, UPDATE (undone) ON registry.relink_move TO careseal_app;
CREATE TABLE registry.relink_review (
  activation_id uuid NOT NULL,
  review_id     uuid NOT NULL,
  PRIMARY KEY (activation_id, review_id)
);
GRANT SELECT, INSERT ON registry.relink_review TO careseal_app;
