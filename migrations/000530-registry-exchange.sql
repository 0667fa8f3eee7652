-- What other systems need of the registry: other names of identifier systems, changes to tell subscribers, relatives.

-- A system by its other names: `urn:oid:…` beside a URL, an HL7 v2 namespace as `hl7v2:NAME`.
CREATE TABLE registry.domain_alias (
  alias  text PRIMARY KEY,
  system text NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.domain_alias TO careseal_app;

-- Which golden records changed, in the order of their commits: whoever writes golden records holds the registry's lock until
-- after the commit, so no smaller number appears later. Kept only while somebody wants it, and removed once read.
CREATE TABLE registry.change (
  seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  golden_id uuid        NOT NULL,
  version   integer     NOT NULL,
  at        timestamptz NOT NULL
);
GRANT SELECT, INSERT, DELETE ON registry.change TO careseal_app;

CREATE TABLE registry.change_wanted (wanted boolean PRIMARY KEY CHECK (wanted));
GRANT SELECT, INSERT, DELETE ON registry.change_wanted TO careseal_app;

CREATE FUNCTION registry.note_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM registry.change_wanted) THEN
    INSERT INTO registry.change (golden_id, version, at)
      SELECT golden_id, version, updated_at FROM changed ORDER BY golden_id;
    PERFORM pg_notify('careseal_changes', '');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER golden_inserted AFTER INSERT ON registry.golden
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION registry.note_changes();
CREATE TRIGGER golden_updated AFTER UPDATE ON registry.golden
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION registry.note_changes();

-- RelatedPersons that came in feeds, by the source record they belong to. Their content is sealed in store.resource.
CREATE TABLE registry.related_person (
  related_id uuid    PRIMARY KEY,
  source_id  uuid    NOT NULL,
  domain_id  integer NOT NULL,
  version    integer NOT NULL
);
CREATE INDEX related_person_source ON registry.related_person (source_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.related_person TO careseal_app;
