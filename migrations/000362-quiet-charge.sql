-- Charges counters that are far from any wait, without a look at them first; false: none is charged, read them and decide. Raises
-- CS001, and charges none, where one of them has moved on in the same moment. `frees`: so many failures make the first wait.
CREATE FUNCTION identity.charge_quietly(
  subjects bigint[], stages text[], kinds text[], devices text[], frees int[], remembered timestamptz[], at timestamptz
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE touched bigint;
BEGIN
  IF EXISTS (
    SELECT FROM unnest(subjects, stages, kinds, devices, frees, remembered)
      AS n(subject, stage, kind, device, free, remembered)
    JOIN identity.attempts a ON a.subject = n.subject AND a.stage = n.stage AND a.kind = n.kind
      AND a.device_hash = decode(n.device, 'hex')
    WHERE a.failures + 1 >= n.free OR a.waits_until > at OR a.last_at <= n.remembered
  ) THEN
    RETURN false;
  END IF;
  INSERT INTO identity.attempts AS a (subject, stage, kind, device_hash, failures, waits_until, last_at)
  SELECT n.subject, n.stage, n.kind, decode(n.device, 'hex'), 1, at, at
  FROM unnest(subjects, stages, kinds, devices) AS n(subject, stage, kind, device)
  ORDER BY n.subject, n.stage, n.kind, n.device
  ON CONFLICT (subject, stage, kind, device_hash) DO UPDATE
    SET failures = a.failures + 1, waits_until = EXCLUDED.waits_until, last_at = EXCLUDED.last_at
    WHERE a.waits_until <= at
      AND a.failures + 1 < (SELECT n.free FROM unnest(kinds, frees) AS n(kind, free) WHERE n.kind = a.kind);
  GET DIAGNOSTICS touched = ROW_COUNT;
  IF touched < cardinality(subjects) THEN
    RAISE EXCEPTION USING ERRCODE = 'CS001', MESSAGE = 'changed meanwhile';
  END IF;
  RETURN true;
END $$;

-- Uses a step of an authenticator up, or fails, so that COMMIT may leave together with it.
CREATE FUNCTION identity.take_step(person uuid, factor uuid, taken bigint, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE identity.factors SET last_step = taken, last_used_at = at WHERE user_id = person AND id = factor AND last_step < taken;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'CS002', MESSAGE = 'used up before';
  END IF;
END $$;
