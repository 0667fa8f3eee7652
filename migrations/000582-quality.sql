-- Links made without a person, looked at again by people: what the precision of linking is estimated from.
CREATE TABLE registry.link_check (
  check_id      uuid        PRIMARY KEY,
  a             uuid        NOT NULL,
  b             uuid        NOT NULL,
  model_version text        NOT NULL,
  drawn_at      timestamptz NOT NULL,
  verdict       text        CHECK (verdict IN ('right', 'wrong', 'unsure', 'gone')),
  judged_by     uuid,
  judged_at     timestamptz,
  UNIQUE (a, b),
  CHECK ((verdict IS NULL) = (judged_at IS NULL))
);
CREATE INDEX link_check_waiting ON registry.link_check (check_id) WHERE verdict IS NULL;
GRANT SELECT, INSERT, UPDATE ON registry.link_check TO careseal_app;
CREATE INDEX ledger_linked_at ON registry.ledger (at) WHERE kind = 'linked' AND other_source_id IS NOT NULL;
