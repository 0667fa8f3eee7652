-- What a person should look at. Raised by following the audit log; each one is also an event in it.
CREATE SCHEMA alerts;
GRANT USAGE ON SCHEMA alerts TO careseal_app;

-- Settings that differ from the program's own.
CREATE TABLE alerts.rule (
  name text PRIMARY KEY,
  settings jsonb NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON alerts.rule TO careseal_app;

CREATE TABLE alerts.alert (
  id uuid PRIMARY KEY, -- UUIDv7 of the moment it was raised
  rule text NOT NULL,
  -- Keyed hash of whom or what it is about: a second one about the same only counts while the first is not closed.
  subject bigint NOT NULL,
  raised_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  count bigint NOT NULL DEFAULT 1,
  -- Who and what, sealed.
  sealed bytea NOT NULL,
  mailed_at timestamptz,
  acknowledged_at timestamptz,
  closed_at timestamptz,
  -- Who took it on and who closed it, with their words, sealed.
  sealed_acknowledgement bytea,
  sealed_closing bytea,
  CHECK ((acknowledged_at IS NULL) = (sealed_acknowledgement IS NULL)),
  CHECK ((closed_at IS NULL) = (sealed_closing IS NULL))
);
CREATE UNIQUE INDEX alert_subject ON alerts.alert (rule, subject) WHERE closed_at IS NULL;
CREATE INDEX alert_open ON alerts.alert (id) WHERE closed_at IS NULL;
CREATE INDEX alert_unmailed ON alerts.alert (id) WHERE mailed_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON alerts.alert TO careseal_app;

-- One row: how far the log was looked at, whom to mail (sealed), when the last mail went.
CREATE TABLE alerts.state (
  id smallint PRIMARY KEY CHECK (id = 1),
  next_leaf bigint, -- null until the first look: what was before is not alerted about
  sealed_recipients bytea,
  last_mail_at timestamptz
);
INSERT INTO alerts.state (id) VALUES (1);
GRANT SELECT, UPDATE (next_leaf, sealed_recipients, last_mail_at) ON alerts.state TO careseal_app;

-- Networks each person has signed in from; blind.
CREATE TABLE alerts.network (
  actor bigint NOT NULL,
  network bigint NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (actor, network)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON alerts.network TO careseal_app;
