-- What other systems sent is erased like the log's own events: by the owner of the database alone, with the event that says why. What the row
-- says goes, and what it was found by; that it came, when and from whom stays, under a new seal that only the keys' holder can make.
ALTER TABLE atna.received ADD COLUMN erased_because uuid;

CREATE FUNCTION atna.refuse_unless_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.erased_because IS NULL AND NEW.erased_because IS NOT NULL AND NEW.tokens = '{}'
    AND to_jsonb(NEW) - 'sealed' - 'tokens' - 'erased_because' = to_jsonb(OLD) - 'sealed' - 'tokens' - 'erased_because'
    AND EXISTS (SELECT FROM audit.event WHERE id = NEW.erased_because AND event = 'audit.erase' AND outcome = 0)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'Received audit events are append-only: UPDATE on atna.received is refused'
    USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER append_only ON atna.received;
CREATE TRIGGER append_only BEFORE UPDATE ON atna.received FOR EACH ROW EXECUTE FUNCTION atna.refuse_unless_erasure();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON atna.received FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE INDEX received_erased ON atna.received (id) WHERE erased_because IS NOT NULL;
