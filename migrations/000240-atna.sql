-- Where the audit log is forwarded to (IHE ATNA, ITI-20), and how far. The log itself is the spool: a target keeps the leaf it
-- goes on with, so an outage of days costs no space and loses no order.
CREATE SCHEMA atna;
GRANT USAGE ON SCHEMA atna TO careseal_app;

CREATE TABLE atna.target (
  id uuid PRIMARY KEY,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
  protocol text NOT NULL CHECK (protocol IN ('tls', 'tcp', 'udp', 'fhir')),
  host text NOT NULL,
  port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
  -- Base path of the repository's FHIR interface; empty for syslog.
  path text NOT NULL DEFAULT '',
  -- Certificate authorities to trust, PEM; null: those of the operating system.
  authorities text,
  -- {"events": ["client.*", …], "outcome": "all" | "failure"}; no events: all of them.
  filter jsonb NOT NULL,
  paused boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  removed_at timestamptz,
  -- Everything below this leaf has reached the target, or was not for it.
  next_leaf bigint NOT NULL CHECK (next_leaf >= 0),
  -- Which process sends just now; another takes over when the time is past.
  held_by text,
  held_until timestamptz,
  delivered bigint NOT NULL DEFAULT 0,
  skipped bigint NOT NULL DEFAULT 0,
  delivered_at timestamptz,
  failing_since timestamptz,
  -- A code of features/atna/failures.ts, never what the other side said.
  failure text
);
CREATE UNIQUE INDEX target_name ON atna.target (lower(name)) WHERE removed_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON atna.target TO careseal_app;

-- Audit events of other systems, when this Careseal is their audit repository. What came is kept as it came, sealed.
CREATE TABLE atna.received (
  -- UUIDv7 of the moment it came.
  id uuid PRIMARY KEY,
  received_at timestamptz NOT NULL,
  -- The time the sender says; the time it came where the sender says none.
  recorded timestamptz NOT NULL,
  transport text NOT NULL CHECK (transport IN ('tls', 'udp', 'fhir')),
  -- The node whose certificate the connection had; null over UDP, where anybody can claim anything.
  node_id uuid,
  understood boolean NOT NULL,
  -- Blind tokens of what ITI-81 searches by.
  tokens bigint[] NOT NULL,
  sealed bytea NOT NULL
);
ALTER TABLE atna.received ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX received_recorded ON atna.received (recorded, id);
CREATE INDEX received_tokens ON atna.received USING gin (tokens);
GRANT SELECT, INSERT ON atna.received TO careseal_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON atna.received
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
