-- Deleted source records of which a steward had decided something: who sends the record again, under the same identifier of its
-- domain, gets what was decided with it. Rows go when the record comes back.
CREATE TABLE registry.former_record (
  source_id uuid    PRIMARY KEY,
  domain_id integer NOT NULL,
  key_token bigint  NOT NULL, -- blind token of the record's own identifier in its domain
  pinned    boolean NOT NULL
);
CREATE INDEX former_record_key ON registry.former_record (key_token);
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.former_record TO careseal_app;

-- The primary key finds live golden records as well: nearly all of them live.
DROP INDEX registry.golden_live_by_id;
