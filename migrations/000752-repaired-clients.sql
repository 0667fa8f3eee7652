-- A client whose rows were changed past Careseal and that was mended has an entry of its own in its history.
ALTER TABLE registry.ledger DROP CONSTRAINT ledger_kind_check;
ALTER TABLE registry.ledger ADD CONSTRAINT ledger_kind_check CHECK (kind IN (
  'created', 'linked', 'unlinked', 'merged', 'unmerged', 'never-link', 'review-opened', 'review-decided', 'decision-undone', 'repaired'
));
