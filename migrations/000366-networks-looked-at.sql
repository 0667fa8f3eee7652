-- As before, but a counter may also be looked at alone (`looked`): a network's, whose attempts under way are counted in memory, so that
-- people behind one address do not wait for each other at its row. It is touched last by everybody, whatever its key.
DROP FUNCTION identity.charge_quietly(bigint[], text[], text[], text[], int[], timestamptz[], timestamptz);
CREATE FUNCTION identity.charge_quietly(
  subjects bigint[], stages text[], kinds text[], devices text[], frees int[], remembered timestamptz[], looked boolean[],
  at timestamptz
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
  FROM unnest(subjects, stages, kinds, devices, looked) AS n(subject, stage, kind, device, looked)
  WHERE NOT n.looked
  ORDER BY n.kind = 'network', n.subject, n.stage, n.kind, n.device
  ON CONFLICT (subject, stage, kind, device_hash) DO UPDATE
    SET failures = a.failures + 1, waits_until = EXCLUDED.waits_until, last_at = EXCLUDED.last_at
    WHERE a.waits_until <= at
      AND a.failures + 1 < (SELECT n.free FROM unnest(kinds, frees) AS n(kind, free) WHERE n.kind = a.kind);
  GET DIAGNOSTICS touched = ROW_COUNT;
  IF touched < cardinality(array_positions(looked, false)) THEN
    RAISE EXCEPTION USING ERRCODE = 'CS001', MESSAGE = 'changed meanwhile';
  END IF;
  RETURN true;
END $$;

CREATE OR REPLACE FUNCTION identity.charge_attempts(
  subjects bigint[], stages text[], kinds text[], devices text[], failed int[], waits timestamptz[], lasts timestamptz[],
  were_failed int[], were_waiting timestamptz[]
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE touched bigint;
BEGIN
  INSERT INTO identity.attempts AS a (subject, stage, kind, device_hash, failures, waits_until, last_at)
  SELECT n.subject, n.stage, n.kind, decode(n.device, 'hex'), n.failures, n.waits_until, n.last_at
  FROM unnest(subjects, stages, kinds, devices, failed, waits, lasts)
    AS n(subject, stage, kind, device, failures, waits_until, last_at)
  ORDER BY n.kind = 'network', n.subject, n.stage, n.kind, n.device
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
