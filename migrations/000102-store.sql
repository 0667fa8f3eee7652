-- Every FHIR resource: sealed content beside blind tokens. Nothing here can be read without the keys of schema keys' owner.
CREATE SCHEMA store;
GRANT USAGE ON SCHEMA store TO careseal_app;

CREATE TABLE store.resource (
  type text NOT NULL,
  id uuid NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  last_updated timestamptz NOT NULL,
  -- Null when the resource is deleted.
  sealed bytea,
  tokens bigint[] NOT NULL,
  -- Time-ordered ids within a type: inserts stay at the right edge, and lists in order of id read it forwards.
  PRIMARY KEY (type, id)
);

CREATE TABLE store.resource_history (
  type text NOT NULL,
  id uuid NOT NULL,
  version integer NOT NULL,
  last_updated timestamptz NOT NULL,
  sealed bytea,
  PRIMARY KEY (type, id, version)
);

-- Ciphertext and keyed hashes do not compress; trying costs time.
ALTER TABLE store.resource ALTER COLUMN sealed SET STORAGE EXTERNAL, ALTER COLUMN tokens SET STORAGE EXTERNAL;
ALTER TABLE store.resource_history ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- New entries first go to a pending list that every search reads whole. 1 MB of it halves the price of a write (without the
-- list 235 µs of the database's time, with it 101 µs) for at most .3 ms more per search; the default 4 MB costs searches 1 ms
-- and saves nothing more.
CREATE INDEX resource_tokens ON store.resource USING gin (tokens) WITH (gin_pending_list_limit = 1024);
CREATE INDEX resource_last_updated ON store.resource (type, last_updated, id) WHERE sealed IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON store.resource, store.resource_history TO careseal_app;

-- Searches. p_all: tokens that must all be there; p_any: further groups, each the literal of a bigint[], of which one token
-- must be there; p_order: 'id', 'last-updated' or 'last-updated-descending'; p_after_*: the last row of the page before, or
-- nulls. Why functions, and why so:
--  * With ORDER BY and LIMIT the planner likes to walk another index and filter; at a million rows that is seconds instead of
--    milliseconds. The first step has neither: it is materialised, and only its conditions on tokens are indexable ("IS TRUE"
--    hides the others). It carries 40 bytes a row to be sorted; the content is fetched for the page alone.
--  * Sequential scans are forbidden while they run, without a round trip to say so, so a plan made while the table was empty
--    is still right when it is full. The frequent kind of search, all of single tokens, so keeps one plan per session;
--    planning takes three times as long as the search itself.
CREATE FUNCTION store.search_all(
  p_type text, p_all bigint[], p_from timestamptz, p_before timestamptz,
  p_order text, p_after_time timestamptz, p_after_id uuid, p_limit integer)
RETURNS TABLE (type text, id uuid, version integer, last_updated timestamptz, sealed bytea)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH hit AS MATERIALIZED (
      SELECT ctid AS place, id, last_updated FROM store.resource
      WHERE tokens @> p_all AND sealed IS NOT NULL AND (type = p_type) IS TRUE
        AND (p_from IS NULL OR last_updated >= p_from) AND (p_before IS NULL OR last_updated < p_before)
    ), page AS MATERIALIZED (
      SELECT place FROM hit
      WHERE p_after_id IS NULL OR CASE p_order
        WHEN 'id' THEN id > p_after_id
        WHEN 'last-updated' THEN (last_updated, id) > (p_after_time, p_after_id)
        ELSE (last_updated, id) < (p_after_time, p_after_id) END
      ORDER BY
        CASE WHEN p_order = 'last-updated-descending' THEN last_updated END DESC,
        CASE WHEN p_order = 'last-updated-descending' THEN id END DESC,
        CASE WHEN p_order = 'last-updated' THEN last_updated END, id
      LIMIT p_limit
    )
    SELECT type, id, version, last_updated, sealed FROM store.resource
    WHERE ctid = ANY (ARRAY (SELECT place FROM page))
    ORDER BY
      CASE WHEN p_order = 'last-updated-descending' THEN last_updated END DESC,
      CASE WHEN p_order = 'last-updated-descending' THEN id END DESC,
      CASE WHEN p_order = 'last-updated' THEN last_updated END, id;
END $$;

-- Conditions of any search as SQL text, for the rarer kinds, which are planned at each call with the tokens in it.
CREATE FUNCTION store.conditions(p_type text, p_all bigint[], p_any text[], p_from timestamptz, p_before timestamptz)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
  by_token boolean := cardinality(p_all) > 0 OR cardinality(p_any) > 0;
  plain text[] := ARRAY[format('type = %L', p_type)];
  parts text[] := ARRAY['sealed IS NOT NULL'];
  any_of text;
BEGIN
  IF p_from IS NOT NULL THEN plain := plain || format('last_updated >= %L', p_from); END IF;
  IF p_before IS NOT NULL THEN plain := plain || format('last_updated < %L', p_before); END IF;
  parts := parts || format(CASE WHEN by_token THEN '(%s) IS TRUE' ELSE '%s' END, array_to_string(plain, ' AND '));
  IF cardinality(p_all) > 0 THEN parts := parts || format('tokens @> %L::bigint[]', p_all); END IF;
  FOREACH any_of IN ARRAY p_any LOOP
    parts := parts || format('tokens && %L::bigint[]', any_of::bigint[]);
  END LOOP;
  RETURN array_to_string(parts, ' AND ');
END $$;

CREATE FUNCTION store.search(
  p_type text, p_all bigint[], p_any text[], p_from timestamptz, p_before timestamptz,
  p_order text, p_after_time timestamptz, p_after_id uuid, p_limit integer)
RETURNS TABLE (type text, id uuid, version integer, last_updated timestamptz, sealed bytea)
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
  direction text := CASE p_order WHEN 'last-updated-descending' THEN 'DESC' ELSE 'ASC' END;
  sorting text := CASE p_order WHEN 'id' THEN 'id' ELSE format('last_updated %s, id %s', direction, direction) END;
  following text := CASE
    WHEN p_after_id IS NULL THEN 'true'
    WHEN p_order = 'id' THEN format('id > %L', p_after_id)
    WHEN p_order = 'last-updated' THEN format('(last_updated, id) > (%L::timestamptz, %L::uuid)', p_after_time, p_after_id)
    ELSE format('(last_updated, id) < (%L::timestamptz, %L::uuid)', p_after_time, p_after_id) END;
  conditions text := store.conditions(p_type, p_all, p_any, p_from, p_before);
BEGIN
  IF cardinality(p_all) = 0 AND cardinality(p_any) = 0 THEN
    -- Without tokens the B-tree of the order is right, walked from where the last page ended.
    RETURN QUERY EXECUTE format(
      'SELECT type, id, version, last_updated, sealed FROM store.resource WHERE %s AND %s ORDER BY %s LIMIT %s',
      conditions, following, sorting, p_limit);
  ELSE
    RETURN QUERY EXECUTE format(
      'WITH hit AS MATERIALIZED (SELECT ctid AS place, id, last_updated FROM store.resource WHERE %s),
       page AS MATERIALIZED (SELECT place FROM hit WHERE %s ORDER BY %s LIMIT %s)
       SELECT type, id, version, last_updated, sealed FROM store.resource
       WHERE ctid = ANY (ARRAY (SELECT place FROM page)) ORDER BY %s',
      conditions, following, sorting, p_limit, sorting);
  END IF;
END $$;

CREATE FUNCTION store.count_candidates(
  p_type text, p_all bigint[], p_any text[], p_from timestamptz, p_before timestamptz)
RETURNS bigint LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
  candidates bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM store.resource WHERE %s',
    store.conditions(p_type, p_all, p_any, p_from, p_before)) INTO candidates;
  RETURN candidates;
END $$;
