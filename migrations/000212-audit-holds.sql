-- Legal holds: events that may not be erased while the hold stands. Placed and released by audited acts; neither row ever changes.
CREATE TABLE audit.hold (
  id uuid PRIMARY KEY,
  client bigint, -- blind token; null holds everything
  placed_because uuid NOT NULL, -- the `audit.hold` event
  placed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE audit.hold_release (
  hold uuid PRIMARY KEY,
  because uuid NOT NULL, -- the `audit.release` event
  released_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON audit.hold, audit.hold_release TO careseal_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.hold
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.hold_release
  FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
