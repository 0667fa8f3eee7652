-- Reviews between two clients that a decision about other records of theirs keeps apart: they could only be refused, and are answered.
UPDATE registry.review AS r
SET state = 'decided', decision = 'different', decided_at = now(), proposed_by = NULL, proposed_at = NULL
FROM registry.source AS x, registry.source AS y
WHERE r.state <> 'decided' AND x.source_id = r.a AND y.source_id = r.b AND x.golden_id <> y.golden_id
  AND EXISTS (
    SELECT FROM registry.source AS m
    CROSS JOIN LATERAL (
      SELECT b AS id FROM registry.never_link WHERE a = m.source_id
      UNION ALL SELECT a FROM registry.never_link WHERE b = m.source_id
    ) AS other
    JOIN registry.source AS far ON far.source_id = other.id
    WHERE m.golden_id = x.golden_id AND far.golden_id = y.golden_id
  );
