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

CREATE INDEX resource_tokens ON store.resource USING gin (tokens);
CREATE INDEX resource_last_updated ON store.resource (type, last_updated, id) WHERE sealed IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON store.resource, store.resource_history TO careseal_app;

-- The rows that carry the tokens: their places (ctid) with what they are sorted by. p_groups is an AND of ORs, each group the
-- literal of a bigint[]. Why a function, and why so:
--  * With ORDER BY and LIMIT the planner likes to walk another index and filter; at a million rows that is seconds instead of
--    milliseconds. The materialised first step has neither, and its only indexable conditions are those on tokens.
--  * Sequential scans are forbidden while it runs, without a round trip to say so.
--  * The text is planned at each call with the tokens in it, so their frequencies count and no plan made for a rare token or
--    an empty table is kept for a frequent token or a full one.
CREATE FUNCTION store.candidates_sql(p_type text, p_groups text[], p_from timestamptz, p_before timestamptz)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
  conditions text[] := ARRAY['sealed IS NOT NULL'];
  singles bigint[] := '{}';
  group_text text;
  group_tokens bigint[];
BEGIN
  FOREACH group_text IN ARRAY p_groups LOOP
    group_tokens := group_text::bigint[];
    IF cardinality(group_tokens) = 1 THEN
      singles := singles || group_tokens;
    ELSE
      conditions := conditions || format('tokens && %L::bigint[]', group_tokens);
    END IF;
  END LOOP;
  IF cardinality(singles) > 0 THEN
    conditions := conditions || format('tokens @> %L::bigint[]', singles);
  END IF;
  -- "IS TRUE" keeps these conditions away from the B-tree indexes.
  IF cardinality(p_groups) > 0 THEN
    conditions := conditions || format('(type = %L) IS TRUE', p_type);
    IF p_from IS NOT NULL THEN conditions := conditions || format('(last_updated >= %L) IS TRUE', p_from); END IF;
    IF p_before IS NOT NULL THEN conditions := conditions || format('(last_updated < %L) IS TRUE', p_before); END IF;
  ELSE
    conditions := conditions || format('type = %L', p_type);
    IF p_from IS NOT NULL THEN conditions := conditions || format('last_updated >= %L', p_from); END IF;
    IF p_before IS NOT NULL THEN conditions := conditions || format('last_updated < %L', p_before); END IF;
  END IF;
  RETURN format('FROM store.resource WHERE %s', array_to_string(conditions, ' AND '));
END $$;

-- p_order: 'id', 'last-updated' or 'last-updated-descending'; p_after_*: the last row of the page before, or nulls.
CREATE FUNCTION store.search_sql(
  p_type text, p_groups text[], p_from timestamptz, p_before timestamptz,
  p_order text, p_after_time timestamptz, p_after_id uuid, p_limit integer)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
  candidates text := store.candidates_sql(p_type, p_groups, p_from, p_before);
  direction text := CASE p_order WHEN 'last-updated-descending' THEN 'DESC' ELSE 'ASC' END;
  sorting text := CASE p_order WHEN 'id' THEN 'id' ELSE format('last_updated %s, id %s', direction, direction) END;
  following text := '';
BEGIN
  IF p_after_id IS NOT NULL THEN
    following := CASE p_order
      WHEN 'id' THEN format('id > %L', p_after_id)
      WHEN 'last-updated' THEN format('(last_updated, id) > (%L::timestamptz, %L::uuid)', p_after_time, p_after_id)
      ELSE format('(last_updated, id) < (%L::timestamptz, %L::uuid)', p_after_time, p_after_id)
    END;
  END IF;
  IF cardinality(p_groups) = 0 THEN
    -- Without tokens the B-tree of the order is right, walked from where the last page ended.
    RETURN format('SELECT type, id, version, last_updated, sealed %s %s ORDER BY %s LIMIT %s',
      candidates, CASE WHEN following = '' THEN '' ELSE 'AND ' || following END, sorting, p_limit);
  END IF;
  -- Sorting moves 40 bytes per candidate instead of its content, which is fetched for the page alone.
  RETURN format(
    'WITH hit AS MATERIALIZED (SELECT ctid AS place, id, last_updated %s),
     page AS MATERIALIZED (SELECT place FROM hit %s ORDER BY %s LIMIT %s)
     SELECT type, id, version, last_updated, sealed FROM store.resource
     WHERE ctid = ANY (ARRAY (SELECT place FROM page)) ORDER BY %s',
    candidates, CASE WHEN following = '' THEN '' ELSE 'WHERE ' || following END, sorting, p_limit, sorting);
END $$;

CREATE FUNCTION store.search(
  p_type text, p_groups text[], p_from timestamptz, p_before timestamptz,
  p_order text, p_after_time timestamptz, p_after_id uuid, p_limit integer)
RETURNS TABLE (type text, id uuid, version integer, last_updated timestamptz, sealed bytea)
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN QUERY EXECUTE
    store.search_sql(p_type, p_groups, p_from, p_before, p_order, p_after_time, p_after_id, p_limit);
END $$;

CREATE FUNCTION store.count_candidates(p_type text, p_groups text[], p_from timestamptz, p_before timestamptz)
RETURNS bigint LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
  candidates bigint;
BEGIN
  EXECUTE 'SELECT count(*) ' || store.candidates_sql(p_type, p_groups, p_from, p_before) INTO candidates;
  RETURN candidates;
END $$;
