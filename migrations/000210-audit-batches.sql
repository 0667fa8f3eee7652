-- Events are written together: one sealed row per batch, which is all that a request waits for. The sequencer opens each batch
-- within a second and spreads it into audit.event, by month, with the leaf's number, the commitment and what can be filtered by.
-- formats/audit-tree.md §6 and §7.
CREATE TABLE audit.batch (
  id uuid PRIMARY KEY, -- UUIDv7
  -- Place in the order of commits; not for the application to choose (see the grants below).
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  events integer NOT NULL CHECK (events BETWEEN 1 AND 256),
  -- The events, sealed together. Null only after all of them were erased.
  sealed bytea,
  -- The `audit.erase` event that says why it is null.
  because uuid,
  -- Of an event from before there were batches: the columns that its own seal is bound to.
  former jsonb
);
-- Ciphertext does not compress, and moving a few kilobytes out of line costs more than it saves.
ALTER TABLE audit.batch ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE audit.batch SET (toast_tuple_target = 8160, fillfactor = 100);
CREATE INDEX batch_order ON audit.batch (xid, seq);

ALTER TABLE audit.event RENAME TO former_event;
ALTER TABLE audit.former_event DISABLE TRIGGER USER;
DROP INDEX audit.event_order, audit.event_actor, audit.event_client, audit.event_rare, audit.event_failure;

CREATE TABLE audit.event (
  index bigint NOT NULL CHECK (index >= 0), -- its leaf
  id uuid NOT NULL, -- UUIDv7: holds the time of `recorded`
  recorded timestamptz NOT NULL,
  -- Blind tokens; the client's is null for events about no client.
  actor bigint NOT NULL,
  client bigint,
  address bigint,
  outcome smallint NOT NULL,
  event text NOT NULL,
  actor_kind text NOT NULL,
  -- SHA-256(nonce ‖ canonical JSON).
  commitment bytea NOT NULL,
  -- Where nonce and JSON rest.
  batch uuid NOT NULL,
  place smallint NOT NULL,
  PRIMARY KEY (recorded, id)
) PARTITION BY RANGE (recorded);
ALTER TABLE audit.event ALTER COLUMN commitment SET STORAGE PLAIN;
CREATE INDEX event_index ON audit.event (index);
-- Filters are newest first by `recorded`, which the index on the leaf's number does not order by: so the planner cannot answer a
-- rare filter by walking the whole log backwards.
CREATE INDEX event_actor ON audit.event (actor, recorded);
CREATE INDEX event_client ON audit.event (client, recorded) WHERE client IS NOT NULL;
CREATE INDEX event_address ON audit.event (address, recorded) WHERE address IS NOT NULL;
CREATE INDEX event_rare ON audit.event (event, recorded) WHERE event NOT IN ('client.read', 'client.search');
CREATE INDEX event_failure ON audit.event (outcome, recorded) WHERE outcome <> 0;

-- A month's partition, made when its first event is numbered or shortly before. The application may call this and nothing else
-- that makes tables.
CREATE FUNCTION audit.ensure_month(moment timestamptz) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first date := date_trunc('month', moment AT TIME ZONE 'UTC')::date;
  name text := 'event_' || to_char(first, 'YYYY_MM');
BEGIN
  IF to_regclass('audit.' || name) IS NOT NULL THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('careseal audit.' || name));
  IF to_regclass('audit.' || name) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE audit.%I (LIKE audit.event INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', name);
  EXECUTE format('ALTER TABLE audit.event ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)', name,
    first::text || ' 00:00:00+00', (first + interval '1 month')::date::text || ' 00:00:00+00');
  EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON audit.%I FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse()', name);
END $$;
REVOKE ALL ON FUNCTION audit.ensure_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.ensure_month TO careseal_app;

-- What there is already moves over: each event becomes a batch of one, still under its own seal.
SELECT audit.ensure_month(month) FROM (SELECT DISTINCT date_trunc('month', recorded) AS month FROM audit.former_event) AS months;
INSERT INTO audit.batch (id, xid, seq, events, sealed, because, former) OVERRIDING SYSTEM VALUE
  SELECT id, xid, seq, 1, sealed, erasure.because, jsonb_build_object('recordedMs', (extract(epoch FROM recorded) * 1000)::bigint,
    'actor', actor::text, 'client', client::text, 'address', address::text, 'outcome', outcome, 'event', former_event.event,
    'actorKind', actor_kind, 'commitment', encode(commitment, 'base64'))
  FROM audit.former_event LEFT JOIN audit.erasure ON erasure.event = former_event.id;
INSERT INTO audit.event (index, id, recorded, actor, client, address, outcome, event, actor_kind, commitment, batch, place)
  SELECT leaf.index, id, recorded, actor, client, address, outcome, former_event.event, actor_kind, commitment, id, 0
  FROM audit.leaf JOIN audit.former_event ON id = leaf.event;
SELECT setval(pg_get_serial_sequence('audit.batch', 'seq'), coalesce((SELECT max(seq) FROM audit.batch), 0) + 1, false);
DROP TABLE audit.leaf;
DROP TABLE audit.former_event;

-- Every head names the one before it. Two sequencers that began at one head would name the same one, and the second is refused.
ALTER TABLE audit.checkpoint DISABLE TRIGGER USER;
ALTER TABLE audit.checkpoint ADD COLUMN previous bigint UNIQUE;
UPDATE audit.checkpoint SET previous = former.size FROM (
  SELECT size AS next, coalesce(lag(size) OVER (ORDER BY size), 0) AS size FROM audit.checkpoint) AS former
  WHERE former.next = checkpoint.size;
ALTER TABLE audit.checkpoint ALTER COLUMN previous SET NOT NULL, ADD CHECK (previous >= 0 AND previous < size);
ALTER TABLE audit.checkpoint ENABLE TRIGGER USER;

GRANT SELECT ON audit.batch, audit.event TO careseal_app;
GRANT INSERT (id, events, sealed) ON audit.batch TO careseal_app;
GRANT INSERT ON audit.event TO careseal_app;

-- The one change there is: the content of events that an erasure is recorded for may be sealed anew without them.
DROP FUNCTION audit.refuse_unless_erasure CASCADE;
CREATE FUNCTION audit.refuse_unless_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF to_jsonb(NEW) - 'sealed' - 'because' = to_jsonb(OLD) - 'sealed' - 'because'
    AND (NEW.sealed IS NOT NULL OR NEW.because IS NOT NULL)
    AND EXISTS (SELECT FROM audit.erasure WHERE erasure.batch = OLD.id AND erasure.erased_at = now())
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'The audit log is append-only: UPDATE on audit.batch is refused'
    USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE ON audit.batch
  FOR EACH ROW EXECUTE FUNCTION audit.refuse_unless_erasure();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON audit.batch
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit.event
  FOR EACH ROW EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON audit.event
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

-- Erasing means sealing what stays anew, so the keys' holder does it (features/audit/erasure.ts); for the database it is these two
-- steps in one transaction, by the owner alone.
DROP FUNCTION audit.erase;
ALTER TABLE audit.erasure DISABLE TRIGGER USER;
ALTER TABLE audit.erasure ADD COLUMN batch uuid;
UPDATE audit.erasure SET batch = event;
ALTER TABLE audit.erasure ALTER COLUMN batch SET NOT NULL;
CREATE INDEX erasure_batch ON audit.erasure (batch);
ALTER TABLE audit.erasure ENABLE TRIGGER USER;
