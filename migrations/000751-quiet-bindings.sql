-- A binding that is made anew is no change of the client: nobody is told of it.
CREATE OR REPLACE FUNCTION registry.note_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('careseal.rebinding', true) IS DISTINCT FROM 'on' AND EXISTS (SELECT FROM registry.change_wanted) THEN
    INSERT INTO registry.change (golden_id, version, at)
      SELECT golden_id, version, updated_at FROM changed ORDER BY golden_id;
    PERFORM pg_notify('careseal_changes', '');
  END IF;
  RETURN NULL;
END $$;
