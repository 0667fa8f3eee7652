-- A token's index entries wait in a pending list that every search reads whole (000102). Between bursts of writing nobody is there
-- to empty it, and a look-up by identifier costs ten times what it could. The application may say that a burst is over.
CREATE FUNCTION store.settle_tokens() RETURNS bigint
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT gin_clean_pending_list('store.resource_tokens')
$$;
REVOKE ALL ON FUNCTION store.settle_tokens FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store.settle_tokens TO careseal_app;
