-- Who wants to be told of changes, and what is on its way to them.
CREATE SCHEMA subscriptions;
GRANT USAGE ON SCHEMA subscriptions TO careseal_app;

-- The resource is sealed: endpoints and headers hold secrets, criteria may hold an identifier.
CREATE TABLE subscriptions.subscription (
  id              uuid        PRIMARY KEY,
  node_id         uuid        NOT NULL,
  organisation_id uuid        NOT NULL,
  status          text        NOT NULL CHECK (status IN ('requested', 'active', 'error', 'off')),
  version         integer     NOT NULL,
  sealed          bytea       NOT NULL,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  ends_at         timestamptz,
  -- Of the endpoint as a whole: a delivery that fails holds up those after it.
  failures        integer     NOT NULL DEFAULT 0,
  failing_since   timestamptz,
  last_failure    text,
  last_success_at timestamptz,
  retry_at        timestamptz NOT NULL,
  lease_until     timestamptz
);
CREATE INDEX subscription_node ON subscriptions.subscription (node_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON subscriptions.subscription TO careseal_app;

-- What is sent is the record as it is when it is sent: one waiting row per record and subscriber is enough, however long they
-- cannot be reached.
CREATE TABLE subscriptions.delivery (
  id              uuid        PRIMARY KEY,
  subscription_id uuid        NOT NULL,
  golden_id       uuid        NOT NULL,
  version         integer     NOT NULL,
  state           text        NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
  attempts        integer     NOT NULL DEFAULT 0,
  retry_at        timestamptz NOT NULL,
  created_at      timestamptz NOT NULL,
  done_at         timestamptz,
  failure         text
);
CREATE UNIQUE INDEX delivery_waiting ON subscriptions.delivery (subscription_id, golden_id) WHERE state = 'waiting';
CREATE INDEX delivery_state ON subscriptions.delivery (state, id);
CREATE INDEX delivery_done ON subscriptions.delivery (done_at) WHERE done_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON subscriptions.delivery TO careseal_app;
