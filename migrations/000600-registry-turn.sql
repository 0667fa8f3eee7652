-- Whoever changes who is the same person takes the registry's lock, and with it a number: two numbers in a row that one process took
-- tell it that nobody else was here between. A sequence, not a row: also who failed has been here.
CREATE SEQUENCE registry.turn AS bigint;
GRANT USAGE ON SEQUENCE registry.turn TO careseal_app;

-- Waits for the lock, holds it to the end of the transaction, and answers the number of this turn. Refuses with SQLSTATE CS001 when it
-- is not the one expected: somebody else's turn came first, so what was decided beforehand is out of date. 1129466955 is "CRLK".
CREATE FUNCTION registry.take_turn(expected bigint DEFAULT NULL) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  turn bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(1129466955);
  turn := nextval('registry.turn');
  IF turn <> expected THEN
    RAISE EXCEPTION 'another turn came first' USING ERRCODE = 'CS001';
  END IF;
  RETURN turn;
END
$$;
