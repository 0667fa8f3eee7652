-- Charges counters that are still as they were read, or new: all of them or none, in one statement. Rows are touched in the order
-- of their key, as by everybody who locks several.
CREATE FUNCTION identity.charge_attempts(
  subjects bigint[], stages text[], kinds text[], devices text[], failed int[], waits timestamptz[], lasts timestamptz[],
  were_failed int[], were_waiting timestamptz[]
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE touched bigint;
BEGIN
  INSERT INTO identity.attempts AS a (subject, stage, kind, device_hash, failures, waits_until, last_at)
  SELECT n.subject, n.stage, n.kind, decode(n.device, 'hex'), n.failures, n.waits_until, n.last_at
  FROM unnest(subjects, stages, kinds, devices, failed, waits, lasts)
    AS n(subject, stage, kind, device, failures, waits_until, last_at)
  ORDER BY n.subject, n.stage, n.kind, n.device
  ON CONFLICT (subject, stage, kind, device_hash) DO UPDATE
    SET failures = EXCLUDED.failures, waits_until = EXCLUDED.waits_until, last_at = EXCLUDED.last_at
    WHERE (a.failures, a.waits_until) = (
      SELECT w.failures, w.waits_until FROM unnest(subjects, stages, kinds, devices, were_failed, were_waiting)
        AS w(subject, stage, kind, device, failures, waits_until)
      WHERE w.subject = a.subject AND w.stage = a.stage AND w.kind = a.kind AND decode(w.device, 'hex') = a.device_hash);
  GET DIAGNOSTICS touched = ROW_COUNT;
  IF touched < cardinality(subjects) THEN
    RAISE EXCEPTION USING ERRCODE = 'CS001', MESSAGE = 'changed meanwhile';
  END IF;
  RETURN true;
EXCEPTION WHEN SQLSTATE 'CS001' THEN
  RETURN false;
END $$;

-- Every charge changes the time: without this index it touches no other page than the row's. Housekeeping reads the table whole.
DROP INDEX identity.attempts_last_at_idx;
