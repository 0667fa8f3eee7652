-- Systems that talk to Careseal, their certificates, the identifier systems they own, and the built-in certificate authority.
-- Small tables (thousands of rows): on Citus all of them are reference tables. Nothing is ever deleted: a revoked node or
-- certificate stays, so that old audit events keep their meaning.
CREATE SCHEMA nodes;
GRANT USAGE ON SCHEMA nodes TO careseal_app;

CREATE TABLE nodes.node (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  organisation_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  last_seen_at timestamptz,
  revoked_at timestamptz,
  -- Written by a person, so it may name one.
  sealed_reason bytea,
  CHECK ((revoked_at IS NULL) = (sealed_reason IS NULL))
);
-- A name can be used again once its node is revoked.
CREATE UNIQUE INDEX node_name ON nodes.node (organisation_id, lower(name)) WHERE revoked_at IS NULL;
GRANT SELECT, INSERT, UPDATE (last_seen_at, revoked_at, sealed_reason) ON nodes.node TO careseal_app;

CREATE TABLE nodes.certificate (
  sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
  node_id uuid NOT NULL REFERENCES nodes.node (id),
  der bytea NOT NULL,
  subject text NOT NULL,
  not_before timestamptz NOT NULL,
  not_after timestamptz NOT NULL,
  issued_at timestamptz NOT NULL,
  revoked_at timestamptz
);
CREATE INDEX certificate_node ON nodes.certificate (node_id);
GRANT SELECT, INSERT, UPDATE (revoked_at) ON nodes.certificate TO careseal_app;

-- Assigning authorities. The number stands for the system in the registry's rows.
CREATE TABLE nodes.domain (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  system text NOT NULL UNIQUE,
  organisation_id uuid NOT NULL,
  -- Null where no node sends it: the organisation's own people load it.
  node_id uuid REFERENCES nodes.node (id),
  created_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE (node_id) ON nodes.domain TO careseal_app;

CREATE TABLE nodes.authority (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('root', 'issuing')),
  certificate text NOT NULL, -- PEM, public
  sealed_key bytea NOT NULL, -- PKCS #8
  not_after timestamptz NOT NULL,
  created_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE (sealed_key) ON nodes.authority TO careseal_app;
