-- Who did what, and the proof that nothing of it was changed. Everything here is only ever added to: the application may
-- INSERT and SELECT, and triggers refuse the rest to the owner too. What an owner can still do by dropping those triggers is
-- found by `careseal audit verify`, which recomputes the tree. formats/audit-tree.md has the bytes.
CREATE SCHEMA audit;
GRANT USAGE ON SCHEMA audit TO careseal_app;

CREATE TABLE audit.event (
  id uuid PRIMARY KEY, -- UUIDv7: holds the time of `recorded`, so it also orders the log by time
  -- Place in the order of commits; not for the application to choose (see the grants below).
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  recorded timestamptz NOT NULL,
  -- Blind tokens; the client's is null for events about no client.
  actor bigint NOT NULL,
  client bigint,
  address bigint,
  outcome smallint NOT NULL CHECK (outcome IN (0, 4, 8)),
  event text NOT NULL CHECK (length(event) BETWEEN 1 AND 100),
  actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'node', 'operator', 'system', 'anonymous')),
  -- SHA-256(nonce ‖ canonical JSON).
  commitment bytea NOT NULL CHECK (length(commitment) = 32),
  -- Nonce and JSON, sealed; the other columns are bound to it. Null only after audit.erase().
  sealed bytea
);
-- Ciphertext does not compress, and moving a kilobyte out of line costs more than it saves.
ALTER TABLE audit.event ALTER COLUMN sealed SET STORAGE EXTERNAL, ALTER COLUMN commitment SET STORAGE PLAIN;
ALTER TABLE audit.event SET (toast_tuple_target = 4080, fillfactor = 100);
CREATE INDEX event_order ON audit.event (xid, seq);
-- Filters are newest first by `recorded`, which no other index orders by: so the planner cannot answer a rare filter by walking
-- the whole log backwards.
CREATE INDEX event_actor ON audit.event (actor, recorded);
CREATE INDEX event_client ON audit.event (client, recorded) WHERE client IS NOT NULL;
CREATE INDEX event_rare ON audit.event (event, recorded) WHERE event NOT IN ('client.read', 'client.search');
CREATE INDEX event_failure ON audit.event (outcome, recorded) WHERE outcome <> 0;
GRANT SELECT ON audit.event TO careseal_app;
GRANT INSERT (id, recorded, actor, client, address, outcome, event, actor_kind, commitment, sealed)
  ON audit.event TO careseal_app;

-- Which event is which leaf.
CREATE TABLE audit.leaf (
  index bigint PRIMARY KEY CHECK (index >= 0),
  event uuid NOT NULL UNIQUE
);

-- Complete tiles (C2SP tlog-tiles): 256 hashes. The right edge is computed from the leaves.
CREATE TABLE audit.tile (
  level smallint NOT NULL,
  number bigint NOT NULL,
  hashes bytea NOT NULL CHECK (length(hashes) = 8192),
  PRIMARY KEY (level, number)
);
ALTER TABLE audit.tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- Signed heads. A second sequencer that came to the same size would violate the key instead of making a fork.
CREATE TABLE audit.checkpoint (
  size bigint PRIMARY KEY CHECK (size > 0),
  root bytea NOT NULL CHECK (length(root) = 32),
  note text NOT NULL,
  signed_at timestamptz NOT NULL,
  -- Events up to here, in the order of (xid, seq), are in the tree.
  through_xid xid8 NOT NULL,
  through_seq bigint NOT NULL,
  -- Events up to this seq were numbered in another cluster's transactions (the database was restored from a dump).
  era_seq bigint NOT NULL
);

-- The key that signs checkpoints, sealed under a key the database does not have. One per log.
CREATE TABLE audit.signer (
  id smallint PRIMARY KEY CHECK (id = 1),
  origin text NOT NULL,
  public_key bytea NOT NULL CHECK (length(public_key) = 32),
  sealed_seed bytea NOT NULL,
  created_at timestamptz NOT NULL
);

-- Events whose content was erased by law, and the event that says so.
CREATE TABLE audit.erasure (
  event uuid PRIMARY KEY,
  because uuid NOT NULL, -- the `audit.erase` event
  erased_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON audit.erasure TO careseal_app;
GRANT SELECT, INSERT ON audit.leaf, audit.tile, audit.checkpoint, audit.signer TO careseal_app;

CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The audit log is append-only: % on audit.% is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$;

-- The one change there is: content that an erasure is recorded for may become null, and nothing else may change with it.
CREATE FUNCTION audit.refuse_unless_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.sealed IS NOT NULL AND NEW.sealed IS NULL
    AND to_jsonb(NEW) - 'sealed' = to_jsonb(OLD) - 'sealed'
    AND EXISTS (SELECT FROM audit.erasure WHERE erasure.event = OLD.id)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'The audit log is append-only: UPDATE on audit.event is refused'
    USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE ON audit.event
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_unless_erasure();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON audit.event
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.leaf
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.tile
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.checkpoint
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.signer
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.erasure
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

-- Erases the content of events. For the owner alone; `because` is an `audit.erase` event recorded before.
CREATE FUNCTION audit.erase(events uuid[], because uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  erased bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM audit.event WHERE id = because AND event = 'audit.erase' AND outcome = 0) THEN
    RAISE EXCEPTION 'An erasure needs the audit event that says so';
  END IF;
  INSERT INTO audit.erasure (event, because)
    SELECT id, erase.because FROM audit.event WHERE id = ANY (events) AND sealed IS NOT NULL;
  UPDATE audit.event SET sealed = NULL WHERE id = ANY (events) AND sealed IS NOT NULL;
  GET DIAGNOSTICS erased = ROW_COUNT;
  RETURN erased;
END $$;
REVOKE ALL ON FUNCTION audit.erase FROM PUBLIC;
