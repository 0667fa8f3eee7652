-- Batches that were damaged before they were numbered, and the event in which an operator says so: numbering passes over them. They stay
-- where they are. Only the owner of the database adds to this, at the command line; `verify` reports every row for ever.
CREATE TABLE audit.set_aside (
  batch uuid PRIMARY KEY,
  because uuid NOT NULL, -- the `audit.set-aside` event, which holds the batch's length and hash
  set_aside_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON audit.set_aside TO careseal_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.set_aside
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
