-- What the pages of the log are drawn from: counts by the hour, the names behind actors' tokens, searches people have kept.
CREATE SCHEMA reports;
GRANT USAGE ON SCHEMA reports TO careseal_app;

-- Events of the log by hour, counted by a follower that keeps the leaf it goes on with. Can be thrown away and counted anew.
CREATE TABLE reports.activity (
  hour timestamptz NOT NULL,
  event text NOT NULL,
  actor bigint NOT NULL, -- blind, as in audit.event
  outcome smallint NOT NULL,
  actor_kind text NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (hour, event, actor, outcome)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON reports.activity TO careseal_app;

-- Who an actor's token stands for: id, name and kind, sealed.
CREATE TABLE reports.actor (
  token bigint PRIMARY KEY,
  sealed bytea NOT NULL,
  named_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON reports.actor TO careseal_app;

CREATE TABLE reports.follower (
  id smallint PRIMARY KEY CHECK (id = 1),
  next_leaf bigint NOT NULL CHECK (next_leaf >= 0)
);
INSERT INTO reports.follower (id, next_leaf) VALUES (1, 0);
GRANT SELECT, UPDATE (next_leaf) ON reports.follower TO careseal_app;

-- Filters that somebody kept under a name; both sealed, since a name may be a person's.
CREATE TABLE reports.saved_search (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL,
  sealed bytea NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX saved_search_user ON reports.saved_search (user_id, created_at);
GRANT SELECT, INSERT, DELETE ON reports.saved_search TO careseal_app;
